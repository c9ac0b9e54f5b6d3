using System.Buffers.Binary;

namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// A lidar of 16 rings and 375 columns in a hall with four walls, a floor and round pillars. Points are four little-endian float32:
/// x, y, z in the sensor's frame (m) and intensity (0 to 255).
/// </summary>
internal sealed class Lidar
{
    public const int Rings = 16, Columns = 375, PointBytes = 16;
    private const double Height = 0.6, WallX = 12, WallY = 8, PillarRadius = 0.4;
    private static readonly (double X, double Y)[] Pillars = [(-6, 0), (6, 0), (0, 6.5), (0, -6.5)];

    private readonly (double Sin, double Cos)[] _columns = new (double, double)[Columns];
    private readonly double[] _slopes = new double[Rings];
    private uint _noise;

    public Lidar(int seed)
    {
        _noise = (uint)seed * 2654435761u | 1;
        for (var i = 0; i < Columns; i++)
            _columns[i] = Math.SinCos(2 * Math.PI * i / Columns);
        for (var i = 0; i < Rings; i++)
            _slopes[i] = Math.Tan((i * 2 - 15) * Math.PI / 180);
    }

    /// <summary>Writes one turn, <c>Rings * Columns * PointBytes</c> bytes.</summary>
    public void Scan(in Motion robot, Span<byte> points)
    {
        var (sinYaw, cosYaw) = Math.SinCos(robot.Yaw);
        var at = 0;
        foreach (var (sin, cos) in _columns)
        {
            var range = RangeToWalls(robot, cos * cosYaw - sin * sinYaw, sin * cosYaw + cos * sinYaw);
            foreach (var slope in _slopes)
            {
                var toFloor = slope < 0 ? Height / -slope : double.MaxValue;
                var seen = Math.Min(range, toFloor) + (Noise() - 0.5) * 0.02;
                Write(points[at..], (float)(seen * cos), (float)(seen * sin), (float)(seen * slope), toFloor < range ? 40 : 160);
                at += PointBytes;
            }
        }
    }

    private static double RangeToWalls(in Motion robot, double dx, double dy)
    {
        var range = Math.Min(
            dx == 0 ? double.MaxValue : (Math.CopySign(WallX, dx) - robot.X) / dx,
            dy == 0 ? double.MaxValue : (Math.CopySign(WallY, dy) - robot.Y) / dy);
        foreach (var (x, y) in Pillars)
        {
            var along = (x - robot.X) * dx + (y - robot.Y) * dy;
            var aside = (x - robot.X) * dy - (y - robot.Y) * dx;
            if (along > 0 && Math.Abs(aside) < PillarRadius)
                range = Math.Min(range, along - Math.Sqrt(PillarRadius * PillarRadius - aside * aside));
        }
        return range;
    }

    private static void Write(Span<byte> point, float x, float y, float z, float intensity)
    {
        BinaryPrimitives.WriteSingleLittleEndian(point, x);
        BinaryPrimitives.WriteSingleLittleEndian(point[4..], y);
        BinaryPrimitives.WriteSingleLittleEndian(point[8..], z);
        BinaryPrimitives.WriteSingleLittleEndian(point[12..], intensity);
    }

    // xorshift32: repeatable on every machine and run-time version, unlike System.Random.
    private double Noise()
    {
        _noise ^= _noise << 13;
        _noise ^= _noise >> 17;
        _noise ^= _noise << 5;
        return _noise / 4294967296.0;
    }
}
