namespace EdgeCloud.Mcap.Recovery;

/// <summary>Examines the summary section and compares it with what the data section holds.</summary>
internal sealed class SummaryExamination(DoctorFindings findings, DataExamination data)
{
    private readonly record struct Group(Opcode Opcode, long Start, long Length);

    private readonly List<Group> _groups = [];
    private readonly Dictionary<ushort, Schema> _schemas = [];
    private readonly Dictionary<ushort, Channel> _channels = [];
    private readonly List<(RecordPosition Position, ChunkIndex Index)> _chunks = [];
    private readonly List<(RecordPosition Position, AttachmentIndex Index)> _attachments = [];
    private readonly List<(RecordPosition Position, MetadataIndex Index)> _metadata = [];
    private readonly List<(RecordPosition Position, SummaryOffset Offset)> _offsets = [];
    private (RecordPosition Position, Statistics Statistics)? _statistics;
    private (RecordPosition Position, Footer Footer)? _footer;

    public void Note(McapRecord record)
    {
        if (_offsets.Count > 0 && record.Opcode is not (Opcode.SummaryOffset or Opcode.Footer) && record.Opcode < McapFormat.FirstApplicationOpcode)
            findings.Error(record.Position, $"expected SummaryOffset or Footer in the summary offset section, found {McapRecord.NameOf(record.Opcode)}");
        if (record.Opcode is not (Opcode.SummaryOffset or Opcode.Footer))
            Extend(record);
        switch (record.Opcode)
        {
            case Opcode.Schema:
                var schema = record.ToSchema();
                _schemas[schema.Id] = schema;
                CompareDefinition(record.Position, $"Schema {schema.Id} ({schema.Name})", schema, data.Schemas.GetValueOrDefault(schema.Id));
                break;
            case Opcode.Channel:
                var channel = record.ToChannel();
                _channels[channel.Id] = channel;
                CompareDefinition(record.Position, $"Channel {channel.Id} ({channel.Topic})", channel, data.Channels.GetValueOrDefault(channel.Id));
                break;
            case Opcode.ChunkIndex:
                _chunks.Add((record.Position, record.ToChunkIndex()));
                break;
            case Opcode.AttachmentIndex:
                _attachments.Add((record.Position, record.ToAttachmentIndex()));
                break;
            case Opcode.MetadataIndex:
                _metadata.Add((record.Position, record.ToMetadataIndex()));
                break;
            case Opcode.Statistics:
                if (_statistics is not null)
                    findings.Error(record.Position, "expected at most one Statistics, found another");
                _statistics = (record.Position, record.ToStatistics());
                break;
            case Opcode.SummaryOffset:
                _offsets.Add((record.Position, record.ToSummaryOffset()));
                break;
            case Opcode.Footer:
                _footer = (record.Position, record.ToFooter());
                break;
            case var known when Enum.IsDefined(known):
                findings.Error(record.Position, $"expected a record of the summary section, found {known}");
                break;
        }
    }

    /// <summary>Compares the whole, once the file was read to its end.</summary>
    public void Compare()
    {
        CompareFooter();
        CompareOffsets();
        if (!data.IsWhole)
            return; // what could not be read cannot be compared; that is on record
        CompareChunks();
        CompareStatistics();
        CompareIndexes("AttachmentIndex", _attachments, data.Attachments, index => (long)index.Offset);
        CompareIndexes("MetadataIndex", _metadata, data.Metadata, index => (long)index.Offset);
    }

    private void Extend(McapRecord record)
    {
        if (_groups.Count > 0 && _groups[^1].Opcode == record.Opcode)
        {
            _groups[^1] = _groups[^1] with { Length = _groups[^1].Length + record.Length };
            return;
        }
        if (_groups.Exists(group => group.Opcode == record.Opcode))
            findings.Error(record.Position, $"expected the summary's records grouped by opcode, found another group of {McapRecord.NameOf(record.Opcode)}");
        _groups.Add(new(record.Opcode, record.Position.Offset, record.Length));
    }

