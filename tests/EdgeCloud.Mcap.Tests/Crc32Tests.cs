namespace EdgeCloud.Mcap.Tests;

public sealed class Crc32Tests
{
    [Fact]
    public void The_check_value_of_the_polynomial_holds() => Assert.Equal(0xCBF43926, Crc32.Compute("123456789"u8));

    [Fact]
    public void It_agrees_with_System_IO_Hashing_at_every_length_and_alignment()
    {
        var bytes = new byte[3000];
        new Random(1).NextBytes(bytes);
        for (var length = 0; length < 2900; length++)
        {
            var piece = bytes.AsSpan(length % 67, length);
            Assert.Equal(System.IO.Hashing.Crc32.HashToUInt32(piece), Crc32.Compute(piece));
        }
        var large = new byte[(1 << 20) + 13];
        new Random(2).NextBytes(large);
        Assert.Equal(System.IO.Hashing.Crc32.HashToUInt32(large), Crc32.Compute(large));
    }

    [Fact]
    public void Pieces_appended_or_combined_give_the_CRC_of_the_whole()
    {
        var random = new Random(3);
        var bytes = new byte[20_000];
        random.NextBytes(bytes);
        var whole = Crc32.Compute(bytes);
        for (var i = 0; i < 200; i++)
        {
            var cut = random.Next(bytes.Length + 1);
            Assert.Equal(whole, Crc32.Append(Crc32.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
            Assert.Equal(whole, Crc32.Combine(Crc32.Compute(bytes.AsSpan(0, cut)), Crc32.Compute(bytes.AsSpan(cut)), bytes.Length - cut));
        }
    }
}
