namespace EdgeCloud.Contracts;

/// <summary>
/// What became of every message of one topic that reached, or should have reached, the recorder.
/// <c>Received = Recorded + DroppedQueue + DroppedDisk + Paused + Limited</c>; <see cref="LostTransport"/> never arrived and is known from gaps in
/// the source's sequence numbers.
/// </summary>
public sealed record LedgerEntry
{
    /// <summary>Topic name, ROS namespace included.</summary>
    public required string Topic { get; init; }
    /// <summary>Messages that the source delivered.</summary>
    public long Received { get; init; }
    /// <summary>Messages in segments.</summary>
    public long Recorded { get; init; }
    /// <summary>Messages dropped because the write-ahead log could not keep up.</summary>
    public long DroppedQueue { get; init; }
    /// <summary>Messages dropped because the disk refused them or the disk guard stopped recording.</summary>
    public long DroppedDisk { get; init; }
    /// <summary>Messages that the transport lost before the agent saw them.</summary>
    public long LostTransport { get; init; }
    /// <summary>Messages that passed while the session was paused.</summary>
    public long Paused { get; init; }
    /// <summary>Messages that a rule of the configuration leaves out: above the topic's rate or size limit.</summary>
    public long Limited { get; init; }
    /// <summary>Of the recorded messages, those whose sender's stamp is zero or absurd. They are kept as they are; nothing is ordered by it.</summary>
    public long OddStamps { get; init; }
    /// <summary>
    /// Of <see cref="Recorded"/>, messages in segments that were discarded later: the ring ran over them, the disk guard, or a cancel. Known for
    /// whole sessions only; 0 in a segment's own ledger.
    /// </summary>
    public long Discarded { get; init; }

    /// <summary>Messages that were meant to be recorded and are not: everything lost or dropped, pauses and limits excepted.</summary>
    public long Lost() => DroppedQueue + DroppedDisk + LostTransport;

    /// <summary>The sum of two entries of one topic.</summary>
    public LedgerEntry Plus(LedgerEntry other) => this with
    {
        Received = Received + other.Received,
        Recorded = Recorded + other.Recorded,
        DroppedQueue = DroppedQueue + other.DroppedQueue,
        DroppedDisk = DroppedDisk + other.DroppedDisk,
        LostTransport = LostTransport + other.LostTransport,
        Paused = Paused + other.Paused,
        Limited = Limited + other.Limited,
        OddStamps = OddStamps + other.OddStamps,
        Discarded = Discarded + other.Discarded,
    };

    /// <summary>Sums ledgers topic by topic, in order of topic name.</summary>
    public static IReadOnlyList<LedgerEntry> Sum(IEnumerable<LedgerEntry> entries) =>
        [.. entries.GroupBy(e => e.Topic, StringComparer.Ordinal)
                   .OrderBy(g => g.Key, StringComparer.Ordinal)
                   .Select(g => g.Aggregate((a, b) => a.Plus(b)))];
}
