namespace EdgeCloud.Mcap.Writing;

/// <summary>
/// Collects what a file's summary says and serialises the file's end: DataEnd, summary section, summary offsets, footer and magic.
/// The bytes before that may be anybody's: a log that does its own file I/O adds each chunk as it is written.
/// Costs about 50 bytes and 10 per channel for each chunk.
/// </summary>
public sealed class SummaryBuilder
{
    private readonly SummaryOptions _options;
    private readonly SortedDictionary<ushort, Schema> _schemas = [];
    private readonly SortedDictionary<ushort, Channel> _channels = [];
    private readonly RecordBuffer _chunkIndexes;
    private readonly RecordBuffer _attachmentIndexes;
    private readonly RecordBuffer _metadataIndexes;
    private readonly SortedDictionary<ushort, ulong> _messageCounts = [];
    private ulong _messageCount;
    private ulong _startTime = ulong.MaxValue;
    private ulong _endTime;
    private uint _chunkCount;
    private uint _attachmentCount;
    private uint _metadataCount;

    /// <summary>An empty summary.</summary>
    public SummaryBuilder(SummaryOptions? options = null)
    {
        _options = options ?? SummaryOptions.All;
        _chunkIndexes = NewBuffer();
        _attachmentIndexes = NewBuffer();
        _metadataIndexes = NewBuffer();
    }

    /// <summary>Schemas added, by id.</summary>
    public IReadOnlyDictionary<ushort, Schema> Schemas => _schemas;

    /// <summary>Channels added, by id.</summary>
    public IReadOnlyDictionary<ushort, Channel> Channels => _channels;

    /// <summary>Messages in the chunks added and those counted by <see cref="AddMessage"/>.</summary>
    public ulong MessageCount => _messageCount;

    /// <summary>What the statistics record would say now.</summary>
    public Statistics Statistics => new(
        _messageCount, (ushort)_schemas.Count, (uint)_channels.Count, _attachmentCount, _metadataCount, _chunkCount,
        _messageCount == 0 ? 0 : _startTime, _endTime, new ChannelMap(_messageCounts));

    /// <summary>Adds a schema; again with the same content is no change.</summary>
    /// <exception cref="InvalidOperationException">The id is 0, or taken by a different schema.</exception>
    public void Add(Schema schema)
    {
        if (schema.Id == 0)
            throw new InvalidOperationException($"Schema {schema.Name} has id 0, which stands for no schema.");
        if (!_schemas.TryAdd(schema.Id, schema) && !_schemas[schema.Id].Equals(schema))
            throw new InvalidOperationException($"Schema id {schema.Id} is {_schemas[schema.Id].Name} already and cannot become {schema.Name}.");
    }

    /// <summary>Adds a channel; again with the same content is no change.</summary>
    /// <exception cref="InvalidOperationException">The id is taken by a different channel, or the schema is not known.</exception>
    public void Add(Channel channel)
    {
        if (channel.SchemaId != 0 && !_schemas.ContainsKey(channel.SchemaId))
            throw new InvalidOperationException($"Channel {channel.Id} ({channel.Topic}) refers to schema {channel.SchemaId}, which was not added.");
        if (!_channels.TryAdd(channel.Id, channel) && !_channels[channel.Id].Equals(channel))
            throw new InvalidOperationException(
                $"Channel id {channel.Id} is {_channels[channel.Id].Topic} already and cannot become {channel.Topic} or change otherwise.");
    }

    /// <summary>Adds a chunk that was, or will be, written at <paramref name="chunkStartOffset"/>. Allocates only to grow.</summary>
    public void Add(in ClosedChunk chunk, ulong chunkStartOffset)
    {
        _chunkCount++;
        Cover(chunk.MessageCount, chunk.MessageStartTime, chunk.MessageEndTime);
        for (var i = 0; i < chunk.ChannelCount; i++)
        {
            var (channel, messages) = chunk.ChannelAt(i);
            Count(channel, (ulong)messages);
        }
        if (!_options.ChunkIndexes)
            return;
        var start = _chunkIndexes.Begin(Opcode.ChunkIndex);
        _chunkIndexes.UInt64(chunk.MessageStartTime);
        _chunkIndexes.UInt64(chunk.MessageEndTime);
        _chunkIndexes.UInt64(chunkStartOffset);
        _chunkIndexes.UInt64((ulong)chunk.ChunkLength);
        var indexes = chunk.Builder.HasMessageIndex ? chunk.Builder.Touched : [];
        _chunkIndexes.UInt32((uint)(indexes.Length * ChannelMap.EntryBytes));
        foreach (var index in indexes)
        {
            _chunkIndexes.UInt16(index.ChannelId);
            _chunkIndexes.UInt64(chunkStartOffset + (ulong)index.IndexOffset);
        }
        _chunkIndexes.UInt64((ulong)chunk.MessageIndexLength);
        _chunkIndexes.String(chunk.Compression.ToName());
        _chunkIndexes.UInt64((ulong)chunk.CompressedSize);
        _chunkIndexes.UInt64((ulong)chunk.UncompressedSize);
        _chunkIndexes.End(start);
    }

