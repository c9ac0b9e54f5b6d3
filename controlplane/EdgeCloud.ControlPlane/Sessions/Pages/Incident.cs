using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What is missing from a recording.</summary>
public enum IncidentKind
{
    /// <summary>Nothing at all was recorded.</summary>
    Gap,
    /// <summary>A steady topic was silent.</summary>
    Silence,
    /// <summary>Messages were lost; when exactly within the segment is not known.</summary>
    Loss,
    /// <summary>A segment was given up before it was safe.</summary>
    Discarded,
    /// <summary>A segment could not be repaired.</summary>
    Quarantined,
}

/// <summary>One line of the list of gaps and losses.</summary>
public sealed record Incident
{
    public required IncidentKind Kind { get; init; }
    /// <summary>Begin, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>End, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    /// <summary>Topic; empty when all are concerned.</summary>
    public string Topic { get; init; } = "";
    /// <summary>Messages lost; null where nobody counted.</summary>
    public long? Count { get; init; }
    /// <summary>Cause, as far as it is known.</summary>
    public string Cause { get; init; } = "";
    /// <summary>Segment that tells of it; null for times between segments.</summary>
    public int? Sequence { get; init; }
}

/// <summary>Everything that is missing from a recording, for those who look at the timeline, read the table or jump from one to the next.</summary>
internal static class Incidents
{
    /// <summary>All of them, in order of time.</summary>
    public static List<Incident> Of(IReadOnlyCollection<SegmentPart> segments, PresenceSpans presence, IReadOnlyList<TopicHistory> topics)
    {
        var gone = segments.Where(s => PresenceSpans.IsGone(s.Span.Custody) && s.Span.FromNs > 0).ToList();
        var found = new List<Incident>();
        found.AddRange(gone.Select(s => new Incident
        {
            Kind = s.Span.Custody == Custody.Quarantined ? IncidentKind.Quarantined : IncidentKind.Discarded,
            FromNs = s.Span.FromNs,
            ToNs = s.Span.ToNs,
            Count = s.Topics.Sum(t => t.Messages),
            Cause = s.Reason,
            Sequence = s.Span.Sequence,
        }));
        // Where a segment was given up, its line says so better.
        found.AddRange(presence.Spans
            .Where(p => p.State == Presence.Gap && !gone.Any(s => s.Span.FromNs <= p.ToNs && s.Span.ToNs >= p.FromNs))
            .Select(p => new Incident { Kind = IncidentKind.Gap, FromNs = p.FromNs, ToNs = p.ToNs, Cause = "nothing recorded" }));
        foreach (var topic in topics)
        {
            found.AddRange(topic.Gaps.Select(g => new Incident { Kind = IncidentKind.Silence, FromNs = g.FromNs, ToNs = g.ToNs, Topic = g.Topic, Cause = "the topic was silent" }));
            found.AddRange(topic.Losses.Select(l => new Incident
            {
                Kind = IncidentKind.Loss,
                FromNs = l.Segment.FromNs,
                ToNs = l.Segment.ToNs,
                Topic = topic.Topic,
                Count = l.Loss.Count,
                Cause = l.Loss.Cause,
                Sequence = l.Segment.Sequence,
            }));
        }
        found.Sort((a, b) => (a.FromNs, a.ToNs, a.Topic).CompareTo((b.FromNs, b.ToNs, b.Topic)));
        return found;
    }
}
