namespace EdgeCloud.Agent.Wal;

/// <summary>Why a segment was ended.</summary>
public enum SealReason
{
    /// <summary>It reached its size.</summary>
    Size,
    /// <summary>It reached its age.</summary>
    Time,
    /// <summary>The session was paused.</summary>
    Pause,
    /// <summary>The upload asked for what there is (command <c>sync</c>).</summary>
    Sync,
    /// <summary>The wall clock jumped.</summary>
    ClockJump,
    /// <summary>The session ended.</summary>
    Finish,
    /// <summary>The disk failed: the segment ends with its last good commit.</summary>
    DiskFault,
    /// <summary>The process had died; recovery sealed it.</summary>
    Recovered,
}

/// <summary>One channel of a segment.</summary>
public sealed record SegmentChannel
{
    /// <summary>What it is.</summary>
    public required ChannelDefinition Definition { get; init; }
    /// <summary>Messages in the segment, repeats excluded.</summary>
    public long Messages { get; init; }
    /// <summary>Their payload bytes.</summary>
    public long Bytes { get; init; }
    /// <summary>Log time of the first, ns since the Unix epoch; 0 when there is none.</summary>
    public ulong FirstLogTimeNs { get; init; }
    /// <summary>Log time of the last, ns since the Unix epoch; 0 when there is none.</summary>
    public ulong LastLogTimeNs { get; init; }
    /// <summary>Messages refused since the previous segment because the memory was full; 0 when recovered.</summary>
    public long DroppedByQueue { get; init; }
    /// <summary>Messages lost since the previous segment because the disk took no writes; 0 when recovered.</summary>
    public long DroppedByDisk { get; init; }
}

/// <summary>What is in a segment: known when its last message is durable.</summary>
public sealed record SegmentFacts
{
    /// <summary>Its number in the session.</summary>
    public required int Sequence { get; init; }
    /// <summary>Why it ended.</summary>
    public required SealReason Reason { get; init; }
    /// <summary>Messages, repeats excluded.</summary>
    public required long Messages { get; init; }
    /// <summary>Least log time, ns since the Unix epoch; 0 when it holds no message.</summary>
    public required ulong LogTimeStartNs { get; init; }
    /// <summary>Greatest log time, ns since the Unix epoch; 0 when it holds no message.</summary>
    public required ulong LogTimeEndNs { get; init; }
    /// <summary>All channels of the log at that time, in the order in which they were added.</summary>
    public required IReadOnlyList<SegmentChannel> Channels { get; init; }
    /// <summary>The clocks when it was begun.</summary>
    public required SegmentClock Clock { get; init; }
    /// <summary>Bytes that recovery cut; 0 for a segment that was sealed in peace.</summary>
    public long CutBytes { get; init; }

    /// <summary>Messages that were in what recovery passed over between commits that it kept.</summary>
    public long LostMessages { get; init; }
}

/// <summary>A segment that is complete: indexed, synced, and under its final name.</summary>
public sealed record SealedSegment
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }
    /// <summary>Size of the file.</summary>
    public required long Bytes { get; init; }
    /// <summary>SHA-256 of the file, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }
    /// <summary>The ETag that S3 will give the object, without quotes (see <see cref="SegmentLogOptions.SinglePutBytes"/>).</summary>
    public required string ETag { get; init; }
    /// <summary>MD5s of its parts, lower-case hexadecimal: what each upload of one promises; none when it goes up in one request.</summary>
    public IReadOnlyList<string> PartMd5s { get; init; } = [];
    /// <summary>What is in it.</summary>
    public required SegmentFacts Facts { get; init; }
    /// <summary>Chunks in the file.</summary>
    public required int Chunks { get; init; }
    /// <summary>Bytes of commit records and padding in the file: what durability costs; 0 after a rewrite.</summary>
    public required long CommitOverheadBytes { get; init; }
    /// <summary>True when the segment's small chunks were joined at sealing.</summary>
    public required bool Rewritten { get; init; }
}

/// <summary>A segment that is durable and that the device does not give back as it was written, or not at all: left open, for recovery.</summary>
/// <param name="Facts">What it was to hold.</param>
/// <param name="Path">The open file.</param>
/// <param name="Reason">What the device did.</param>
public sealed record UnsealableSegment(SegmentFacts Facts, string Path, string Reason);
