using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>
/// What a range of a session holds: whole segments are known exactly, of those that it cuts the share of their time is taken, so the
/// figures are estimates unless the range is the whole session.
/// </summary>
/// <param name="Bytes">Of all segments, as files; of chosen topics, their payload.</param>
/// <param name="Messages">Messages.</param>
/// <param name="OnRobotBytes">Bytes of segments of which the only copy is on the robot: what a fetch brings, whole segments.</param>
/// <param name="OnRobotSegments">Those segments.</param>
/// <param name="GoneNs">Time in it in which nothing was recorded, ns.</param>
public sealed record RangeFigures(long Bytes, long Messages, long OnRobotBytes, int OnRobotSegments, long GoneNs)
{
    /// <summary>Of the range between two moments, of some topics or, when none is given, all.</summary>
    internal static RangeFigures Of(
        IReadOnlyCollection<SegmentPart> segments, PresenceSpans presence, long fromNs, long toNs, IReadOnlyList<string> topics)
    {
        var (bytes, messages, onRobot, onRobotSegments) = (0.0, 0.0, 0L, 0);
        foreach (var segment in segments.Where(s => !PresenceSpans.IsGone(s.Span.Custody) && s.Span.ToNs >= fromNs && s.Span.FromNs <= toNs))
        {
            var share = Share(segment.Span.FromNs, segment.Span.ToNs, fromNs, toNs);
            var parts = topics.Count == 0 ? segment.Topics : [.. segment.Topics.Where(t => topics.Contains(t.Topic))];
            messages += parts.Sum(t => t.Messages * Share(t.FirstNs, t.LastNs, fromNs, toNs));
            bytes += topics.Count == 0 ? segment.Bytes * share : parts.Sum(t => t.Bytes * Share(t.FirstNs, t.LastNs, fromNs, toNs));
            if (segment.Span.Custody is Custody.Open or Custody.Sealed or Custody.Uploading)
            {
                onRobot += segment.Bytes;
                onRobotSegments++;
            }
        }
        var gone = presence.Spans.Where(s => s.State == Presence.Gap)
            .Sum(s => Math.Max(0, Math.Min(s.ToNs, toNs) - Math.Max(s.FromNs, fromNs)));
        return new RangeFigures((long)bytes, (long)messages, onRobot, onRobotSegments, gone);
    }

    // Of a stretch of time, how much lies between two moments; a moment is in or out.
    private static double Share(long beginNs, long endNs, long fromNs, long toNs)
    {
        var within = Math.Min(endNs, toNs) - Math.Max(beginNs, fromNs);
        return within < 0 ? 0 : endNs == beginNs ? 1 : Math.Min(1, (double)within / (endNs - beginNs));
    }
}
