using System.Runtime.InteropServices;

namespace EdgeCloud.Benchmarks;

/// <summary>Bytes that compress about as robot data do: slow random walks as doubles and floats, some noise, some zeros.</summary>
internal static class Payloads
{
    /// <summary>A pool from which payloads of <paramref name="size"/> bytes are cut.</summary>
    public static byte[] Of(int size)
    {
        var bytes = new byte[Math.Max(4 << 20, 2 * size)];
        var random = new Random(7);
        var walk = 0.0;
        var values = MemoryMarshal.Cast<byte, double>(bytes.AsSpan());
        for (var i = 0; i < values.Length; i++)
        {
            walk += random.NextDouble() - 0.5;
            values[i] = (i % 8) switch
            {
                0 or 1 => 0,
                2 => random.NextDouble(),
                _ => Math.Round(walk, 2),
            };
        }
        return bytes;
    }
}
