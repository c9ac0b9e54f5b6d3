namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What a topic's lane shows in a column, from least to worst: in a pixel that holds several, the last wins.</summary>
public enum LaneState : byte
{
    /// <summary>Not offered: before its first message, or an event topic that was silent.</summary>
    None,
    /// <summary>Messages of a topic without a steady rate.</summary>
    Event,
    /// <summary>At least nine tenths of the usual rate.</summary>
    Full,
    /// <summary>At least six tenths.</summary>
    Most,
    /// <summary>At least three tenths.</summary>
    Some,
    /// <summary>Less than three tenths.</summary>
    Little,
    /// <summary>Not reported yet: unknown, and no gap.</summary>
    Unreported,
    /// <summary>The session was paused.</summary>
    Paused,
    /// <summary>Expected and absent.</summary>
    Gap,
}

/// <summary>A time in which a steady topic was silent.</summary>
public readonly record struct TopicGap(string Topic, long FromNs, long ToNs);

/// <summary>One topic over the time that is shown.</summary>
public sealed record TopicLane
{
    public required string Topic { get; init; }
    public required string Type { get; init; }
    /// <summary>Its usual rate, Hz; null for a topic without a steady one (latched, events), which has no gaps either.</summary>
    public required double? ExpectedHz { get; init; }
    /// <summary>Messages in the whole session.</summary>
    public required long Messages { get; init; }
    /// <summary>Payload bytes in the whole session.</summary>
    public required long Bytes { get; init; }
    /// <summary>Messages lost in the whole session.</summary>
    public required long Lost { get; init; }
    public required IReadOnlyList<ColumnRun> Runs { get; init; }
    public required IReadOnlyList<LossMark> Losses { get; init; }
}

/// <summary>
/// A topic in the whole session, from which lanes of any stretch are drawn. Its usual rate is the median over the segments. Silences of
/// a steady topic are gaps when they are longer than <see cref="ToleranceNs"/>; what lies within a segment, between the topic's first
/// and last message there, is known only by its mean rate, which is the darkness of the lane.
/// </summary>
internal sealed class TopicHistory
{
    private const int PeriodsTolerated = 5;
    private const double SteadyHz = 0.2;
    private const int SteadyMessages = 10;

    private readonly List<(TopicPart Part, SegmentSpan Segment)> _parts = [];
    private readonly List<(TopicLoss Loss, SegmentSpan Segment)> _losses = [];
    private readonly List<(long FromNs, long ToNs, LaneState State)> _spans = [];

    private TopicHistory(string topic) => Topic = topic;

    public string Topic { get; }

    public double? ExpectedHz { get; private set; }

    /// <summary>Silences up to this long are no gaps.</summary>
    public long ToleranceNs => Math.Max(Coverage.ToleranceNs, ExpectedHz is { } hz ? (long)(PeriodsTolerated * 1e9 / hz) : 0);

    /// <summary>The gaps, without those in which the session recorded nothing at all.</summary>
    public List<TopicGap> Gaps { get; } = [];

    /// <summary>Losses by segment.</summary>
    public IReadOnlyList<(TopicLoss Loss, SegmentSpan Segment)> Losses => _losses;

    public IReadOnlyList<(TopicPart Part, SegmentSpan Segment)> Parts => _parts;

    /// <summary>The topics of a session, by name.</summary>
    public static List<TopicHistory> Of(IReadOnlyCollection<SegmentPart> segments, PresenceSpans presence)
    {
        var topics = new SortedDictionary<string, TopicHistory>(StringComparer.Ordinal);
        foreach (var segment in segments)
        {
            if (!PresenceSpans.IsGone(segment.Span.Custody))
            {
                foreach (var part in segment.Topics)
                    Find(part.Topic)._parts.Add((part, segment.Span));
            }
            foreach (var loss in segment.Losses)
                Find(loss.Topic)._losses.Add((loss, segment.Span));
        }
        foreach (var topic in topics.Values)
            topic.Settle(presence);
        return [.. topics.Values];

        TopicHistory Find(string name) => topics.TryGetValue(name, out var known) ? known : topics[name] = new TopicHistory(name);
    }

