using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// What one session counts of one topic. Counters only grow; what has gone into the ledger of an ended segment is subtracted by
/// <see cref="Assigned"/>. Guarded by the recorder's gate.
/// </summary>
internal sealed class TopicLine(string topic)
{
    public string Topic { get; } = topic;

    /// <summary>Channels of this name: a topic may be offered with several types or profiles.</summary>
    public List<ChannelHandle> Channels { get; } = [];

    public long Received;
    public long Paused;
    public long DroppedByGuard;
    public long LostTransport;
    public long Limited;
    public long OddStamps;

    /// <summary>The part of the counts that ended segments account for.</summary>
    public LedgerEntry Assigned { get; private set; } = new() { Topic = topic };

    /// <summary>Everything counted so far. What was neither dropped nor passed while paused is recorded, or will be.</summary>
    public LedgerEntry Total()
    {
        long queue = 0, disk = DroppedByGuard;
        foreach (var channel in Channels)
        {
            queue += channel.DroppedByQueue;
            disk += channel.DroppedByDisk;
        }
        return new LedgerEntry
        {
            Topic = Topic,
            Received = Received,
            Recorded = Received - queue - disk - Paused - Limited,
            DroppedQueue = queue,
            DroppedDisk = disk,
            LostTransport = LostTransport,
            Paused = Paused,
            Limited = Limited,
            OddStamps = OddStamps,
        };
    }

    /// <summary>What no ended segment accounts for.</summary>
    public LedgerEntry Unassigned() => Minus(Total(), Assigned);

    /// <summary>
    /// The entry of a segment that ends: its messages as they are in the file, and everything that was lost or passed since the one before.
    /// </summary>
    public LedgerEntry Assign(long recorded)
    {
        var open = Unassigned();
        var entry = open with { Recorded = recorded, Received = recorded + open.DroppedQueue + open.DroppedDisk + open.Paused + open.Limited };
        Assigned = Assigned.Plus(entry);
        return entry;
    }

    private static LedgerEntry Minus(LedgerEntry a, LedgerEntry b) => a with
    {
        Received = a.Received - b.Received,
        Recorded = a.Recorded - b.Recorded,
        DroppedQueue = a.DroppedQueue - b.DroppedQueue,
        DroppedDisk = a.DroppedDisk - b.DroppedDisk,
        LostTransport = a.LostTransport - b.LostTransport,
        Paused = a.Paused - b.Paused,
        Limited = a.Limited - b.Limited,
        OddStamps = a.OddStamps - b.OddStamps,
    };
}
