using System.Buffers.Binary;
using System.IO.Compression;

namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// A camera's view of a checkered floor that moves towards it, as PNG images of 320 x 240 RGB. The frames of one round are drawn once,
/// since what matters to a recorder is their size and that viewers can open them.
/// </summary>
internal sealed class Camera
{
    public const int Width = 320, Height = 240, Frames = 20;
    private const int Horizon = 90;
    private readonly byte[][] _frames;

    public Camera(int seed)
    {
        var pixels = new byte[Height * (1 + Width * 3)];
        _frames = new byte[Frames][];
        for (var i = 0; i < Frames; i++)
        {
            Draw(pixels, (double)i / Frames, seed);
            _frames[i] = Png(pixels);
        }
    }

    /// <summary>The PNG file of a moment.</summary>
    public ReadOnlySpan<byte> Frame(uint index) => _frames[index % Frames];

    /// <summary>Fills rows of one filter byte (1: difference to the left) and RGB pixels.</summary>
    private static void Draw(byte[] rows, double progress, int seed)
    {
        var grain = (uint)seed * 747796405u + 1;
        for (var y = 0; y < Height; y++)
        {
            var row = rows.AsSpan(y * (1 + Width * 3), 1 + Width * 3);
            row[0] = 1;
            (byte R, byte G, byte B) left = default;
            for (var x = 0; x < Width; x++)
            {
                grain = grain * 1664525 + 1013904223;
                var (r, g, b) = Colour(x, y, progress, grain >> 24 < 24 ? (int)(grain >> 16 & 3) : 0, seed);
                row[1 + x * 3] = (byte)(r - left.R);
                row[2 + x * 3] = (byte)(g - left.G);
                row[3 + x * 3] = (byte)(b - left.B);
                left = (r, g, b);
            }
        }
    }

    private static (byte R, byte G, byte B) Colour(int x, int y, double progress, int grain, int seed)
    {
        if (y <= Horizon)
            return ((byte)(70 + y + grain), (byte)(100 + y), (byte)(150 + y));
        var depth = 60.0 / (y - Horizon);
        var across = (x - Width / 2) * depth / 60 * 2;
        var tile = ((int)Math.Floor(depth * 2 + progress * 2) + (int)Math.Floor(across)) & 1;
        var shade = (int)(90 + 100 * tile / (1 + depth * 0.3)) + grain;
        return ((byte)shade, (byte)(shade - seed * 7 % 30), (byte)(shade * 3 / 4));
    }

    private static byte[] Png(byte[] rows)
    {
        var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], Height);
        header[8] = 8;   // bits per sample
        header[9] = 2;   // RGB
        header[10..].Clear();
        Chunk(file, "IHDR"u8, header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(rows);
        Chunk(file, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        file.Write(word);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, ~Crc(Crc(uint.MaxValue, type), data));
        file.Write(word);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }
        return crc;
    }
}
