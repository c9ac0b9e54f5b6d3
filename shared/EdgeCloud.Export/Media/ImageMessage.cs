using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Media;

/// <summary>Where the fields of <c>sensor_msgs/msg/Image</c> are among the columns of a plan.</summary>
internal sealed class ImageFields
{
    private readonly int _height, _width, _encoding, _order, _step, _data;

    private ImageFields(IReadOnlyList<ColumnInfo> columns)
    {
        (_height, _width, _encoding) = (Find(columns, "height"), Find(columns, "width"), Find(columns, "encoding"));
        (_order, _step, _data) = (Find(columns, "is_bigendian"), Find(columns, "step"), Find(columns, "data"));
    }

    /// <summary>The fields; null when some are not there or of another type.</summary>
    public static ImageFields? Of(IReadOnlyList<ColumnInfo> columns)
    {
        var fields = new ImageFields(columns);
        return Math.Min(Math.Min(fields._height, fields._width), Math.Min(Math.Min(fields._encoding, fields._order), Math.Min(fields._step, fields._data))) >= 0
            && columns[fields._height].Type.Kind == ColumnKind.UInt32 && columns[fields._width].Type.Kind == ColumnKind.UInt32
            && columns[fields._step].Type.Kind == ColumnKind.UInt32 && columns[fields._order].Type.Width == 1
            && columns[fields._encoding].Type.Kind == ColumnKind.Text && columns[fields._data].Type.IsBytes ? fields : null;
    }

    /// <summary>The image of a row; null when its values do not fit together.</summary>
    public ImageMessage? Read(IReadOnlyList<Column> columns, int row)
    {
        if (columns[_data].IsMissing(row))
            return null;
        var height = ((NumberColumn)columns[_height]).Values<uint>()[row];
        var width = ((NumberColumn)columns[_width]).Values<uint>()[row];
        var step = ((NumberColumn)columns[_step]).Values<uint>()[row];
        var encoding = System.Text.Encoding.ASCII.GetString(((TextColumn)columns[_encoding])[row]);
        var list = (ListColumn)columns[_data];
        var (start, length) = (list.Offsets[row], list.Offsets[row + 1] - list.Offsets[row]);
        if (PixelFormat.Of(encoding) is not { } format || height == 0 || width == 0)
            return null;
        var rowBytes = format.RowBytes(width);
        return step >= rowBytes && (long)step * (height - 1) + rowBytes <= length && rowBytes <= int.MaxValue
            ? new ImageMessage((int)height, (int)width, (int)step, (int)rowBytes, format, ((NumberColumn)columns[_order]).Bytes[row] != 0, start)
            : null;
    }

    /// <summary>The pixels of a row's image line.</summary>
    public ReadOnlySpan<byte> Line(IReadOnlyList<Column> columns, in ImageMessage image, int line) =>
        ((NumberColumn)((ListColumn)columns[_data]).Items).Bytes.Slice(image.Start + line * image.Step, image.RowBytes);

    private static int Find(IReadOnlyList<ColumnInfo> columns, string name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Name == name)
                return i;
        }
        return -1;
    }
}

/// <summary>An image whose figures fit together.</summary>
/// <param name="Height">Lines.</param>
/// <param name="Width">Pixels of a line.</param>
/// <param name="Step">Bytes from one line to the next.</param>
/// <param name="RowBytes">Bytes of a line that are pixels.</param>
/// <param name="Format">What a pixel is.</param>
/// <param name="IsBigEndian">Byte order of samples of several bytes.</param>
/// <param name="Start">Where its first pixel lies among the column's bytes.</param>
internal readonly record struct ImageMessage(int Height, int Width, int Step, int RowBytes, PixelFormat Format, bool IsBigEndian, int Start)
{
    /// <summary>The same pixels as one line where nothing lies between the lines, for who takes bytes as they come.</summary>
    public ImageMessage Joined => Step == RowBytes && (long)Height * RowBytes <= int.MaxValue
        ? this with { Height = 1, Width = Height * Width, Step = Height * RowBytes, RowBytes = Height * RowBytes }
        : this;
}

