using System.Security.Cryptography;
using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The ETag that S3 will give a file: up to the single-PUT limit its MD5; of a larger one the MD5 of its parts' MD5s, with a dash and their number.
/// </summary>
/// <param name="ETag">Without quotes.</param>
/// <param name="PartMd5s">MD5s of the parts, lower-case hexadecimal; none of a file that goes up in one request.</param>
/// <param name="Crc">CRC32 of the file.</param>
internal readonly record struct FileETag(string ETag, IReadOnlyList<string> PartMd5s, uint Crc);

/// <summary>
/// Makes ETags of what the disk gives back: one reading hashes several parts side by side, and its CRC32 shows whether that is what was written.
/// </summary>
/// <param name="files">The disk.</param>
/// <param name="singlePutBytes">See <see cref="SegmentLogOptions.SinglePutBytes"/>.</param>
/// <param name="partBytes">See <see cref="SegmentLogOptions.PartBytes"/>.</param>
internal sealed unsafe class FileETagReader(IWalFiles files, long singlePutBytes, long partBytes) : IDisposable
{
    private const int BufferBytes = 2 << 20; // larger reads cost the processor less, and larger buffers memory
    private const int PieceBytes = BufferBytes / Md5Lanes.Count;

    private readonly int _pieceBytes = (int)Math.Min(PieceBytes, partBytes);
    private byte* _buffer;
    private nuint _bufferBytes;

    /// <summary>Reads a file from beginning to end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its size.</param>
    /// <exception cref="WalIoException">The disk refuses, or the file is shorter.</exception>
    public FileETag Read(string path, long bytes)
    {
        using var file = partBytes % LinuxFiles.BlockBytes == 0 ? files.OpenScan(path) : files.OpenRead(path);
        EnsureBuffer(bytes <= singlePutBytes ? Math.Min(bytes, BufferBytes) : (long)_pieceBytes * Md5Lanes.Count);
        return bytes <= singlePutBytes ? ReadWhole(file, bytes) : ReadParts(file, bytes);
    }

    private FileETag ReadWhole(IWalFile file, long bytes)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var crc = 0u;
        for (long at = 0; at < bytes;)
        {
            var piece = Fill(file, at, _buffer, (int)Math.Min(bytes - at, BufferBytes));
            md5.AppendData(piece);
            crc = Crc32.Append(crc, piece);
            at += piece.Length;
        }

        return new FileETag(Convert.ToHexStringLower(md5.GetHashAndReset()), [], crc);
    }

    private FileETag ReadParts(IWalFile file, long bytes)
    {
        var md5s = new byte[checked((int)((bytes + partBytes - 1) / partBytes)) * Md5Lanes.HashBytes];
        var crc = 0u;
        for (long start = 0, part = 0; start < bytes; start += Md5Lanes.Count * partBytes, part += Md5Lanes.Count)
        {
            var group = Math.Min(bytes - start, Md5Lanes.Count * partBytes);
            crc = Crc32.Combine(crc, ReadGroup(file, start, group, md5s.AsSpan((int)part * Md5Lanes.HashBytes)), group);
        }

        var parts = md5s.Chunk(Md5Lanes.HashBytes).Select(Convert.ToHexStringLower).ToArray();
        return new FileETag($"{Convert.ToHexStringLower(MD5.HashData(md5s))}-{parts.Length}", parts, crc);
    }

    /// <summary>Hashes as many parts as there are lanes, or what the file's end has of them; answers their CRC32.</summary>
    private uint ReadGroup(IWalFile file, long start, long bytes, Span<byte> md5s)
    {
        var last = (int)((bytes - 1) / partBytes);
        var lastBytes = bytes - last * partBytes; // the others are whole
        var crcs = stackalloc uint[Md5Lanes.Count];
        var lanes = stackalloc byte*[Md5Lanes.Count];
        var md5 = new Md5Lanes();
        for (long at = 0; at < partBytes; at += _pieceBytes)
        {
            var others = last == 0 ? 0 : (int)Math.Min(_pieceBytes, partBytes - at);
            var lasts = (int)Math.Clamp(lastBytes - at, 0, _pieceBytes);
            for (var i = 0; i < Md5Lanes.Count; i++)
            {
                lanes[i] = _buffer + i * _pieceBytes; // a lane that has nothing, or nothing any more, hashes what is there
                if (i > last) continue;
                crcs[i] = Crc32.Append(crcs[i], Fill(file, start + i * partBytes + at, lanes[i], i < last ? others : lasts));
            }

            // The last part may end before the others.
            var blocks = lasts / Md5Lanes.BlockBytes;
            md5.Add(lanes, blocks);
            if (lasts > 0 && at + lasts == lastBytes) Finish(last, lasts, lastBytes, md5s);
            for (var i = 0; i < Md5Lanes.Count; i++) lanes[i] += blocks * Md5Lanes.BlockBytes;
            md5.Add(lanes, others / Md5Lanes.BlockBytes - blocks);
            for (var i = 0; i < last && at + others == partBytes; i++) Finish(i, others, partBytes, md5s);
        }

        var crc = 0u;
        for (var i = 0; i <= last; i++) crc = Crc32.Combine(crc, crcs[i], i < last ? partBytes : lastBytes);
        return crc;

        void Finish(int part, int piece, long whole, Span<byte> to)
        {
            var rest = piece % Md5Lanes.BlockBytes;
            md5.Finish(part, new ReadOnlySpan<byte>(_buffer + part * _pieceBytes + piece - rest, rest), whole, to[(part * Md5Lanes.HashBytes)..]);
        }
    }

    /// <summary>Reads a piece, the rest of its last block with it.</summary>
    private static ReadOnlySpan<byte> Fill(IWalFile file, long offset, byte* to, int bytes)
    {
        var blocks = (bytes + file.Alignment - 1) / file.Alignment * file.Alignment;
        var read = bytes == 0 ? 0 : file.Read(offset, new Span<byte>(to, blocks));
        return read >= bytes ? new ReadOnlySpan<byte>(to, bytes) : throw WalIoException.Altered(file.Path, $"ends at byte {offset + read}");
    }

    private void EnsureBuffer(long bytes)
    {
        var wanted = PageMemory.Rounded((nuint)bytes);
        if (_bufferBytes >= wanted) return;
        Dispose();
        _buffer = PageMemory.AllocateHuge(wanted);
        _bufferBytes = wanted;
    }

    public void Dispose()
    {
        PageMemory.Free(_buffer, _bufferBytes);
        _bufferBytes = 0;
    }
}
