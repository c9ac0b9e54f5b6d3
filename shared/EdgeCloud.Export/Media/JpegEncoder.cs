namespace EdgeCloud.Export.Media;

/// <summary>
/// Baseline JPEG (ITU-T T.81) without subsampling of colour, quality 90, with the tables of its annex K. Single precision throughout, so
/// the same pixels give the same bytes.
/// </summary>
internal sealed class JpegEncoder
{
    private const int Quality = 90;

    private static readonly byte[] ZigZag =
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    private static readonly byte[] Luminance = Scaled(
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]);

    private static readonly byte[] Chrominance = Scaled(
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ]);

    private static readonly float[] Cosines =
        [.. Enumerable.Range(0, 64).Select(i => (float)(Math.Cos((2 * (i % 8) + 1) * (i / 8) * Math.PI / 16) * (i < 8 ? Math.Sqrt(0.125) : 0.5)))];

    private readonly Stream _output;
    private readonly float[] _samples = new float[64];
    private readonly float[] _rows = new float[64];
    private readonly int[] _block = new int[64];
    private uint _bits;
    private int _bitCount;

    private JpegEncoder(Stream output) => _output = output;

    /// <summary>Writes an image.</summary>
    /// <param name="output">Receives the file.</param>
    /// <param name="pixels">Lines of 8-bit samples.</param>
    /// <param name="width">Pixels of a line, up to 65535.</param>
    /// <param name="height">Lines, up to 65535.</param>
    /// <param name="channels">1: grey; 3: RGB; 4: RGB and a fourth that is left out.</param>
    public static void Write(Stream output, byte[] pixels, int width, int height, int channels)
    {
        var encoder = new JpegEncoder(output);
        var components = channels == 1 ? 1 : 3;
        encoder.WriteHeaders(width, height, components);
        var last = new int[components];
        for (var y = 0; y < height; y += 8)
        {
            for (var x = 0; x < width; x += 8)
            {
                for (var component = 0; component < components; component++)
                {
                    encoder.Load(pixels, width, height, channels, x, y, component);
                    encoder.Transform(component == 0 ? Luminance : Chrominance);
                    encoder.WriteBlock(component == 0 ? HuffmanCodes.LuminanceDc : HuffmanCodes.ChrominanceDc, component == 0 ? HuffmanCodes.LuminanceAc : HuffmanCodes.ChrominanceAc, ref last[component]);
                }
            }
        }
        encoder.WriteBits(0x7F, 7); // fills the last byte with ones
        output.Write([0xFF, 0xD9]);
    }

    private static byte[] Scaled(byte[] table) => [.. table.Select(q => (byte)Math.Clamp((q * (200 - 2 * Quality) + 50) / 100, 1, 255))];

    private void WriteHeaders(int width, int height, int components)
    {
        _output.Write([0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        _output.Write([0xFF, 0xDB, 0, 67, 0, .. ZigZag.Select(i => Luminance[i])]);
        if (components == 3)
            _output.Write([0xFF, 0xDB, 0, 67, 1, .. ZigZag.Select(i => Chrominance[i])]);
        _output.Write([0xFF, 0xC0, 0, (byte)(8 + 3 * components), 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)components]);
        for (var i = 0; i < components; i++)
            _output.Write([(byte)(i + 1), 0x11, (byte)(i == 0 ? 0 : 1)]);
        HuffmanCodes[] tables = components == 1
            ? [HuffmanCodes.LuminanceDc, HuffmanCodes.LuminanceAc]
            : [HuffmanCodes.LuminanceDc, HuffmanCodes.LuminanceAc, HuffmanCodes.ChrominanceDc, HuffmanCodes.ChrominanceAc];
        foreach (var table in tables)
            _output.Write([0xFF, 0xC4, (byte)((19 + table.Values.Length) >> 8), (byte)(19 + table.Values.Length), table.Id, .. table.Lengths, .. table.Values]);
        _output.Write([0xFF, 0xDA, 0, (byte)(6 + 2 * components), (byte)components]);
        for (var i = 0; i < components; i++)
            _output.Write([(byte)(i + 1), (byte)(i == 0 ? 0x00 : 0x11)]);
        _output.Write([0, 63, 0]);
    }

    /// <summary>Takes a block of one component; beyond the edges the last pixels are repeated.</summary>
    private void Load(byte[] pixels, int width, int height, int channels, int left, int top, int component)
    {
        for (var i = 0; i < 64; i++)
        {
            var at = (Math.Min(top + i / 8, height - 1) * width + Math.Min(left + i % 8, width - 1)) * channels;
            if (channels == 1)
            {
                _samples[i] = pixels[at] - 128f;
                continue;
            }
            float r = pixels[at], g = pixels[at + 1], b = pixels[at + 2];
            _samples[i] = component switch
            {
                0 => 0.299f * r + 0.587f * g + 0.114f * b - 128f,
                1 => -0.168736f * r - 0.331264f * g + 0.5f * b,
                _ => 0.5f * r - 0.418688f * g - 0.081312f * b,
            };
        }
    }

    /// <summary>Cosine transform of rows, then columns, then quantisation.</summary>
    private void Transform(byte[] quantisation)
    {
        for (var row = 0; row < 64; row += 8)
        {
            for (var u = 0; u < 8; u++)
            {
                float sum = 0;
                for (var x = 0; x < 8; x++)
                    sum += _samples[row + x] * Cosines[u * 8 + x];
                _rows[row + u] = sum;
            }
        }
        for (var v = 0; v < 8; v++)
        {
            for (var u = 0; u < 8; u++)
            {
                float sum = 0;
                for (var y = 0; y < 8; y++)
                    sum += _rows[y * 8 + u] * Cosines[v * 8 + y];
                _block[v * 8 + u] = (int)MathF.Round(sum / quantisation[v * 8 + u]);
            }
        }
    }

    private void WriteBlock(HuffmanCodes dc, HuffmanCodes ac, ref int last)
    {
        var difference = _block[0] - last;
        last = _block[0];
        var size = Size(difference);
        WriteCode(dc, size);
        WriteValue(difference, size);
        var zeros = 0;
        for (var i = 1; i < 64; i++)
        {
            var value = _block[ZigZag[i]];
            if (value == 0)
            {
                zeros++;
                continue;
            }
            for (; zeros >= 16; zeros -= 16)
                WriteCode(ac, 0xF0);
            size = Size(value);
            WriteCode(ac, zeros << 4 | size);
            WriteValue(value, size);
            zeros = 0;
        }
        if (zeros > 0)
            WriteCode(ac, 0);
    }

    private static int Size(int value) => 32 - int.LeadingZeroCount(Math.Abs(value));

    private void WriteValue(int value, int size) => WriteBits((uint)(value < 0 ? value - 1 : value) & ((1u << size) - 1), size);

    private void WriteCode(HuffmanCodes codes, int symbol) => WriteBits(codes.Codes[symbol], codes.Sizes[symbol]);

    private void WriteBits(uint bits, int count)
    {
        _bits = _bits << count | bits;
        _bitCount += count;
        for (; _bitCount >= 8; _bitCount -= 8)
        {
            var value = (byte)(_bits >> (_bitCount - 8));
            _output.WriteByte(value);
            if (value == 0xFF)
                _output.WriteByte(0);
        }
    }
}
