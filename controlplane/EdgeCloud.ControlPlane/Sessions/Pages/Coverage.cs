using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A segment as the timeline needs it.</summary>
/// <param name="Sequence">Place in the session, from 1.</param>
/// <param name="FromNs">Least log time, ns since the Unix epoch; 0 without messages.</param>
/// <param name="ToNs">Greatest log time, ns since the Unix epoch; 0 without messages.</param>
/// <param name="Custody">Where it is.</param>
/// <param name="Lost">Messages lost since the previous segment.</param>
public sealed record SegmentSpan(int Sequence, long FromNs, long ToNs, Custody Custody, long Lost);

/// <summary>What the recording holds of a stretch of time, from best to worst: in a pixel that holds several, the last wins.</summary>
public enum Presence
{
    /// <summary>Announced segments cover it.</summary>
    Recorded,
    /// <summary>The robot has not announced anything of it yet, which is no gap.</summary>
    Unreported,
    /// <summary>The session was paused.</summary>
    Paused,
    /// <summary>Expected and absent: between two segments, or in one that was given up.</summary>
    Gap,
}

/// <summary>A stretch of the timeline, in percent of its width.</summary>
public sealed record Stretch<T>(double From, double Width, T State);

/// <summary>A loss on the timeline.</summary>
/// <param name="At">Place, in percent of the width.</param>
/// <param name="Sequence">Segment whose ledger counts it, the first of several.</param>
/// <param name="Lost">Messages.</param>
public sealed record LossMark(double At, int Sequence, long Lost);

/// <summary>
/// A session's time, cut into columns about as wide as a pixel: in each the worst of what it holds wins, so that no zoom level hides a
/// gap or a loss. Times between segments shorter than <see cref="ToleranceNs"/> count as recorded, since slow topics leave such holes.
/// </summary>
public sealed record Coverage
{
    /// <summary>Columns: on a lane from 500 to 1600 pixels wide at most two a pixel.</summary>
    public const int Columns = 1000;

    /// <summary>Holes up to this long are not called gaps.</summary>
    public const long ToleranceNs = 2_000_000_000;

    /// <summary>Left end, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>Right end, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    public required IReadOnlyList<Stretch<Presence>> Presence { get; init; }
    public required IReadOnlyList<Stretch<Custody>> Custody { get; init; }
    public required IReadOnlyList<LossMark> Losses { get; init; }

    /// <summary>How much of what should have been recorded was, in percent: pauses and what is not reported yet do not count; null when nothing should.</summary>
    public double? RecordedPercent
    {
        get
        {
            var recorded = Presence.Where(p => p.State == Pages.Presence.Recorded).Sum(p => p.Width);
            var missing = Presence.Where(p => p.State == Pages.Presence.Gap).Sum(p => p.Width);
            return recorded + missing > 0 ? 100 * recorded / (recorded + missing) : null;
        }
    }

    /// <summary>How much time one column stands for.</summary>
    public TimeSpan PerColumn => TimeSpan.FromTicks((ToNs - FromNs) / 100 / Columns);

    /// <summary>Draws the whole of a session that began at <paramref name="fromNs"/> and ended, or has come, to <paramref name="toNs"/>.</summary>
    public static Coverage Of(long fromNs, long toNs, bool isOver, IReadOnlyList<SegmentSpan> segments, IReadOnlyList<PauseInterval> pauses)
    {
        var presence = PresenceSpans.Of(fromNs, toNs, isOver, segments, pauses);
        return Of(presence, presence.FromNs, presence.ToNs, segments);
    }

    /// <summary>Draws the part of a session from <paramref name="fromNs"/> to <paramref name="toNs"/>.</summary>
    public static Coverage Of(PresenceSpans spans, long fromNs, long toNs, IReadOnlyList<SegmentSpan> segments)
    {
        var presence = new Raster(fromNs, toNs);
        foreach (var span in spans.Spans)
            presence.PaintWorst(span.FromNs, span.ToNs, (byte)(1 + (int)span.State));
        return OfCustody(fromNs, toNs, segments) with { Presence = [.. presence.Runs().Select(r => r.Stretch((Presence)(r.State - 1)))] };
    }

    /// <summary>Draws custody and losses of segments that need not be of one session, without saying what should have been recorded.</summary>
    public static Coverage OfCustody(long fromNs, long toNs, IReadOnlyList<SegmentSpan> segments)
    {
        var custody = new Raster(fromNs, toNs);
        var filled = segments.Where(s => s.FromNs > 0).OrderBy(s => s.FromNs).ToList();
        var endNs = long.MaxValue;
        foreach (var segment in filled)
        {
            // The short hole before a segment is the segment's.
            var begin = segment.FromNs > endNs && segment.FromNs - endNs <= ToleranceNs ? endNs : segment.FromNs;
            custody.PaintWorst(begin, segment.ToNs, (byte)(1 + Badness(segment.Custody)));
            endNs = endNs == long.MaxValue ? segment.ToNs : Math.Max(endNs, segment.ToNs);
        }
        return new Coverage
        {
            FromNs = fromNs,
            ToNs = toNs,
            Presence = [],
            Custody = [.. custody.Runs().Select(r => r.Stretch(ByBadness[r.State - 1]))],
            Losses = MarksOf(custody, filled.Where(s => s.Lost > 0)),
        };
    }

    // Marks are three pixels wide: closer ones are one, with the sum.
    internal static List<LossMark> MarksOf(Raster raster, IEnumerable<SegmentSpan> lossy)
    {
        const double Width = 300.0 / Columns;
        var marks = new List<LossMark>();
        foreach (var segment in lossy.Where(s => s.ToNs >= raster.FromNs && s.FromNs <= raster.ToNs))
        {
            var at = raster.PercentOf(segment.FromNs + ((segment.ToNs - segment.FromNs) / 2));
            if (marks is [.., var last] && at - last.At < Width)
                marks[^1] = last with { Lost = last.Lost + segment.Lost };
            else
                marks.Add(new LossMark(at, segment.Sequence, segment.Lost));
        }
        return marks;
    }

    private static readonly Custody[] ByBadness =
    [
        Contracts.Custody.Released, Contracts.Custody.Acknowledged, Contracts.Custody.Uploaded, Contracts.Custody.Uploading,
        Contracts.Custody.Sealed, Contracts.Custody.Open, Contracts.Custody.Quarantined, Contracts.Custody.Discarded,
    ];

    private static int Badness(Custody custody) => Array.IndexOf(ByBadness, custody);
}
