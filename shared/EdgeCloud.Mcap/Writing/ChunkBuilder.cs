using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Mcap.Writing;

/// <summary>
/// Collects schemas, channels and messages and closes them into one contiguous buffer: the chunk record followed by its message index
/// records, ready for one write. Buffers are reused: in steady state neither appending nor closing allocates. Not thread-safe; to fill
/// one chunk while another is being written, use two builders in turn.
/// </summary>
public sealed class ChunkBuilder : IDisposable
{
    // Uncompressed, the records already lie where they belong, and only the header is filled in when the chunk closes.
    private const int PrefixBytes = McapFormat.RecordPrefixBytes + McapFormat.ChunkHeaderBytes;

    // What is written is summed while the processor's near caches hold it.
    private const int SumBytes = 64 << 10;

    // A large payload is copied and summed piece by piece, each still in the processor's nearest cache when it is summed.
    private const int LargePayloadBytes = 8 << 10;
    private const int CopyBytes = 2 << 10;

    private readonly RecordBuffer _records;
    private readonly RecordBuffer _compressed = new();
    private readonly ChunkCodec _codec = new();
    private readonly bool _messageIndex;

    private ChannelEntries?[] _byChannel = new ChannelEntries?[16];
    private ChannelEntries[] _touched = new ChannelEntries[16];
    private int _touchedCount;
    private ulong _startTime = ulong.MaxValue;
    private ulong _endTime;
    private long _messageCount;
    private uint _crc;
    private int _crcBytes; // of the records that _crc covers
    private int _plainBytes; // up to so many record bytes a message needs neither room nor a look at the CRC
    private bool _closed;

    /// <summary>An empty builder.</summary>
    /// <param name="capacity">Bytes of records to make room for at once.</param>
    /// <param name="messageIndex">Whether closed chunks are followed by message indexes.</param>
    public ChunkBuilder(int capacity = 1 << 20, bool messageIndex = true)
        : this(capacity, 0, messageIndex) { }

    /// <param name="capacity">Bytes of records to make room for at once.</param>
    /// <param name="fullCapacity">Bytes of records to make room for when those do not suffice.</param>
    /// <param name="messageIndex">Whether closed chunks are followed by message indexes.</param>
    internal ChunkBuilder(int capacity, int fullCapacity, bool messageIndex)
    {
        _messageIndex = messageIndex;
        _records = new RecordBuffer(capacity + PrefixBytes) { FullCapacity = fullCapacity };
        _records.Reserve(PrefixBytes);
        SetPlainBytes();
    }

    /// <summary>Bytes of records so far, uncompressed.</summary>
    public int RecordBytes => _records.Length - PrefixBytes;

    /// <summary>Messages so far.</summary>
    public long MessageCount => _messageCount;

    /// <summary>True when there is nothing to close.</summary>
    public bool IsEmpty => RecordBytes == 0;

    /// <summary>Appends a schema.</summary>
    public void Add(Schema schema)
    {
        ThrowIfClosed();
        ArgumentOutOfRangeException.ThrowIfZero(schema.Id, nameof(schema));
        _records.Append(schema);
    }

    /// <summary>Appends a channel.</summary>
    public void Add(Channel channel)
    {
        ThrowIfClosed();
        _records.Append(channel);
    }

