using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Compression;

/// <summary>LZ4 frames by P/Invoke. The decompression context is kept, so that a chunk costs no allocation.</summary>
internal sealed unsafe partial class Lz4Codec : IDisposable
{
    private const uint Version = 100; // LZ4F_VERSION
    private const int IndependentBlocks = 1; // LZ4F_blockIndependent
    private const uint StoredBlock = 0x8000_0000; // in the word before a block that is not compressed
    private const int WindowBytes = 64 << 10; // how far back a block refers to those before
    private const string EndsEarly = "the frame ends early";
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
        while (!source.IsEmpty && TryReadPlainHeader(source, out var frame, out var headerLength))
        {
            source = source[headerLength..];
            var fault = DecompressBlocks(frame, ref source, target[written..], out var content);
            written += content;
            if (fault is not null)
                return fault;
        }
        return source.IsEmpty ? null : DecompressByContext(source, target, ref written);
    }

    /// <summary>Frees the context.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~Lz4Codec() => Free();

    /// <summary>Reads the header of a frame whose blocks stand alone: no dictionary from elsewhere, nothing to sum.</summary>
    private bool TryReadPlainHeader(ReadOnlySpan<byte> source, out FrameInfo frame, out int length)
    {
        var size = (nuint)source.Length;
        fixed (byte* from = source)
        fixed (FrameInfo* info = &frame)
        {
            var result = LZ4F_getFrameInfo(_decompressor, info, from, &size);
            LZ4F_resetDecompressionContext(_decompressor);
            length = (int)size;
            return LZ4F_isError(result) == 0 && frame is { FrameType: 0, DictionaryId: 0, ContentChecksum: 0, BlockChecksum: 0 };
        }
    }

    /// <summary>
    /// Decodes the blocks of a frame straight into the target. LZ4F_decompress does so only where there is room for the largest block that
    /// the frame may have, 4 MiB for a chunk of just over 1 MiB, and else copies every block from a buffer of its own.
    /// </summary>
    private static string? DecompressBlocks(in FrameInfo frame, ref ReadOnlySpan<byte> source, Span<byte> target, out int written)
    {
        var blockBytesMax = 1 << (8 + 2 * frame.BlockSizeId);
        written = 0;
        fixed (byte* start = target)
        {
            while (true)
            {
                if (!BinaryPrimitives.TryReadUInt32LittleEndian(source, out var header))
                    return EndsEarly;
                source = source[4..];
                if (header == 0)
                    return frame.ContentSize == 0 || frame.ContentSize == (ulong)written ? null : "the frame does not hold what its header says";
                var length = (int)(header & ~StoredBlock);
                if (length > blockBytesMax)
                    return "a block is longer than the frame allows";
                var block = source[..Math.Min(length, source.Length)];
                var room = target.Slice(written, Math.Min(target.Length - written, blockBytesMax));
                if ((header & StoredBlock) != 0)
                {
                    if (!block.TryCopyTo(room))
                        return "the frame holds more than was announced";
                    written += block.Length; // of one that is cut off, what there is
                }
                else if (block.Length == length)
                {
                    var window = frame.BlockMode == IndependentBlocks ? 0 : Math.Min(written, WindowBytes);
                    var end = start + written;
                    int decoded;
                    fixed (byte* from = block)
                        decoded = LZ4_decompress_safe_usingDict(from, end, length, room.Length, end - window, window);
                    if (decoded < 0)
                        return "a block is damaged, or the frame holds more than was announced";
                    written += decoded;
                }
                if (block.Length < length)
                    return EndsEarly;
                source = source[length..];
            }
        }
    }

    /// <summary>Decompresses frames of any kind.</summary>
    private string? DecompressByContext(ReadOnlySpan<byte> source, Span<byte> target, ref int written)
    {
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
            return hint == 0 ? null : Failed(EndsEarly);
        }
    }

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

    // Independent blocks of up to 4 MiB: a chunk is mostly one block.
    private static FramePreferences Preferences(int length, int level) => new()
    {
        Frame = new() { BlockSizeId = 7, BlockMode = IndependentBlocks, ContentSize = (ulong)length },
        CompressionLevel = level,
    };

    private static string ErrorName(nuint code) => Marshal.PtrToStringUTF8(LZ4F_getErrorName(code)) ?? "unknown error";

    /// <summary>LZ4F_frameInfo_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FrameInfo
    {
        public int BlockSizeId; // 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB
        public int BlockMode;
        public int ContentChecksum;
        public int FrameType;
        public ulong ContentSize;
        public uint DictionaryId;
        public int BlockChecksum;
    }

    /// <summary>LZ4F_preferences_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FramePreferences
    {
        public FrameInfo Frame;
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
    private static partial nuint LZ4F_getFrameInfo(nint context, FrameInfo* info, byte* source, nuint* sourceSize);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial int LZ4_decompress_safe_usingDict(
        byte* source, byte* target, int size, int capacity, byte* dictionary, int dictionarySize);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial uint LZ4F_isError(nuint code);
    [LibraryImport(NativeLibraries.Lz4)]
    private static partial nint LZ4F_getErrorName(nuint code);
}