    /// <summary>The lane between two moments.</summary>
    public TopicLane Lane(long fromNs, long toNs)
    {
        var raster = new Raster(fromNs, toNs);
        foreach (var span in _spans)
            raster.PaintWorst(span.FromNs, span.ToNs, (byte)span.State);
        return new TopicLane
        {
            Topic = Topic,
            Type = _parts.Count > 0 ? _parts[^1].Part.Type : "",
            ExpectedHz = ExpectedHz,
            Messages = _parts.Sum(p => p.Part.Messages),
            Bytes = _parts.Sum(p => p.Part.Bytes),
            Lost = _losses.Sum(l => l.Loss.Count),
            Runs = [.. raster.Runs()],
            Losses = Coverage.MarksOf(raster, _losses.Select(l => l.Segment with { Lost = l.Loss.Count })),
        };
    }

    private void Settle(PresenceSpans presence)
    {
        _parts.Sort((a, b) => a.Part.FirstNs.CompareTo(b.Part.FirstNs));
        ExpectedHz = UsualHz();
        if (_parts.Count == 0)
            return;
        foreach (var (part, _) in _parts)
            _spans.Add((part.FirstNs, part.LastNs, ExpectedHz is { } usual ? Level(Hz(part) / usual) : LaneState.Event));
        foreach (var span in presence.Spans.Where(s => s.State is Presence.Paused or Presence.Unreported))
            _spans.Add((span.FromNs, span.ToNs, span.State == Presence.Paused ? LaneState.Paused : LaneState.Unreported));
        if (ExpectedHz is not null)
            AddSilences(presence);
    }

    // From its first message on a steady topic is expected: between its parts, and to the end of what is known.
    private void AddSilences(PresenceSpans presence)
    {
        var endNs = _parts[0].Part.LastNs;
        var before = Level(Hz(_parts[0].Part) / ExpectedHz!.Value);
        foreach (var (part, _) in _parts.Skip(1).Append((new TopicPart(Topic, "", "", 0, 0, presence.ReportedToNs, presence.ReportedToNs), default!)))
        {
            if (part.FirstNs - endNs > ToleranceNs)
                AddSilence(endNs, part.FirstNs, presence);
            else if (part.FirstNs > endNs)
                _spans.Add((endNs, part.FirstNs, before));
            endNs = Math.Max(endNs, part.LastNs);
            before = part.Messages > 0 ? Level(Hz(part) / ExpectedHz.Value) : before;
        }
    }

    private void AddSilence(long fromNs, long toNs, PresenceSpans presence)
    {
        foreach (var span in presence.Spans)
        {
            var (from, to) = (Math.Max(span.FromNs, fromNs), Math.Min(span.ToNs, toNs));
            if (to - from <= ToleranceNs)
                continue;
            if (span.State is Presence.Gap or Presence.Recorded)
                _spans.Add((from, to, LaneState.Gap));
            if (span.State == Presence.Recorded)
                Gaps.Add(new TopicGap(Topic, from, to));
        }
    }

    private double? UsualHz()
    {
        var rates = _parts.Where(p => p.Part.Messages > 1 && p.Part.LastNs > p.Part.FirstNs).Select(p => Hz(p.Part)).Order().ToList();
        if (rates.Count == 0 || _parts.Sum(p => p.Part.Messages) < SteadyMessages)
            return null;
        var usual = rates[rates.Count / 2];
        var alike = rates.Count(r => r >= usual / 2 && r <= usual * 2);
        // A steady topic runs through the segments in which it is; bursts of a rare one do not.
        var present = _parts.Sum(p => (double)(p.Part.LastNs - p.Part.FirstNs));
        var possible = _parts.Sum(p => (double)(p.Segment.ToNs - p.Segment.FromNs));
        return usual >= SteadyHz && alike * 4 >= rates.Count * 3 && present * 2 >= possible ? usual : null;
    }

    private static double Hz(TopicPart part) =>
        part.LastNs > part.FirstNs ? (part.Messages - 1) * 1e9 / (part.LastNs - part.FirstNs) : double.PositiveInfinity;

    private static LaneState Level(double share) => share switch
    {
        >= 0.9 => LaneState.Full,
        >= 0.6 => LaneState.Most,
        >= 0.3 => LaneState.Some,
        _ => LaneState.Little,
    };
}
