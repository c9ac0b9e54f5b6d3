using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>The channels of a log. Any thread may add; readers see whole tables.</summary>
internal sealed class ChannelTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Name, string Encoding, string Data), Schema> _schemas = [];
    private readonly Dictionary<ushort, (long Queue, long Disk)> _reported = []; // drops that earlier segments told; the committer's
    private volatile ChannelHandle[] _all = [];
    private volatile ChannelHandle?[] _byId = [null];

    /// <summary>All channels, in the order in which they were added.</summary>
    public IReadOnlyList<ChannelHandle> All => _all;

    /// <summary>Channels by MCAP channel id; null for ids of repeats.</summary>
    public IReadOnlyList<ChannelHandle?> ById => _byId;

    /// <summary>The greatest id in use.</summary>
    public int Ids => _byId.Length - 1;

    /// <summary>Adds a channel.</summary>
    public ChannelHandle Add(ChannelDefinition definition)
    {
        lock (_lock)
        {
            var ids = definition.Latched ? 2 : 1;
            if (_byId.Length + ids > ushort.MaxValue) throw new InvalidOperationException($"A log takes at most {ushort.MaxValue} channel ids.");
            var channel = new ChannelHandle(definition, (ushort)_byId.Length, SchemaOf(definition));
            _all = [.. _all, channel];
            _byId = definition.Latched ? [.. _byId, channel, null] : [.. _byId, channel];
            return channel;
        }
    }

    /// <summary>What a segment that ends now holds. Tells each drop once.</summary>
    public SegmentFacts Facts(SegmentContents contents, SegmentClock clock, SealReason reason) => new()
    {
        Sequence = contents.Sequence,
        Reason = reason,
        Messages = (long)contents.Messages,
        LogTimeStartNs = contents.Messages == 0 ? 0 : contents.StartTime,
        LogTimeEndNs = contents.EndTime,
        Channels = [.. _all.Select(channel => Describe(channel, contents))],
        Clock = clock,
    };

    private SegmentChannel Describe(ChannelHandle channel, SegmentContents contents)
    {
        var totals = contents.Totals.GetValueOrDefault(channel.Id);
        var before = _reported.GetValueOrDefault(channel.Id);
        var (queue, disk) = _reported[channel.Id] = (channel.DroppedByQueue, channel.DroppedByDisk);
        return new SegmentChannel
        {
            Definition = channel.Definition,
            Messages = totals?.Messages ?? 0,
            Bytes = totals?.Bytes ?? 0,
            FirstLogTimeNs = totals?.FirstLogTime ?? 0,
            LastLogTimeNs = totals?.LastLogTime ?? 0,
            DroppedByQueue = queue - before.Queue,
            DroppedByDisk = disk - before.Disk,
        };
    }

    /// <summary>Channels of one type share a schema record.</summary>
    private Schema? SchemaOf(ChannelDefinition definition)
    {
        if (definition.SchemaName.Length == 0) return null;
        var key = (definition.SchemaName, definition.SchemaEncoding, Convert.ToBase64String(definition.SchemaData.Span));
        if (_schemas.TryGetValue(key, out var schema)) return schema;
        schema = new Schema((ushort)(_schemas.Count + 1), definition.SchemaName, definition.SchemaEncoding, definition.SchemaData.ToArray());
        _schemas.Add(key, schema);
        return schema;
    }
}
