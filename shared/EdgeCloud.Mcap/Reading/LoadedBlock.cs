using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// An opened block, and the selected messages in it. In file order they are handed out while its records are walked; in the other orders
/// all are found first and sorted. Reused from block to block.
/// </summary>
internal sealed class LoadedBlock(ChunkReader chunks, ChannelSelection selection, McapReadOptions options)
{
    /// <summary>One message: where its content lies in the block's records.</summary>
    private readonly record struct Entry(ulong LogTime, int Offset, int Length);

    private static readonly Comparison<Entry> ByTimeAndOffset =
        static (a, b) => a.LogTime != b.LogTime ? a.LogTime.CompareTo(b.LogTime) : a.Offset.CompareTo(b.Offset);

    private readonly ulong _from = options.StartTime;
    private readonly ulong _last = options.EndTime - 1 ?? ulong.MaxValue;
    private readonly bool[] _selected = selection.Selected;

    private Block _block;
    private FetchedSpan? _stored;
    private byte[] _chunkBuffer = [];
    private ReadOnlyMemory<byte> _records;
    private ArraySegment<byte> _array; // the same, where they lie in an array: quicker to slice
    private int _walked;               // bytes of the records
    private Entry _current;
    private Entry[] _entries = options.Order == MessageOrder.File ? [] : new Entry[256];
    private int _count;
    private int _taken;

    /// <summary>Where the block lies.</summary>
    public ref readonly Block Block => ref _block;

    /// <summary>True when every message found was taken.</summary>
    public bool IsExhausted => _taken == _count;

    /// <summary>Whether the block's bytes are in memory.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Memory that the block's bytes take, the list of its messages not counted.</summary>
    public long OpenBytes => _chunkBuffer.Length + (_stored?.Length ?? 0L);

