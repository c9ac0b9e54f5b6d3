namespace EdgeCloud.Mcap.Reading;

/// <summary>What a file says, or what a scan found, about its contents.</summary>
public sealed class McapSummary
{
    internal Dictionary<ushort, Schema> SchemasById { get; } = [];
    internal Dictionary<ushort, Channel> ChannelsById { get; } = [];
    internal List<ChunkIndex> Chunks { get; } = [];
    internal List<AttachmentIndex> AttachmentList { get; } = [];
    internal List<MetadataIndex> MetadataList { get; } = [];

    /// <summary>Stretches of the data section with messages in no chunk. Known after a scan only.</summary>
    internal List<MessageRun> Runs { get; } = [];

    /// <summary>Schemas by id.</summary>
    public IReadOnlyDictionary<ushort, Schema> Schemas => SchemasById;
    /// <summary>Channels by id.</summary>
    public IReadOnlyDictionary<ushort, Channel> Channels => ChannelsById;
    /// <summary>Where the chunks lie.</summary>
    public IReadOnlyList<ChunkIndex> ChunkIndexes => Chunks;
    /// <summary>Where the attachments lie.</summary>
    public IReadOnlyList<AttachmentIndex> AttachmentIndexes => AttachmentList;
    /// <summary>Where the metadata records lie.</summary>
    public IReadOnlyList<MetadataIndex> MetadataIndexes => MetadataList;
    /// <summary>Counts and times: from the file where it has them, else counted by the scan.</summary>
    public Statistics? Statistics { get; internal set; }
    /// <summary>The file's statistics record; null when it has none.</summary>
    public Statistics? RecordedStatistics { get; internal set; }
    /// <summary>Last record of the file.</summary>
    public Footer Footer { get; internal set; } = new(0, 0, 0);
    /// <summary>True when the file's own summary did not suffice and the data section was scanned.</summary>
    public bool Scanned { get; internal set; }

    /// <summary>Takes in a record of the summary section.</summary>
    internal void Note(McapRecord record)
    {
        switch (record.Opcode)
        {
            case Opcode.Schema:
                var schema = record.ToSchema();
                if (schema.Id != 0)
                    SchemasById[schema.Id] = schema;
                break;
            case Opcode.Channel:
                var channel = record.ToChannel();
                ChannelsById[channel.Id] = channel;
                break;
            case Opcode.ChunkIndex:
                Chunks.Add(record.ToChunkIndex());
                break;
            case Opcode.AttachmentIndex:
                AttachmentList.Add(record.ToAttachmentIndex());
                break;
            case Opcode.MetadataIndex:
                MetadataList.Add(record.ToMetadataIndex());
                break;
            case Opcode.Statistics:
                RecordedStatistics = Statistics = record.ToStatistics();
                break;
        }
    }
}

/// <summary>Records of the data section, one after the other, that hold messages in no chunk.</summary>
/// <param name="Offset">Where the first begins.</param>
/// <param name="Length">Bytes of all.</param>
/// <param name="StartTime">Least log time, ns.</param>
/// <param name="EndTime">Greatest log time, ns.</param>
internal readonly record struct MessageRun(long Offset, int Length, ulong StartTime, ulong EndTime);
