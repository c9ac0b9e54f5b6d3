using System.Buffers.Binary;
using System.Globalization;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>A point cloud seen from above, the sensor in the middle, x to the top as on a robot.</summary>
internal static class PointsFromAbove
{
    private const byte Float32 = 7;
    private const int FieldsMax = 256;
    private const float RangeMax = 200;

    private readonly record struct Layout(int X, int Y, int Step, long Points, bool IsBig);

    /// <summary>Draws it as a square.</summary>
    /// <exception cref="FormatException">The payload is damaged, or x and y are not float32.</exception>
    public static PreviewFrame Draw(byte[] payload, int side)
    {
        var (layout, data) = Read(payload);
        var range = Range(layout, data);
        var pixels = new byte[side * side];
        Array.Fill(pixels, (byte)16);
        for (long i = 0; i < layout.Points; i++)
        {
            var (x, y) = Point(layout, data, i);
            if (!float.IsFinite(x) || !float.IsFinite(y) || Math.Abs(x) >= range || Math.Abs(y) >= range)
                continue;
            var (column, row) = ((int)((1 - (y / range)) / 2 * side), (int)((1 - (x / range)) / 2 * side));
            ref var pixel = ref pixels[(Math.Clamp(row, 0, side - 1) * side) + Math.Clamp(column, 0, side - 1)];
            pixel = (byte)Math.Min(255, Math.Max(120, pixel + 45));
        }
        return new(PngFile.Write(side, side, 1, pixels), "image/png",
            string.Create(CultureInfo.InvariantCulture, $"{layout.Points} points, {2 * range:0.#} m across"));
    }

    private static (Layout Layout, ReadOnlyMemory<byte> Data) Read(byte[] payload)
    {
        var fields = new CdrFields(payload);
        fields.Header();
        var points = (long)fields.UInt32() * fields.UInt32();
        var count = fields.UInt32();
        if (count > FieldsMax)
            throw new FormatException($"a point of {count} fields; up to {FieldsMax} are read");
        var (x, y) = (-1, -1);
        for (var i = 0; i < count; i++)
        {
            var name = fields.Text();
            var (offset, type) = (fields.UInt32(), fields.UInt8());
            fields.UInt32();
            if (type != Float32 || offset > ushort.MaxValue)
                continue;
            x = name == "x" ? (int)offset : x;
            y = name == "y" ? (int)offset : y;
        }
        var isBig = fields.UInt8() != 0;
        var step = fields.UInt32();
        fields.UInt32();
        var length = fields.ByteSequence().Length;
        if (x < 0 || y < 0)
            throw new FormatException("its points have no x and y of float32");
        if (step < Math.Max(x, y) + 4 || step > int.MaxValue || points > length / step)
            throw new FormatException($"{points} points of {step} bytes do not fit into its {length} bytes");
        return (new Layout(x, y, (int)step, points, isBig), payload.AsMemory(fields.Position - length, length));
    }

    private static (float X, float Y) Point(Layout layout, ReadOnlyMemory<byte> data, long index)
    {
        var point = data.Span.Slice((int)(index * layout.Step), layout.Step);
        return layout.IsBig
            ? (BinaryPrimitives.ReadSingleBigEndian(point[layout.X..]), BinaryPrimitives.ReadSingleBigEndian(point[layout.Y..]))
            : (BinaryPrimitives.ReadSingleLittleEndian(point[layout.X..]), BinaryPrimitives.ReadSingleLittleEndian(point[layout.Y..]));
    }

    /// <summary>The distance that holds nearly all points: a few far ones would make all others a dot.</summary>
    private static float Range(Layout layout, ReadOnlyMemory<byte> data)
    {
        const int Samples = 2048;
        var distances = new List<float>(Samples);
        for (long i = 0; i < layout.Points; i += Math.Max(1, layout.Points / Samples))
        {
            var (x, y) = Point(layout, data, i);
            if (float.IsFinite(x) && float.IsFinite(y))
                distances.Add(Math.Max(Math.Abs(x), Math.Abs(y)));
        }
        distances.Sort();
        return distances.Count == 0 ? 1 : Math.Clamp(distances[(int)((distances.Count - 1) * 0.99)] * 1.05f, 1, RangeMax);
    }
}
