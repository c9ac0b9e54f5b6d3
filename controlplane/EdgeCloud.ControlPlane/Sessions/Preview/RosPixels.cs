using System.Buffers.Binary;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>The pixels of a <c>sensor_msgs/Image</c>, by the encodings of <c>sensor_msgs/image_encodings.hpp</c> that cameras use.</summary>
internal sealed class RosPixels
{
    private const int SideMax = 16_384;

    private readonly byte[] _data;
    private readonly int _offset;
    private readonly int _step;
    private readonly bool _isBig;
    private readonly string _encoding;
    private double _least;
    private double _span = 1;

    /// <summary>Reads everything but the pixels.</summary>
    /// <exception cref="FormatException">The payload is damaged, or its encoding is not one of them.</exception>
    public RosPixels(byte[] payload)
    {
        var fields = new CdrFields(payload);
        fields.Header();
        (Height, Width) = (Side(fields.UInt32()), Side(fields.UInt32()));
        _encoding = fields.Text();
        _isBig = fields.UInt8() != 0;
        var step = fields.UInt32();
        var length = fields.ByteSequence().Length;
        (_data, _offset, _step) = (payload, fields.Position - length, (int)Math.Min(step, int.MaxValue));
        var bytes = BytesPerPixel(_encoding)
            ?? throw new FormatException($"images of encoding '{_encoding}' are not shown; mono, rgb, bgr, bayer, yuv422, 16UC1 and 32FC1 are");
        // Two pixels of yuv422 share their colour, and so their four bytes.
        var across = bytes == 2 && Channels == 3 ? Width + (Width & 1) : Width;
        if ((long)across * bytes > _step || (long)_step * Height > length)
            throw new FormatException($"an image of {Width} x {Height} {_encoding} with rows of {step} bytes does not fit into its {length} bytes");
        if (_encoding is "16UC1" or "32FC1")
            FindRange();
    }

    public int Width { get; }
    public int Height { get; }
    public string Encoding => _encoding;

    /// <summary>Bytes per pixel of what <see cref="Draw"/> makes: 1 grey, 3 RGB.</summary>
    public int Channels => _encoding is "mono8" or "8UC1" or "mono16" or "16UC1" or "32FC1" ? 1 : 3;

    /// <summary>Draws it, no wider than <paramref name="widthMax"/> pixels; a smaller pixel is the mean of those that it stands for.</summary>
    public (int Width, int Height, byte[] Pixels) Draw(int widthMax)
    {
        var width = Math.Clamp(widthMax, 1, Width);
        var height = Math.Max(1, (int)((long)Height * width / Width));
        var pixels = new byte[width * height * Channels];
        for (var y = 0; y < height; y++)
        {
            var (top, bottom) = (y * Height / height, Math.Max((y * Height / height) + 1, (y + 1) * Height / height));
            for (var x = 0; x < width; x++)
            {
                var (left, right) = ((int)((long)x * Width / width), (int)Math.Max(((long)x * Width / width) + 1, (x + 1L) * Width / width));
                var (red, green, blue) = (0, 0, 0);
                for (var v = top; v < bottom; v++)
                {
                    for (var u = left; u < right; u++)
                    {
                        var (r, g, b) = At(u, v);
                        (red, green, blue) = (red + r, green + g, blue + b);
                    }
                }
                var count = (bottom - top) * (right - left);
                var at = ((y * width) + x) * Channels;
                pixels[at] = (byte)(red / count);
                if (Channels == 1)
                    continue;
                pixels[at + 1] = (byte)(green / count);
                pixels[at + 2] = (byte)(blue / count);
            }
        }
        return (width, height, pixels);
    }

    private static int Side(uint side) =>
        side is > 0 and <= SideMax ? (int)side : throw new FormatException($"an image side of {side} pixels is not shown; 1 to {SideMax} are");

