namespace EdgeCloud.Contracts;

/// <summary>What one sealed segment holds and how to check it. Also the object <c>{sequence}.manifest.json</c> beside the segment.</summary>
public sealed record SegmentManifest : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.segment/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Robot that recorded it.</summary>
    public required string Robot { get; init; }
    /// <summary>Session it belongs to (UUIDv7).</summary>
    public required Guid Session { get; init; }
    /// <summary>Its place in the session, from 1, without holes: a discarded or quarantined segment keeps its place.</summary>
    public required int Sequence { get; init; }
    /// <summary>Key in the bucket.</summary>
    public required string ObjectKey { get; init; }
    /// <summary>Size of the file.</summary>
    public required long Bytes { get; init; }
    /// <summary>SHA-256 of the file, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }
    /// <summary>The ETag that S3 will give the object, without quotes: MD5, or MD5 of the parts' MD5s with <c>-{parts}</c>.</summary>
    public required string ETag { get; init; }
    /// <summary>SHA-256 of the session's previous segment, null for the first. This chains a session's segments.</summary>
    public string? PreviousSha256 { get; init; }
    /// <summary>Least log time in the segment, ns since the Unix epoch; 0 when it holds no message.</summary>
    public long LogTimeStartNs { get; init; }
    /// <summary>Greatest log time in the segment, ns since the Unix epoch; 0 when it holds no message.</summary>
    public long LogTimeEndNs { get; init; }
    /// <summary>Messages, repeats of latched messages excluded.</summary>
    public long Messages { get; init; }
    /// <summary>What is in it, by topic.</summary>
    public IReadOnlyList<TopicSummary> Topics { get; set; } = [];
    /// <summary>What was received, recorded and lost since the previous segment.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>The clocks when the segment was opened.</summary>
    public required ClockFacts Clock { get; init; }
    /// <summary>Bytes that recovery cut from the end after a crash; 0 for a segment that was sealed in peace.</summary>
    public long RecoveredCutBytes { get; init; }
    /// <summary>Version of the agent that wrote it.</summary>
    public required string AgentVersion { get; init; }
}

/// <summary>One topic of a segment or session.</summary>
public sealed record TopicSummary
{
    /// <summary>Topic name, ROS namespace included.</summary>
    public required string Topic { get; init; }
    /// <summary>Schema name, such as <c>sensor_msgs/msg/Imu</c>; empty when unknown.</summary>
    public string Type { get; set; } = "";
    /// <summary>SHA-256 of the schema's text, empty when the definition is unknown.</summary>
    public string SchemaHash { get; set; } = "";
    /// <summary>Message encoding, such as <c>cdr</c>.</summary>
    public string Encoding { get; set; } = "";
    /// <summary>Messages, repeats excluded.</summary>
    public long Messages { get; init; }
    /// <summary>Payload bytes, repeats excluded.</summary>
    public long Bytes { get; init; }
    /// <summary>Log time of the first message, ns since the Unix epoch.</summary>
    public long FirstLogTimeNs { get; init; }
    /// <summary>Log time of the last message, ns since the Unix epoch.</summary>
    public long LastLogTimeNs { get; init; }
}

/// <summary>The robot's clocks at one moment, to tell a clock that jumped from time that passed.</summary>
public sealed record ClockFacts
{
    /// <summary>Wall clock, ns since the Unix epoch.</summary>
    public required long WallNs { get; init; }
    /// <summary>CLOCK_MONOTONIC, ns since boot.</summary>
    public required long MonotonicNs { get; init; }
    /// <summary>The kernel's boot id.</summary>
    public required string BootId { get; init; }
}
