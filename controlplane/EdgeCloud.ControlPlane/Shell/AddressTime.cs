using System.Globalization;
using EdgeCloud.ControlPlane.Fleet;

namespace EdgeCloud.ControlPlane.Shell;

/// <summary>
/// Moments in addresses: ISO 8601 in UTC (<c>2026-03-01T08:41:07.123Z</c>), or relative to now (<c>now</c>, <c>now-90s</c>, <c>now-5m</c>,
/// <c>now-6h</c>, <c>now-2d</c>). What is neither is treated as absent: an address that somebody mistyped still shows its page.
/// </summary>
public static class AddressTime
{
    /// <summary>The moment, ns since the Unix epoch; null when the text is absent or no moment.</summary>
    public static long? Parse(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (text == "now")
            return UnixTime.ToNanoseconds(now);
        if (text.StartsWith("now-", StringComparison.Ordinal))
            return Ago(text.AsSpan(4)) is { } ago ? UnixTime.ToNanoseconds(now - ago) : null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            && moment.Year is >= 1970 and < 2262
                ? UnixTime.ToNanoseconds(moment)
                : null;
    }

    /// <summary>The moment as addresses carry it, to the millisecond.</summary>
    public static string Write(long ns) =>
        DateTimeOffset.UnixEpoch.AddTicks(ns / 100).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static TimeSpan? Ago(ReadOnlySpan<char> text) =>
        text.Length > 1 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 1_000_000
            ? text[^1] switch
            {
                's' => TimeSpan.FromSeconds(count),
                'm' => TimeSpan.FromMinutes(count),
                'h' => TimeSpan.FromHours(count),
                'd' => TimeSpan.FromDays(Math.Min(count, 20_000)),
                _ => null,
            }
            : null;
}