    /// <summary>Adds a chunk that is in the file already, such as one that recovery keeps.</summary>
    /// <param name="index">Where it lies.</param>
    /// <param name="messagesByChannel">How many messages of each channel it holds.</param>
    public void Add(ChunkIndex index, IReadOnlyCollection<KeyValuePair<ushort, ulong>> messagesByChannel)
    {
        _chunkCount++;
        long messages = 0;
        foreach (var (channel, count) in messagesByChannel)
        {
            Count(channel, count);
            messages += (long)count;
        }
        Cover(messages, index.MessageStartTime, index.MessageEndTime);
        if (_options.ChunkIndexes)
            _chunkIndexes.Append(index);
    }

    /// <summary>Counts a message that lies in no chunk.</summary>
    public void AddMessage(ushort channelId, ulong logTime)
    {
        Count(channelId, 1);
        Cover(1, logTime, logTime);
    }

    /// <summary>Adds an attachment.</summary>
    public void Add(AttachmentIndex index)
    {
        _attachmentCount++;
        if (_options.AttachmentIndexes)
            _attachmentIndexes.Append(index);
    }

    /// <summary>Adds a metadata record.</summary>
    public void Add(MetadataIndex index)
    {
        _metadataCount++;
        if (_options.MetadataIndexes)
            _metadataIndexes.Append(index);
    }

    /// <summary>Forgets everything and keeps the memory.</summary>
    public void Reset()
    {
        _schemas.Clear();
        _channels.Clear();
        _messageCounts.Clear();
        _chunkIndexes.Clear();
        _attachmentIndexes.Clear();
        _metadataIndexes.Clear();
        _messageCount = _endTime = 0;
        _startTime = ulong.MaxValue;
        _chunkCount = _attachmentCount = _metadataCount = 0;
    }

    /// <summary>Serialises the file's end.</summary>
    /// <param name="dataEndOffset">Bytes of the file so far: where DataEnd will be written.</param>
    /// <param name="dataSectionCrc">CRC-32 of those bytes; 0 when it is not known.</param>
    /// <returns>DataEnd, summary section, summary offset section, footer, magic: everything that is still missing.</returns>
    public ReadOnlyMemory<byte> Build(ulong dataEndOffset, uint dataSectionCrc = 0)
    {
        var output = NewBuffer();
        output.Append(new DataEnd(dataSectionCrc));
        var crcStart = output.Length;
        var groups = new List<SummaryOffset>();

        Group<Schema>(Opcode.Schema, _options.Schemas ? _schemas.Values : [], static (output, schema) => output.Append(schema));
        Group<Channel>(Opcode.Channel, _options.Channels ? _channels.Values : [], static (output, channel) => output.Append(channel));
        Group<Statistics>(Opcode.Statistics, _options.Statistics ? [Statistics] : [], static (output, statistics) => output.Append(statistics));
        Group<RecordBuffer>(Opcode.MetadataIndex, [_metadataIndexes], static (output, indexes) => output.Append(indexes.WrittenSpan));
        Group<RecordBuffer>(Opcode.AttachmentIndex, [_attachmentIndexes], static (output, indexes) => output.Append(indexes.WrittenSpan));
        Group<RecordBuffer>(Opcode.ChunkIndex, [_chunkIndexes], static (output, indexes) => output.Append(indexes.WrittenSpan));

        var summaryStart = groups.Count == 0 ? 0 : dataEndOffset + (ulong)crcStart;
        var offsetStart = _options.SummaryOffsets && groups.Count > 0 ? dataEndOffset + (ulong)output.Length : 0;
        if (offsetStart != 0)
            groups.ForEach(output.Append);
        output.Append(new Footer(summaryStart, offsetStart, 0));
        var crcEnd = output.Length - 4;
        output.Truncate(crcEnd);
        output.UInt32(_options.SummaryCrc ? Crc32.Compute(output.WrittenSpan[crcStart..crcEnd]) : 0);
        output.AppendMagic();
        return output.Written;

        void Group<T>(Opcode opcode, IReadOnlyCollection<T> records, Action<RecordBuffer, T> append)
        {
            var start = output.Length;
            foreach (var record in records)
                append(output, record);
            if (output.Length > start)
                groups.Add(new(opcode, dataEndOffset + (ulong)start, (ulong)(output.Length - start)));
        }
    }

    private RecordBuffer NewBuffer() => new() { Padding = _options.Padding };

    private void Count(ushort channel, ulong messages) =>
        _messageCounts[channel] = _messageCounts.GetValueOrDefault(channel) + messages;

    private void Cover(long messages, ulong start, ulong end)
    {
        if (messages == 0)
            return;
        _messageCount += (ulong)messages;
        _startTime = Math.Min(_startTime, start);
        _endTime = Math.Max(_endTime, end);
    }
}
