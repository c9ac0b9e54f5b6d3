namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Notices that the wall clock was set, by comparing it with the monotonic clock. Time services that slew it by parts per thousand stay below
/// the threshold.
/// </summary>
internal sealed class ClockWatch(TimeProvider clock)
{
    /// <summary>Smaller jumps between two looks are slewing, ns.</summary>
    public const long LeastJumpNs = 100_000_000;

    private const long GoodWidthNs = 1_000_000;
    private const int MaxReadings = 10;

    private Reading _last = Read(clock);

    /// <summary>The wall clock, and the time on the monotonic clock in which it was read.</summary>
    private readonly record struct Reading(long WallNs, long Timestamp, long WidthNs);

    /// <summary>How far the wall clock jumped since the last look, ns; 0 when it did not, or when that is not certain.</summary>
    public long Look()
    {
        var now = Read(clock);
        var jump = now.WallNs - _last.WallNs - ElapsedNs(clock, _last.Timestamp, now.Timestamp);
        // The wall clock may have been read that much later than the other one.
        var uncertain = now.WidthNs + _last.WidthNs;
        var isJump = Math.Abs(jump) >= LeastJumpNs + uncertain;
        // What is uncertain because of this look, the next one tells.
        if (isJump || Math.Abs(jump) < LeastJumpNs || now.WidthNs <= _last.WidthNs)
            _last = now;
        return isJump ? jump : 0;
    }

    /// <summary>Reads both clocks; again when the thread was held up between them, as on a robot that is short of processors.</summary>
    private static Reading Read(TimeProvider clock)
    {
        var best = new Reading(0, 0, long.MaxValue);
        for (var i = 0; i < MaxReadings && best.WidthNs > GoodWidthNs; i++)
        {
            var before = clock.GetTimestamp();
            var wallNs = clock.NowNs();
            var width = ElapsedNs(clock, before, clock.GetTimestamp());
            if (width < best.WidthNs)
                best = new Reading(wallNs, before, width);
        }
        return best;
    }

    private static long ElapsedNs(TimeProvider clock, long from, long to) =>
        clock.GetElapsedTime(from, to).Ticks * TimeSpan.NanosecondsPerTick;
}