/// <summary>What the samples of a pixel mean.</summary>
internal enum PixelOrder
{
    /// <summary>One sample of brightness, or of anything else that is one number.</summary>
    Gray,
    /// <summary>Red, green, blue, then alpha if there is a fourth.</summary>
    Rgb,
    /// <summary>Blue, green, red, then alpha if there is a fourth.</summary>
    Bgr,
    /// <summary>Two pixels in four bytes: u, y, v, y.</summary>
    Uyvy,
    /// <summary>Two pixels in four bytes: y, u, y, v.</summary>
    Yuyv,
    /// <summary>Channels without meaning.</summary>
    Other,
}

/// <summary>A pixel format of sensor_msgs/image_encodings.hpp.</summary>
/// <param name="Channels">Samples of a pixel.</param>
/// <param name="SampleBytes">Bytes of a sample.</param>
/// <param name="Kind">NumPy's letter: <c>u</c>, <c>i</c> or <c>f</c>.</param>
/// <param name="Order">What the samples mean.</param>
internal sealed record PixelFormat(int Channels, int SampleBytes, char Kind, PixelOrder Order)
{
    /// <summary>Bytes of a line.</summary>
    public long RowBytes(uint width) => (long)width * Channels * SampleBytes;

    /// <summary>NumPy's type of a sample, with quotes.</summary>
    public string Descr(bool isBigEndian) => $"'{(SampleBytes == 1 ? '|' : isBigEndian ? '>' : '<')}{Kind}{SampleBytes}'";

    /// <summary>The format of an encoding; null when it is not known.</summary>
    public static PixelFormat? Of(string encoding) => encoding switch
    {
        "mono8" or "8UC1" => new(1, 1, 'u', PixelOrder.Gray),
        "mono16" or "16UC1" => new(1, 2, 'u', PixelOrder.Gray),
        "rgb8" => new(3, 1, 'u', PixelOrder.Rgb),
        "bgr8" or "8UC3" => new(3, 1, 'u', PixelOrder.Bgr),
        "rgba8" => new(4, 1, 'u', PixelOrder.Rgb),
        "bgra8" or "8UC4" => new(4, 1, 'u', PixelOrder.Bgr),
        "rgb16" => new(3, 2, 'u', PixelOrder.Rgb),
        "bgr16" or "16UC3" => new(3, 2, 'u', PixelOrder.Bgr),
        "rgba16" => new(4, 2, 'u', PixelOrder.Rgb),
        "bgra16" or "16UC4" => new(4, 2, 'u', PixelOrder.Bgr),
        "yuv422" or "uyvy" => new(2, 1, 'u', PixelOrder.Uyvy),
        "yuv422_yuy2" or "yuyv" => new(2, 1, 'u', PixelOrder.Yuyv),
        _ when encoding.StartsWith("bayer_", StringComparison.Ordinal) => new(1, encoding.EndsWith("16", StringComparison.Ordinal) ? 2 : 1, 'u', PixelOrder.Gray),
        _ => Generic(encoding),
    };

    /// <summary>OpenCV's names: bits, kind, C, channels.</summary>
    private static PixelFormat? Generic(string encoding)
    {
        var c = encoding.IndexOf('C');
        if (c < 2 || !int.TryParse(encoding.AsSpan(0, c - 1), out var bits) || !int.TryParse(encoding.AsSpan(c + 1), out var channels))
            return null;
        var kind = encoding[c - 1] switch { 'U' => 'u', 'S' => 'i', 'F' => 'f', _ => '\0' };
        return kind != '\0' && bits is 8 or 16 or 32 or 64 && channels is >= 1 and <= 64 && (kind != 'f' || bits >= 16)
            ? new(channels, bits / 8, kind, PixelOrder.Other)
            : null;
    }
}
