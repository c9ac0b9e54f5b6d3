using System.Globalization;
using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Shell;

/// <summary>
/// Figures as the portal writes them: three significant digits, binary units for sizes, decimal units for rates, exact integers for
/// counts and losses, and <see cref="Unknown"/> where a figure is not known, which zero is not.
/// </summary>
public static class Formats
{
    /// <summary>What stands where a figure is not known.</summary>
    public const string Unknown = "–";

    private static readonly string[] BinaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    private static readonly string[] DecimalUnits = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];

    /// <summary>A size: <c>0 B</c>, <c>512 B</c>, <c>45.6 MiB</c>.</summary>
    public static string Bytes(long? bytes) => bytes is { } b ? Scaled(b, 1024, BinaryUnits) : Unknown;

    /// <summary>A rate with its unit: <c>0 B/s</c>, <c>340 kB/s</c>, <c>12.4 MB/s</c>.</summary>
    public static string Rate(double? bytesPerSecond) => bytesPerSecond is { } b ? Scaled(b, 1000, DecimalUnits) : Unknown;

    /// <summary>A rate in MB/s without unit, for a column that names it.</summary>
    public static string Megabytes(double? bytesPerSecond) => bytesPerSecond is { } b ? Significant(b / 1e6) : Unknown;

    /// <summary>An exact integer with thin spaces between thousands.</summary>
    public static string Count(long? count) =>
        count is { } c ? c.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '\u2009') : Unknown;

    /// <summary>A frequency in Hz without unit.</summary>
    public static string Hertz(double? hertz) => hertz is { } h ? Significant(h) : Unknown;

    /// <summary>Percent of a whole, never rounded up to 100 nor down to 0: <c>99.9 %</c>.</summary>
    public static string Percent(double? percent)
    {
        if (percent is not { } p)
            return Unknown;
        if (p is <= 0 or >= 100)
            return p <= 0 ? "0 %" : "100 %";
        var shown = Math.Clamp(Math.Floor(p * 10) / 10, 0.1, 99.9);
        return (shown >= 10 && shown < 99 ? Math.Floor(shown) : shown).ToString("0.#", CultureInfo.InvariantCulture) + " %";
    }

    /// <summary>A length of time with its two greatest units: <c>850 ms</c>, <c>7 s</c>, <c>41 m 07 s</c>, <c>3 d 4 h</c>.</summary>
    public static string Duration(TimeSpan? duration)
    {
        if (duration is not { } d)
            return Unknown;
        if (d < TimeSpan.Zero)
            d = TimeSpan.Zero;
        return d switch
        {
            { TotalSeconds: < 1 } => $"{(int)d.TotalMilliseconds} ms",
            { TotalMinutes: < 1 } => $"{(int)d.TotalSeconds} s",
            { TotalHours: < 1 } => $"{d.Minutes} m {d.Seconds:00} s",
            { TotalDays: < 1 } => $"{d.Hours} h {d.Minutes:00} m",
            _ => $"{d.Days} d {d.Hours} h",
        };
    }

    /// <summary>A session's name, or the beginning of its id where it has none.</summary>
    public static string SessionName(string name, Guid session) => name.Length > 0 ? name : ShortId(session);

    /// <summary>The part of a UUIDv7 that tells ids of one minute apart.</summary>
    public static string ShortId(Guid id) => id.ToString("D")[^12..];

    /// <summary>Who did something: <c>user:maria</c> is <c>maria</c>, <c>key:maria/ci</c> is <c>maria, key ci</c>.</summary>
    public static string Actor(string actor) => actor.Split([':', '/'], 3) switch
    {
        ["user", var user] => user,
        ["key", var user, var key] => $"{user}, key {key}",
        _ => actor.Length > 0 ? actor : Unknown,
    };

    /// <summary>A word for people: <c>DroppedQueue</c> never reaches a page, but <c>Acknowledged</c> does as <c>acknowledged</c>.</summary>
    public static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>Where a segment is, in words that say what it means for the data.</summary>
    public static string CustodyMeaning(Custody custody) => custody switch
    {
        Custody.Open => "being written on the robot",
        Custody.Sealed => "complete, only on the robot",
        Custody.Uploading => "on its way to storage",
        Custody.Uploaded => "in storage, not checked yet",
        Custody.Acknowledged => "in storage and checked",
        Custody.Released => "in storage and checked, deleted on the robot",
        Custody.Discarded => "given up before it was safe",
        Custody.Quarantined => "could not be repaired, kept aside on the robot",
        _ => throw new ArgumentOutOfRangeException(nameof(custody), custody, null),
    };

    private static string Scaled(double value, double step, string[] units)
    {
        var unit = 0;
        // 999.5 would print as 1000 of the smaller unit.
        while (Math.Abs(value) >= (unit == 0 ? step : Math.Min(step, 999.5)) && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }
        return unit == 0 ? $"{Math.Round(value).ToString(CultureInfo.InvariantCulture)} {units[0]}" : $"{Significant(value)} {units[unit]}";
    }

    private static string Significant(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 0.001 => "<0.001",
        < 0.9995 => value.ToString("0.###", CultureInfo.InvariantCulture),
        < 9.995 => value.ToString("0.00", CultureInfo.InvariantCulture),
        < 99.95 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => Math.Round(value).ToString("0", CultureInfo.InvariantCulture),
    };
}
