using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Walks the commits of a file that nobody vouches for. Lengths are not trusted before the CRC of their commit held: a commit is first followed
/// record by record through a buffer of fixed size, and only its end shows whether there was one.
/// </summary>
internal sealed class CommitScanner(IWalFile file)
{
    private const int BufferBytes = 1 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
    private readonly long _length = file.Length;
    private long _bufferStart;
    private int _buffered;
    private UInt128? _salt;
    private ulong _next;

    /// <summary>End of the last good commit.</summary>
    public long End { get; private set; }

    /// <summary>CRC32 of the file up to <see cref="End"/>.</summary>
    public uint Crc { get; private set; }

    /// <summary>Bytes of the last good commit's record and padding.</summary>
    public long RecordBytes { get; private set; }

    /// <summary>Why there is no further commit; set when <see cref="TryNext"/> returned false.</summary>
    public string StoppedBy { get; private set; } = "";

    /// <summary>Finds the next commit; false when what follows the last one is none.</summary>
    /// <param name="commit">The commit; its body lies between the previous <see cref="End"/> and the present one, less <see cref="RecordBytes"/>.</param>
    public bool TryNext(out CommitRecord commit)
    {
        commit = default;
        var at = End;
        uint crc = 0;
        if (at == 0)
        {
            var magic = Peek(0, McapFormat.Magic.Length);
            if (!magic.SequenceEqual(McapFormat.Magic)) return Stop("the file does not begin with MCAP's magic bytes");
            crc = Crc32.Append(crc, magic);
            at += magic.Length;
        }

        while (true)
        {
            if (!RecordFraming.TryReadPrefix(Peek(at, CommitRecord.PrefixBytes), out var opcode, out var length))
                return Stop($"the file ends at byte {at}");
            if (!IsOurs(opcode)) return Stop($"no record begins at byte {at} (opcode 0x{(byte)opcode:x2})");
            if (length > (ulong)(_length - at - CommitRecord.PrefixBytes))
                return Stop($"the record at byte {at} (0x{(byte)opcode:x2}, {length} bytes) would end after the file's {_length} bytes");
            var whole = CommitRecord.PrefixBytes + (long)length;
            if ((byte)opcode == CommitRecord.Opcode) return IsGood(at, whole, crc, out commit);
            crc = AppendCrc(crc, at, whole);
            at += whole;
        }
    }

    private bool IsGood(long at, long whole, uint crc, out CommitRecord commit)
    {
        if (!CommitRecord.TryRead(Peek(at, CommitRecord.LeastBytes), crc, out commit)) return Stop($"the CRC of the commit that ends at byte {at} does not hold");
        if (_salt is { } salt && commit.Salt != salt) return Stop($"the commit that ends at byte {at} is of an earlier life of the file");
        if (commit.Number != _next) return Stop($"the commit that ends at byte {at} has number {commit.Number} instead of {_next}");
        _salt = commit.Salt;
        _next++;
        Crc = Crc32.Combine(Crc, AppendCrc(crc, at, whole), at + whole - End);
        End = at + whole;
        RecordBytes = whole;
        return true;
    }

    private static bool IsOurs(Opcode opcode) => opcode is Opcode.Header or Opcode.Schema or Opcode.Channel or Opcode.Chunk
        or Opcode.MessageIndex or Opcode.Metadata || (byte)opcode == CommitRecord.Opcode;

    private bool Stop(string reason)
    {
        StoppedBy = reason;
        return false;
    }

    private uint AppendCrc(uint crc, long offset, long length)
    {
        while (length > 0)
        {
            var piece = Peek(offset, (int)Math.Min(length, BufferBytes));
            crc = Crc32.Append(crc, piece);
            offset += piece.Length;
            length -= piece.Length;
        }

        return crc;
    }

    /// <summary>Some bytes of the file; fewer where it ends.</summary>
    private ReadOnlySpan<byte> Peek(long offset, int length)
    {
        if (offset < _bufferStart || offset + length > _bufferStart + _buffered)
        {
            _bufferStart = offset;
            _buffered = file.Read(offset, _buffer);
        }

        var start = (int)(offset - _bufferStart);
        return _buffer.AsSpan(start, Math.Min(length, _buffered - start));
    }
}
