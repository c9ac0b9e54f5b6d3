using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Recovery;

/// <summary>
/// Makes a sound file of a damaged one.
/// <para>Kept: every chunk whose CRC holds, wherever it lies; chunks without a CRC that can be read from end to end; the whole messages at
/// the start of a chunk that is cut off; messages, attachments (whose CRC must hold) and metadata in the data section. Indexes, counts and
/// chunk headers are made afresh.</para>
/// <para>Cut, and reported by byte range: chunks whose CRC fails, records that are cut off, bytes that are no records.</para>
/// <para>Never guessed: the contents of a damaged chunk. Only definitions are borrowed, from the summary or from later in the file; a
/// channel that is defined nowhere gets the topic <c>lost/channel_{id}</c>, so that its messages are kept.</para>
/// <para>Application records are not copied: what they say may be about bytes that have moved.</para>
/// </summary>
public sealed class McapRecovery
{
    private readonly IByteSource _source;
    private readonly McapRecoveryOptions _options;
    private readonly McapWriter _writer;
    private readonly ChannelUnion _union;

    // Definitions in force; when a later one contradicts, the messages after it are kept apart under a new edition.
    private readonly Dictionary<ushort, Schema> _schemas = [];
    private readonly Dictionary<ushort, Channel> _channels = [];
    private readonly SortedSet<ushort> _lostChannels = [];
    private int _edition;
    private bool _borrowed;

    private readonly List<CutRange> _cuts = [];
    private long _messages;
    private long _looseMessages;
    private int _chunks;
    private int _attachments;
    private int _metadata;

    private McapRecovery(IByteSource source, McapWriter writer, McapRecoveryOptions options)
    {
        _source = source;
        _writer = writer;
        _options = options;
        _union = new ChannelUnion(writer);
    }

    /// <summary>Reads <paramref name="source"/> as far as it makes sense and writes a sound file to <paramref name="output"/>.</summary>
    /// <param name="source">The damaged file; it stays as it is.</param>
    /// <param name="output">Where the recovered file goes; stays open.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="cancellationToken">Stops the work; as after any failure, the output is then not a whole file.</param>
    /// <exception cref="McapException">The source is not an MCAP file and holds no chunk of one.</exception>
    public static async ValueTask<McapRecoveryReport> RecoverAsync(
        IByteSource source, Stream output, McapRecoveryOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var header = await ReadHeaderAsync(source, cancellationToken).ConfigureAwait(false);
        var writerOptions = new McapWriterOptions { Profile = header.Profile, Library = header.Library, Compression = options.Compression };
        var writer = new McapWriter(output, writerOptions, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            try
            {
                var recovery = new McapRecovery(source, writer, options);
                var complete = await recovery.RunAsync(cancellationToken).ConfigureAwait(false);
                await writer.FinishAsync(cancellationToken).ConfigureAwait(false);
                return recovery.Report(complete);
            }
            catch (Exception e)
            {
                writer.Abandon(e);
                throw;
            }
        }
    }

    private static async ValueTask<Header> ReadHeaderAsync(IByteSource source, CancellationToken cancellationToken)
    {
        var start = await new SourceWindow(source).ReadAsync(0, 1 << 20, cancellationToken).ConfigureAwait(false);
        using var parser = new RecordParser(new() { RecordBytesMax = start.Length });
        parser.Append(start.Span);
        try
        {
            return parser.Read(out var record) == ParseResult.Record ? record.ToHeader() : new("", "");
        }
        catch (McapException)
        {
            return new("", ""); // what is wrong with it is found again, and reported, when the records are walked
        }
    }

