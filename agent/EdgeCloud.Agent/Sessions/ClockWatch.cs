namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Notices that the wall clock was set, by comparing it with the monotonic clock. Time services that slew it by parts per thousand stay below
/// the threshold.
/// </summary>
internal sealed class ClockWatch(TimeProvider clock)
{
    /// <summary>Smaller jumps between two looks are slewing, or the looks' own jitter, ns.</summary>
    public const long LeastJumpNs = 100_000_000;

    private long _wallNs = clock.NowNs();
    private long _timestamp = clock.GetTimestamp();

    /// <summary>How far the wall clock jumped since the last look, ns; 0 when it did not.</summary>
    public long Look()
    {
        var (wallNs, timestamp) = (clock.NowNs(), clock.GetTimestamp());
        var jump = wallNs - _wallNs - (clock.GetElapsedTime(_timestamp, timestamp).Ticks * TimeSpan.NanosecondsPerTick);
        (_wallNs, _timestamp) = (wallNs, timestamp);
        return Math.Abs(jump) >= LeastJumpNs ? jump : 0;
    }
}
