using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using EdgeCloud.Mcap;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Writes PNG files of 8-bit grey or RGB pixels (PNG specification, third edition).</summary>
internal static class PngFile
{
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The file.</summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="channels">Bytes per pixel: 1 grey, 3 RGB.</param>
    /// <param name="pixels">Row after row, without padding.</param>
    public static byte[] Write(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        var output = new MemoryStream();
        output.Write(Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9], header[10], header[11], header[12]) = (8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0);
        Chunk(output, "IHDR", header);
        var stored = new MemoryStream();
        using (var zlib = new ZLibStream(stored, CompressionLevel.Fastest, leaveOpen: true))
        {
            var stride = width * channels;
            var row = new byte[1 + stride];
            for (var y = 0; y < height; y++)
            {
                var line = pixels.Slice(y * stride, stride);
                // Filter 1: the difference to the pixel on the left, which cameras' images compress well with.
                row[0] = 1;
                for (var x = 0; x < stride; x++)
                    row[1 + x] = (byte)(line[x] - (x >= channels ? line[x - channels] : 0));
                zlib.Write(row);
            }
        }
        Chunk(output, "IDAT", stored.GetBuffer().AsSpan(0, (int)stored.Length));
        Chunk(output, "IEND", []);
        return output.ToArray();
    }

    private static void Chunk(Stream output, string type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        output.Write(word);
        Span<byte> name = stackalloc byte[4];
        Encoding.ASCII.GetBytes(type, name);
        output.Write(name);
        output.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc32.Append(Crc32.Compute(name), data));
        output.Write(word);
    }
}
