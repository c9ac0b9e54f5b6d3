using System.Buffers;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Recovery;

/// <summary>A chunk as it was found.</summary>
/// <param name="Header">Its header, its records left out.</param>
/// <param name="Offset">Where it lies.</param>
/// <param name="Length">Its bytes, opcode and length included.</param>
internal sealed record FoundChunk(Chunk Header, long Offset, long Length)
{
    /// <summary>Bytes of the records as stored.</summary>
    public required long CompressedSize { get; init; }
    /// <summary>Log times and offsets of its messages by channel; dropped once the message indexes were compared. Null for a chunk that could not be opened.</summary>
    public ChunkContents? Contents { get; set; }
    /// <summary>Offsets of the message index records after it, by channel.</summary>
    public Dictionary<ushort, long> MessageIndexOffsets { get; } = [];
    /// <summary>Bytes of those.</summary>
    public long MessageIndexLength { get; set; }
}

/// <summary>Examines the data section record by record.</summary>
internal sealed class DataExamination(DoctorFindings findings, bool strictMessageOrder, long chunkBytesMax) : IDisposable
{
    private readonly ChunkReader _chunkReader = new(verifyCrc: true, chunkBytesMax);
    private byte[] _chunkBuffer = [];
    private FoundChunk? _lastChunk;
    private ulong _lastLogTime;

    public Dictionary<ushort, Schema> Schemas { get; } = [];
    public Dictionary<ushort, Channel> Channels { get; } = [];
    public SortedDictionary<ushort, ulong> MessageCounts { get; } = [];
    public List<FoundChunk> Chunks { get; } = [];
    public List<AttachmentIndex> Attachments { get; } = [];
    public List<MetadataIndex> Metadata { get; } = [];
    public ulong MessageCount { get; private set; }
    public ulong LooseMessageCount { get; private set; }
    public ulong StartTime { get; private set; }
    public ulong EndTime { get; private set; }
    /// <summary>False once a chunk could not be opened: counts are then unknown.</summary>
    public bool IsWhole { get; private set; } = true;
    public bool HasEnded { get; private set; }
    /// <summary>Where the summary begins: after DataEnd.</summary>
    public long SummaryStart { get; private set; }

    public void Dispose()
    {
        _chunkReader.Dispose();
        if (_chunkBuffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_chunkBuffer);
        _chunkBuffer = [];
    }

    public void Note(McapRecord record)
    {
        if (record.Opcode != Opcode.MessageIndex && record.Opcode < McapFormat.FirstApplicationOpcode)
            EndChunk();
        switch (record.Opcode)
        {
            case Opcode.Header:
                if (record.Position.Offset != 8)
                    findings.Error(record.Position, "expected the only Header at offset 8, found another");
                record.ToHeader();
                break;
            case Opcode.Schema or Opcode.Channel:
                Define(record);
                break;
            case Opcode.Message:
                LooseMessageCount++;
                NoteMessage(record);
                break;
            case Opcode.Chunk:
                NoteChunk(record);
                break;
            case Opcode.MessageIndex:
                NoteMessageIndex(record);
                break;
            case Opcode.Attachment:
                var attachment = record.ToAttachment();
                Attachments.Add(new(
                    (ulong)record.Position.Offset, (ulong)record.Length, attachment.LogTime, attachment.CreateTime,
                    (ulong)attachment.Data.Length, attachment.Name, attachment.MediaType));
                break;
            case Opcode.Metadata:
                Metadata.Add(new((ulong)record.Position.Offset, (ulong)record.Length, record.ToMetadata().Name));
                break;
            case Opcode.DataEnd:
                record.ToDataEnd();
                HasEnded = true;
                SummaryStart = record.Position.Offset + record.Length;
                break;
            case Opcode.Footer:
                findings.Error(record.Position, "expected DataEnd before the Footer, found none");
                HasEnded = true;
                SummaryStart = record.Position.Offset;
                break;
            case var known when Enum.IsDefined(known):
                findings.Error(record.Position, $"expected a record of the data section, found {known}");
                break;
            case < McapFormat.FirstApplicationOpcode:
                findings.Warning(record.Position, $"{McapRecord.NameOf(record.Opcode)} is reserved for later versions of the format");
                break;
        }
    }

