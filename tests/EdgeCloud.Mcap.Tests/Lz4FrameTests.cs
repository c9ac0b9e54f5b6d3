using System.Runtime.InteropServices;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Mcap.Tests;

/// <summary>LZ4 frames of every kind that other writers make, by liblz4 itself.</summary>
public sealed unsafe partial class Lz4FrameTests
{
    private static readonly RecordPosition Position = new(0);

    public static MatrixTheoryData<int, bool, bool, bool, bool> Kinds => new([4, 5, 7], [true, false], [true, false], [true, false], [true, false]);

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_of_frame_is_decoded(int blockSize, bool independent, bool blockSums, bool contentSum, bool contentSize)
    {
        var content = Content();
        var frame = Frame(content, blockSize, independent, blockSums, contentSum, contentSize);
        using var codec = new ChunkCodec();
        var target = new byte[content.Length];
        codec.Decompress(McapCompression.Lz4, frame, target, Position);
        Assert.Equal(content, target);

        var twice = new byte[2 * content.Length];
        codec.Decompress(McapCompression.Lz4, [.. frame, .. frame], twice, Position);
        Assert.Equal([.. content, .. content], twice);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_frame_that_does_not_fit_or_is_cut_off_or_damaged_is_an_error_and_the_next_one_is_not(
        int blockSize, bool independent, bool blockSums, bool contentSum, bool contentSize)
    {
        var content = Content();
        var frame = Frame(content, blockSize, independent, blockSums, contentSum, contentSize);
        using var codec = new ChunkCodec();
        var target = new byte[content.Length];
        Assert.Throws<McapException>(() => codec.Decompress(McapCompression.Lz4, frame, new byte[content.Length - 1], Position));
        Assert.Throws<McapException>(() => codec.Decompress(McapCompression.Lz4, frame, new byte[content.Length + 1], Position));
        Assert.Throws<McapException>(() => codec.Decompress(McapCompression.Lz4, frame, [], Position));
        for (var cut = 1; cut < frame.Length; cut += cut < 40 || cut > frame.Length - 40 ? 1 : 4999)
        {
            Assert.Throws<McapException>(() => codec.Decompress(McapCompression.Lz4, frame.AsSpan(0, cut), target, Position));
            var there = codec.DecompressPrefix(McapCompression.Lz4, frame.AsSpan(0, cut), target);
            Assert.True(content.AsSpan(0, there).SequenceEqual(target.AsSpan(0, there)), $"cut at {cut}");
        }
        for (var at = 0; at < 15; at++)
        {
            var damaged = frame.ToArray();
            damaged[at] ^= 0x40;
            Assert.Throws<McapException>(() => codec.Decompress(McapCompression.Lz4, damaged, target, Position));
        }
        codec.Decompress(McapCompression.Lz4, frame, target, Position);
        Assert.Equal(content, target);
    }

    /// <summary>Repetitions that reach back over the borders of blocks, and noise that is stored as it is.</summary>
    private static byte[] Content()
    {
        var random = new Random(5);
        var content = new byte[700_000];
        random.NextBytes(content.AsSpan(0, 40_000));
        for (var at = 40_000; at < 400_000; at++)
            content[at] = content[at - 40_000];
        random.NextBytes(content.AsSpan(400_000, 200_000));
        return content;
    }

    private static byte[] Frame(byte[] content, int blockSize, bool independent, bool blockSums, bool contentSum, bool contentSize)
    {
        var preferences = stackalloc int[14]; // LZ4F_preferences_t
        preferences[0] = blockSize;
        preferences[1] = independent ? 1 : 0;
        preferences[2] = contentSum ? 1 : 0;
        *(ulong*)(preferences + 4) = contentSize ? (ulong)content.Length : 0;
        preferences[7] = blockSums ? 1 : 0;
        var target = new byte[content.Length + (64 << 10)];
        fixed (byte* from = content, to = target)
        {
            var length = LZ4F_compressFrame(to, (nuint)target.Length, from, (nuint)content.Length, preferences);
            return target[..checked((int)length)];
        }
    }

    [LibraryImport("liblz4.so.1")]
    private static partial nuint LZ4F_compressFrame(byte* target, nuint capacity, byte* source, nuint size, int* preferences);
}
