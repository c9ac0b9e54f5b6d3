using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>How a log behaves. Validated by <see cref="SegmentLog"/>'s constructor.</summary>
public sealed record SegmentLogOptions
{
    /// <summary>At most this many ms of accepted messages are at risk, as long as the disk keeps up; 0 = a message waits for nothing but the
    /// sync before its own.</summary>
    public int BoundMs { get; init; } = 50;

    /// <summary>A chunk closes when its records reach this size.</summary>
    public int ChunkBytes { get; init; } = 1 << 20;

    /// <summary>A segment is sealed before it would grow beyond this size.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>A segment is sealed when its first message is this old.</summary>
    public TimeSpan SegmentTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Compression of chunks.</summary>
    public McapCompression Compression { get; init; } = McapCompression.Zstd;

    /// <summary>Whether chunks are compressed less (zstd, lz4, none) while the processor cannot keep up. False for a source that can wait.</summary>
    public bool CompressionStepsDown { get; init; } = true;

    /// <summary>Threads that compress chunks at once, at most; 0 = as many as there are cores.</summary>
    public int CompressionThreads { get; init; }

    /// <summary>Memory for messages that wait for the disk. Also the limit of one message: half of it.</summary>
    public int MemoryBytes { get; init; } = 48 << 20;

    /// <summary>A segment whose mean chunk is smaller than this is rewritten at sealing into chunks of <see cref="ChunkBytes"/>; 0 = never.</summary>
    public int LeastMeanChunkBytes { get; init; } = 256 << 10;

    /// <summary>Objects up to this size are uploaded in one PUT: their ETag is their MD5.</summary>
    public long SinglePutBytes { get; init; } = 16L << 20;

    /// <summary>Part size of larger objects: their ETag is made of the MD5s of the parts.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>After the disk refused a new segment, the next attempt comes this much later.</summary>
    public TimeSpan DiskRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>MCAP profile of the segments.</summary>
    public string Profile { get; init; } = "ros2";

    /// <summary>MCAP library field of the segments.</summary>
    public string Library { get; init; } = "edgecloud-agent";

    /// <summary>Metadata records at the start of every segment.</summary>
    public IReadOnlyList<SegmentMetadata> StartMetadata { get; init; } = [];

    /// <summary>Asked when a segment is sealed, in order of segments, on the log's own thread: Metadata records for its end, such as the
    /// loss ledger. Not asked for segments that recovery seals.</summary>
    public Func<SegmentFacts, IEnumerable<SegmentMetadata>>? EndMetadata { get; init; }

    /// <summary>Asked when a segment is begun: the robot's clocks.</summary>
    public Func<SegmentClock> Clock { get; init; } = SegmentClock.Now;

    /// <summary>Told after each sync that returned, on the log's own threads, one at a time: what is durable now. Commits during a sealing are told
    /// together at its end (<see cref="CommitReport"/>). Must not block.</summary>
    public Action<DurableCommit>? Committed { get; init; }

    /// <summary>Refuses values that cannot work.</summary>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(BoundMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkBytes, 4 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ChunkBytes, 16 << 20);
        ArgumentOutOfRangeException.ThrowIfLessThan(MemoryBytes, 8 * ChunkBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytes, ChunkBytes);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(SegmentTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(CompressionThreads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(PartBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(SinglePutBytes);
    }
}

/// <summary>An MCAP Metadata record.</summary>
public sealed record SegmentMetadata(string Name, IReadOnlyDictionary<string, string> Values);

/// <summary>What a sync made durable.</summary>
/// <param name="Messages">Messages of the log that are durable, since it was opened, repeats excluded.</param>
/// <param name="WallNs">Wall clock after the sync returned, ns since the Unix epoch.</param>
/// <param name="LatencyNs">Age of the oldest message that the sync covers when the sync returned, ns.</param>
public readonly record struct DurableCommit(long Messages, long WallNs, long LatencyNs);

/// <summary>The robot's clocks at one moment.</summary>
/// <param name="WallNs">Wall clock, ns since the Unix epoch.</param>
/// <param name="MonotonicNs">CLOCK_MONOTONIC, ns since boot.</param>
/// <param name="BootId">The kernel's boot id.</param>
public sealed record SegmentClock(long WallNs, long MonotonicNs, string BootId)
{
    private static readonly string ThisBoot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>The clocks now.</summary>
    public static SegmentClock Now() => new(
        WallNowNs(), System.Diagnostics.Stopwatch.GetTimestamp(), ThisBoot);

    /// <summary>The wall clock, ns since the Unix epoch.</summary>
    internal static long WallNowNs() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
}
