namespace EdgeCloud.Agent;

/// <summary>Times as the contracts carry them.</summary>
internal static class WallClock
{
    /// <summary>The wall clock, ns since the Unix epoch.</summary>
    public static long NowNs(this TimeProvider clock) => ToNs(clock.GetUtcNow());

    public static long ToNs(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    public static DateTimeOffset FromNs(long ns) => DateTimeOffset.UnixEpoch.AddTicks(ns / TimeSpan.NanosecondsPerTick);
}
