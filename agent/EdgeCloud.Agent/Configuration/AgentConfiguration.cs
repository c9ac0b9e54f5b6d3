using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources.Ros;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Configuration;

/// <summary>Everything the agent can be told at start, checked. <see cref="ConfigurationFile"/> reads it.</summary>
internal sealed record AgentConfiguration
{
    /// <summary>This robot.</summary>
    public required string Robot { get; init; }
    /// <summary>Absolute path of the folder that holds the recordings and the agent's memory.</summary>
    public required string DataDir { get; init; }
    public required SourceSettings Source { get; init; }
    /// <summary>Null: no control link.</summary>
    public MqttSettings? Mqtt { get; init; }
    /// <summary>Null: no upload.</summary>
    public S3Settings? S3 { get; init; }
    public RecordingSettings Recording { get; init; } = new();
    public DiskSettings Disk { get; init; } = new();
    public UploadSettings Upload { get; init; } = new();
    public TelemetrySettings Telemetry { get; init; } = new();
    public HealthSettings Health { get; init; } = new();
}

internal enum SourceKind { Dds, Rcl, Simulated, Replay }

/// <summary>Where DDS may use multicast.</summary>
internal enum DdsMulticast { On, Off, Discovery }

/// <summary>What a replay does with the times of its input.</summary>
internal enum ReplayTimes
{
    /// <summary>Kept to the nanosecond.</summary>
    Original,
    /// <summary>Shifted so that each pass starts now.</summary>
    Rebased,
}

internal sealed record SourceSettings
{
    public required SourceKind Kind { get; init; }
    /// <summary><see cref="SourceKind.Replay"/>: the MCAP file.</summary>
    public string Input { get; init; } = "";
    public ReplayTimes Times { get; init; } = ReplayTimes.Rebased;
    /// <summary><see cref="SourceKind.Replay"/>: start again at the end, for ever.</summary>
    public bool Loop { get; init; } = true;
    /// <summary>Replay: speed, 0 for as fast as the disk takes it. Simulated: factor on every message rate.</summary>
    public double Rate { get; init; } = 1;
    /// <summary><see cref="SourceKind.Simulated"/>: robots of one seed drive the same way.</summary>
    public int Seed { get; init; } = 1;
    public DdsSettings Dds { get; init; } = new();
    public RosSettings Ros { get; init; } = new();
}

/// <summary><see cref="SourceKind.Dds"/> only.</summary>
internal sealed record DdsSettings
{
    public int Domain { get; init; }
    /// <summary>Names or addresses of network interfaces; none: CycloneDDS chooses.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];
    /// <summary>Hosts to find participants on where multicast does not reach them.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];
    /// <summary>Null: as CycloneDDS chooses for the network.</summary>
    public DdsMulticast? Multicast { get; init; }
    /// <summary>Memory for messages that have arrived and were not taken yet, bytes. What does not fit is counted as lost.</summary>
    public long WaitingBytes { get; init; } = 64 << 20;
}

/// <summary>What the ROS 2 sources have in common.</summary>
internal sealed record RosSettings
{
    public RosTopicRules Rules { get; init; } = new();
    /// <summary>Folders with message definitions, before those of an installed ROS.</summary>
    public IReadOnlyList<string> Definitions { get; init; } = [];
    public QosOverrides QosOverrides { get; init; } = QosOverrides.None;
}

internal sealed record MqttSettings
{
    public required string Host { get; init; }
    public required int Port { get; init; }
    public required string User { get; init; }
    public string? Password { get; init; }
    public bool Tls { get; init; }
    /// <summary>PEM file of the authorities to trust; null for the system's.</summary>
    public string? CaFile { get; init; }
}

internal sealed record S3Settings
{
    public required string Endpoint { get; init; }
    public string Region { get; init; } = "us-east-1";
    public required string Bucket { get; init; }
    public string Prefix { get; init; } = "";
    public required string AccessKey { get; init; }
    public required string SecretKey { get; init; }
    public bool ForcePathStyle { get; init; } = true;
}

internal enum ChunkCompression { None, Lz4, Zstd }

