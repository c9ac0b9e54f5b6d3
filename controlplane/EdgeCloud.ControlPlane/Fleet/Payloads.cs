using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>
/// What is demanded of a payload beyond its JSON form, before anything is stored: that it speaks for the robot of its topic, and that
/// its values are ones that the catalogue can hold and add up.
/// </summary>
internal static class Payloads
{
    /// <summary>Greatest count or size that is believed: 2^50, a thousand times what a robot's disk holds; sums of them fit 64 bits.</summary>
    public const long MaxCount = 1L << 50;

    public static T Read<T>(string robot, ReadOnlySpan<byte> payload) where T : class, IContractMessage
    {
        var message = ContractJson.Read<T>(payload);
        var speaker = message switch
        {
            StateMessage m => m.Robot,
            TelemetryMessage m => m.Robot,
            CommandAck m => m.Robot,
            LogMessage m => m.Robot,
            EventMessage m => m.Robot,
            SegmentAnnouncement m => m.Robot,
            SessionAnnouncement m => m.Robot,
            _ => throw new ArgumentException($"{typeof(T)} is nothing that a robot says.", nameof(payload)),
        };
        return speaker == robot ? message : throw new ContractException($"it says that it comes from '{Shown(speaker)}'");
    }

    /// <summary>PostgreSQL's texts hold every character but NUL, which JSON can only write as an escape.</summary>
    public static void RequireStorable(ReadOnlySpan<byte> payload)
    {
        if (payload.IndexOf("\\u0000"u8) >= 0)
            throw new ContractException("it holds the character NUL");
    }

    public static void Check(StateMessage m)
    {
        RequireNoNull(m.Sessions, "sessions");
        RequireNoNull(m.Topics, "topics");
        RequireNoNull(m.Alarms, "alarms");
    }

    public static void Check(TelemetryMessage m)
    {
        RequireNoNull(m.Topics, "topics");
        double[] figures =
        [
            m.MessagesPerSecond, m.BytesPerSecond, m.SystemCpuPercent, m.AgentCpuPercent, m.NetworkReceiveBytesPerSecond,
            m.NetworkSendBytesPerSecond, m.Upload.BytesPerSecond, m.CommitP50Ms ?? 0, m.CommitP99Ms ?? 0,
        ];
        if (m.Position is { IsValid: false })
            throw new ContractException("its position is no place on the earth");
        if (!figures.All(double.IsFinite) || !m.Topics.All(t => double.IsFinite(t.Hz) && double.IsFinite(t.BytesPerSecond)))
            throw new ContractException("it holds a figure that is not finite");
    }

    public static void Check(CommandAck ack)
    {
        if (ack.Status == CommandStatus.Queued)
            throw new ContractException("it answers a command with 'queued', which no robot says");
        if (ack.Percent is not (null or (>= 0 and <= 100)))
            throw new ContractException("its percentage is not from 0 to 100");
    }

    public static void Check(SegmentManifest m)
    {
        RequireCount(m.Bytes, "bytes");
        RequireCount(m.Messages, "messages");
        RequireCount(m.RecoveredCutBytes, "recovered_cut_bytes");
        Check(m.Ledger);
        RequireNoNull(m.Topics, "topics");
        foreach (var topic in m.Topics)
        {
            RequireCount(topic.Messages, "messages of a topic");
            RequireCount(topic.Bytes, "bytes of a topic");
        }
        if (m.Sequence < 1)
            throw new ContractException($"its sequence is {m.Sequence}; segments count from 1");
        // A file that could not be read has no hash.
        if (m.Sha256 is not "" && (m.Sha256.Length != 64 || m.Sha256.AsSpan().ContainsAnyExcept("0123456789abcdef")))
            throw new ContractException("its sha256 is not 64 lower-case hexadecimal digits");
    }

    public static void Check(SessionManifest m)
    {
        RequireCount(m.Messages, "messages");
        Check(m.Ledger);
        RequireNoNull(m.Pauses, "pauses");
        RequireNoNull(m.Requested, "requested");
        if (!UploadPolicy.IsValid(m.Upload))
            throw new ContractException("its upload policy is no word");
        RequireNoNull(m.Selection.Include, "include");
        RequireNoNull(m.Selection.Exclude, "exclude");
        RequireNoNull(m.Selection.Types, "types");
        RequireNoNull(m.Selection.ExcludeTypes, "exclude_types");
        RequireNoNull(m.Selection.Nodes, "nodes");
        RequireNoNull(m.Selection.ExcludeNodes, "exclude_nodes");
        RequireNoNull(m.ClockJumps, "clock_jumps");
        if (m.Event is not { } clip)
            return;
        RequireNoNull(clip.Triggers, "triggers");
        if (clip.Parent == m.Session)
            throw new ContractException("it is an event of itself");
        if (clip.ToNs < clip.FromNs || clip.ToNs == long.MaxValue)
            throw new ContractException($"it is an event from {clip.FromNs} to {clip.ToNs}");
    }

    private static void Check(IReadOnlyList<LedgerEntry> ledger)
    {
        RequireNoNull(ledger, "ledger");
        foreach (var entry in ledger)
        {
            RequireCount(entry.Received, "received");
            RequireCount(entry.Recorded, "recorded");
            RequireCount(entry.DroppedQueue, "dropped_queue");
            RequireCount(entry.DroppedDisk, "dropped_disk");
            RequireCount(entry.LostTransport, "lost_transport");
            RequireCount(entry.Paused, "paused");
            RequireCount(entry.Limited, "limited");
            RequireCount(entry.OddStamps, "odd_stamps");
        }
    }

    // The JSON reader checks the fields of records for null, not the elements of lists.
    private static void RequireNoNull<T>(IReadOnlyList<T> list, string name)
    {
        if (list.Any(e => e is null))
            throw new ContractException($"its list {name} holds a null");
    }

    private static void RequireCount(long value, string name)
    {
        if (value is < 0 or > MaxCount)
            throw new ContractException($"its {name} is {value}; 0 to {MaxCount} is believed");
    }

    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