    /// <summary>Log time of the next of the messages found.</summary>
    public ulong NextLogTime
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _entries[_taken].LogTime;
    }

    /// <summary>The message taken, or walked to, last.</summary>
    public Message Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _array.Array is { } array
            ? McapRecord.MessageAt(array, _array.Offset + _current.Offset, _current.Length)
            : McapRecord.MessageAt(_records.Slice(_current.Offset, _current.Length));
    }

    /// <summary>Takes the next of the messages found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take() => _current = _entries[_taken++];

    /// <summary>Opens a block at its first record.</summary>
    /// <param name="block">Where it lies.</param>
    /// <param name="stored">Holds its bytes from now on; null when the source has them in memory.</param>
    /// <param name="bytes">Its bytes.</param>
    public void Load(Block block, FetchedSpan? stored, ReadOnlyMemory<byte> bytes)
    {
        _block = block;
        _walked = _count = _taken = 0;
        Open(stored, bytes);
    }

    /// <summary>Takes the block's bytes into memory, at first or again.</summary>
    public void Open(FetchedSpan? stored, ReadOnlyMemory<byte> bytes)
    {
        _stored = stored;
        IsOpen = true;
        _records = _block.IsChunk ? OpenChunk(bytes) : bytes;
        MemoryMarshal.TryGetArray(_records, out _array);
        if (_chunkBuffer.Length == 0)
            return;
        _stored?.LetGo(); // decompressed: what was stored is not needed any more
        _stored = null;
    }

    /// <summary>Gives the block's bytes back and keeps the list of its messages.</summary>
    public void Close()
    {
        IsOpen = false;
        _records = default;
        _array = default;
        _stored?.LetGo();
        _stored = null;
        chunks.Return(ref _chunkBuffer);
    }

    /// <summary>Finds the selected messages of a block just loaded, to be taken in the order asked for.</summary>
    public void FindAll()
    {
        var (entries, count) = (_entries, 0);
        var sorted = true;
        ulong last = 0;
        while (WalkOne() || Walk())
        {
            if (count == entries.Length)
                Array.Resize(ref entries, 2 * count);
            entries[count++] = new(_current.LogTime, _current.Offset, _current.Length);
            sorted &= _current.LogTime >= last;
            last = _current.LogTime;
        }
        (_entries, _count) = (entries, count);
        var found = entries.AsSpan(0, count);
        if (!sorted)
            found.Sort(ByTimeAndOffset);
        if (options.Order == MessageOrder.ReverseLogTime)
            found.Reverse();
    }

    /// <summary>Walks to the next record if that is a message that is selected, as most are; if not, <see cref="Walk"/> knows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool WalkOne()
    {
        var left = _array.Count - _walked;
        if (left < McapFormat.MessagePrefixBytes)
            return false;
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_array.Array!), _array.Offset + _walked);
        var length = McapRecord.Little<ulong>(ref first, 1);
        if (first != (byte)Opcode.Message || length - McapFormat.MessageHeaderBytes > (ulong)(left - McapFormat.MessagePrefixBytes)) // too long, or wrapped
            return false;
        var logTime = McapRecord.Little<ulong>(ref first, 15);
        if (!_selected[McapRecord.Little<ushort>(ref first, 9)] || logTime < _from || logTime > _last)
            return false;
        _current = new(logTime, _walked + McapFormat.RecordPrefixBytes, (int)length);
        _walked += McapFormat.RecordPrefixBytes + (int)length;
        return true;
    }

    /// <summary>Walks to the next message that is selected; false at the block's end.</summary>
    public bool Walk()
    {
        var records = _records.Span;
        while (_walked < records.Length)
        {
            var left = records[_walked..];
            var start = _walked;
            if (left.Length < McapFormat.MessagePrefixBytes || left[0] != (byte)Opcode.Message)
            {
                _walked += LengthOfOther(left, start);
                continue;
            }
            var length = BinaryPrimitives.ReadUInt64LittleEndian(left[1..]);
            if (length - McapFormat.MessageHeaderBytes > (ulong)(left.Length - McapFormat.MessagePrefixBytes))
            {
                _walked += LengthOfOther(left, start);
                continue;
            }
            var channel = BinaryPrimitives.ReadUInt16LittleEndian(left[9..]);
            if (!selection.IsKnown(channel))
                throw new McapException("Message channel_id", PositionOf(start), "a channel that was recorded before", $"{channel}");
            var logTime = BinaryPrimitives.ReadUInt64LittleEndian(left[15..]);
            _walked += McapFormat.RecordPrefixBytes + (int)length;
            if (!_selected[channel] || logTime < _from || logTime > _last)
                continue;
            _current = new(logTime, start + McapFormat.RecordPrefixBytes, (int)length);
            return true;
        }
        return false;
    }

    private ReadOnlyMemory<byte> OpenChunk(ReadOnlyMemory<byte> bytes)
    {
        var position = new RecordPosition(_block.Offset);
        var opcode = (Opcode)bytes.Span[0];
        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[1..]);
        if (opcode != Opcode.Chunk || length != (ulong)(bytes.Length - McapFormat.RecordPrefixBytes))
        {
            throw new McapException(
                "Chunk", position, $"a Chunk of {bytes.Length - McapFormat.RecordPrefixBytes} bytes, as the chunk index says",
                $"{McapRecord.NameOf(opcode)} of {length} bytes");
        }
        var chunk = new McapRecord(Opcode.Chunk, bytes[McapFormat.RecordPrefixBytes..], position).ToChunk();
        return chunks.Open(chunk, position, ref _chunkBuffer);
    }

    /// <summary>Bytes of a record that is no message, or the reason for which it cannot be taken.</summary>
    private int LengthOfOther(ReadOnlySpan<byte> left, int at)
    {
        if (left.Length < McapFormat.RecordPrefixBytes || (_block.IsChunk && !ChunkRecords.Allowed((Opcode)left[0])))
            throw ChunkRecords.Fault(left, PositionOf(at));
        var length = BinaryPrimitives.ReadUInt64LittleEndian(left[1..]);
        if (length > (ulong)(left.Length - McapFormat.RecordPrefixBytes))
            throw ChunkRecords.Fault(left, PositionOf(at));
        if (left[0] == (byte)Opcode.Message)
            throw new McapException("Message", PositionOf(at), $"at least {McapFormat.MessageHeaderBytes} bytes of content", $"{length}");
        return McapFormat.RecordPrefixBytes + (int)length;
    }

    private RecordPosition PositionOf(int at) => _block.IsChunk ? new(_block.Offset, at) : new(_block.Offset + at);
}
