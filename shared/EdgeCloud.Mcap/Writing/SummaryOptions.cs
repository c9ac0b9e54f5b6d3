namespace EdgeCloud.Mcap.Writing;

/// <summary>What goes into a file's summary. Everything, unless said otherwise.</summary>
public sealed record SummaryOptions
{
    /// <summary>Everything.</summary>
    public static SummaryOptions All { get; } = new();

    /// <summary>Nothing: the file can be read from start to end only.</summary>
    public static SummaryOptions None { get; } = new()
    {
        Schemas = false,
        Channels = false,
        Statistics = false,
        ChunkIndexes = false,
        AttachmentIndexes = false,
        MetadataIndexes = false,
        SummaryOffsets = false,
    };

    /// <summary>Repeat the schemas.</summary>
    public bool Schemas { get; init; } = true;
    /// <summary>Repeat the channels.</summary>
    public bool Channels { get; init; } = true;
    /// <summary>Counts and times of the file.</summary>
    public bool Statistics { get; init; } = true;
    /// <summary>Where each chunk lies.</summary>
    public bool ChunkIndexes { get; init; } = true;
    /// <summary>Where each attachment lies.</summary>
    public bool AttachmentIndexes { get; init; } = true;
    /// <summary>Where each metadata record lies.</summary>
    public bool MetadataIndexes { get; init; } = true;
    /// <summary>Where the summary's groups lie.</summary>
    public bool SummaryOffsets { get; init; } = true;
    /// <summary>CRC of the summary.</summary>
    public bool SummaryCrc { get; init; } = true;

    internal byte[] Padding { get; init; } = [];
}
