namespace EdgeCloud.Mcap.Reading;

/// <summary>What a parser checks, and how much memory a file may make it take.</summary>
public sealed record RecordParserOptions
{
    /// <summary>The defaults.</summary>
    public static RecordParserOptions Default { get; } = new();

    /// <summary>Whether the records inside chunks are handed out instead of the chunks.</summary>
    public bool ExpandChunks { get; init; } = true;

    /// <summary>Whether chunk CRCs that are not 0 must hold. Applies where chunks are expanded.</summary>
    public bool VerifyChunkCrc { get; init; } = true;

    /// <summary>Whether the CRCs of data section and summary that are not 0 must hold.</summary>
    public bool VerifySectionCrcs { get; init; } = true;

    /// <summary>A record with longer content is an error, found before anything is allocated for it.</summary>
    public long RecordBytesMax { get; init; } = McapFormat.RecordBytesLimit;

    /// <summary>A chunk with more uncompressed bytes is an error, found before anything is allocated for it.</summary>
    public long ChunkBytesMax { get; init; } = 1L << 30;
}