    /// <summary>Appends a message.</summary>
    /// <param name="channelId">Channel, whose record is in this chunk or before it in the file.</param>
    /// <param name="sequence">Counter of the publisher or recorder.</param>
    /// <param name="logTime">When it was recorded, ns.</param>
    /// <param name="publishTime">When it was published, ns.</param>
    /// <param name="data">Payload; copied.</param>
    public void AddMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        if (TryAddMessage(channelId, sequence, logTime, publishTime, data))
            return;
        var payload = BeginMessage(channelId, sequence, logTime, publishTime, data.Length);
        if (data.Length < LargePayloadBytes)
            data.CopyTo(payload);
        else
            CopyAndSum(data, payload);
    }

    /// <summary>Appends a message whose payload the caller fills into the returned span before the next call.</summary>
    public Span<byte> AddMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, int length) =>
        BeginMessage(channelId, sequence, logTime, publishTime, length);

    /// <summary>Ends the chunk. Nothing can be added until <see cref="Reset"/>; the result's bytes are valid until then.</summary>
    /// <param name="compression">Compression of the records.</param>
    /// <param name="level">zstd: its levels, negative ones included; lz4: 0 fast, 3 to 12 smaller.</param>
    /// <param name="crc">Whether to compute the CRC of the records.</param>
    public ClosedChunk Close(McapCompression compression = McapCompression.None, int level = 1, bool crc = true)
    {
        ThrowIfClosed();
        _closed = true;
        _plainBytes = -1;
        var records = _records.WrittenSpan[PrefixBytes..];
        var uncompressedSize = records.Length;
        var recordsCrc = crc ? Crc32.Append(_crc, records[_crcBytes..]) : 0;
        var output = _records;
        var compressedSize = uncompressedSize;
        if (compression != McapCompression.None)
        {
            output = _compressed;
            output.Clear();
            var name = compression.ToName();
            output.Reserve(PrefixBytes + name.Length);
            var target = output.Reserve(ChunkCodec.Bound(compression, uncompressedSize));
            compressedSize = _codec.Compress(compression, level, records, target);
            output.Truncate(PrefixBytes + name.Length + compressedSize);
        }
        WriteHeader(output, compression, compressedSize, uncompressedSize, recordsCrc);
        var chunkLength = output.Length;
        if (_messageIndex)
            AppendIndexes(output);
        return new ClosedChunk(this, output.Written)
        {
            MessageStartTime = _messageCount == 0 ? 0 : _startTime,
            MessageEndTime = _endTime,
            MessageCount = _messageCount,
            ChunkLength = chunkLength,
            Compression = compression,
            CompressedSize = compressedSize,
            UncompressedSize = uncompressedSize,
            UncompressedCrc = recordsCrc,
        };
    }

    /// <summary>Forgets the chunk and keeps its memory for the next.</summary>
    public void Reset()
    {
        _records.Truncate(PrefixBytes);
        for (var i = 0; i < _touchedCount; i++)
            _touched[i].Clear();
        _touchedCount = 0;
        _startTime = ulong.MaxValue;
        _endTime = 0;
        _messageCount = 0;
        _crc = 0;
        _crcBytes = 0;
        _closed = false;
        SetPlainBytes();
    }

    /// <summary>Frees the compressor.</summary>
    public void Dispose() => _codec.Dispose();

    /// <summary>Put after the last field of each message index: the conformance suite's feature "pad".</summary>
    internal byte[] Padding { get; init; } = [];

    internal ReadOnlySpan<ChannelEntries> Touched => _touched.AsSpan(0, _touchedCount);

    internal bool HasMessageIndex => _messageIndex;

    /// <summary>
    /// Appends a message in the least time, as most can be; false, and nothing is done, when it needs more: the first of its channel, a large
    /// one, one that needs more room, and after all of a chunk.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryAddMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        var known = _byChannel;
        if (channelId >= known.Length || known[channelId] is not { IsEmpty: false } entries)
            return false;
        var offset = RecordBytes;
        if (data.Length >= LargePayloadBytes || offset + data.Length > _plainBytes)
            return false;
        _records.AppendMessageInRoom(channelId, sequence, logTime, publishTime, data);
        Count(entries, logTime, offset);
        return true;
    }

    private Span<byte> BeginMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, int length)
    {
        ThrowIfClosed();
        var offset = RecordBytes;
        if (offset + length - _crcBytes > SumBytes)
            SumTo(offset);
        var payload = _records.BeginMessage(channelId, sequence, logTime, publishTime, length);
        SetPlainBytes();
        Count(EntriesOf(channelId), logTime, offset);
        return payload;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Count(ChannelEntries entries, ulong logTime, int offset)
    {
        entries.Add(logTime, (ulong)offset);
        _startTime = Math.Min(_startTime, logTime);
        _endTime = Math.Max(_endTime, logTime);
        _messageCount++;
    }

    private void SetPlainBytes() =>
        _plainBytes = Math.Min(_crcBytes + SumBytes, _records.Capacity - PrefixBytes - McapFormat.MessagePrefixBytes);

    /// <summary>Copies the last message's payload and brings the CRC up to its end.</summary>
    private void CopyAndSum(ReadOnlySpan<byte> data, Span<byte> payload)
    {
        SumTo(RecordBytes - data.Length);
        for (var at = 0; at < data.Length; at += CopyBytes)
        {
            var length = Math.Min(CopyBytes, data.Length - at);
            var piece = payload.Slice(at, length);
            data.Slice(at, length).CopyTo(piece);
            _crc = Crc32.Append(_crc, piece);
        }
        _crcBytes = RecordBytes;
        SetPlainBytes();
    }

    /// <summary>Brings the CRC up to there; everything before must have been filled in.</summary>
    private void SumTo(int recordBytes)
    {
        _crc = Crc32.Append(_crc, _records.WrittenSpan[(PrefixBytes + _crcBytes)..(PrefixBytes + recordBytes)]);
        _crcBytes = recordBytes;
    }

    private void WriteHeader(RecordBuffer output, McapCompression compression, int compressedSize, int uncompressedSize, uint crc)
    {
        var name = compression.ToName();
        var header = output.Slice(0, PrefixBytes + name.Length);
        RecordFraming.WritePrefix(header, Opcode.Chunk, McapFormat.ChunkHeaderBytes + name.Length + compressedSize);
        header = header[McapFormat.RecordPrefixBytes..];
        BinaryPrimitives.WriteUInt64LittleEndian(header, _messageCount == 0 ? 0 : _startTime);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], _endTime);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], uncompressedSize);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], crc);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], name.Length);
        System.Text.Encoding.ASCII.GetBytes(name, header[32..]);
        BinaryPrimitives.WriteInt64LittleEndian(header[(32 + name.Length)..], compressedSize);
    }

    private void AppendIndexes(RecordBuffer output)
    {
        foreach (var entries in Touched)
        {
            entries.IndexOffset = output.Length;
            output.AppendMessageIndex(entries.ChannelId, entries.Bytes, Padding);
        }
    }

    private ChannelEntries EntriesOf(ushort channelId)
    {
        if (channelId < _byChannel.Length && _byChannel[channelId] is { IsEmpty: false } known)
            return known;
        if (channelId >= _byChannel.Length)
            Array.Resize(ref _byChannel, Math.Min(ushort.MaxValue + 1, Math.Max(channelId + 1, 2 * _byChannel.Length)));
        var entries = _byChannel[channelId] ??= new(channelId);
        if (_touchedCount == _touched.Length)
            Array.Resize(ref _touched, 2 * _touched.Length);
        _touched[_touchedCount++] = entries;
        return entries;
    }

    private void ThrowIfClosed()
    {
        if (_closed)
            throw new InvalidOperationException("The chunk is closed: call Reset once its bytes are written.");
    }

    /// <summary>The message index entries of one channel, already serialised.</summary>
    internal sealed class ChannelEntries(ushort channelId)
    {
        private byte[] _bytes = new byte[64 * MessageIndexEntries.EntryBytes];
        private int _length;

        public ushort ChannelId => channelId;
        public bool IsEmpty => _length == 0;
        public int Count => _length / MessageIndexEntries.EntryBytes;
        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

        /// <summary>Where the message index record begins, from the chunk's first byte.</summary>
        public int IndexOffset { get; set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(ulong logTime, ulong offset)
        {
            var (bytes, length) = (_bytes, _length);
            if (length == bytes.Length)
                bytes = Grow();
            var entry = bytes.AsSpan(length, MessageIndexEntries.EntryBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, logTime);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], offset);
            _length = length + MessageIndexEntries.EntryBytes;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private byte[] Grow()
        {
            Array.Resize(ref _bytes, 2 * _bytes.Length);
            return _bytes;
        }

        public void Clear() => _length = 0;
    }
}
