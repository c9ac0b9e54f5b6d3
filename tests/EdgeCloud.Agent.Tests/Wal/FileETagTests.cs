using System.Security.Cryptography;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Wal;

public sealed class FileETagTests : IDisposable
{
    private const int Piece = 256 << 10; // what is read of a part at once

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, int> Files()
    {
        var files = new TheoryData<int, int>();
        foreach (var part in new[] { 64, 1000, 8192, Piece - 1, Piece, Piece + 1, 2 * Piece + 100, 5 << 20 })
        {
            foreach (var parts in new[] { 1, 2, 3, 7, 8, 9, 16 })
            {
                if (part > Piece * 3 && parts > 3) continue;
                foreach (var bytes in new[] { (parts - 1) * part + 1, (parts - 1) * part + part / 2, parts * part - 55, parts * part - 56, parts * part })
                    files.Add(bytes, part);
            }
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_hashes_of_all_parts_are_those_of_one_after_the_other(int bytes, int partBytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        var expected = content.Chunk(partBytes).Select(MD5.HashData).ToArray();

        var tag = Read(content, singlePutBytes: 0, partBytes);

        Assert.Equal(expected.Select(Convert.ToHexStringLower), tag.PartMd5s);
        Assert.Equal($"{Convert.ToHexStringLower(MD5.HashData([.. expected.SelectMany(h => h)]))}-{expected.Length}", tag.ETag);
        Assert.Equal(Crc32.Compute(content), tag.Crc);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(3_000_000)]
    public void Up_to_the_limit_of_one_request_it_is_the_MD5_of_the_file(int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);

        var tag = Read(content, singlePutBytes: bytes, partBytes: 1000);

        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(content)), tag.ETag);
        Assert.Empty(tag.PartMd5s);
        Assert.Equal(Crc32.Compute(content), tag.Crc);
    }

    [Theory]
    [InlineData(0, 150_000)]
    [InlineData(0, 40_960)]
    [InlineData(long.MaxValue, 40_960)]
    public void A_file_that_ends_early_is_told(long singlePutBytes, long partBytes)
    {
        File.WriteAllBytes(_folder["file"], new byte[200_000]);
        using var reader = new FileETagReader(new LinuxFiles(), singlePutBytes, partBytes);
        var fault = Assert.Throws<WalIoException>(() => reader.Read(_folder["file"], 200_001));
        Assert.Contains($"{_folder["file"]} ends at byte 200000", fault.Message, StringComparison.Ordinal);
    }

    private FileETag Read(byte[] content, long singlePutBytes, long partBytes)
    {
        File.WriteAllBytes(_folder["file"], content);
        using var reader = new FileETagReader(new LinuxFiles(), singlePutBytes, partBytes);
        return reader.Read(_folder["file"], content.Length);
    }
}