    /// <summary>True when DataEnd was reached and nothing had to be cut before it.</summary>
    private async ValueTask<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var file = new DamagedFile(_source, _options.ChunkBytesMax);
        await foreach (var piece in file.WalkAsync(cancellationToken).ConfigureAwait(false))
        {
            if (piece is { Offset: 0, Fault: not null } && piece.Length == _source.Length && piece.Length >= 8)
                throw new McapException("leading magic", new(0), Convert.ToHexString(McapFormat.Magic), "other bytes, and no chunk in the whole file") { SourceName = _source.Name };
            if (piece is { Fault: null, Record.Opcode: Opcode.DataEnd or Opcode.Footer })
                return _cuts.Count == 0;
            var (kept, reason) = await TakeAsync(piece, cancellationToken).ConfigureAwait(false);
            if (reason is not null && kept < piece.Length)
                Cut(piece.Offset + kept, piece.Length - kept, reason);
        }
        return false;
    }

    /// <summary>Keeps what can be kept of a piece; returns how many of its first bytes were, and why not the rest.</summary>
    private async ValueTask<(long Kept, string? Reason)> TakeAsync(Piece piece, CancellationToken cancellationToken)
    {
        if (piece is { IsTorn: true, Record.Opcode: Opcode.Chunk })
            return await RescueAsync(piece, cancellationToken).ConfigureAwait(false);
        if (piece.Fault is not null || piece.Record is not { } record)
            return (0, piece.Fault);
        try
        {
            return (0, await TakeRecordAsync(record, piece.ChunkRecords, cancellationToken).ConfigureAwait(false));
        }
        catch (McapException e)
        {
            return (0, e.Message);
        }
    }

    private async ValueTask<string?> TakeRecordAsync(McapRecord record, ReadOnlyMemory<byte> chunkRecords, CancellationToken cancellationToken)
    {
        switch (record.Opcode)
        {
            case Opcode.Chunk:
                await TakeChunkAsync(record.ToChunk(), chunkRecords, cancellationToken).ConfigureAwait(false);
                return null;
            case Opcode.Schema or Opcode.Channel:
                Define(record);
                return null;
            case Opcode.Message:
                var message = record.ToMessage();
                if (!await IsDefinedAsync(message.ChannelId, cancellationToken).ConfigureAwait(false))
                    return $"a message on channel {message.ChannelId}, which is defined nowhere";
                Write(message);
                return null;
            case Opcode.Attachment:
                _writer.Write(record.ToAttachment());
                _attachments++;
                return null;
            case Opcode.Metadata:
                _writer.Write(record.ToMetadata());
                _metadata++;
                return null;
            default:
                return null; // the header, indexes that are made afresh, application records
        }
    }

    private async ValueTask TakeChunkAsync(Chunk chunk, ReadOnlyMemory<byte> records, CancellationToken cancellationToken)
    {
        var contents = ChunkContents.Of(records);
        contents.Schemas.ForEach(Define);
        contents.Channels.ForEach(Define);
        foreach (var channel in contents.Entries.Keys)
        {
            if (!await IsDefinedAsync(channel, cancellationToken).ConfigureAwait(false))
                Invent(channel);
        }
        _chunks++;
        if (KeepsIds(contents))
        {
            _writer.WriteChunk(chunk, records);
            _messages += (long)contents.MessageCount;
            return;
        }
        var at = 0;
        while (ChunkRecords.TryTake(records, ref at, 0, out var record))
        {
            if (record.Opcode == Opcode.Message)
                WriteAs(record.ToMessage());
        }
        _messages += (long)contents.MessageCount;
    }

    /// <summary>Keeps the whole messages at the start of a chunk that is cut off.</summary>
    private async ValueTask<(long Kept, string? Reason)> RescueAsync(Piece piece, CancellationToken cancellationToken)
    {
        var content = piece.Record!.Value.Content;
        if (!TornChunk.TryOpen(content, _options.ChunkBytesMax, out var records, out var compressed))
            return (0, piece.Fault);
        var (at, messages) = (0, 0);
        try
        {
            while (ChunkRecords.TryTake(records, ref at, piece.Offset, out var record))
            {
                if (record.Opcode is Opcode.Schema or Opcode.Channel)
                    Define(record);
                if (record.Opcode != Opcode.Message)
                    continue;
                var message = record.ToMessage();
                if (!await IsDefinedAsync(message.ChannelId, cancellationToken).ConfigureAwait(false))
                    break;
                Write(message);
                messages++;
            }
        }
        catch (McapException)
        {
            // The record that is cut off: what came before it is whole.
        }
        var kept = compressed || messages == 0 ? 0 : McapFormat.RecordPrefixBytes + content.Length - records.Length + at;
        return (kept, messages == 0 ? piece.Fault : $"{piece.Fault}; {messages} whole messages at its start are kept");
    }

    private void Define(McapRecord record)
    {
        if (record.Opcode == Opcode.Schema)
            Define(record.ToSchema());
        else
            Define(record.ToChannel());
    }

    private void Define(Schema schema)
    {
        if (schema.Id == 0)
            return;
        if (_schemas.TryGetValue(schema.Id, out var known) && !known.Equals(schema))
            _edition++;
        _schemas[schema.Id] = schema;
    }

    private void Define(Channel channel)
    {
        if (_channels.TryGetValue(channel.Id, out var known) && !known.Equals(channel))
            _edition++;
        _channels[channel.Id] = channel;
    }

    /// <summary>Whether the channel and its schema are defined so far or, failing that, anywhere in the file.</summary>
    private async ValueTask<bool> IsDefinedAsync(ushort channelId, CancellationToken cancellationToken)
    {
        if (_channels.TryGetValue(channelId, out var known) && (known.SchemaId == 0 || _schemas.ContainsKey(known.SchemaId)))
            return true;
        if (_borrowed)
            return _channels.ContainsKey(channelId);
        _borrowed = true;
        using var file = new DamagedFile(_source, _options.ChunkBytesMax);
        await foreach (var piece in file.WalkAsync(cancellationToken).ConfigureAwait(false))
        {
            if (piece is not { Fault: null, Record: { } record })
                continue;
            if (record.Opcode == Opcode.Chunk)
            {
                var contents = ChunkContents.Of(piece.ChunkRecords);
                contents.Schemas.ForEach(schema => _schemas.TryAdd(schema.Id, schema));
                contents.Channels.ForEach(channel => _channels.TryAdd(channel.Id, channel));
            }
            else if (record.Opcode == Opcode.Schema && record.ToSchema() is { Id: not 0 } schema)
            {
                _schemas.TryAdd(schema.Id, schema);
            }
            else if (record.Opcode == Opcode.Channel && record.ToChannel() is var channel)
            {
                _channels.TryAdd(channel.Id, channel);
            }
        }
        return _channels.ContainsKey(channelId);
    }

    private void Invent(ushort channelId)
    {
        _lostChannels.Add(channelId);
        _channels[channelId] = new(channelId, 0, $"lost/channel_{channelId}", "", new Dictionary<string, string>());
    }

    /// <summary>Whether the output can take the chunk as it is, its channels and schemas keeping their ids.</summary>
    private bool KeepsIds(ChunkContents contents)
    {
        foreach (var schema in contents.Schemas)
        {
            if (_writer.Schemas.TryGetValue(schema.Id, out var other) && !other.Equals(schema))
                return false;
        }
        foreach (var channel in contents.Channels)
        {
            if (_writer.Channels.TryGetValue(channel.Id, out var other) && !other.Equals(channel))
                return false;
            var hasSchema = channel.SchemaId == 0 || _writer.Schemas.ContainsKey(channel.SchemaId)
                || contents.Schemas.Exists(schema => schema.Id == channel.SchemaId);
            if (!hasSchema)
                return false;
        }
        return contents.Entries.Keys.All(id => contents.Channels.Exists(channel => channel.Id == id) || IdInOutput(id) == id);
    }

    private ushort IdInOutput(ushort channelId)
    {
        var channel = _channels[channelId];
        return _union.IdOf(_edition, channel, _schemas.GetValueOrDefault(channel.SchemaId));
    }

    private void Write(in Message message)
    {
        WriteAs(message);
        _messages++;
        _looseMessages++;
    }

    private void WriteAs(in Message message) => _writer.Write(message with { ChannelId = IdInOutput(message.ChannelId) });

    private void Cut(long offset, long length, string reason)
    {
        if (_cuts.Count > 0 && _cuts[^1] is var last && last.Offset + last.Length == offset && last.Reason == reason)
            _cuts[^1] = last with { Length = last.Length + length };
        else
            _cuts.Add(new(offset, length, reason));
    }

    private McapRecoveryReport Report(bool complete) => new()
    {
        MessageCount = _messages,
        ChunkCount = _chunks,
        LooseMessageCount = _looseMessages,
        AttachmentCount = _attachments,
        MetadataCount = _metadata,
        LostChannels = _lostChannels.ToList(),
        Cuts = _cuts,
        IsComplete = complete,
    };
}
