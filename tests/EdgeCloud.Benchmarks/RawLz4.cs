using System.Runtime.InteropServices;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// liblz4's own decoder of frames, called as a C program would: a whole frame into a buffer of exactly its content, one context for all.
/// EdgeCloud.Mcap decodes most frames block by block instead and spares a copy that this makes, so the anchor is not its codec.
/// </summary>
internal sealed unsafe partial class RawLz4 : IDisposable
{
    private const string Library = "liblz4.so.1";
    private readonly nint _context;

    public RawLz4()
    {
        if (LZ4F_createDecompressionContext(out _context, 100) != 0)
            throw new OutOfMemoryException("liblz4 could not create a decompression context.");
    }

    public void Decompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var options = stackalloc uint[] { 1, 0, 0, 0 }; // stableDst
        fixed (byte* from = source, to = target)
        {
            var (read, written) = ((nuint)source.Length, (nuint)target.Length);
            if (LZ4F_decompress(_context, to, &written, from, &read, options) != 0 || (int)written != target.Length)
                throw new InvalidOperationException("liblz4 did not decode the frame.");
        }
    }

    public void Dispose() => _ = LZ4F_freeDecompressionContext(_context);

    [LibraryImport(Library)]
    private static partial nuint LZ4F_createDecompressionContext(out nint context, uint version);
    [LibraryImport(Library)]
    private static partial nuint LZ4F_freeDecompressionContext(nint context);
    [LibraryImport(Library)]
    private static partial nuint LZ4F_decompress(nint context, byte* target, nuint* targetSize, byte* source, nuint* sourceSize, uint* options);
}
