namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>Where the simulated robot is at a moment, in metres, radians and seconds.</summary>
internal readonly record struct Motion(double X, double Y, double Yaw, double Speed, double YawRate, double Acceleration);

/// <summary>
/// A figure of eight through a hall of 24 m x 16 m. Everything is a function of time and seed, so robots of one seed drive the same way.
/// </summary>
internal sealed class Drive(int seed)
{
    private const double HalfLength = 8, HalfWidth = 5;
    private readonly double _rate = 2 * Math.PI / (60 + seed % 20);
    private readonly double _phase = seed * 0.7;

    /// <summary>The motion <paramref name="t"/> seconds after the start.</summary>
    public Motion At(double t)
    {
        var a = _rate * t + _phase;
        var (vx, vy) = (HalfLength * _rate * Math.Cos(a), 2 * HalfWidth * _rate * Math.Cos(2 * a));
        var (ax, ay) = (-HalfLength * _rate * _rate * Math.Sin(a), -4 * HalfWidth * _rate * _rate * Math.Sin(2 * a));
        var speed = Math.Sqrt(vx * vx + vy * vy);
        return new Motion(
            HalfLength * Math.Sin(a), HalfWidth * Math.Sin(2 * a), Math.Atan2(vy, vx),
            speed, (vx * ay - vy * ax) / (speed * speed), (vx * ax + vy * ay) / speed);
    }
}
