namespace EdgeCloud.Mcap.Recovery;

/// <summary>How recovery writes its output, and what it may cost.</summary>
public sealed record McapRecoveryOptions
{
    /// <summary>Compression of messages that lie in no whole chunk. Whole chunks are copied as they are.</summary>
    public McapCompression Compression { get; init; } = McapCompression.Zstd;

    /// <summary>A chunk with more uncompressed bytes is given up.</summary>
    public long ChunkBytesMax { get; init; } = 1L << 30;
}

/// <summary>Bytes of the damaged file that are not in the recovered one.</summary>
/// <param name="Offset">The first of them.</param>
/// <param name="Length">How many.</param>
/// <param name="Reason">Why.</param>
public sealed record CutRange(long Offset, long Length, string Reason);

/// <summary>What recovery kept and what it cut.</summary>
public sealed record McapRecoveryReport
{
    /// <summary>Messages in the recovered file.</summary>
    public required long MessageCount { get; init; }
    /// <summary>Chunks copied whole.</summary>
    public required int ChunkCount { get; init; }
    /// <summary>Messages rescued one by one: from no chunk, or from the start of a chunk that is cut off or damaged.</summary>
    public required long LooseMessageCount { get; init; }
    /// <summary>Attachments in the recovered file.</summary>
    public required int AttachmentCount { get; init; }
    /// <summary>Metadata records in the recovered file.</summary>
    public required int MetadataCount { get; init; }
    /// <summary>Channels whose definition was lost; they are in the recovered file under made-up topics <c>lost/channel_{id}</c>.</summary>
    public required IReadOnlyList<ushort> LostChannels { get; init; }
    /// <summary>What was cut, in file order.</summary>
    public required IReadOnlyList<CutRange> Cuts { get; init; }
    /// <summary>True when the data section was whole: DataEnd was reached and nothing was cut.</summary>
    public required bool IsComplete { get; init; }
    /// <summary>Bytes cut in all.</summary>
    public long CutBytes => Cuts.Sum(cut => cut.Length);
}