    private void Define(McapRecord record)
    {
        if (record.Opcode == Opcode.Schema)
        {
            var schema = record.ToSchema();
            if (schema.Id == 0)
                findings.Error(record.Position, "Schema id: expected one from 1, found 0");
            else if (!Schemas.TryAdd(schema.Id, schema) && !Schemas[schema.Id].Equals(schema))
                findings.Error(record.Position, $"Schema: expected schema {schema.Id} ({Schemas[schema.Id].Name}) as it was before, found a different one ({schema.Name})");
            if (schema.Encoding.Length == 0 && schema.Data.Length > 0)
                findings.Warning(record.Position, $"Schema {schema.Id} ({schema.Name}) has no encoding and should have no data; it has {schema.Data.Length} bytes");
            return;
        }
        var channel = record.ToChannel();
        if (!Channels.TryAdd(channel.Id, channel) && !Channels[channel.Id].Equals(channel))
            findings.Error(record.Position, $"Channel: expected channel {channel.Id} ({Channels[channel.Id].Topic}) as it was before, found a different one ({channel.Topic})");
        if (channel.SchemaId != 0 && !Schemas.ContainsKey(channel.SchemaId))
            findings.Error(record.Position, $"Channel {channel.Id} ({channel.Topic}): expected a schema that was recorded before, found schema id {channel.SchemaId}");
    }

    private void NoteMessage(McapRecord record)
    {
        var message = record.ToMessage();
        if (!Channels.ContainsKey(message.ChannelId))
            findings.Error(record.Position, $"Message: expected a channel that was recorded before, found channel id {message.ChannelId}");
        MessageCounts[message.ChannelId] = MessageCounts.GetValueOrDefault(message.ChannelId) + 1;
        StartTime = MessageCount == 0 ? message.LogTime : Math.Min(StartTime, message.LogTime);
        EndTime = Math.Max(EndTime, message.LogTime);
        MessageCount++;
        if (strictMessageOrder && message.LogTime < _lastLogTime)
            findings.Error(record.Position, $"Message: expected a log time from {_lastLogTime}, found {message.LogTime}");
        _lastLogTime = message.LogTime;
    }

    private void NoteChunk(McapRecord record)
    {
        var chunk = record.ToChunk();
        var found = new FoundChunk(chunk with { Records = default }, record.Position.Offset, record.Length) { CompressedSize = chunk.Records.Length };
        Chunks.Add(found);
        _lastChunk = found;
        try
        {
            var records = _chunkReader.Open(chunk, record.Position, ref _chunkBuffer);
            var contents = new ChunkContents();
            var at = 0;
            while (ChunkRecords.TryTake(records, ref at, record.Position.Offset, out var inner))
            {
                contents.Note(inner);
                if (inner.Opcode == Opcode.Message)
                    NoteMessage(inner);
                else if (inner.Opcode is Opcode.Schema or Opcode.Channel)
                    Define(inner);
            }
            found.Contents = contents;
        }
        catch (McapException)
        {
            IsWhole = false;
            throw;
        }
        if (chunk.MessageStartTime != found.Contents.StartTime)
            findings.Error(record.Position, $"Chunk message_start_time: expected {found.Contents.StartTime}, the least log time in it, found {chunk.MessageStartTime}");
        if (chunk.MessageEndTime != found.Contents.EndTime)
            findings.Error(record.Position, $"Chunk message_end_time: expected {found.Contents.EndTime}, the greatest log time in it, found {chunk.MessageEndTime}");
    }

    private void NoteMessageIndex(McapRecord record)
    {
        var index = record.ToMessageIndex();
        if (_lastChunk is not { } chunk)
        {
            findings.Error(record.Position, $"MessageIndex of channel {index.ChannelId}: expected it right after a chunk, found it elsewhere");
            return;
        }
        chunk.MessageIndexLength += record.Length;
        if (!chunk.MessageIndexOffsets.TryAdd(index.ChannelId, record.Position.Offset))
            findings.Error(record.Position, $"MessageIndex: expected one for channel {index.ChannelId} after the chunk at offset {chunk.Offset}, found another");
        if (chunk.Contents is not { } contents)
            return;
        var actual = contents.Entries.GetValueOrDefault(index.ChannelId) ?? [];
        var stated = index.Records.OrderBy(entry => entry.Offset).ToList();
        if (!stated.SequenceEqual(actual))
        {
            findings.Error(
                record.Position,
                $"MessageIndex of channel {index.ChannelId}: expected log time and offset of the {actual.Count} messages in the chunk at offset {chunk.Offset}, found {stated.Count} entries that differ");
        }
    }

    private void EndChunk()
    {
        if (_lastChunk is not { } chunk)
            return;
        _lastChunk = null;
        if (chunk is { MessageIndexOffsets.Count: > 0, Contents: { } contents })
        {
            foreach (var channel in contents.Entries.Keys.Where(channel => !chunk.MessageIndexOffsets.ContainsKey(channel)))
                findings.Error(new(chunk.Offset), $"Chunk: expected a MessageIndex for each of its channels, found none for channel {channel}");
        }
        chunk.Contents = null;
    }
}
