using System.Runtime.CompilerServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// Reads a file from start to end, from a stream that need not seek. Memory: see <see cref="RecordParser"/>. Records and messages are
/// views, valid until the next read. Not thread-safe.
/// </summary>
public sealed class McapStreamReader : IDisposable, IAsyncDisposable
{
    // What one read asks for, and the most that is allocated on the word of a length field before the bytes are there.
    private const int ReadBytes = 256 << 10;
    private const int ReadBytesMax = 1 << 20;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly RecordParser _parser;
    private readonly Dictionary<ushort, Schema> _schemas = [];
    private readonly Dictionary<ushort, Channel> _channels = [];

    /// <summary>A reader at the start of a file.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="options">What to check; how much memory to take.</param>
    /// <param name="leaveOpen">Whether the stream stays open when the reader is disposed.</param>
    public McapStreamReader(Stream stream, RecordParserOptions? options = null, bool leaveOpen = false)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _parser = new RecordParser(options);
    }

    /// <summary>Schemas met so far, by id.</summary>
    public IReadOnlyDictionary<ushort, Schema> Schemas => _schemas;

    /// <summary>Channels met so far, by id.</summary>
    public IReadOnlyDictionary<ushort, Channel> Channels => _channels;

    /// <summary>Offset in the file of the next record.</summary>
    public long Position => _parser.Position;

    /// <summary>Reads the next record, blocking on the stream; false at the end of the file.</summary>
    public bool Read(out McapRecord record)
    {
        while (true)
        {
            switch (Parse(out record))
            {
                case ParseResult.Record:
                    return true;
                case ParseResult.End when AtEnd(_stream.Read(_parser.GetMemory().Span)):
                    return false;
                case ParseResult.NeedsInput:
                    Fed(_stream.Read(_parser.GetMemory(SizeOfNextRead()).Span));
                    break;
            }
        }
    }

    /// <summary>Reads the next record; null at the end of the file.</summary>
    public async ValueTask<McapRecord?> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            switch (Parse(out var record))
            {
                case ParseResult.Record:
                    return record;
                case ParseResult.End when AtEnd(await _stream.ReadAsync(_parser.GetMemory(), cancellationToken).ConfigureAwait(false)):
                    return null;
                case ParseResult.NeedsInput:
                    Fed(await _stream.ReadAsync(_parser.GetMemory(SizeOfNextRead()), cancellationToken).ConfigureAwait(false));
                    break;
            }
        }
    }

    /// <summary>Reads on to the next message, blocking on the stream; false at the end of the file.</summary>
    public bool ReadMessage(out Message message)
    {
        while (Read(out var record))
        {
            if (record.Opcode == Opcode.Message)
            {
                message = record.ToMessage();
                return true;
            }
        }
        message = default;
        return false;
    }

    /// <summary>The messages from here to the end of the file, in file order. Each is valid until the next.</summary>
    public async IAsyncEnumerable<Message> ReadMessagesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReadAsync(cancellationToken).ConfigureAwait(false) is { } record)
        {
            if (record.Opcode == Opcode.Message)
                yield return record.ToMessage();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _parser.Dispose();
        if (!_leaveOpen)
            _stream.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _parser.Dispose();
        if (!_leaveOpen)
            await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private ParseResult Parse(out McapRecord record)
    {
        try
        {
            var result = _parser.Read(out record);
            if (result == ParseResult.Record)
                Note(record);
            return result;
        }
        catch (McapException e)
        {
            e.SourceName = (_stream as FileStream)?.Name;
            throw;
        }
    }

    private int SizeOfNextRead() => Math.Clamp(_parser.WantedBytes, ReadBytes, ReadBytesMax);

    private void Fed(int bytes)
    {
        _parser.Advance(bytes);
        if (bytes == 0)
            _parser.Complete();
    }

    // The file is over for the parser; bytes that follow the trailing magic are an error, which the parser states.
    private bool AtEnd(int bytes)
    {
        _parser.Advance(bytes);
        return bytes == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Note(in McapRecord record)
    {
        if (record.Opcode is Opcode.Schema or Opcode.Channel)
            NoteDefinition(record);
        else if (record.Opcode == Opcode.Message)
            CheckChannel(record);
    }

    private void NoteDefinition(in McapRecord record)
    {
        if (record.Opcode == Opcode.Schema)
        {
            var schema = record.ToSchema();
            if (schema.Id != 0 && !_schemas.TryAdd(schema.Id, schema) && !_schemas[schema.Id].Equals(schema))
                throw new McapException("Schema", record.Position, $"schema {schema.Id} as it was before", "a different one");
            return;
        }
        var channel = record.ToChannel();
        if (!_channels.TryAdd(channel.Id, channel) && !_channels[channel.Id].Equals(channel))
            throw new McapException("Channel", record.Position, $"channel {channel.Id} as it was before", "a different one");
    }

    private void CheckChannel(in McapRecord record)
    {
        var channel = record.ToMessage().ChannelId;
        if (!_channels.ContainsKey(channel))
            throw new McapException("Message channel_id", record.Position, "a channel that was recorded before", $"{channel}");
    }
}
