using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>Where a chunk of a segment lies.</summary>
internal readonly record struct ChunkPlace(
    ulong StartTime, ulong EndTime, long Offset, long ChunkBytes, long IndexBytes, McapCompression Compression, long StoredBytes,
    long RecordsBytes, int FirstIndex, int Indexes);

/// <summary>What a segment holds of one channel.</summary>
internal sealed class ChannelTotals
{
    public long Messages;
    public long Bytes;
    public ulong FirstLogTime = ulong.MaxValue;
    public ulong LastLogTime;
}

/// <summary>
/// What is durable in a segment, as far as its summary and its facts need it. Grows commit by commit, while recording as well as in recovery.
/// </summary>
internal sealed class SegmentContents(int sequence)
{
    /// <summary>Channel metadata that marks repeats of latched messages.</summary>
    public const string RepeatKey = "edgecloud.repeat";

    private readonly List<ChunkPlace> _chunks = [];
    private readonly List<(ushort Channel, uint Messages, long Offset)> _indexes = []; // offset of the MessageIndex from the chunk
    private readonly HashSet<ushort> _repeats = [];

    /// <summary>The segment's number.</summary>
    public int Sequence => sequence;

    /// <summary>Bytes up to the end of the last durable commit.</summary>
    public long End { get; set; }

    /// <summary>CRC32 of those bytes as they were written, or as recovery found them.</summary>
    public uint Crc { get; set; }

    /// <summary>True when something before <see cref="End"/> is damaged or cannot be read: the file cannot stay as it is.</summary>
    public bool HasGaps { get; set; }

    /// <summary>Durable commits.</summary>
    public ulong Commits { get; set; }

    /// <summary>Durable messages, repeats excluded.</summary>
    public ulong Messages { get; private set; }

    /// <summary>Bytes of commit records and padding.</summary>
    public long OverheadBytes { get; set; }

    /// <summary>Least log time of the messages that are no repeats.</summary>
    public ulong StartTime { get; private set; } = ulong.MaxValue;

    /// <summary>Greatest log time of the messages that are no repeats.</summary>
    public ulong EndTime { get; private set; }

    /// <summary>The file's first record.</summary>
    public Header Header { get; set; } = new("", "");

    public SortedDictionary<ushort, Schema> Schemas { get; } = [];

    public SortedDictionary<ushort, Channel> Channels { get; } = [];

    public List<(Metadata Record, MetadataIndex Index)> Metadata { get; } = [];

    public SortedDictionary<ushort, ChannelTotals> Totals { get; } = [];

    public IReadOnlyList<ChunkPlace> Chunks => _chunks;

    /// <summary>True for a channel of repeats.</summary>
    public bool IsRepeat(ushort channel) => _repeats.Contains(channel);

    public void Add(Schema schema) => Schemas[schema.Id] = schema;

    public void Add(Channel channel)
    {
        Channels[channel.Id] = channel;
        if (channel.Metadata.TryGetValue(RepeatKey, out var repeat) && repeat == "true") _repeats.Add(channel.Id);
    }

    /// <summary>Adds a chunk that was written at an offset of the file.</summary>
    public void Add(MessageChunk chunk, long offset)
    {
        var tallies = chunk.Tallies;
        _chunks.Add(new ChunkPlace(
            chunk.StartTime, chunk.EndTime, offset, chunk.ChunkRecordBytes, chunk.Body.Length - chunk.ChunkRecordBytes, chunk.Compression,
            chunk.StoredRecordsBytes, chunk.RecordsBytes, _indexes.Count, tallies.Length));
        foreach (ref readonly var tally in tallies)
        {
            _indexes.Add((tally.Channel, tally.Messages, tally.IndexOffset));
            Count(tally);
        }
    }

    /// <summary>Adds a chunk that recovery found.</summary>
    public void Add(ChunkPlace place, ReadOnlySpan<ChannelTally> tallies)
    {
        _chunks.Add(place with { FirstIndex = _indexes.Count, Indexes = tallies.Length });
        foreach (ref readonly var tally in tallies)
        {
            _indexes.Add((tally.Channel, tally.Messages, tally.IndexOffset));
            Count(tally);
        }
    }

    /// <summary>The summary of a file that holds just this.</summary>
    public SummaryBuilder ToSummary()
    {
        var summary = new SummaryBuilder();
        foreach (var schema in Schemas.Values) summary.Add(schema);
        foreach (var channel in Channels.Values) summary.Add(channel);
        foreach (var (_, index) in Metadata) summary.Add(index);
        foreach (var chunk in _chunks)
        {
            var offsets = new KeyValuePair<ushort, ulong>[chunk.Indexes];
            var counts = new KeyValuePair<ushort, ulong>[chunk.Indexes];
            for (var i = 0; i < chunk.Indexes; i++)
            {
                var (channel, messages, offset) = _indexes[chunk.FirstIndex + i];
                offsets[i] = new(channel, (ulong)(chunk.Offset + offset));
                counts[i] = new(channel, messages);
            }

            summary.Add(
                new ChunkIndex(
                    chunk.StartTime, chunk.EndTime, (ulong)chunk.Offset, (ulong)chunk.ChunkBytes, new ChannelMap(offsets),
                    (ulong)chunk.IndexBytes, chunk.Compression.ToName(), (ulong)chunk.StoredBytes, (ulong)chunk.RecordsBytes),
                counts);
        }

        return summary;
    }

    private void Count(in ChannelTally tally)
    {
        if (!Totals.TryGetValue(tally.Channel, out var totals)) Totals.Add(tally.Channel, totals = new ChannelTotals());
        totals.Messages += tally.Messages;
        totals.Bytes += tally.PayloadBytes;
        totals.FirstLogTime = Math.Min(totals.FirstLogTime, tally.FirstLogTime);
        totals.LastLogTime = Math.Max(totals.LastLogTime, tally.LastLogTime);
        if (IsRepeat(tally.Channel)) return;
        Messages += tally.Messages;
        StartTime = Math.Min(StartTime, tally.FirstLogTime);
        EndTime = Math.Max(EndTime, tally.LastLogTime);
    }
}
