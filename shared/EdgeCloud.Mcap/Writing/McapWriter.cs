using System.Runtime.CompilerServices;

namespace EdgeCloud.Mcap.Writing;

/// <summary>
/// Writes one MCAP file to a stream, which need not seek. Not thread-safe. A writer whose stream or compressor failed refuses further
/// writes, since nobody knows what reached the stream. Disposing finishes the file unless the writer failed.
/// </summary>
public sealed class McapWriter : IDisposable, IAsyncDisposable
{
    private const int PendingBytes = 256 << 10;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly McapWriterOptions _options;
    private readonly RecordBuffer _pending;
    private readonly ChunkBuilder? _chunk;
    private readonly SummaryBuilder _summary;
    private bool[] _knownChannels = new bool[64];
    private ulong _position;
    private uint _crc;
    private bool _finished;
    private Exception? _failure;

    /// <summary>Begins a file. Nothing is written to the stream before the first chunk is full, or <see cref="Flush"/>.</summary>
    /// <param name="stream">Where the file goes.</param>
    /// <param name="options">How it is laid out.</param>
    /// <param name="leaveOpen">Whether the stream stays open when the writer is disposed.</param>
    public McapWriter(Stream stream, McapWriterOptions? options = null, bool leaveOpen = false)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.ChunkBytes, "McapWriterOptions.ChunkBytes");
        _pending = new RecordBuffer { Padding = _options.Padding };
        if (_options.Chunked)
        {
            // A small file takes little memory; one that fills a chunk takes at once what the chunk, its last message and its indexes need.
            var full = (int)Math.Min(_options.ChunkBytes * 5L / 4, McapFormat.RecordBytesLimit);
            _chunk = new ChunkBuilder(Math.Min(_options.ChunkBytes, 64 << 10), full, _options.MessageIndex) { Padding = _options.Padding };
        }
        _summary = new SummaryBuilder(_options.Summary with { Padding = _options.Padding });
        _pending.AppendMagic();
        _pending.Append(new Header(_options.Profile, _options.Library));
    }

    /// <summary>Schemas written so far, by id.</summary>
    public IReadOnlyDictionary<ushort, Schema> Schemas => _summary.Schemas;

    /// <summary>Channels written so far, by id.</summary>
    public IReadOnlyDictionary<ushort, Channel> Channels => _summary.Channels;

    /// <summary>Messages written so far, those in the open chunk not counted.</summary>
    public ulong ClosedMessageCount => _summary.MessageCount;

    /// <summary>Bytes of the file so far, the open chunk not counted.</summary>
    public ulong Position => _position + (ulong)_pending.Length;

    /// <summary>Writes a schema; again with the same content writes nothing.</summary>
    public void Write(Schema schema)
    {
        ThrowIfUnusable();
        if (_summary.Schemas.TryGetValue(schema.Id, out var known) && known.Equals(schema))
            return;
        _summary.Add(schema);
        if (_chunk is not null)
            _chunk.Add(schema);
        else
            _pending.Append(schema);
    }

    /// <summary>Writes a channel; again with the same content writes nothing.</summary>
    public void Write(Channel channel)
    {
        ThrowIfUnusable();
        if (_summary.Channels.TryGetValue(channel.Id, out var known) && known.Equals(channel))
            return;
        _summary.Add(channel);
        SetKnown(channel.Id);
        if (_chunk is not null)
            _chunk.Add(channel);
        else
            _pending.Append(channel);
    }

    /// <summary>Writes a schema under the next free id.</summary>
    public Schema AddSchema(string name, string encoding, ReadOnlyMemory<byte> data)
    {
        var id = FirstFree(_summary.Schemas.Keys, "schema");
        var schema = new Schema(id, name, encoding, data);
        Write(schema);
        return schema;
    }

    /// <summary>Writes a channel under the next free id.</summary>
    public Channel AddChannel(
        ushort schemaId, string topic, string messageEncoding, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var id = FirstFree(_summary.Channels.Keys, "channel");
        var channel = new Channel(id, schemaId, topic, messageEncoding, metadata ?? new Dictionary<string, string>());
        Write(channel);
        return channel;
    }

    /// <summary>Writes a message. Blocks on the stream when that fills a chunk.</summary>
    public void Write(in Message message) =>
        WriteMessage(message.ChannelId, message.Sequence, message.LogTime, message.PublishTime, message.Data.Span);

    /// <summary>Writes a message. Blocks on the stream when that fills a chunk.</summary>
    /// <param name="channelId">A channel written before.</param>
    /// <param name="sequence">Counter of the publisher or recorder.</param>
    /// <param name="logTime">When it was recorded, ns.</param>
    /// <param name="publishTime">When it was published, ns.</param>
    /// <param name="data">Payload; copied.</param>
    public void WriteMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        if (Append(channelId, sequence, logTime, publishTime, data))
            Flush();
    }

    /// <summary>Writes a message; completes at once unless it fills a chunk.</summary>
    public ValueTask WriteMessageAsync(
        ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data,
        CancellationToken cancellationToken = default) =>
        Append(channelId, sequence, logTime, publishTime, data) ? FlushAsync(cancellationToken) : default;

    /// <summary>Writes an attachment into the data section, before the chunk that is open.</summary>
    public void Write(Attachment attachment)
    {
        ThrowIfUnusable();
        var offset = Position;
        var start = _pending.Length;
        _pending.Append(attachment);
        _summary.Add(new AttachmentIndex(
            offset, (ulong)(_pending.Length - start), attachment.LogTime, attachment.CreateTime, (ulong)attachment.Data.Length,
            attachment.Name, attachment.MediaType));
        FlushPendingIfLarge();
    }

    /// <summary>Writes a metadata record into the data section, before the chunk that is open.</summary>
    public void Write(Metadata metadata)
    {
        ThrowIfUnusable();
        var offset = Position;
        var start = _pending.Length;
        _pending.Append(metadata);
        _summary.Add(new MetadataIndex(offset, (ulong)(_pending.Length - start), metadata.Name));
        FlushPendingIfLarge();
    }

    /// <summary>Writes a record of the application's own, before the chunk that is open.</summary>
    /// <param name="opcode">0x80 or above.</param>
    /// <param name="content">Everything after opcode and length.</param>
    public void WriteApplicationRecord(Opcode opcode, ReadOnlySpan<byte> content)
    {
        ThrowIfUnusable();
        ArgumentOutOfRangeException.ThrowIfLessThan((byte)opcode, (byte)McapFormat.FirstApplicationOpcode, nameof(opcode));
        _pending.AppendRecord(opcode, content);
        FlushPendingIfLarge();
    }

    /// <summary>
    /// Writes a chunk of another file without compressing it anew, after the chunk that is open. Its header and message indexes are
    /// made afresh from its records; its channels keep their ids, and those it does not define itself must have been written.
    /// </summary>
    /// <param name="chunk">The chunk as stored.</param>
    /// <param name="records">Its records, decompressed.</param>
    public void WriteChunk(Chunk chunk, ReadOnlyMemory<byte> records)
    {
        ThrowIfUnusable();
        if (_chunk is null)
            throw new InvalidOperationException("The file is written without chunks and takes none.");
        if (!McapCompressionNames.TryParse(chunk.Compression, out _) || chunk.UncompressedSize != (ulong)records.Length)
            throw new ArgumentException($"The chunk is {chunk.UncompressedSize} bytes of '{chunk.Compression}' and does not fit {records.Length} bytes of records.");
        var contents = ChunkContents.Of(records);
        contents.Schemas.ForEach(_summary.Add);
        foreach (var channel in contents.Channels)
        {
            _summary.Add(channel);
            SetKnown(channel.Id);
        }
        foreach (var (channel, _) in contents.Entries)
            ThrowIfUnknown(channel);
        Flush();
        var output = _pending;
        var index = contents.Append(output, chunk, _position);
        _summary.Add(index, contents.Counts);
        Flush();
    }

    /// <summary>Closes the open chunk and hands everything to the stream.</summary>
    public void Flush()
    {
        ThrowIfUnusable();
        try
        {
            Emit(_pending.Written);
            if (_chunk is { IsEmpty: false })
                _stream.Write(CloseChunk().Span);
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
        Written();
    }

    /// <summary>Closes the open chunk and hands everything to the stream.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfUnusable();
        try
        {
            await EmitAsync(_pending.Written, cancellationToken).ConfigureAwait(false);
            if (_chunk is { IsEmpty: false })
                await _stream.WriteAsync(CloseChunk(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
        Written();
    }

    /// <summary>Writes what is open, then the summary and the footer. Nothing can be written after.</summary>
    public void Finish()
    {
        Flush();
        _finished = true;
        try
        {
            _stream.Write(_summary.Build(_position, _crc).Span);
            _stream.Flush();
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
    }

    /// <summary>Writes what is open, then the summary and the footer. Nothing can be written after.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellationToken = default)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        _finished = true;
        try
        {
            await _stream.WriteAsync(_summary.Build(_position, _crc), cancellationToken).ConfigureAwait(false);
            await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
    }

    /// <summary>
    /// Gives a file up that lacks something, for a reason outside of the writer: nothing is written any more, and disposing does not finish
    /// it, so that it does not look whole.
    /// </summary>
    public void Abandon(Exception cause) => Fail(cause);

    /// <summary>Finishes the file unless that was done or the writer failed.</summary>
    public void Dispose()
    {
        if (!_finished && _failure is null)
            Finish();
        _chunk?.Dispose();
        if (!_leaveOpen)
            _stream.Dispose();
    }

    /// <summary>Finishes the file unless that was done or the writer failed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_finished && _failure is null)
            await FinishAsync().ConfigureAwait(false);
        _chunk?.Dispose();
        if (!_leaveOpen)
            await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>True when the bytes collected are due for the stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Append(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        // A chunk that has messages of the channel takes another one: so the channel is known, and the writer neither finished nor failed.
        if (_chunk is { } chunk)
        {
            if (!chunk.TryAddMessage(channelId, sequence, logTime, publishTime, data))
                AddToChunk(channelId, sequence, logTime, publishTime, data);
            return chunk.RecordBytes >= _options.ChunkBytes;
        }
        ThrowIfUnusable();
        ThrowIfUnknown(channelId);
        data.CopyTo(_pending.BeginMessage(channelId, sequence, logTime, publishTime, data.Length));
        _summary.AddMessage(channelId, logTime);
        return _pending.Length >= PendingBytes;
    }

    private void AddToChunk(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        ThrowIfUnusable();
        ThrowIfUnknown(channelId);
        _chunk!.AddMessage(channelId, sequence, logTime, publishTime, data);
    }

    private void Fail(Exception cause)
    {
        _failure ??= cause;
        _chunk?.Reset(); // what it holds is not taken for a reason to take more
    }

    private void SetKnown(ushort channelId)
    {
        if (channelId >= _knownChannels.Length)
            Array.Resize(ref _knownChannels, Math.Min(ushort.MaxValue + 1, Math.Max(channelId + 1, 2 * _knownChannels.Length)));
        _knownChannels[channelId] = true;
    }

    private void ThrowIfUnknown(ushort channelId)
    {
        var known = _knownChannels;
        if (channelId >= known.Length || !known[channelId])
            ThrowUnknown(channelId);
    }

    private static void ThrowUnknown(ushort channelId) =>
        throw new InvalidOperationException($"Channel {channelId} was not written: write it before its first message.");

    private ReadOnlyMemory<byte> CloseChunk()
    {
        var closed = _chunk!.Close(_options.Compression, _options.CompressionLevel, _options.ChunkCrc);
        _summary.Add(closed, _position);
        AccountChunk(closed);
        return closed.Bytes;
    }

    /// <summary>As <see cref="Account"/>; the CRC of uncompressed records, known already, is not computed again.</summary>
    private void AccountChunk(in ClosedChunk chunk)
    {
        if (chunk.Compression != McapCompression.None || !_options.ChunkCrc)
        {
            Account(chunk.Bytes);
            return;
        }
        var (start, end) = (chunk.ChunkLength - chunk.CompressedSize, chunk.ChunkLength);
        Account(chunk.Bytes[..start]);
        if (_options.DataSectionCrc)
            _crc = Crc32.Combine(_crc, chunk.UncompressedCrc, chunk.CompressedSize);
        _position += (ulong)chunk.CompressedSize;
        Account(chunk.Bytes[end..]);
    }

    private void Emit(ReadOnlyMemory<byte> bytes)
    {
        Account(bytes);
        _stream.Write(bytes.Span);
    }

    private ValueTask EmitAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Account(bytes);
        return _stream.WriteAsync(bytes, cancellationToken);
    }

    private void Account(ReadOnlyMemory<byte> bytes)
    {
        if (_options.DataSectionCrc)
            _crc = Crc32.Append(_crc, bytes.Span);
        _position += (ulong)bytes.Length;
    }

    private void Written()
    {
        _pending.Clear();
        _chunk?.Reset();
    }

    private void FlushPendingIfLarge()
    {
        if (_pending.Length < PendingBytes)
            return;
        try
        {
            Emit(_pending.Written);
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
        _pending.Clear();
    }

    private static ushort FirstFree(IEnumerable<ushort> taken, string what)
    {
        var greatest = taken.LastOrDefault();
        if (greatest == ushort.MaxValue)
            throw new InvalidOperationException($"The file has {what} id {greatest} already, the greatest there is: give ids yourself.");
        return (ushort)(greatest + 1);
    }

    private void ThrowIfUnusable()
    {
        if (_failure is not null || _finished)
            ThrowUnusable();
    }

    private void ThrowUnusable() =>
        throw (_failure is not null
            ? new InvalidOperationException($"The writer failed before byte {_position} and refuses further writes: {_failure.Message}", _failure)
            : new InvalidOperationException("The file is finished and takes no further writes."));
}