    private static int? BytesPerPixel(string encoding) => encoding switch
    {
        "mono8" or "8UC1" => 1,
        "bayer_rggb8" or "bayer_bggr8" or "bayer_gbrg8" or "bayer_grbg8" => 1,
        "mono16" or "16UC1" => 2,
        "yuv422" or "uyvy" or "yuv422_yuy2" or "yuyv" => 2,
        "rgb8" or "bgr8" or "8UC3" => 3,
        "rgba8" or "bgra8" or "8UC4" or "32FC1" => 4,
        _ => null,
    };

    private (int R, int G, int B) At(int x, int y)
    {
        var row = _data.AsSpan(_offset + (y * _step), _step);
        switch (_encoding)
        {
            case "mono8" or "8UC1":
                return (row[x], 0, 0);
            case "mono16":
                return (_isBig ? row[2 * x] : row[(2 * x) + 1], 0, 0);
            case "16UC1" or "32FC1":
                return (Scaled(Value(x, y)), 0, 0);
            case "rgb8":
                return (row[3 * x], row[(3 * x) + 1], row[(3 * x) + 2]);
            case "bgr8" or "8UC3":
                return (row[(3 * x) + 2], row[(3 * x) + 1], row[3 * x]);
            case "rgba8":
                return (row[4 * x], row[(4 * x) + 1], row[(4 * x) + 2]);
            case "bgra8" or "8UC4":
                return (row[(4 * x) + 2], row[(4 * x) + 1], row[4 * x]);
            case "yuv422" or "uyvy":
                return Yuv(row[(2 * x) + 1], row[4 * (x / 2)], row[(4 * (x / 2)) + 2]);
            case "yuv422_yuy2" or "yuyv":
                return Yuv(row[2 * x], row[(4 * (x / 2)) + 1], row[(4 * (x / 2)) + 3]);
            default:
                return Bayer(x & ~1, y & ~1);
        }
    }

    /// <summary>The colour of a 2 x 2 block of a mosaic: half the resolution, no invented edges.</summary>
    private (int R, int G, int B) Bayer(int x, int y)
    {
        var (right, below) = (Math.Min(x + 1, Width - 1), Math.Min(y + 1, Height - 1));
        int a = Grey(x, y), b = Grey(right, y), c = Grey(x, below), d = Grey(right, below);
        return _encoding switch
        {
            "bayer_rggb8" => (a, (b + c) / 2, d),
            "bayer_bggr8" => (d, (b + c) / 2, a),
            "bayer_gbrg8" => (c, (a + d) / 2, b),
            _ => (b, (a + d) / 2, c),
        };

        int Grey(int u, int v) => _data[_offset + (v * _step) + u];
    }

    /// <summary>BT.601, video range.</summary>
    private static (int R, int G, int B) Yuv(int y, int u, int v)
    {
        var (c, d, e) = (298 * (y - 16), u - 128, v - 128);
        return (Clamp((c + (409 * e) + 128) >> 8), Clamp((c - (100 * d) - (208 * e) + 128) >> 8), Clamp((c + (516 * d) + 128) >> 8));

        static int Clamp(int value) => Math.Clamp(value, 0, 255);
    }

    private double Value(int x, int y)
    {
        if (_encoding == "16UC1")
        {
            var word = _data.AsSpan(_offset + (y * _step) + (2 * x), 2);
            return _isBig ? BinaryPrimitives.ReadUInt16BigEndian(word) : BinaryPrimitives.ReadUInt16LittleEndian(word);
        }
        var bytes = _data.AsSpan(_offset + (y * _step) + (4 * x), 4);
        return _isBig ? BinaryPrimitives.ReadSingleBigEndian(bytes) : BinaryPrimitives.ReadSingleLittleEndian(bytes);
    }

    /// <summary>Depths are spread from black to white; 0, NaN and infinities mean "nothing measured" and are black.</summary>
    private int Scaled(double value) => double.IsFinite(value) && value != 0 ? (int)Math.Clamp(1 + (254 * (value - _least) / _span), 1, 255) : 0;

    private void FindRange()
    {
        var (least, greatest) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var value = Value(x, y);
                if (!double.IsFinite(value) || value == 0)
                    continue;
                (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
            }
        }
        if (greatest > least)
            (_least, _span) = (least, greatest - least);
        else if (double.IsFinite(least))
            _least = least - 1;
    }
}
