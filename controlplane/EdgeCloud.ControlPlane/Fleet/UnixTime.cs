namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>Wire times (integer ns since the Unix epoch) as .NET times, which have steps of 100 ns; the catalogue keeps microseconds.</summary>
public static class UnixTime
{
    /// <summary>The moment, cut to a microsecond. Every <see cref="long"/> fits: the years 1677 to 2262.</summary>
    public static DateTimeOffset ToDateTimeOffset(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(Math.DivRem(nanoseconds, 1000).Quotient * TimeSpan.TicksPerMicrosecond);

    /// <summary>The moment in ns since the Unix epoch.</summary>
    public static long ToNanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