    // rosbag2 repeats definitions that no chunk holds, since no message was recorded for them.
    private void CompareDefinition<T>(RecordPosition position, string what, T stated, T? actual) where T : class
    {
        if (actual is null)
            findings.Warning(position, $"{what} is in the summary but not in the data section");
        else if (!actual.Equals(stated))
            findings.Error(position, $"{what}: expected it as in the data section, found a different one");
    }

    private void CompareFooter()
    {
        if (_footer is not var (position, footer))
            return;
        var summaryStart = _groups.Count == 0 ? 0 : data.SummaryStart;
        if (footer.SummaryStart != (ulong)summaryStart)
            findings.Error(position, $"Footer summary_start: expected {summaryStart}, found {footer.SummaryStart}");
        var offsetStart = _offsets.Count == 0 ? 0 : _offsets[0].Position.Offset;
        if (footer.SummaryOffsetStart != (ulong)offsetStart)
            findings.Error(position, $"Footer summary_offset_start: expected {offsetStart}, found {footer.SummaryOffsetStart}");
    }

    private void CompareOffsets()
    {
        if (_offsets.Count == 0)
            return;
        foreach (var (position, offset) in _offsets)
        {
            var group = _groups.Find(group => group.Opcode == offset.GroupOpcode);
            if (group.Length == 0)
                findings.Error(position, $"SummaryOffset: expected the opcode of a group in the summary, found {McapRecord.NameOf(offset.GroupOpcode)}");
            else if (offset.GroupStart != (ulong)group.Start || offset.GroupLength != (ulong)group.Length)
                findings.Error(position, $"SummaryOffset of {McapRecord.NameOf(group.Opcode)}: expected {group.Length} bytes at {group.Start}, found {offset.GroupLength} at {offset.GroupStart}");
        }
        foreach (var group in _groups.Where(group => !_offsets.Exists(one => one.Offset.GroupOpcode == group.Opcode)))
            findings.Warning(new(group.Start), $"the summary's {McapRecord.NameOf(group.Opcode)} records have no SummaryOffset");
    }

    private void CompareChunks()
    {
        if (_chunks.Count == 0)
            return;
        var found = data.Chunks.ToDictionary(chunk => (ulong)chunk.Offset);
        foreach (var (position, index) in _chunks)
        {
            if (found.Remove(index.ChunkStartOffset, out var chunk))
                Compare(position, index, chunk);
            else
                findings.Error(position, $"ChunkIndex chunk_start_offset: expected the offset of a chunk that has no index yet, found {index.ChunkStartOffset}");
        }
        foreach (var chunk in found.Values)
            findings.Error(new(chunk.Offset), "expected a ChunkIndex for every chunk, found none for this one");
        if (data.LooseMessageCount > 0)
            findings.Warning(new(0), $"{data.LooseMessageCount} messages lie in no chunk although the file has chunk indexes: readers that use the index miss them");
        var missing = data.MessageCounts.Keys.Where(channel => !_channels.ContainsKey(channel)).ToList();
        if (missing.Count > 0)
            findings.Warning(new(data.SummaryStart), $"the summary has chunk indexes but not the channels {string.Join(", ", missing)}: readers must scan the file");
        foreach (var channel in _channels.Values.Where(channel => channel.SchemaId != 0 && !_schemas.ContainsKey(channel.SchemaId)))
            findings.Warning(new(data.SummaryStart), $"the summary has channel {channel.Id} ({channel.Topic}) but not its schema {channel.SchemaId}: readers must scan the file");
    }

