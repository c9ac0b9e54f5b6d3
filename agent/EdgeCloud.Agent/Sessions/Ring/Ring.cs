using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// What a ring session gives up. Segments that are pinned or asked for stay, whatever the limits; the others go oldest first, acknowledged ones as
/// released, the rest as discarded with the cause. They keep their places in the chain, and the session's ledger counts what was in them.
/// </summary>
internal static class Ring
{
    /// <summary>Runs over what lies beyond a session's limits; everything that is not kept for somebody, when the session is over.</summary>
    public static void RunOver(Session session)
    {
        if (session.File.Manifest.Ring is not { } ring || session.State is SessionState.Cancelled)
            return;
        var held = session.Segments.Where(s => s.HasMedia && !IsKept(s)).ToList();
        if (held.Count == 0)
            return;
        var newestNs = session.Segments[^1].State.LogTimeEndNs;
        var bytes = held.Sum(s => s.State.Bytes);
        foreach (var segment in held)
        {
            var cause = !session.State.IsLive() ? "ring: the session ended"
                : ring.Minutes is { } minutes && segment.State.LogTimeEndNs < newestNs - minutes * 60e9 ? $"ring: older than {minutes} minutes"
                : ring.Bytes is { } limit && bytes > limit ? $"ring: more than {limit} bytes"
                : null;
            if (cause is null)
                break;
            if (TryGiveUp(segment, cause))
                bytes -= segment.State.Bytes;
        }
        session.ForgetRunOver();
    }

    /// <summary>Gives up the oldest segment of all ring sessions that nobody wants; null when there is none.</summary>
    public static Segment? GiveUpOldest(SessionBook book, string cause) => book.All
        .Where(s => s.File.Manifest.Ring is not null)
        .SelectMany(s => s.Segments)
        .Where(s => s.HasMedia && !IsKept(s))
        .OrderBy(s => s.State.LogTimeStartNs)
        .FirstOrDefault(s => TryGiveUp(s, cause));

    private static bool IsKept(Segment segment) => segment.Session.IsRequested(segment);

    private static bool TryGiveUp(Segment segment, string cause) =>
        segment.Custody is Custody.Acknowledged ? segment.TryRelease() : segment.TryDiscard(cause);
}
