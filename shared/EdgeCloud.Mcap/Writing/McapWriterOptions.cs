namespace EdgeCloud.Mcap.Writing;

/// <summary>How <see cref="McapWriter"/> lays out a file.</summary>
public sealed record McapWriterOptions
{
    /// <summary>Agreed rules that the file keeps, such as <c>ros2</c>.</summary>
    public string Profile { get; init; } = "";

    /// <summary>What writes the file.</summary>
    public string Library { get; init; } = "EdgeCloud.Mcap";

    /// <summary>Whether messages go into chunks. Without chunks there is no index, no compression and no CRC of the messages.</summary>
    public bool Chunked { get; init; } = true;

    /// <summary>A chunk closes once its records, uncompressed, take this many bytes. One larger message makes one larger chunk.</summary>
    public int ChunkBytes { get; init; } = 1 << 20;

    /// <summary>Compression of the chunks.</summary>
    public McapCompression Compression { get; init; } = McapCompression.Zstd;

    /// <summary>zstd: its levels, negative ones included; lz4: 0 or 1 fast, 3 to 12 smaller.</summary>
    public int CompressionLevel { get; init; } = 1;

    /// <summary>Whether chunks carry the CRC of their records.</summary>
    public bool ChunkCrc { get; init; } = true;

    /// <summary>Whether message indexes follow each chunk.</summary>
    public bool MessageIndex { get; init; } = true;

    /// <summary>Whether DataEnd carries the CRC of everything before it.</summary>
    public bool DataSectionCrc { get; init; } = true;

    /// <summary>What the summary holds.</summary>
    public SummaryOptions Summary { get; init; } = SummaryOptions.All;

    /// <summary>Put after the last field of each record that may be extended: the conformance suite's feature "pad".</summary>
    internal byte[] Padding { get; init; } = [];
}