    private void Compare(RecordPosition position, ChunkIndex index, FoundChunk chunk)
    {
        Expect("chunk_length", (ulong)chunk.Length, index.ChunkLength);
        Expect("message_start_time", chunk.Header.MessageStartTime, index.MessageStartTime);
        Expect("message_end_time", chunk.Header.MessageEndTime, index.MessageEndTime);
        Expect("compressed_size", (ulong)chunk.CompressedSize, index.CompressedSize);
        Expect("uncompressed_size", chunk.Header.UncompressedSize, index.UncompressedSize);
        Expect("message_index_length", (ulong)chunk.MessageIndexLength, index.MessageIndexLength);
        if (index.Compression != chunk.Header.Compression)
            findings.Error(position, $"ChunkIndex compression: expected \"{chunk.Header.Compression}\" as in the chunk, found \"{index.Compression}\"");
        foreach (var (channel, offset) in index.MessageIndexOffsets)
        {
            if (!chunk.MessageIndexOffsets.TryGetValue(channel, out var actual))
                findings.Error(position, $"ChunkIndex message_index_offsets: expected channels that have a MessageIndex after the chunk, found channel {channel}");
            else
                Expect($"message_index_offsets of channel {channel}", (ulong)actual, offset);
        }
        if (index.MessageIndexOffsets.Count != 0)
        {
            foreach (var channel in chunk.MessageIndexOffsets.Keys.Where(channel => !index.MessageIndexOffsets.ContainsKey(channel)))
                findings.Error(position, $"ChunkIndex message_index_offsets: expected the MessageIndex of channel {channel}, found none");
        }

        void Expect(string field, ulong expected, ulong actual)
        {
            if (expected != actual)
                findings.Error(position, $"ChunkIndex {field}: expected {expected}, found {actual}");
        }
    }

    private void CompareStatistics()
    {
        if (_statistics is not var (position, found))
            return;
        Expect("message_count", data.MessageCount, found.MessageCount);
        Expect("schema_count", (ulong)data.Schemas.Count, found.SchemaCount);
        Expect("channel_count", (ulong)data.Channels.Count, found.ChannelCount);
        Expect("attachment_count", (ulong)data.Attachments.Count, found.AttachmentCount);
        Expect("metadata_count", (ulong)data.Metadata.Count, found.MetadataCount);
        Expect("chunk_count", (ulong)data.Chunks.Count, found.ChunkCount);
        if (data.StartTime == 0 && found.MessageStartTime != 0)
            findings.Warning(position, $"Statistics message_start_time is {found.MessageStartTime} although a log time is 0: some writers take 0 for no time");
        else
            Expect("message_start_time", data.StartTime, found.MessageStartTime);
        Expect("message_end_time", data.EndTime, found.MessageEndTime);
        var counts = found.ChannelMessageCounts;
        if (counts.Count == 0)
            return;
        foreach (var (channel, messages) in data.MessageCounts)
            Expect($"channel_message_counts of channel {channel}", messages, counts.TryGetValue(channel, out var stated) ? stated : 0);
        foreach (var (channel, stated) in counts)
        {
            if (stated > 0 && !data.MessageCounts.ContainsKey(channel))
                Expect($"channel_message_counts of channel {channel}", 0, stated);
        }
        if (_chunks.Count == 0 && data.Channels.Keys.Any(channel => !_channels.ContainsKey(channel)))
            findings.Warning(position, "Statistics count messages by channel, but the summary does not repeat all channels");

        void Expect(string field, ulong expected, ulong actual)
        {
            if (expected != actual)
                findings.Error(position, $"Statistics {field}: expected {expected}, found {actual}");
        }
    }

    private void CompareIndexes<T>(string name, List<(RecordPosition Position, T Index)> stated, List<T> actual, Func<T, long> offsetOf)
        where T : class
    {
        if (stated.Count == 0)
            return;
        var missing = actual.ToHashSet();
        foreach (var (position, index) in stated)
        {
            if (!missing.Remove(index))
                findings.Error(position, $"{name}: expected what lies in the data section, once, found {index}");
        }
        foreach (var one in missing)
            findings.Error(new(offsetOf(one)), $"expected an {name} for every such record, found none for this one");
    }
}
