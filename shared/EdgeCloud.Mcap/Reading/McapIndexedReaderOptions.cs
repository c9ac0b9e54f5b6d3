using System.Buffers;

namespace EdgeCloud.Mcap.Reading;

/// <summary>What an indexed reader checks, how much memory it takes, and whether it may read a whole file to learn what is in it.</summary>
public sealed record McapIndexedReaderOptions
{
    /// <summary>The defaults.</summary>
    public static McapIndexedReaderOptions Default { get; } = new();

    /// <summary>Whether chunk CRCs that are not 0 must hold.</summary>
    public bool VerifyChunkCrc { get; init; } = true;

    /// <summary>Whether the summary's CRC that is not 0 must hold.</summary>
    public bool VerifySummaryCrc { get; init; } = true;

    /// <summary>
    /// Whether a file whose summary lacks chunk indexes, channels or schemas is read once from start to end to find them. If not, such a
    /// file is an error.
    /// </summary>
    public bool AllowScan { get; init; } = true;

    /// <summary>
    /// Whether a file whose summary may leave out attachments or metadata records is scanned for them, too. Not needed to read messages.
    /// </summary>
    public bool CompleteIndexes { get; init; }

    /// <summary>A chunk with more uncompressed bytes, or a record with more content, is an error.</summary>
    public long ChunkBytesMax { get; init; } = 1L << 30;

    /// <summary>
    /// Bytes of chunks that a cursor keeps open while it merges chunks whose times overlap; the one it reads from is always open.
    /// Beside them it keeps 16 bytes for each message of an overlapping chunk.
    /// </summary>
    public long OpenBytesMax { get; init; } = 256L << 20;

    /// <summary>Where chunks as stored and their records get their memory from.</summary>
    public ArrayPool<byte> Buffers { get; init; } = ArrayPool<byte>.Shared;
}
