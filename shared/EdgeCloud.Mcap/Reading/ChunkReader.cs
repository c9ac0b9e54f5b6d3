using System.Buffers;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Mcap.Reading;

/// <summary>Opens chunks: checks sizes, decompresses into a buffer given by the caller, checks the CRC.</summary>
internal sealed class ChunkReader(bool verifyCrc, long chunkBytesMax, ArrayPool<byte>? buffers = null) : IDisposable
{
    private readonly ArrayPool<byte> _buffers = buffers ?? ArrayPool<byte>.Shared;
    private readonly ChunkCodec _codec = new();

    /// <summary>The uncompressed records: a slice of the chunk itself when it is not compressed, else of <paramref name="buffer"/>, which is replaced when too small.</summary>
    public ReadOnlyMemory<byte> Open(Chunk chunk, RecordPosition position, ref byte[] buffer)
    {
        if (!McapCompressionNames.TryParse(chunk.Compression, out var compression))
            throw new McapException("Chunk compression", position, "\"\", \"lz4\" or \"zstd\"", $"\"{chunk.Compression}\"");
        var records = chunk.Records;
        if (compression == McapCompression.None)
        {
            if (chunk.UncompressedSize != (ulong)records.Length)
                throw new McapException("Chunk uncompressed_size", position, $"{records.Length}, the size of its records", $"{chunk.UncompressedSize}");
        }
        else
        {
            if (chunk.UncompressedSize > (ulong)Math.Min(chunkBytesMax, McapFormat.RecordBytesLimit))
                throw new McapException("Chunk uncompressed_size", position, $"at most {chunkBytesMax} bytes", $"{chunk.UncompressedSize}");
            var most = ChunkCodec.LargestContent(compression, records.Length);
            if (chunk.UncompressedSize > most)
                throw new McapException("Chunk uncompressed_size", position, $"at most {most}, from {records.Length} bytes of {chunk.Compression}", $"{chunk.UncompressedSize}");
            var size = (int)chunk.UncompressedSize;
            if (buffer.Length < size)
            {
                Return(ref buffer);
                buffer = _buffers.Rent(size);
            }
            _codec.Decompress(compression, records.Span, buffer.AsSpan(0, size), position);
            records = buffer.AsMemory(0, size);
        }
        if (verifyCrc && chunk.UncompressedCrc != 0)
        {
            var crc = Crc32.Compute(records.Span);
            if (crc != chunk.UncompressedCrc)
                throw new McapException("Chunk uncompressed_crc", position, $"{chunk.UncompressedCrc:x8}", $"records with CRC-32 {crc:x8}");
        }
        return records;
    }

    /// <summary>Gives a buffer back that <see cref="Open"/> made.</summary>
    public void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
            _buffers.Return(buffer);
        buffer = [];
    }

    public void Dispose() => _codec.Dispose();
}
