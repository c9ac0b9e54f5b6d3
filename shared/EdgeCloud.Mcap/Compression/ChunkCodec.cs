namespace EdgeCloud.Mcap.Compression;

/// <summary>
/// Compresses and decompresses chunk records with whichever library the chunk names, for those who lay out chunks themselves. Keeps the
/// libraries' contexts, so that a chunk costs no allocation. Not thread-safe.
/// </summary>
public sealed class ChunkCodec : IDisposable
{
    private ZstdCodec? _zstd;
    private Lz4Codec? _lz4;

    /// <summary>The most bytes that <see cref="Compress"/> can write.</summary>
    public static int Bound(McapCompression compression, int length) => compression switch
    {
        McapCompression.Zstd => ZstdCodec.Bound(length),
        McapCompression.Lz4 => Lz4Codec.Bound(length),
        _ => length,
    };

    /// <summary>
    /// The most bytes that so many compressed ones can stand for: a zstd block of 4 bytes for 128 KiB, an LZ4 byte for 255. A chunk that
    /// claims more is damaged, which is known before memory is taken for it.
    /// </summary>
    public static ulong LargestContent(McapCompression compression, int compressedLength) => compression switch
    {
        McapCompression.Zstd => (ulong)compressedLength * (128 << 10) / 4,
        McapCompression.Lz4 => (ulong)compressedLength * 255,
        _ => (ulong)compressedLength,
    };

    /// <summary>Compresses into <paramref name="target"/>, which has <see cref="Bound"/> bytes; returns the bytes written.</summary>
    /// <param name="compression">Compression; none copies.</param>
    /// <param name="level">zstd: its levels, negative ones included; lz4: 0 fast, 3 to 12 smaller.</param>
    /// <param name="source">Records.</param>
    /// <param name="target">Where the chunk's records go.</param>
    public int Compress(McapCompression compression, int level, ReadOnlySpan<byte> source, Span<byte> target)
    {
        switch (compression)
        {
            case McapCompression.Zstd:
                return (_zstd ??= new()).Compress(source, target, level);
            case McapCompression.Lz4:
                return Lz4Codec.Compress(source, target, level);
            default:
                source.CopyTo(target);
                return source.Length;
        }
    }

    /// <summary>Fills <paramref name="target"/> exactly, or throws with the chunk's position.</summary>
    public void Decompress(McapCompression compression, ReadOnlySpan<byte> source, Span<byte> target, RecordPosition position)
    {
        int written;
        var fault = compression == McapCompression.Zstd
            ? (_zstd ??= new()).Decompress(source, target, out written)
            : (_lz4 ??= new()).Decompress(source, target, out written);
        if (fault is not null)
            throw new McapException("Chunk records", position, $"{source.Length} bytes of {compression.ToName()} that hold {target.Length}", fault);
        if (written != target.Length)
            throw new McapException("Chunk uncompressed_size", position, $"{target.Length} bytes", $"{written} bytes");
    }

    /// <summary>Decompresses as far as the bytes go, for chunks that are cut off; returns the bytes written.</summary>
    public int DecompressPrefix(McapCompression compression, ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (compression == McapCompression.Zstd)
            return (_zstd ??= new()).DecompressPrefix(source, target);
        _ = (_lz4 ??= new()).Decompress(source, target, out var written);
        return written;
    }

    /// <summary>Frees the libraries' contexts.</summary>
    public void Dispose()
    {
        _zstd?.Dispose();
        _lz4?.Dispose();
        _zstd = null;
        _lz4 = null;
    }
}
