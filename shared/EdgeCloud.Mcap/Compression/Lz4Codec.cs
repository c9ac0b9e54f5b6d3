using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Compression;

/// <summary>LZ4 frames by P/Invoke. The decompression context is kept, so that a chunk costs no allocation.</summary>
internal sealed unsafe partial class Lz4Codec : IDisposable
{
    private const uint Version = 100; // LZ4F_VERSION
    private nint _decompressor;

    static Lz4Codec() => NativeLibraries.Register();

    public static int Bound(int length)
    {
        var preferences = Preferences(length, 0);
        return checked((int)LZ4F_compressFrameBound((nuint)length, &preferences));
    }

    /// <summary>Compresses into one frame that states its content size; returns the frame's length.</summary>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> target, int level)
    {
        var preferences = Preferences(source.Length, level);
        fixed (byte* from = source, to = target)
        {
            var result = LZ4F_compressFrame(to, (nuint)target.Length, from, (nuint)source.Length, &preferences);
            if (LZ4F_isError(result) != 0)
                throw new InvalidOperationException($"liblz4 could not compress {source.Length} bytes at level {level}: {ErrorName(result)}.");
            return (int)result;
        }
    }

    /// <summary>Decompresses one or more frames; returns null and the bytes written, or the reason for which it cannot.</summary>
    public string? Decompress(ReadOnlySpan<byte> source, Span<byte> target, out int written)
    {
        written = 0;
        if (_decompressor == 0 && LZ4F_isError(LZ4F_createDecompressionContext(out _decompressor, Version)) != 0)
            throw new OutOfMemoryException("liblz4 could not create a decompression context.");
        var options = new DecompressOptions { StableDestination = 1 };
        fixed (byte* from = source, to = target)
        {
            nuint read = 0, hint = 1;
            while (read < (nuint)source.Length)
            {
                var targetSize = (nuint)(target.Length - written);
                var sourceSize = (nuint)source.Length - read;
                hint = LZ4F_decompress(_decompressor, to + written, &targetSize, from + read, &sourceSize, &options);
                if (LZ4F_isError(hint) != 0)
                    return Failed(ErrorName(hint));
                if (targetSize == 0 && sourceSize == 0)
                    return Failed("the frame holds more than was announced");
                written += (int)targetSize;
                read += sourceSize;
            }
            return hint == 0 || source.IsEmpty ? null : Failed("the frame ends early");
        }
    }

    /// <summary>Frees the context.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~Lz4Codec() => Free();

    // A context that failed keeps the state of the frame it failed in.
    private string Failed(string reason)
    {
        LZ4F_resetDecompressionContext(_decompressor);
        return reason;
    }

    private void Free()
    {
        if (_decompressor != 0)
            _ = LZ4F_freeDecompressionContext(_decompressor);
        _decompressor = 0;
    }

    // Independent blocks of 4 MiB: a chunk is mostly one block, and each is decoded straight into the target.
    private static FramePreferences Preferences(int length, int level) => new()
    {
        BlockSizeId = 7,
        BlockMode = 1,
        ContentSize = (ulong)length,
        CompressionLevel = level,
    };

    private static string ErrorName(nuint code) => Marshal.PtrToStringUTF8(LZ4F_getErrorName(code)) ?? "unknown error";

    /// <summary>LZ4F_preferences_t, the frame info inlined.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FramePreferences
    {
        public int BlockSizeId;
        public int BlockMode;
        public int ContentChecksum;
        public int FrameType;
        public ulong ContentSize;
        public uint DictionaryId;
        public int BlockChecksum;
        public int CompressionLevel;
        public uint AutoFlush;
        public uint FavorDecompressionSpeed;
        public uint Reserved0;
        public uint Reserved1;
        public uint Reserved2;
    }

    /// <summary>LZ4F_decompressOptions_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct DecompressOptions
    {
        public uint StableDestination;
        public uint SkipChecksums;
        public uint Reserved1;
        public uint Reserved0;
    }

    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nuint LZ4F_compressFrameBound(nuint size, FramePreferences* preferences);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nuint LZ4F_compressFrame(byte* target, nuint capacity, byte* source, nuint size, FramePreferences* preferences);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nuint LZ4F_createDecompressionContext(out nint context, uint version);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nuint LZ4F_freeDecompressionContext(nint context);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial void LZ4F_resetDecompressionContext(nint context);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nuint LZ4F_decompress(
        nint context, byte* target, nuint* targetSize, byte* source, nuint* sourceSize, DecompressOptions* options);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial uint LZ4F_isError(nuint code);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nint LZ4F_getErrorName(nuint code);
}
