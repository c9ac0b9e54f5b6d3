using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Walks the commits of a file that nobody vouches for. Lengths are not trusted before the CRC of their commit held: a commit is first followed
/// record by record through a buffer of fixed size, and only its end shows whether there was one. Where there is none, or the device does not give
/// the bytes back, it looks for the next one: commits begin on blocks.
/// </summary>
internal sealed class CommitScanner(IWalFile file)
{
    // Of what the device cannot read so much is tried block by block, and then ever longer pieces are passed over: it may take seconds to say so.
    private const int TriedBytes = 64 << 10;
    private const int MostPassedBytes = 4 << 20;

    private const int BufferBytes = 1 << 20;
    private const int SearchFactor = 4; // bytes summed in search of commits, as a multiple of the file's: what is damaged could lead anywhere

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(file.Length, BufferBytes));
    private readonly long _length = file.Length;
    private long _bufferStart;
    private int _buffered;
    private long _summed;
    private UInt128? _salt;
    private ulong _next;

    /// <summary>Start of the last good commit.</summary>
    public long Start { get; private set; }

    /// <summary>End of the last good commit.</summary>
    public long End { get; private set; }

    /// <summary>CRC32 of the file up to <see cref="End"/>; without meaning once something was passed over.</summary>
    public uint Crc { get; private set; }

    /// <summary>Bytes of the last good commit's record and padding.</summary>
    public long RecordBytes { get; private set; }

    /// <summary>Why there is no further commit, or none where the last one was due.</summary>
    public string StoppedBy { get; private set; } = "";

    /// <summary>Finds the next commit; false when there is none.</summary>
    /// <param name="commit">The commit; its body lies between <see cref="Start"/> and <see cref="End"/>, less <see cref="RecordBytes"/>. When it does
    /// not begin where the last one ended, <see cref="StoppedBy"/> says why.</param>
    public bool TryNext(out CommitRecord commit)
    {
        var due = End;
        if (TryRead(due, out commit, out _)) return true;
        if (_salt is null) return false; // the first says what the others are about
        var why = StoppedBy;
        _summed = 0;
        long unreadable = 0;
        for (var at = due + LinuxFiles.BlockBytes; at < _length && _summed <= SearchFactor * _length;)
        {
            if (TryRead(at, out commit, out var isReadable))
            {
                StoppedBy = why;
                return true;
            }

            var step = isReadable ? LinuxFiles.BlockBytes : StepOver(unreadable);
            unreadable = isReadable ? 0 : unreadable + step;
            at += step;
        }

        StoppedBy = why;
        return false;
    }

    /// <summary>How much to pass over where the device cannot read, after so many bytes of which it could read none.</summary>
    public static int StepOver(long unreadable) =>
        unreadable < TriedBytes ? LinuxFiles.BlockBytes : (int)Math.Min(unreadable / LinuxFiles.BlockBytes * LinuxFiles.BlockBytes, MostPassedBytes);

    private bool TryRead(long start, out CommitRecord commit, out bool isReadable)
    {
        isReadable = true;
        try
        {
            return TryFollow(start, out commit);
        }
        catch (WalIoException fault) when (fault.Fault is WalFault.Device)
        {
            commit = default;
            isReadable = false;
            return Stop($"what begins at byte {start} cannot be read: {fault.Message}");
        }
    }

    private bool TryFollow(long start, out CommitRecord commit)
    {
        commit = default;
        var at = start;
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
            if ((byte)opcode == CommitRecord.Opcode) return IsGood(start, at, whole, crc, out commit);
            crc = AppendCrc(crc, at, whole);
            at += whole;
        }
    }

    private bool IsGood(long start, long at, long whole, uint crc, out CommitRecord commit)
    {
        if (!CommitRecord.TryRead(Peek(at, CommitRecord.LeastBytes), crc, out commit)) return Stop($"the CRC of the commit that ends at byte {at} does not hold");
        if (_salt is { } salt && commit.Salt != salt) return Stop($"the commit that ends at byte {at} is of an earlier life of the file");
        if (start == End ? commit.Number != _next : commit.Number <= _next)
            return Stop($"the commit that ends at byte {at} has number {commit.Number} instead of {_next}");
        _salt = commit.Salt;
        _next = commit.Number + 1;
        Crc = Crc32.Combine(Crc, AppendCrc(crc, at, whole), at + whole - start);
        Start = start;
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
        _summed += length;
        while (length > 0)
        {
            var piece = Peek(offset, (int)Math.Min(length, _buffer.Length));
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
            (_bufferStart, _buffered) = (offset, 0);
            _buffered = Fill(offset, length);
        }

        var start = (int)(offset - _bufferStart);
        return _buffer.AsSpan(start, Math.Min(length, _buffered - start));
    }

    private int Fill(long offset, int length)
    {
        try
        {
            return file.Read(offset, _buffer);
        }
        catch (WalIoException fault) when (fault.Fault is WalFault.Device)
        {
            return file.Read(offset, _buffer.AsSpan(0, Math.Min(length, _buffer.Length))); // what cannot be read may lie behind what is asked for
        }
    }
}
