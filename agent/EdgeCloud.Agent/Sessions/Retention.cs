using EdgeCloud.Agent.Configuration;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>A segment that is to be deleted on the robot, and why.</summary>
internal readonly record struct Expiry(Segment Segment, string Cause);

/// <summary>
/// Which recordings go from the robot's disk: acknowledged ones only, whose objects the control plane has checked. At once, unless they are to be
/// kept; then by age, by the size of all that is kept, and by free space, oldest first. What an event holds on to goes last, and never by age.
/// </summary>
internal static class Retention
{
    /// <summary>What goes now, in order.</summary>
    /// <param name="sessions">All sessions of the robot.</param>
    /// <param name="settings">What is to be kept.</param>
    /// <param name="missingBytes">Bytes that have to become free; 0 when there is space enough.</param>
    /// <param name="now">The wall clock.</param>
    public static IReadOnlyList<Expiry> Plan(IEnumerable<Session> sessions, DiskSettings settings, long missingBytes, DateTimeOffset now)
    {
        var kept = sessions.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Acknowledged)
            .Select(s => (Segment: s, IsPinned: s.Session.PinsOn(s) > 0)).OrderBy(s => s.IsPinned).ThenBy(s => s.Segment.State.LogTimeStartNs).ToList();
        if (!settings.KeepAcknowledged)
            return [.. kept.Select(s => new Expiry(s.Segment, "acknowledged, and disk.keep_acknowledged is false"))];
        List<Expiry> plan = [];
        var size = kept.Sum(s => s.Segment.State.Bytes);
        var oldest = settings.KeepHours == 0 ? long.MinValue : WallClock.ToNs(now - TimeSpan.FromHours(settings.KeepHours));
        foreach (var (segment, isPinned) in kept)
        {
            var cause = !isPinned && segment.State.LogTimeEndNs < oldest ? $"older than disk.keep_hours ({settings.KeepHours})"
                : settings.KeepBytes > 0 && size > settings.KeepBytes ? $"more than disk.keep_bytes ({settings.KeepBytes}) is kept"
                : missingBytes > 0 ? "its space is needed"
                : null;
            if (cause is null)
                continue;
            plan.Add(new Expiry(segment, cause));
            size -= segment.State.Bytes;
            missingBytes -= segment.State.Bytes;
        }
        return plan;
    }
}
