using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>What a chunk holds of one channel.</summary>
internal struct ChannelTally
{
    public ushort Channel;
    public uint Messages;
    public long PayloadBytes;
    public ulong FirstLogTime;
    public ulong LastLogTime;
    /// <summary>Offset of the channel's last message record in the chunk's records.</summary>
    public int LastRecord;
    /// <summary>Offset of the channel's MessageIndex record from the start of the chunk record.</summary>
    public long IndexOffset;
}

/// <summary>
/// One chunk on its way to disk: unmanaged memory that takes message records, then is encoded in place into the bytes of a commit,
/// <c>Chunk, MessageIndex..., commit record, padding</c>, ready for one write. The memory begins on a block so that direct writes take it as it
/// is; the room before the records is just that of the chunk's own header. Compressed chunks are encoded into a second such memory.
/// Goes through three hands in turn: producers fill it under the queue's gate, a worker or the committer encodes it, whoever is first, and the
/// committer and then the hasher read what was encoded.
/// </summary>
internal sealed unsafe class MessageChunk : IWalWork, IDisposable
{
    /// <summary>Opcode, length, channel, sequence, log time and publish time of a Message record.</summary>
    public const int MessageHeadBytes = 9 + 2 + 4 + 8 + 8;

    private const int ChunkHeadBytes = 9 + 8 + 8 + 8 + 4 + 4 + 8; // without the name of the compression
    private const int RecordsCrcOffset = 9 + 8 + 8 + 8;
    private const int IndexHeadBytes = 9 + 2 + 4;
    private const int IndexEntryBytes = 16;
    private const int Alignment = LinuxFiles.BlockBytes;

    // A chunk that took this much once is worth huge pages.
    private const int FilledBytes = 768 << 10;

    // A large payload is copied and summed piece by piece, each still in the processor's nearest cache when it is summed.
    private const int LargePayloadBytes = 8 << 10;
    private const int CopyBytes = 2 << 10;

    private byte* _memory;
    private byte* _encoded;
    private nuint _encodedCapacity;
    private byte* _commit; // which of the two holds the commit
    private int _bodyBytes;
    private uint _bodyCrc;
    private int _channelLimit;
    private bool _hasHugePages;
    private uint _crc; // of the first _crcBytes of the records
    private int _crcBytes;
    private volatile State _state; // changes under a lock on this, which whoever encodes holds
    private McapCompression _wanted;
    private bool _isLeftToWorkers;

    private ChannelTally[] _tallies = new ChannelTally[16];
    private int[] _tallyOf = new int[64]; // by channel id: index in _tallies + 1

    private enum State
    {
        /// <summary>Takes messages.</summary>
        Filling,
        /// <summary>Takes no more.</summary>
        Closed,
        /// <summary>Ready to be written.</summary>
        Encoded,
    }

    /// <summary>A chunk for <paramref name="capacity"/> bytes of records and indexes.</summary>
    public MessageChunk(int capacity)
    {
        Capacity = (capacity + Alignment - 1) / Alignment * Alignment;
        _memory = PageMemory.Allocate((nuint)Capacity);
    }

    /// <summary>Bytes of memory.</summary>
    public int Capacity { get; }

    /// <summary>True when it belongs to the log's <see cref="ChunkPool"/>.</summary>
    public bool IsPooled { get; init; }

    /// <summary>Bytes of message records.</summary>
    public int RecordsBytes { get; private set; }

    /// <summary>Messages.</summary>
    public int Messages { get; private set; }

    /// <summary>When the first message came: a timestamp of the log's <see cref="TimeProvider"/>.</summary>
    public long FirstAppend { get; private set; }

    /// <summary>Who waits for the chunk to be durable; the head of a list.</summary>
    public DurableWaiter? Waiters;

    /// <summary>Least log time; valid once encoded.</summary>
    public ulong StartTime { get; private set; }

    /// <summary>Greatest log time; valid once encoded.</summary>
    public ulong EndTime { get; private set; }

    /// <summary>Bytes of the Chunk record; valid once encoded.</summary>
    public int ChunkRecordBytes { get; private set; }

    /// <summary>Bytes of the records as stored; valid once encoded.</summary>
    public int StoredRecordsBytes { get; private set; }

    /// <summary>The compression that was used; valid once encoded.</summary>
    public McapCompression Compression { get; private set; }

    /// <summary>Channels of the chunk in order of their first message; valid once encoded.</summary>
    public ReadOnlySpan<ChannelTally> Tallies => _tallies.AsSpan(0, TallyCount);

    private int TallyCount { get; set; }

