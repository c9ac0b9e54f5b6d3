using System.Runtime.InteropServices;
using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Writes bytes of any length one after the other to a file that takes whole blocks only: they gather in aligned memory first.
/// What it writes also goes through a digest. Begins at a block boundary.
/// </summary>
internal sealed unsafe class StagedWriter : IDisposable
{
    private const int StageBytes = 1 << 20;

    private readonly IWalFile _file;
    private readonly SegmentDigest _digest;
    private readonly byte* _stage = (byte*)NativeMemory.AlignedAlloc(StageBytes, LinuxFiles.BlockBytes);
    private long _flushed;
    private int _staged;

    /// <summary>Writes on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">Bytes that are there and stay.</param>
    /// <param name="crc">CRC32 of those.</param>
    /// <param name="digest">Digest of those.</param>
    public StagedWriter(IWalFile file, long offset, uint crc, SegmentDigest digest)
    {
        _file = file;
        _digest = digest;
        _flushed = offset;
        Crc = crc;
    }

    /// <summary>CRC32 of all bytes up to <see cref="Position"/>.</summary>
    public uint Crc { get; private set; }

    /// <summary>Offset in the file of the next byte.</summary>
    public long Position => _flushed + _staged;

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        _digest.Add(Position, data);
        Crc = Crc32.Append(Crc, data);
        while (data.Length > 0)
        {
            var piece = data[..Math.Min(data.Length, StageBytes - _staged)];
            piece.CopyTo(new Span<byte>(_stage + _staged, piece.Length));
            _staged += piece.Length;
            data = data[piece.Length..];
            if (_staged == StageBytes) Flush(StageBytes);
        }
    }

    /// <summary>Writes what is left, filled up with zeros to a whole block. The caller cuts the file at <see cref="Position"/>.</summary>
    public void Finish()
    {
        var end = Position;
        if (_staged > 0)
        {
            var blocks = (_staged + LinuxFiles.BlockBytes - 1) / LinuxFiles.BlockBytes * LinuxFiles.BlockBytes;
            new Span<byte>(_stage + _staged, blocks - _staged).Clear();
            Flush(blocks);
        }

        _flushed = end;
        _staged = 0;
    }

    private void Flush(int bytes)
    {
        _file.Write(_flushed, [new MemoryPiece(_stage, bytes)]);
        _flushed += bytes;
        _staged = 0;
    }

    public void Dispose() => NativeMemory.AlignedFree(_stage);
}
