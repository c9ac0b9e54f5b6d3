using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Compression;

/// <summary>Zstandard by P/Invoke. Contexts are kept, so that a chunk costs no allocation.</summary>
internal sealed unsafe partial class ZstdCodec : IDisposable
{
    private nint _compressor;
    private nint _decompressor;

    static ZstdCodec() => NativeLibraries.Register();

    public static int Bound(int length) => checked((int)ZSTD_compressBound((nuint)length));

    /// <summary>Compresses into one frame that states its content size; returns the frame's length.</summary>
    public int Compress(ReadOnlySpan<byte> source, Span<byte> target, int level)
    {
        if (_compressor == 0 && (_compressor = ZSTD_createCCtx()) == 0)
            throw new OutOfMemoryException("libzstd could not create a compression context.");
        fixed (byte* from = source, to = target)
        {
            var result = ZSTD_compressCCtx(_compressor, to, (nuint)target.Length, from, (nuint)source.Length, level);
            if (ZSTD_isError(result) != 0)
                throw new InvalidOperationException($"libzstd could not compress {source.Length} bytes at level {level}: {ErrorName(result)}.");
            return (int)result;
        }
    }

    /// <summary>Decompresses one or more frames; returns null and the bytes written, or the reason for which it cannot.</summary>
    public string? Decompress(ReadOnlySpan<byte> source, Span<byte> target, out int written)
    {
        if (_decompressor == 0 && (_decompressor = ZSTD_createDCtx()) == 0)
            throw new OutOfMemoryException("libzstd could not create a decompression context.");
        fixed (byte* from = source, to = target)
        {
            var result = ZSTD_decompressDCtx(_decompressor, to, (nuint)target.Length, from, (nuint)source.Length);
            var failed = ZSTD_isError(result) != 0;
            written = failed ? 0 : (int)result;
            return failed ? ErrorName(result) : null;
        }
    }

    /// <summary>Decompresses as far as the bytes go; returns the bytes written. Of a frame that is cut off, whole blocks come out.</summary>
    public int DecompressPrefix(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (_decompressor == 0 && (_decompressor = ZSTD_createDCtx()) == 0)
            throw new OutOfMemoryException("libzstd could not create a decompression context.");
        fixed (byte* from = source, to = target)
        {
            var input = new ZstdBuffer { Start = from, Size = (nuint)source.Length };
            var output = new ZstdBuffer { Start = to, Size = (nuint)target.Length };
            while (true)
            {
                var (read, written) = (input.Position, output.Position);
                var result = ZSTD_decompressStream(_decompressor, &output, &input);
                if (ZSTD_isError(result) != 0 || (input.Position == read && output.Position == written))
                    break;
            }
            _ = ZSTD_DCtx_reset(_decompressor, SessionOnly);
            return (int)output.Position;
        }
    }

    /// <summary>Frees both contexts.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~ZstdCodec() => Free();

    private void Free()
    {
        if (_compressor != 0)
            _ = ZSTD_freeCCtx(_compressor);
        if (_decompressor != 0)
            _ = ZSTD_freeDCtx(_decompressor);
        _compressor = _decompressor = 0;
    }

    private static string ErrorName(nuint code) => Marshal.PtrToStringUTF8(ZSTD_getErrorName(code)) ?? "unknown error";

    private const int SessionOnly = 1; // ZSTD_reset_session_only

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ZstdBuffer
    {
        public byte* Start;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_decompressStream(nint context, ZstdBuffer* output, ZstdBuffer* input);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_DCtx_reset(nint context, int directive);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_compressBound(nuint size);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nint ZSTD_createCCtx();
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_freeCCtx(nint context);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_compressCCtx(nint context, byte* target, nuint capacity, byte* source, nuint size, int level);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nint ZSTD_createDCtx();
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_freeDCtx(nint context);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nuint ZSTD_decompressDCtx(nint context, byte* target, nuint capacity, byte* source, nuint size);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial uint ZSTD_isError(nuint code);
    [LibraryImport(NativeLibraries.Zstd)]
    private static partial nint ZSTD_getErrorName(nuint code);
}
