using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts;

/// <summary>Figures of the last interval, on <c>telemetry</c>. A message may be lost; nothing depends on one.</summary>
public sealed record TelemetryMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.telemetry/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>When, in the order of what this robot says.</summary>
    public required Revision Revision { get; init; }
    /// <summary>Robot's wall clock at the end of the interval, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>Length of the interval, ms.</summary>
    public required int IntervalMs { get; init; }
    /// <summary>Rates by topic.</summary>
    public IReadOnlyList<TopicRate> Topics { get; set; } = [];
    /// <summary>Messages recorded, 1/s.</summary>
    public double MessagesPerSecond { get; init; }
    /// <summary>Payload bytes recorded, B/s.</summary>
    public double BytesPerSecond { get; init; }
    /// <summary>Messages lost since the agent started.</summary>
    public long Lost { get; init; }
    /// <summary>Free space on the disk that holds the recordings, bytes.</summary>
    public long DiskFreeBytes { get; init; }
    /// <summary>Size of that disk, bytes.</summary>
    public long DiskTotalBytes { get; init; }
    /// <summary>Bytes of recordings on that disk.</summary>
    public long RecordingsBytes { get; init; }
    /// <summary>CPU use of the whole robot, percent of all cores.</summary>
    public double SystemCpuPercent { get; init; }
    /// <summary>CPU use of the agent, percent of one core.</summary>
    public double AgentCpuPercent { get; init; }
    /// <summary>Resident memory of the agent, bytes.</summary>
    public long AgentMemoryBytes { get; init; }
    /// <summary>Received by all network interfaces but loopback, B/s.</summary>
    public double NetworkReceiveBytesPerSecond { get; init; }
    /// <summary>Sent by all network interfaces but loopback, B/s.</summary>
    public double NetworkSendBytesPerSecond { get; init; }
    /// <summary>Upload queue.</summary>
    public UploadStatus Upload { get; set; } = new();
    /// <summary>Where the robot is, from the last NavSatFix with a fix; null when none came since the agent started.</summary>
    public GeoPosition? Position { get; init; }
    /// <summary>Time from append to durable, median of the interval, ms; null when nothing was recorded.</summary>
    public double? CommitP50Ms { get; init; }
    /// <summary>Time from append to durable, 99th percentile of the interval, ms; null when nothing was recorded.</summary>
    public double? CommitP99Ms { get; init; }
}

/// <summary>The rate of one topic.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Type">Type name; empty when unknown.</param>
/// <param name="Hz">Messages, 1/s.</param>
/// <param name="BytesPerSecond">Payload bytes, B/s.</param>
/// <param name="Lost">Messages lost since the agent started.</param>
public sealed record TopicRate(string Topic, string Type, double Hz, double BytesPerSecond, long Lost);

/// <summary>What waits for upload.</summary>
public sealed record UploadStatus
{
    /// <summary>Segments sealed and not yet acknowledged.</summary>
    public int BacklogSegments { get; init; }
    /// <summary>Bytes of them.</summary>
    public long BacklogBytes { get; init; }
    /// <summary>Upload rate of the interval, B/s.</summary>
    public double BytesPerSecond { get; init; }
    /// <summary>Attempts that failed since the agent started.</summary>
    public long Retries { get; init; }
    /// <summary>Attempts in a row that did not reach the store; 0 while it works.</summary>
    public int Failures { get; init; }
    /// <summary>When the store is tried again, robot's wall clock, ns since the Unix epoch; null while it works.</summary>
    public long? NextAttemptNs { get; init; }
    /// <summary>Why segments wait although nothing failed, such as <c>upload.windows</c>; empty when uploads may run.</summary>
    public string WaitsFor { get; set; } = "";
    /// <summary>The last error, empty when the last attempt went through.</summary>
    public string LastError { get; set; } = "";
}

/// <summary>A place on the earth, in WGS 84.</summary>
/// <param name="Latitude">Degrees, north positive, -90 to 90.</param>
/// <param name="Longitude">Degrees, east positive, -180 to 180.</param>
/// <param name="Altitude">Metres above the ellipsoid; null when unknown.</param>
/// <param name="TimeNs">When the robot was there, ns since the Unix epoch.</param>
public sealed record GeoPosition(double Latitude, double Longitude, double? Altitude, long TimeNs)
{
    /// <summary>True when it is a place that there is.</summary>
    [JsonIgnore]
    public bool IsValid => Latitude is >= -90 and <= 90 && Longitude is >= -180 and <= 180 && (Altitude is null || double.IsFinite(Altitude.Value));
}
