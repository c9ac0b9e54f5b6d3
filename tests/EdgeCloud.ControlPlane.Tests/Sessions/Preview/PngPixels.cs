using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace EdgeCloud.ControlPlane.Tests.Sessions.Preview;

/// <summary>Reads PNG files of 8-bit grey or RGB pixels, every filter of the specification included.</summary>
internal static class PngPixels
{
    public static (int Width, int Height, byte[] Pixels) Read(byte[] file)
    {
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], file[..8]);
        var (width, height, channels) = (0, 0, 0);
        var stored = new MemoryStream();
        for (var at = 8; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var type = Encoding.ASCII.GetString(file, at + 4, 4);
            var data = file.AsSpan(at + 8, length);
            if (type == "IHDR")
            {
                (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
                channels = data[9] switch { 0 => 1, 2 => 3, var other => throw new NotSupportedException($"colour type {other}") };
            }
            else if (type == "IDAT")
            {
                stored.Write(data);
            }
            at += 12 + length;
        }
        stored.Position = 0;
        using var zlib = new ZLibStream(stored, CompressionMode.Decompress);
        var rows = new MemoryStream();
        zlib.CopyTo(rows);
        return (width, height, Unfilter(rows.ToArray(), width * channels, height, channels));
    }

    private static byte[] Unfilter(byte[] rows, int stride, int height, int channels)
    {
        var pixels = new byte[stride * height];
        for (var y = 0; y < height; y++)
        {
            var filter = rows[y * (stride + 1)];
            for (var x = 0; x < stride; x++)
            {
                int left = x >= channels ? pixels[(y * stride) + x - channels] : 0;
                int up = y > 0 ? pixels[((y - 1) * stride) + x] : 0;
                int corner = x >= channels && y > 0 ? pixels[((y - 1) * stride) + x - channels] : 0;
                var predicted = filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, _ => Paeth(left, up, corner) };
                pixels[(y * stride) + x] = (byte)(rows[(y * (stride + 1)) + 1 + x] + predicted);
            }
        }
        return pixels;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var estimate = left + up - corner;
        var (a, b, c) = (Math.Abs(estimate - left), Math.Abs(estimate - up), Math.Abs(estimate - corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }
}
