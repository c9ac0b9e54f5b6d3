using EdgeCloud.Agent.Sources.Ros;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>A writer of a topic that is subscribed to, and how far its numbers have come.</summary>
internal sealed class DdsWriter(ulong handle)
{
    public ulong Handle { get; } = handle;

    /// <summary>Null until it is discovered: a sample may be faster than the news of its writer.</summary>
    public DdsTopic? Topic { get; set; }

    public UInt128 Guid { get; set; }

    public QosProfile Qos { get; set; } = new(false, false);

    public bool IsExclusive { get; set; }

    public byte[] UserData { get; set; } = [];

    /// <summary>Names, each ended by a zero; empty for the default partition.</summary>
    public byte[] Partitions { get; set; } = [];

    public string? TypeHash => RosNames.TypeHash(UserData);

    /// <summary>Its place among the writers of a latched topic; -1 while it has none.</summary>
    public int Place { get; set; } = -1;

    /// <summary>Environment.TickCount64 when it went; 0 while it lives.</summary>
    public long GoneAt { get; set; }

    /// <summary>The greatest number that was seen; 0 when none was.</summary>
    public ulong LastSequence { get; private set; }

    /// <summary>
    /// Takes a sample's number. Answers how many numbers before it were never seen, or -1 when it was seen already: a reader that takes the
    /// place of another gets kept samples again.
    /// </summary>
    public long Advance(ulong sequence)
    {
        if (sequence == 0)
            return 0;
        if (sequence <= LastSequence)
            return -1;
        // What a writer sent before the first sample that was seen was not sent to this reader.
        var missed = LastSequence == 0 ? 0 : (long)(sequence - LastSequence - 1);
        LastSequence = sequence;
        return missed;
    }
}