    /// <summary>The Chunk record and its MessageIndex records; valid once encoded.</summary>
    public ReadOnlySpan<byte> Body => new(_commit, _bodyBytes);

    /// <summary>Bytes on disk with commit record and padding; valid once encoded.</summary>
    public int CommitBytes => CommitRecord.PaddedBytes(_bodyBytes, LinuxFiles.BlockBytes);

    /// <summary>The memory that one message needs for itself and its index.</summary>
    public static long BytesFor(int payloadBytes, int channels) =>
        ChunkHeadBytes + 4L + MessageHeadBytes + payloadBytes + IndexEntryBytes + (long)IndexHeadBytes * channels + CommitRecord.LeastBytes + Alignment;

    /// <summary>The memory that message records need for themselves and their indexes, whatever the size of the messages.</summary>
    public static long BytesForRecords(long recordsBytes, int channels) =>
        BytesFor(0, channels) + recordsBytes + (recordsBytes / MessageHeadBytes + 1) * IndexEntryBytes;

    /// <summary>The CRC32 of its uncompressed records that a Chunk record states.</summary>
    public static uint RecordsCrc(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadUInt32LittleEndian(chunk[RecordsCrcOffset..]);

    /// <summary>Empties the chunk for its next use.</summary>
    /// <param name="channels">Number of channels that may occur: room for their indexes is kept.</param>
    public void Reset(int channels)
    {
        lock (this) _state = State.Filling; // a worker may still have the chunk of before on its list
        if (!_hasHugePages && RecordsBytes > FilledBytes)
        {
            PageMemory.UseHugePages(_memory, (nuint)Capacity);
            _hasHugePages = true;
        }

        RecordsBytes = 0;
        Messages = 0;
        ClearTallies();
        _crc = 0;
        _crcBytes = 0;
        _bodyBytes = 0;
        _channelLimit = channels;
    }

    /// <summary>Ends the filling.</summary>
    /// <param name="wanted">How to compress.</param>
    /// <param name="isLeftToWorkers">Whether nobody but a worker encodes it.</param>
    public void Close(McapCompression wanted, bool isLeftToWorkers)
    {
        lock (this)
        {
            _state = State.Closed;
            _wanted = wanted;
            _isLeftToWorkers = isLeftToWorkers;
        }
    }

    /// <summary>True when <see cref="EnsureEncoded(ChunkCodec)"/> would take long.</summary>
    public bool IsBeingCompressed => _state == State.Closed && _wanted != McapCompression.None;

    /// <summary>Encodes a closed chunk, or waits for whoever is about it or will be.</summary>
    public void EnsureEncoded(ChunkCodec codec)
    {
        lock (this)
        {
            while (_state == State.Closed && _isLeftToWorkers) Monitor.Wait(this);
            if (_state == State.Closed) Encode(_wanted, codec);
            _state = State.Encoded;
        }
    }

    void IWalWork.Run(ChunkCodec codec)
    {
        lock (this)
        {
            if (_state != State.Closed) return;
            Encode(_wanted, codec);
            _state = State.Encoded;
            Monitor.Pulse(this);
        }
    }

    /// <summary>Appends a message; false when it does not fit, or when the channel is newer than the chunk.</summary>
    public bool TryAppend(ushort channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data, TimeProvider time)
    {
        var record = MessageHeadBytes + data.Length;
        if (channel > _channelLimit || (long)Capacity - Reserved - RecordsBytes - (long)IndexEntryBytes * (Messages + 1) < record) return false;

        ref var at = ref Unsafe.AsRef<byte>(_memory + ChunkHeadBytes + RecordsBytes);
        at = (byte)Opcode.Message;
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 1), (ulong)(record - 9));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 9), channel);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 11), sequence);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 15), logTime);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 23), publishTime);
        var payload = MemoryMarshal.CreateSpan(ref Unsafe.Add(ref at, MessageHeadBytes), data.Length);
        if (data.Length < LargePayloadBytes) data.CopyTo(payload);
        else CopyAndSum(data, payload);
        if (Messages == 0) FirstAppend = time.GetTimestamp();
        RecordsBytes += record;
        Messages++;
        return true;
    }

    /// <summary>Appends message records as they are; false when they do not fit.</summary>
    public bool TryAppendRecords(ReadOnlySpan<byte> records)
    {
        var messages = 0;
        for (var offset = 0; offset < records.Length; messages++)
            offset += 9 + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(records[(offset + 1)..]));
        if (Capacity - Reserved - RecordsBytes - (long)IndexEntryBytes * (Messages + messages) < records.Length) return false;
        records.CopyTo(new Span<byte>(_memory + ChunkHeadBytes + RecordsBytes, records.Length));
        RecordsBytes += records.Length;
        Messages += messages;
        return true;
    }

    /// <summary>The payload of the message record at an offset of the records.</summary>
    public ReadOnlySpan<byte> MessageAt(int record, out uint sequence, out ulong publishTime)
    {
        var at = _memory + ChunkHeadBytes + record;
        sequence = Unsafe.ReadUnaligned<uint>(at + 11);
        publishTime = Unsafe.ReadUnaligned<ulong>(at + 23);
        return new ReadOnlySpan<byte>(at + MessageHeadBytes, (int)Unsafe.ReadUnaligned<ulong>(at + 1) - (MessageHeadBytes - 9));
    }

    /// <summary>Turns the records into the body of a commit. What does not get smaller by compression is stored as it is.</summary>
    public void Encode(McapCompression compression, ChunkCodec codec)
    {
        Tally();
        var records = new ReadOnlySpan<byte>(_memory + ChunkHeadBytes, RecordsBytes);
        var crc = Crc32.Append(_crc, records[_crcBytes..]);
        StoredRecordsBytes = RecordsBytes;
        Compression = McapCompression.None;
        _commit = _memory;
        if (compression != McapCompression.None)
        {
            var name = compression.ToName();
            var head = ChunkHeadBytes + name.Length;
            EnsureEncoded(head + ChunkCodec.Bound(compression, RecordsBytes) + IndexBytes + CommitRecord.LeastBytes + Alignment);
            var stored = codec.Compress(compression, CompressionLevel(compression), records, new Span<byte>(_encoded + head, (int)_encodedCapacity - head));
            if (stored < RecordsBytes)
            {
                StoredRecordsBytes = stored;
                Compression = compression;
                _commit = _encoded;
            }
        }

        ChunkRecordBytes = WriteChunkHead(new Span<byte>(_commit, ChunkHeadBytes + 4), crc) + StoredRecordsBytes;
        WriteIndexes();
        _bodyCrc = BodyCrc(crc);
    }

    /// <summary>Ends the commit: writes the commit record and padding after the body; returns all bytes of the commit, and their CRC32.</summary>
    public MemoryPiece Commit(CommitRecord record, out uint crc)
    {
        var end = new Span<byte>(_commit + _bodyBytes, CommitBytes - _bodyBytes);
        record.Write(end, _bodyCrc);
        crc = Crc32.Append(_bodyCrc, end);
        return new MemoryPiece(_commit, CommitBytes);
    }

    /// <summary>The fast ones: zstd 1, and LZ4's default, never its slow HC levels.</summary>
    private static int CompressionLevel(McapCompression compression) => compression == McapCompression.Zstd ? 1 : 0;

    /// <summary>Copies the payload of the message that is being appended, and brings the CRC up to its end.</summary>
    private void CopyAndSum(ReadOnlySpan<byte> data, Span<byte> payload)
    {
        var before = RecordsBytes + MessageHeadBytes;
        _crc = Crc32.Append(_crc, new ReadOnlySpan<byte>(_memory + ChunkHeadBytes + _crcBytes, before - _crcBytes));
        for (var at = 0; at < data.Length; at += CopyBytes)
        {
            var length = Math.Min(CopyBytes, data.Length - at);
            var piece = payload.Slice(at, length);
            data.Slice(at, length).CopyTo(piece);
            _crc = Crc32.Append(_crc, piece);
        }

        _crcBytes = before + data.Length;
    }

    private int IndexBytes => TallyCount * IndexHeadBytes + Messages * IndexEntryBytes;

    private long Reserved => ChunkHeadBytes + (long)IndexHeadBytes * _channelLimit + CommitRecord.LeastBytes + Alignment;

    /// <summary>Counts the records by channel and finds their times.</summary>
    private void Tally()
    {
        ClearTallies();
        (StartTime, EndTime) = Messages == 0 ? (0, 0) : (ulong.MaxValue, 0UL);
        for (var offset = 0; offset < RecordsBytes;)
        {
            var at = _memory + ChunkHeadBytes + offset;
            var length = (int)Unsafe.ReadUnaligned<ulong>(at + 1);
            var logTime = Unsafe.ReadUnaligned<ulong>(at + 15);
            ref var tally = ref TallyOf(Unsafe.ReadUnaligned<ushort>(at + 9));
            if (tally.Messages++ == 0) tally.FirstLogTime = tally.LastLogTime = logTime;
            tally.FirstLogTime = Math.Min(tally.FirstLogTime, logTime);
            tally.LastLogTime = Math.Max(tally.LastLogTime, logTime);
            tally.PayloadBytes += length - (MessageHeadBytes - 9);
            tally.LastRecord = offset;
            StartTime = Math.Min(StartTime, logTime);
            EndTime = Math.Max(EndTime, logTime);
            offset += 9 + length;
        }
    }

    private void ClearTallies()
    {
        foreach (ref var tally in _tallies.AsSpan(0, TallyCount)) _tallyOf[tally.Channel] = 0;
        TallyCount = 0;
    }

    private ref ChannelTally TallyOf(ushort channel)
    {
        if (channel >= _tallyOf.Length) Array.Resize(ref _tallyOf, Math.Max(channel + 1, _tallyOf.Length * 2));
        ref var index = ref _tallyOf[channel];
        if (index == 0)
        {
            if (TallyCount == _tallies.Length) Array.Resize(ref _tallies, TallyCount * 2);
            _tallies[TallyCount] = new ChannelTally { Channel = channel };
            index = ++TallyCount;
        }

        return ref _tallies[index - 1];
    }

    private int WriteChunkHead(Span<byte> head, uint crc)
    {
        var name = Compression.ToName();
        var length = ChunkHeadBytes + name.Length;
        head[0] = (byte)Opcode.Chunk;
        BinaryPrimitives.WriteUInt64LittleEndian(head[1..], (ulong)(length - 9 + StoredRecordsBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(head[9..], StartTime);
        BinaryPrimitives.WriteUInt64LittleEndian(head[17..], EndTime);
        BinaryPrimitives.WriteUInt64LittleEndian(head[25..], (ulong)RecordsBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(head[RecordsCrcOffset..], crc);
        BinaryPrimitives.WriteUInt32LittleEndian(head[37..], (uint)name.Length);
        for (var i = 0; i < name.Length; i++) head[41 + i] = (byte)name[i];
        BinaryPrimitives.WriteUInt64LittleEndian(head[(41 + name.Length)..], (ulong)StoredRecordsBytes);
        return length;
    }

    /// <summary>Writes the MessageIndex records behind the Chunk record, channels in order of their first message.</summary>
    private void WriteIndexes()
    {
        Span<int> next = TallyCount <= 256 ? stackalloc int[TallyCount] : new int[TallyCount];
        var end = ChunkRecordBytes;
        for (var i = 0; i < TallyCount; i++)
        {
            ref var tally = ref _tallies[i];
            var entries = tally.Messages * IndexEntryBytes;
            tally.IndexOffset = end;
            var head = new Span<byte>(_commit + end, IndexHeadBytes);
            head[0] = (byte)Opcode.MessageIndex;
            BinaryPrimitives.WriteUInt64LittleEndian(head[1..], IndexHeadBytes - 9 + entries);
            BinaryPrimitives.WriteUInt16LittleEndian(head[9..], tally.Channel);
            BinaryPrimitives.WriteUInt32LittleEndian(head[11..], entries);
            next[i] = end + IndexHeadBytes;
            end += IndexHeadBytes + (int)entries;
        }

        for (var offset = 0; offset < RecordsBytes;)
        {
            var at = _memory + ChunkHeadBytes + offset;
            ref var to = ref next[_tallyOf[Unsafe.ReadUnaligned<ushort>(at + 9)] - 1];
            Unsafe.WriteUnaligned(_commit + to, Unsafe.ReadUnaligned<ulong>(at + 15));
            Unsafe.WriteUnaligned(_commit + to + 8, (ulong)offset);
            to += IndexEntryBytes;
            offset += 9 + (int)Unsafe.ReadUnaligned<ulong>(at + 1);
        }

        _bodyBytes = end;
    }

    /// <summary>CRC of the body: records that are stored as they are need not be read again.</summary>
    private uint BodyCrc(uint recordsCrc)
    {
        if (Compression != McapCompression.None) return Crc32.Compute(Body);
        var head = Crc32.Compute(Body[..(ChunkRecordBytes - RecordsBytes)]);
        return Crc32.Append(Crc32.Combine(head, recordsCrc, RecordsBytes), Body[ChunkRecordBytes..]);
    }

    private void EnsureEncoded(int bytes)
    {
        if (_encodedCapacity >= (nuint)bytes) return;
        PageMemory.Free(_encoded, _encodedCapacity);
        _encodedCapacity = 0;
        var capacity = PageMemory.Rounded((nuint)bytes);
        _encoded = PageMemory.AllocateHuge(capacity);
        _encodedCapacity = capacity;
    }

    public void Dispose()
    {
        PageMemory.Free(_memory, (nuint)Capacity);
        PageMemory.Free(_encoded, _encodedCapacity);
        _memory = _encoded = null;
        _encodedCapacity = 0;
    }
}
