using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>What <see cref="RecordParser.Read"/> found.</summary>
public enum ParseResult
{
    /// <summary>A record.</summary>
    Record,
    /// <summary>More bytes are needed: see <see cref="RecordParser.WantedBytes"/>.</summary>
    NeedsInput,
    /// <summary>The file is over, trailing magic and all.</summary>
    End,
}

/// <summary>
/// Turns the bytes of a file, fed in pieces of any size, into records. Does no I/O. Records are views into the parser's buffer, valid
/// until the next call of any method. Memory: the largest record, plus the largest uncompressed chunk when chunks are expanded.
/// </summary>
public sealed class RecordParser : IDisposable
{
    private enum State
    {
        LeadingMagic,
        FirstRecord,
        Records,
        InChunk,
        TrailingMagic,
        Over,
    }

    private readonly RecordParserOptions _options;
    private readonly ChunkReader _chunks;
    private State _state;
    private bool _completed;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _start;  // first byte not consumed
    private int _end;    // after the last byte fed
    private long _offset; // of _start in the file

    // The chunk being expanded. Its record stays unconsumed at _start meanwhile, since its records may lie in it.
    private byte[] _chunkBuffer = [];
    private ReadOnlyMemory<byte> _chunkRecords;
    private int _chunkAt;
    private int _chunkRecordBytes;

    private uint _crc;
    private long _summaryStart = -1;

    /// <summary>A parser at the start of a file.</summary>
    public RecordParser(RecordParserOptions? options = null)
    {
        _options = options ?? RecordParserOptions.Default;
        _chunks = new ChunkReader(_options.VerifyChunkCrc, _options.ChunkBytesMax);
    }

    /// <summary>Offset in the file of the next record (of the chunk, while its records are handed out).</summary>
    public long Position => _offset;

    /// <summary>How many more bytes the parser needs before it can hand out the next record; a hint for the size of the next read.</summary>
    public int WantedBytes { get; private set; } = 8;

