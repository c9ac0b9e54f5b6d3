using System.Runtime.InteropServices;
using EdgeCloud.Export.Tables;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

public sealed class ScratchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Sequences written side by side, some while others are read for the last time, hold what was written.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sequences_keep_their_bytes_while_the_space_of_others_is_written_again(int seed)
    {
        var random = new Random(seed);
        using var scratch = new Scratch(_folder["scratch"]);
        var written = Enumerable.Range(0, 6).Select(_ => (Stream: new ScratchStream(scratch), Bytes: new List<byte>())).ToList();
        for (var i = 0; i < 300; i++)
            Write(random, written[random.Next(written.Count)]);
        foreach (var (stream, bytes) in written.ToList())
        {
            AssertEqual(bytes, ReadAll(random, stream.Read(), () => { }));
            var copy = (Stream: new ScratchStream(scratch), Bytes: new List<byte>());
            AssertEqual(bytes, ReadAll(random, stream.ReadLast(), () => Write(random, copy)));
            written.Add(copy);
        }
        foreach (var (stream, bytes) in written.Skip(6))
            AssertEqual(bytes, ReadAll(random, stream.ReadLast(), () => { }));
    }

    [Fact]
    public void A_copy_of_a_sequence_takes_its_place()
    {
        using var scratch = new Scratch(_folder["scratch"]);
        var data = new byte[40 << 20];
        new Random(7).NextBytes(data);
        var stream = new ScratchStream(scratch);
        stream.Write(data);
        for (var copies = 0; copies < 3; copies++)
        {
            var copy = new ScratchStream(scratch);
            var reader = stream.ReadLast();
            while (reader.TakeSome() is { Length: > 0 } some)
                copy.Write(some.Span);
            stream = copy;
        }
        AssertEqual([.. data], ReadAll(new Random(7), stream.Read(), () => { }));
        Assert.InRange(scratch.Bytes, data.Length, data.Length + (1 << 20)); // what is on its way from one to the other
    }

    private static void Write(Random random, (ScratchStream Stream, List<byte> Bytes) to)
    {
        var bytes = new byte[random.Next(3) switch { 0 => random.Next(100), 1 => random.Next(10_000), _ => random.Next(400_000) }];
        random.NextBytes(bytes);
        to.Stream.Write(bytes);
        to.Bytes.AddRange(bytes);
    }

    private static void AssertEqual(List<byte> expected, List<byte> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        var same = CollectionsMarshal.AsSpan(expected).CommonPrefixLength(CollectionsMarshal.AsSpan(actual));
        Assert.Equal(expected.Count, same); // the first byte that differs is here
    }

    private static List<byte> ReadAll(Random random, ScratchStream.Reader reader, Action between)
    {
        var read = new List<byte>();
        while (reader.TakeSome() is { Length: > 0 } some)
        {
            read.AddRange(some.Span);
            if (random.Next(4) == 0)
                between();
        }
        return read;
    }
}
