using System.Text;
using EdgeCloud.ControlPlane.Sessions.Preview;

namespace EdgeCloud.ControlPlane.Tests.Sessions.Preview;

/// <summary>The parts that previews are made of, without servers.</summary>
public sealed class PreviewPartsTests
{
    [Fact]
    public void An_envelope_keeps_extremes_of_every_column_whatever_the_order_and_however_it_is_merged()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var (from, width, columns) = (random.NextInt64(1, 1L << 60), random.NextInt64(1, 1L << (1 + random.Next(50))), random.Next(1, 50));
            var values = Enumerable.Range(0, random.Next(1, 200))
                .Select(_ => (At: from + random.NextInt64(-width / 10, width + (width / 10) + 1), Value: random.Next(5) == 0 ? double.NaN : random.NextDouble() - 0.5)).ToList();
            var (left, right) = (new Envelope(from, from + width, columns), new Envelope(from, from + width, columns));
            foreach (var (at, value) in values)
                (random.Next(2) == 0 ? left : right).Add(at, 0, value);
            left.Add(right);

            var inside = values.Where(v => v.At >= from && v.At < from + width).ToList();
            Assert.Equal((inside.Count, inside.Count(v => double.IsNaN(v.Value))), (left.Count, left.NotFinite));
            int ColumnOf(long at) => (int)((Int128)(at - from) * columns / width);
            var expected = inside.Where(v => !double.IsNaN(v.Value)).GroupBy(v => ColumnOf(v.At)).OrderBy(g => g.Key)
                .Select(g => (g.Key, g.Min(v => v.Value), g.Max(v => v.Value)));
            var (t, v) = left.Points([]);
            var actual = t.Zip(v).Where(p => p.Second is not null).GroupBy(p => ColumnOf(p.First + from))
                .Select(g => (g.Key, g.Min(p => p.Second!.Value), g.Max(p => p.Second!.Value)));
            Assert.Equal(expected, actual);
            Assert.True(v.Count(x => x is not null) <= 2 * columns);
        }
    }

    [Fact]
    public void A_hole_of_a_few_usual_intervals_breaks_the_line_and_jitter_does_not()
    {
        var envelope = new Envelope(0, 100_000, 1000);
        long[] times = [1000, 2100, 2900, 4000, 5200, 20_000, 21_000, 22_000];
        for (var i = 0; i < times.Length; i++)
            envelope.Add(times[i], i == 0 ? 0 : times[i - 1], i);

        var (t, v) = envelope.Points([]);
        Assert.Equal([12_600], t.Zip(v).Where(p => p.Second is null).Select(p => p.First));
        // A pause breaks it however short it is.
        Assert.Equal(2, envelope.Points([(2200, 2300)]).V.Count(x => x is null));
    }

    [Theory]
    [InlineData("{\"a\":[1,2,3],\"b\":18446744073709551615,\"c\":\"NaN\",\"d\":null,\"e\":[[],[{}]]}")]
    [InlineData("[]")]
    [InlineData("{\"\":1e-300}")]
    public void What_is_short_is_not_cut(string json)
    {
        var (value, cut) = JsonCut.Of(Encoding.UTF8.GetBytes(json));
        Assert.Equal((json, 0), (value.GetRawText(), cut.Count));
    }

    [Fact]
    public void What_is_long_is_cut_and_the_cut_is_told()
    {
        var json = $"{{\"list\":[{string.Join(',', Enumerable.Range(0, 500))}],\"deep\":[{{\"text\":\"{new string('x', 5000)}\"}}],\"escaped\":\"{new string('y', 399)}\\n\\ud83d\\ude00\"}}";
        var (value, cut) = JsonCut.Of(Encoding.UTF8.GetBytes(json));
        Assert.Equal(100, value.GetProperty("list").GetArrayLength());
        Assert.Equal(["list 500", "deep[0].text 5000", "escaped 402"], cut.Select(c => $"{c.Path} {c.Length}"));
    }

    [Theory]
    [InlineData("mono16", 2)]
    [InlineData("16UC1", 2)]
    [InlineData("32FC1", 4)]
    [InlineData("rgba8", 4)]
    [InlineData("bayer_rggb8", 1)]
    [InlineData("yuv422", 2)]
    [InlineData("yuv422_yuy2", 2)]
    public void Images_of_every_encoding_are_drawn_at_every_size(string encoding, int bytes)
    {
        var random = new Random(3);
        for (var round = 0; round < 30; round++)
        {
            var (width, height) = (random.Next(1, 20), random.Next(1, 20));
            var step = ((width + 1) * bytes) + random.Next(5);
            var data = new byte[step * height];
            random.NextBytes(data);
            var pixels = new RosPixels(PreviewRecording.Image(width, height, encoding, step, data));
            var (w, h, drawn) = pixels.Draw(random.Next(1, 40));
            Assert.Equal(w * h * pixels.Channels, drawn.Length);
        }
    }

    [Fact]
    public void Damaged_messages_are_refused_and_nothing_worse()
    {
        byte[][] sound =
        [
            PreviewRecording.Image(4, 3, "rgb8", 12, new byte[36]),
            new CdrPayload().Header().UInt32(1).UInt32(2).UInt32(2)
                .Text("x").UInt32(0).Byte(7).UInt32(1).Text("y").UInt32(4).Byte(7).UInt32(1)
                .Byte(0).UInt32(8).UInt32(16).Bytes(new byte[16]).Byte(1).ToArray(),
        ];
        var random = new Random(11);
        for (var round = 0; round < 20_000; round++)
        {
            var which = round % 2;
            var bytes = sound[which].AsSpan(0, random.Next(4) == 0 ? random.Next(sound[which].Length + 1) : sound[which].Length).ToArray();
            for (var i = random.Next(4); i > 0 && bytes.Length > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                if (which == 0)
                    new RosPixels(bytes).Draw(64);
                else
                    PointsFromAbove.Draw(bytes, 16);
            }
            catch (FormatException)
            {
            }
        }
    }
}
