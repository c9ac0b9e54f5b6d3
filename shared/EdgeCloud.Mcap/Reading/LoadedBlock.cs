using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// An opened block and where in it the selected messages lie, in the order in which they are handed out: in file order a batch of them at a
/// time, found while the processor's nearest cache holds them, else all. Reused from block to block.
/// </summary>
internal sealed class LoadedBlock
{
    /// <summary>One message: where its content lies in the block's records.</summary>
    private readonly record struct Entry(ulong LogTime, int Offset, int Length);

    private static readonly Comparison<Entry> ByTimeAndOffset =
        static (a, b) => a.LogTime != b.LogTime ? a.LogTime.CompareTo(b.LogTime) : a.Offset.CompareTo(b.Offset);

    private const int BatchEntries = 128;

    private Block _block;
    private FetchedSpan? _stored;
    private byte[] _chunkBuffer = [];
    private ReadOnlyMemory<byte> _records;
    private ArraySegment<byte> _array; // the same, where they lie in an array: quicker to slice
    private Entry[] _entries = new Entry[BatchEntries];
    private int _count;
    private int _taken;
    private int _searched; // bytes of the records

    /// <summary>Where the block lies.</summary>
    public ref readonly Block Block => ref _block;

    /// <summary>True when every message found was taken.</summary>
    public bool IsExhausted => _taken == _count;

    /// <summary>Whether the block's bytes are in memory.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Memory that the block's bytes take, the list of its messages not counted.</summary>
    public long OpenBytes => _chunkBuffer.Length + (_stored?.Length ?? 0L);

    /// <summary>Log time of the next message.</summary>
    public ulong NextLogTime
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _entries[_taken].LogTime;
    }

    /// <summary>The message taken last.</summary>
    public Message Taken
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ref readonly var entry = ref _entries[_taken - 1];
            return _array.Array is { } array
                ? McapRecord.MessageAt(array, _array.Offset + entry.Offset, entry.Length)
                : McapRecord.MessageAt(_records.Slice(entry.Offset, entry.Length));
        }
    }

    /// <summary>Takes the next message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take() => _taken++;

    /// <summary>Opens a block and finds the messages that are selected.</summary>
    /// <param name="block">Where it lies.</param>
    /// <param name="stored">Holds its bytes from now on; null when the source has them in memory.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="chunks">Opens chunks.</param>
    /// <param name="selection">Which channels.</param>
    /// <param name="options">Which times, and in which order.</param>
    public void Load(
        Block block, FetchedSpan? stored, ReadOnlyMemory<byte> bytes, ChunkReader chunks, ChannelSelection selection, McapReadOptions options)
    {
        _block = block;
        _searched = 0;
        Open(stored, bytes, chunks);
        var sorted = FindMessages(selection, options);
        if (!sorted && options.Order != MessageOrder.File)
            _entries.AsSpan(0, _count).Sort(ByTimeAndOffset);
        if (options.Order == MessageOrder.ReverseLogTime)
            _entries.AsSpan(0, _count).Reverse();
    }

    /// <summary>In file order, finds messages beyond those taken; false when the block has no more.</summary>
    public bool FindMore(ChannelSelection selection, McapReadOptions options)
    {
        if (_searched == _records.Length)
            return false;
        FindMessages(selection, options);
        return _count > 0;
    }

    /// <summary>Takes the block's bytes into memory, at first or again.</summary>
    public void Open(FetchedSpan? stored, ReadOnlyMemory<byte> bytes, ChunkReader chunks)
    {
        _stored = stored;
        IsOpen = true;
        _records = _block.IsChunk ? OpenChunk(bytes, chunks) : bytes;
        MemoryMarshal.TryGetArray(_records, out _array);
        if (_chunkBuffer.Length == 0)
            return;
        _stored?.LetGo(); // decompressed: what was stored is not needed any more
        _stored = null;
    }

    /// <summary>Gives the block's bytes back and keeps the list of its messages.</summary>
    public void Close(ChunkReader chunks)
    {
        IsOpen = false;
        _records = default;
        _array = default;
        _stored?.LetGo();
        _stored = null;
        chunks.Return(ref _chunkBuffer);
    }

    private ReadOnlyMemory<byte> OpenChunk(ReadOnlyMemory<byte> bytes, ChunkReader chunks)
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

    /// <summary>Fills the entries anew; true when their log times ascend.</summary>
    private bool FindMessages(ChannelSelection selection, McapReadOptions options)
    {
        var records = _records.Span;
        var (from, before) = (options.StartTime, options.EndTime ?? ulong.MaxValue);
        var endless = options.EndTime is null;
        var (entries, count) = (_entries, 0);
        var inBatches = options.Order == MessageOrder.File;
        var sorted = true;
        ulong last = 0;
        var at = _searched;
        while (at < records.Length)
        {
            var left = records[at..];
            if (left.Length < McapFormat.MessagePrefixBytes || left[0] != (byte)Opcode.Message)
            {
                at += LengthOfOther(left, at);
                continue;
            }
            var length = BinaryPrimitives.ReadUInt64LittleEndian(left[1..]);
            if (length - McapFormat.MessageHeaderBytes > (ulong)(left.Length - McapFormat.MessagePrefixBytes)) // too long, or wrapped
            {
                at += LengthOfOther(left, at);
                continue;
            }
            var channel = BinaryPrimitives.ReadUInt16LittleEndian(left[9..]);
            var logTime = BinaryPrimitives.ReadUInt64LittleEndian(left[15..]);
            if (selection.IsSelected(channel) && logTime >= from && (logTime < before || endless))
            {
                if (count == entries.Length)
                {
                    if (inBatches)
                        break;
                    Array.Resize(ref entries, 2 * count);
                }
                entries[count++] = new(logTime, at + McapFormat.RecordPrefixBytes, (int)length);
                sorted &= logTime >= last;
                last = logTime;
            }
            else if (!selection.IsKnown(channel))
            {
                throw new McapException("Message channel_id", PositionOf(at), "a channel that was recorded before", $"{channel}");
            }
            at += McapFormat.RecordPrefixBytes + (int)length;
        }
        (_entries, _count, _taken, _searched) = (entries, count, 0, at);
        return sorted;
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
