namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>What is asked of writers. Equal requests need no new reader.</summary>
internal sealed record ReaderQos
{
    /// <summary>Samples that may wait to be taken; bytes are bounded elsewhere. KEEP_ALL would grow without bound.</summary>
    public const int GenerousDepth = 100_000;

    public bool IsReliable { get; init; }
    public bool IsTransientLocal { get; init; }
    public bool IsExclusive { get; init; }
    public bool KeepAll { get; init; }
    public int Depth { get; init; } = GenerousDepth;
    public long DeadlineNs { get; init; } = QosProfile.Forever;
    public long LeaseNs { get; init; } = QosProfile.Forever;
    public bool IsManualByTopic { get; init; }
    /// <summary>Names of all writers' partitions, each ended by a zero, as Latin-1; empty for the default one.</summary>
    public string Partitions { get; init; } = "";

    /// <summary>For the log.</summary>
    public string Words => $"{(IsReliable ? "reliable" : "best effort")}, {(IsTransientLocal ? "transient local" : "volatile")}";

    /// <summary>True when this asks for less: only then do writers match that did not before, and it cannot wait.</summary>
    public bool IsWeakerThan(ReaderQos other) =>
        (other.IsReliable && !IsReliable) || (other.IsTransientLocal && !IsTransientLocal) || other.Partitions != Partitions
        || other.IsExclusive != IsExclusive;
}