internal sealed record RecordingSettings
{
    /// <summary>Start a session when none is going on at start.</summary>
    public bool Autostart { get; init; }
    public string Name { get; init; } = "";
    /// <summary>Topics of the session that starts by itself.</summary>
    public TopicSelection Selection { get; init; } = TopicSelection.All;
    /// <summary>Sessions that start by themselves begin paused.</summary>
    public bool StartPaused { get; init; }
    /// <summary>How topics are treated; the first rule that fits counts.</summary>
    public IReadOnlyList<TopicRule> Topics { get; init; } = [];
    /// <summary>When the segments of the session that starts by itself go up: <see cref="UploadPolicy"/>.</summary>
    public string Upload { get; init; } = UploadPolicy.Now;
    /// <summary>Makes the session that starts by itself an always-on one that keeps only so much; null for one that keeps everything.</summary>
    public RingSettings? Ring { get; init; }
    /// <summary>When ring sessions are triggered by what they record.</summary>
    public IReadOnlyList<TriggerRule> Triggers { get; init; } = [];
    /// <summary>What becomes of a session that was recording or paused when the agent stopped.</summary>
    public RestartBehaviour OnRestart { get; init; } = RestartBehaviour.Resume;
    /// <summary>Durability bound: at most this much of the newest data is at risk, ms; 0: every message waits for nothing but its own sync.</summary>
    public int BoundMs { get; init; } = 50;
    public long SegmentBytes { get; init; } = 64 << 20;
    public int SegmentSeconds { get; init; } = 60;
    public ChunkCompression Compression { get; init; } = ChunkCompression.Zstd;
    /// <summary>Threads of a session that compress at once, at most; 0: as many as there are cores.</summary>
    public int CompressionThreads { get; init; }
}

/// <summary>What becomes of a session that was recording or paused when the agent stopped.</summary>
internal enum RestartBehaviour
{
    /// <summary>It goes on, and the gap is on record.</summary>
    Resume,
    /// <summary>It is finished with what there is.</summary>
    Finish,
}

internal sealed record DiskSettings
{
    /// <summary>Recording stops, and is counted as dropped, below this much free space, bytes.</summary>
    public long MinimumFreeBytes { get; init; } = 1L << 30;
    /// <summary>Of the whole file system, recordings take at most this share; 1: no limit.</summary>
    public double MaximumShare { get; init; } = 0.9;
    /// <summary>Keep acknowledged segments until their space is needed; false deletes them at once.</summary>
    public bool KeepAcknowledged { get; init; }
    /// <summary>Keep at most so much of what is acknowledged, bytes; 0: no limit.</summary>
    public long KeepBytes { get; init; }
    /// <summary>Keep what is acknowledged at most so long, hours; 0: no limit.</summary>
    public double KeepHours { get; init; }
}

internal sealed record UploadSettings
{
    public int Workers { get; init; } = 4;
    /// <summary>Size of a part of a multipart upload, bytes. Objects up to twice this go in one PUT.</summary>
    public long PartBytes { get; init; } = 8 << 20;
    /// <summary>0: no cap.</summary>
    public long BandwidthBytesPerSecond { get; init; }
    /// <summary>What may pass at once after a rest, bytes; 0: what the cap allows in a quarter of a second.</summary>
    public long BurstBytes { get; init; }
    /// <summary>When uploads may run, in the words of <see cref="Agent.Upload.UploadWindows"/>; empty: always.</summary>
    public string Windows { get; init; } = "";
    /// <summary>A request over which nothing has moved for so long is given up and tried again, s.</summary>
    public double StallSeconds { get; init; } = 60;
    /// <summary>
    /// Network conditions by name, each a list of patterns of interface names: one holds while the S3 server is reached through an interface
    /// that a pattern matches.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Networks { get; init; } = DefaultNetworks;

    /// <summary>What is known without being configured.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> DefaultNetworks { get; } =
        new Dictionary<string, IReadOnlyList<string>> { [UploadPolicy.WifiOnly] = ["wl*"] };
}

internal sealed record TelemetrySettings
{
    public double IntervalSeconds { get; init; } = 2;
}

internal sealed record HealthSettings
{
    /// <summary>Loopback port of /healthz and /metrics; null: none.</summary>
    public int? Port { get; init; }
}