    /// <summary>Room for at least <paramref name="sizeHint"/> more bytes of the file; followed by <see cref="Advance"/>.</summary>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        sizeHint = Math.Max(sizeHint, 1);
        if (_buffer.Length - _end < sizeHint)
            MakeRoom(sizeHint);
        return _buffer.AsMemory(_end);
    }

    /// <summary>States that <paramref name="bytes"/> bytes were put into the memory that <see cref="GetMemory"/> returned.</summary>
    public void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _end);
        _end += bytes;
    }

    /// <summary>Feeds a copy of <paramref name="bytes"/>.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetMemory(bytes.Length).Span);
        _end += bytes.Length;
    }

    /// <summary>States that the file has no more bytes: a record that is cut off is then an error instead of a need for input.</summary>
    public void Complete() => _completed = true;

    /// <summary>Hands out the next record.</summary>
    /// <exception cref="McapTruncatedException">The file, complete, ends within a record or before its footer.</exception>
    /// <exception cref="McapException">The bytes are not MCAP, or exceed a limit.</exception>
    public ParseResult Read(out McapRecord record)
    {
        while (true)
        {
            switch (_state)
            {
                case State.InChunk:
                    if (ReadInChunk(out record))
                        return ParseResult.Record;
                    break;
                case State.FirstRecord or State.Records:
                    if (!TryTake(out record))
                        return ParseResult.NeedsInput;
                    if (Handle(record))
                        return ParseResult.Record;
                    break;
                case State.Over:
                    record = default;
                    if (_end > _start)
                        throw Fault("end of file", "nothing after the trailing magic", $"{_end - _start} more bytes");
                    return ParseResult.End;
                default:
                    record = default;
                    if (!TryTakeMagic())
                        return ParseResult.NeedsInput;
                    break;
            }
        }
    }

    /// <summary>Returns the parser's memory.</summary>
    public void Dispose()
    {
        _chunks.Dispose();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        if (_chunkBuffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_chunkBuffer);
        _buffer = _chunkBuffer = [];
        _start = _end = 0;
    }

    private bool TryTakeMagic()
    {
        var leading = _state == State.LeadingMagic;
        var what = leading ? "leading magic" : "trailing magic";
        var there = _buffer.AsSpan(_start, Math.Min(8, _end - _start));
        if (!McapFormat.Magic.StartsWith(there))
            throw Fault(what, Convert.ToHexString(McapFormat.Magic), Convert.ToHexString(there));
        if (there.Length < 8)
            return Want(8, what);
        Consume(8);
        _state = leading ? State.FirstRecord : State.Over;
        return true;
    }

    /// <summary>Consumes the next record of the file, whole.</summary>
    private bool TryTake(out McapRecord record)
    {
        record = default;
        if (_end - _start < McapFormat.RecordPrefixBytes)
            return Want(McapFormat.RecordPrefixBytes, "record");
        var opcode = (Opcode)_buffer[_start];
        var length = BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(_start + 1));
        if (opcode == 0)
            throw Fault("record", "an opcode from 0x01", "opcode 0x00");
        if (length > (ulong)Math.Min(_options.RecordBytesMax, McapFormat.RecordBytesLimit))
            throw Fault($"{McapRecord.NameOf(opcode)} length", $"at most {_options.RecordBytesMax} bytes", $"{length}");
        var whole = McapFormat.RecordPrefixBytes + (int)length;
        if (_end - _start < whole)
            return Want(whole, McapRecord.NameOf(opcode));
        record = new(opcode, _buffer.AsMemory(_start + McapFormat.RecordPrefixBytes, (int)length), new(_offset));
        if (opcode == Opcode.Chunk && _options.ExpandChunks)
            _chunkRecordBytes = whole;
        else
            Consume(whole, opcode);
        return true;
    }

    /// <summary>Follows the order of the file; false when the record is a chunk to expand.</summary>
    private bool Handle(McapRecord record)
    {
        if (_state == State.FirstRecord && record.Opcode != Opcode.Header)
            throw new McapException("first record", record.Position, "Header", McapRecord.NameOf(record.Opcode));
        _state = State.Records;
        switch (record.Opcode)
        {
            case Opcode.Chunk when _options.ExpandChunks:
                _chunkRecords = _chunks.Open(record.ToChunk(), record.Position, ref _chunkBuffer);
                _chunkAt = 0;
                _state = State.InChunk;
                return false;
            case Opcode.DataEnd:
                EndData(record);
                return true;
            case Opcode.Footer:
                EndSummary(record);
                _state = State.TrailingMagic;
                return true;
            default:
                return true;
        }
    }

    private void EndData(McapRecord record)
    {
        var expected = record.ToDataEnd().DataSectionCrc;
        if (_options.VerifySectionCrcs && expected != 0 && expected != _crc)
            throw new McapException("DataEnd data_section_crc", record.Position, $"{expected:x8}", $"a data section with CRC-32 {_crc:x8}");
        _crc = 0;
        _summaryStart = _offset;
    }

    private void EndSummary(McapRecord record)
    {
        if (record.Content.Length != McapFormat.FooterContentBytes)
            throw new McapException("Footer length", record.Position, $"{McapFormat.FooterContentBytes}", $"{record.Content.Length}");
        var footer = record.ToFooter();
        // A summary that does not follow DataEnd at once can only be checked by seeking to it.
        var known = _summaryStart >= 0 && (footer.SummaryStart == 0 || footer.SummaryStart == (ulong)_summaryStart);
        if (_options.VerifySectionCrcs && known && footer.SummaryCrc != 0 && footer.SummaryCrc != _crc)
            throw new McapException("Footer summary_crc", record.Position, $"{footer.SummaryCrc:x8}", $"a summary with CRC-32 {_crc:x8}");
    }

    private bool ReadInChunk(out McapRecord record)
    {
        if (ChunkRecords.TryTake(_chunkRecords, ref _chunkAt, _offset, out record))
            return true;
        _chunkRecords = default;
        Consume(_chunkRecordBytes, Opcode.Chunk);
        _state = State.Records;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Consume(int bytes, Opcode opcode = default)
    {
        if (_options.VerifySectionCrcs)
            UpdateCrc(bytes, opcode);
        _start += bytes;
        _offset += bytes;
    }

    // The data section's CRC stops before DataEnd, the summary's before its own field in the footer.
    private void UpdateCrc(int bytes, Opcode opcode)
    {
        if (opcode != Opcode.DataEnd)
            _crc = Crc32.Append(_crc, _buffer.AsSpan(_start, opcode == Opcode.Footer ? bytes - 4 : bytes));
    }

    private bool Want(int bytes, string what)
    {
        WantedBytes = bytes - (_end - _start);
        if (_completed)
            throw new McapTruncatedException(what, new(_offset), $"{bytes} bytes", $"the end of the file after {_end - _start}");
        return false;
    }

    private void MakeRoom(int bytes)
    {
        var kept = _end - _start;
        var needed = (long)kept + bytes;
        if (needed > Array.MaxLength)
            throw new InvalidOperationException($"The parser was offered {bytes} bytes while it holds {kept} that were not read.");
        var target = _buffer;
        if (needed > target.Length)
            target = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * target.Length)));
        _buffer.AsSpan(_start, kept).CopyTo(target);
        if (_state == State.InChunk && MemoryMarshal.TryGetArray(_chunkRecords, out var records) && records.Array == _buffer)
            _chunkRecords = target.AsMemory(records.Offset - _start, records.Count);
        if (target != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = target;
        }
        _start = 0;
        _end = kept;
    }

    private McapException Fault(string record, string expected, string actual) => new(record, new(_offset), expected, actual);
}
