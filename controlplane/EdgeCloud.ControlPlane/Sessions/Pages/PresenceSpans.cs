using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A stretch of a session's time.</summary>
/// <param name="FromNs">Begin, ns since the Unix epoch.</param>
/// <param name="ToNs">End, ns since the Unix epoch.</param>
/// <param name="State">What is recorded of it.</param>
public readonly record struct PresenceSpan(long FromNs, long ToNs, Presence State);

/// <summary>
/// What a session recorded, over its whole time and without holes. Spans follow one another but for segments that were given up, which
/// lie over the others as gaps.
/// </summary>
public sealed class PresenceSpans
{
    private PresenceSpans(long fromNs, long toNs, long reportedToNs, IReadOnlyList<PresenceSpan> spans) =>
        (FromNs, ToNs, ReportedToNs, Spans) = (fromNs, toNs, reportedToNs, spans);

    /// <summary>The session's begin, or that of its first message where the robot's clock says so; ns since the Unix epoch.</summary>
    public long FromNs { get; }
    /// <summary>Its end, or how far it has come.</summary>
    public long ToNs { get; }
    /// <summary>Up to here it is known what was recorded.</summary>
    public long ReportedToNs { get; }
    /// <summary>The spans, in order.</summary>
    public IReadOnlyList<PresenceSpan> Spans { get; }

    /// <summary>Of a session that began at <paramref name="fromNs"/> and ended, or has come, to <paramref name="toNs"/>.</summary>
    public static PresenceSpans Of(long fromNs, long toNs, bool isOver, IReadOnlyList<SegmentSpan> segments, IReadOnlyList<PauseInterval> pauses)
    {
        var filled = segments.Where(s => s.FromNs > 0).OrderBy(s => s.FromNs).ToList();
        var lastNs = filled.Count > 0 ? filled.Max(s => s.ToNs) : fromNs;
        fromNs = Math.Min(fromNs, filled.Count > 0 ? filled[0].FromNs : fromNs);
        toNs = Math.Max(Math.Max(toNs, fromNs + 1), lastNs);
        var reportedToNs = isOver ? toNs : Math.Max(lastNs, fromNs);
        var present = filled.Where(s => !IsGone(s.Custody)).Select(s => new PresenceSpan(s.FromNs, s.ToNs, Presence.Recorded))
            .Concat(pauses.Select(p => new PresenceSpan(Math.Max(p.FromNs, fromNs), Math.Min(p.ToNs ?? toNs, toNs), Presence.Paused)))
            .Where(s => s.ToNs >= s.FromNs)
            .OrderBy(s => s.FromNs);
        var spans = WithHoles(present, fromNs, reportedToNs);
        if (toNs > reportedToNs)
            spans.Add(new PresenceSpan(reportedToNs, toNs, Presence.Unreported));
        spans.AddRange(filled.Where(s => IsGone(s.Custody)).Select(s => new PresenceSpan(s.FromNs, s.ToNs, Presence.Gap)));
        return new PresenceSpans(fromNs, toNs, reportedToNs, spans);
    }

    /// <summary>True for a segment whose data is in no safe place and will not be.</summary>
    public static bool IsGone(Custody custody) => custody is Custody.Discarded or Custody.Quarantined;

    // A hole is a gap when it is long. What stands before a short one goes on through it, or else what stands behind it.
    private static List<PresenceSpan> WithHoles(IEnumerable<PresenceSpan> present, long fromNs, long toNs)
    {
        var spans = new List<PresenceSpan>();
        var endNs = fromNs;
        foreach (var span in present)
        {
            var begin = span.FromNs;
            if (begin > endNs)
            {
                if (begin - endNs > Coverage.ToleranceNs)
                    spans.Add(new PresenceSpan(endNs, begin, Presence.Gap));
                else if (spans is [.., var before])
                    spans[^1] = before with { ToNs = begin };
                else
                    begin = endNs;
            }
            spans.Add(span with { FromNs = begin });
            endNs = Math.Max(endNs, span.ToNs);
        }
        if (toNs > endNs)
        {
            if (spans.Count > 0 && toNs - endNs <= Coverage.ToleranceNs)
                spans[^1] = spans[^1] with { ToNs = toNs };
            else
                spans.Add(new PresenceSpan(endNs, toNs, Presence.Gap));
        }
        return spans;
    }
}
