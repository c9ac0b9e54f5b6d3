namespace EdgeCloud.Mcap.Reading;

/// <summary>A stretch of the file that messages are read from: a chunk, or records that lie in no chunk.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="StartTime">Least log time in it, ns.</param>
/// <param name="EndTime">Greatest log time in it, ns.</param>
/// <param name="IsChunk">Whether it is a chunk record.</param>
internal readonly record struct Block(long Offset, long Length, ulong StartTime, ulong EndTime, bool IsChunk)
{
    /// <summary>The blocks that may hold messages which the options select, in the order in which a cursor needs them.</summary>
    public static List<Block> Plan(McapIndexedReader reader, McapReadOptions options, ChannelSelection selection)
    {
        var summary = reader.Summary;
        var plan = new List<Block>(summary.Chunks.Count + summary.Runs.Count);
        foreach (var chunk in summary.Chunks)
        {
            if (selection.Touches(chunk.MessageIndexOffsets))
                AddIfInRange(new((long)chunk.ChunkStartOffset, (long)chunk.ChunkLength, chunk.MessageStartTime, chunk.MessageEndTime, true));
        }
        foreach (var run in summary.Runs)
            AddIfInRange(new(run.Offset, run.Length, run.StartTime, run.EndTime, false));
        plan.Sort(options.Order switch
        {
            MessageOrder.LogTime => static (a, b) => (a.StartTime, a.Offset).CompareTo((b.StartTime, b.Offset)),
            MessageOrder.ReverseLogTime => static (a, b) => (b.EndTime, b.Offset).CompareTo((a.EndTime, a.Offset)),
            _ => static (a, b) => a.Offset.CompareTo(b.Offset),
        });
        return plan;

        void AddIfInRange(Block block)
        {
            if (block.EndTime < options.StartTime || (options.EndTime is { } end && block.StartTime >= end))
                return;
            block.ThrowIfOutside(reader.Source.Length);
            plan.Add(block);
        }
    }

    private void ThrowIfOutside(long sourceLength)
    {
        if (Offset < 0 || Length < McapFormat.RecordPrefixBytes || Offset > sourceLength || Length > sourceLength - Offset)
            throw new McapException("ChunkIndex", new(Offset), $"a chunk of {Length} bytes within the file", $"a file of {sourceLength} bytes");
        if (Length > McapFormat.RecordBytesLimit)
            throw new McapException("Chunk", new(Offset), $"at most {McapFormat.RecordBytesLimit} bytes", $"{Length}");
    }
}

/// <summary>Which channels a cursor hands out, by channel id.</summary>
internal sealed class ChannelSelection
{
    private readonly bool[] _known = new bool[ushort.MaxValue + 1];

    public ChannelSelection(McapSummary summary, McapReadOptions options)
    {
        foreach (var channel in summary.ChannelsById.Values)
        {
            _known[channel.Id] = true;
            Selected[channel.Id] = options.Selects(channel);
        }
    }

    /// <summary>By channel id: whether its messages are handed out.</summary>
    public bool[] Selected { get; } = new bool[ushort.MaxValue + 1];

    public bool IsKnown(ushort channel) => _known[channel];

    /// <summary>Whether a chunk with that message index can hold a message to hand out; without an index it can.</summary>
    public bool Touches(ChannelMap messageIndexes)
    {
        for (var i = 0; i < messageIndexes.Count; i++)
        {
            if (Selected[messageIndexes[i].Key])
                return true;
        }
        return messageIndexes.Count == 0;
    }
}
