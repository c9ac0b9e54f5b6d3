using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A session's timeline: the whole in small, the chosen range topic by topic, and what is missing.</summary>
public sealed record Timeline
{
    /// <summary>How many incidents are listed; the rest is counted.</summary>
    public const int IncidentsShown = 200;
    /// <summary>How many lanes are drawn; the rest is counted.</summary>
    public const int LanesShown = 120;

    /// <summary>The whole session.</summary>
    public required Coverage Whole { get; init; }
    /// <summary>The chosen range, which is the whole unless somebody chose.</summary>
    public required Coverage Range { get; init; }
    /// <summary>Topics over the chosen range.</summary>
    public required IReadOnlyList<TopicLane> Lanes { get; init; }
    /// <summary>Topics, also those that are not drawn.</summary>
    public required int Topics { get; init; }
    /// <summary>What the chosen range holds.</summary>
    public required RangeFigures Figures { get; init; }
    /// <summary>The first of what is missing from the whole session.</summary>
    public required IReadOnlyList<Incident> Incidents { get; init; }
    /// <summary>How much is missing in all.</summary>
    public required int IncidentCount { get; init; }

    /// <summary>True when a part of the session was chosen.</summary>
    public bool IsPart => Range.FromNs > Whole.FromNs || Range.ToNs < Whole.ToNs;

    /// <summary>Draws a session that began at <paramref name="fromNs"/> and ended, or has come, to <paramref name="toNs"/>.</summary>
    public static Timeline Of(
        long fromNs, long toNs, bool isOver, SessionParts parts, IReadOnlyList<PauseInterval> pauses, SessionAddress view)
    {
        var spans = parts.Segments.Select(s => s.Span).ToList();
        var presence = PresenceSpans.Of(fromNs, toNs, isOver, spans, pauses);
        var (begin, end) = Chosen(presence, view);
        var topics = TopicHistory.Of(parts.Segments, presence);
        var incidents = Pages.Incidents.Of(parts.Segments, presence, topics);
        return new Timeline
        {
            Whole = Coverage.Of(presence, presence.FromNs, presence.ToNs, spans),
            Range = Coverage.Of(presence, begin, end, spans),
            Lanes = [.. topics.Take(LanesShown).Select(t => t.Lane(begin, end))],
            Topics = topics.Count,
            Figures = RangeFigures.Of(parts.Segments, presence, begin, end, view.Topics),
            Incidents = [.. incidents.Take(IncidentsShown)],
            IncidentCount = incidents.Count,
        };
    }

    // Within the session, and never so short that nothing is seen of it.
    private static (long FromNs, long ToNs) Chosen(PresenceSpans presence, SessionAddress view)
    {
        const long Shortest = 1_000_000;
        var from = Math.Clamp(view.FromNs ?? presence.FromNs, presence.FromNs, presence.ToNs);
        var to = Math.Clamp(view.ToNs ?? presence.ToNs, presence.FromNs, presence.ToNs);
        return to - from >= Math.Min(Shortest, presence.ToNs - presence.FromNs) ? (from, to) : (presence.FromNs, presence.ToNs);
    }
}
