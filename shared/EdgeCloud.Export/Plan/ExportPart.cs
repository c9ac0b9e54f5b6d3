using EdgeCloud.Contracts;

namespace EdgeCloud.Export;

/// <summary>
/// A stretch of time of an export, made on its own: by any process, at any time, again if need be. Its files carry its number.
/// </summary>
/// <remarks>
/// Parts are cut by time and not by topic, since the messages of all topics lie in the same chunks: a part for one topic would fetch and
/// decompress everything to keep little of it.
/// </remarks>
/// <param name="Index">Place among the parts, from 0.</param>
/// <param name="Count">How many parts there are.</param>
/// <param name="FromNs">Least log time of its rows, ns, inclusive; null in the first part of an export without a start.</param>
/// <param name="ToNs">End of its rows, ns, exclusive; null in the last part of an export without an end.</param>
/// <param name="Sessions">What it reads: of each session the segments that overlap it.</param>
public sealed record ExportPart(int Index, int Count, long? FromNs, long? ToNs, IReadOnlyList<PlannedSession> Sessions)
{
    /// <summary>Bytes of all segments that it reads; a segment on a border is read by two parts.</summary>
    public long InputBytes() => Sessions.Sum(s => s.Segments.Sum(g => g.Bytes));

    /// <summary>For messages: <c>part 2 of 5</c>.</summary>
    public override string ToString() => $"part {Index + 1} of {Count}";
}

/// <summary>Cuts a plan into parts.</summary>
internal static class PartSplit
{
    /// <summary>About 256 MiB each: enough work to outweigh opening files, little enough to be done again after a death.</summary>
    private const long DefaultPartBytes = 256L << 20;

    /// <summary>A year: whoever wants more of a margin wants everything.</summary>
    private const long MarginMax = 366L * 86_400 * 1_000_000_000;

    /// <summary>How far around a part's own time it must read to make the same of a message as its neighbour: sampling and alignment.</summary>
    public static long Margin(ExportSettings settings)
    {
        long ns = 0;
        foreach (var sampling in settings.Sampling)
            ns = Math.Max(ns, sampling.RateHz is { } rate ? (long)Math.Min(Math.Ceiling(1e9 / rate), MarginMax) : 0);
        return settings.Alignment is { } alignment ? Math.Max(ns, Math.Min(alignment.ToleranceNs, MarginMax)) : ns;
    }

    /// <summary>A time less a margin, as far as numbers reach.</summary>
    public static long? Before(long? ns, long margin) => ns is { } time ? Math.Max(time, long.MinValue + margin) - margin : null;

    /// <summary>A time and a margin, as far as numbers reach.</summary>
    public static long? After(long? ns, long margin) => ns is { } time ? Math.Min(time, long.MaxValue - margin) + margin : null;

    public static IReadOnlyList<ExportPart> Of(ExportPlan plan)
    {
        var cuts = Cuts(plan);
        var margin = Margin(plan.Settings);
        var parts = new ExportPart[cuts.Count + 1];
        for (var i = 0; i < parts.Length; i++)
        {
            var from = i == 0 ? plan.Settings.FromNs : cuts[i - 1];
            var to = i == cuts.Count ? plan.Settings.ToNs : cuts[i];
            var sessions = plan.Sessions
                .Select(s => s with { Segments = PlannedSegment.InRange(s.Segments, Before(from, margin), After(to, margin)) })
                .Where(s => s.Segments.Count > 0 && s.Overlaps(Before(from, margin), After(to, margin)));
            parts[i] = new ExportPart(i, parts.Length, from, to, [.. sessions]);
        }
        return parts;
    }

    /// <summary>Times at which one part ends and the next begins: starts of segments, so that few segments are read twice.</summary>
    private static List<long> Cuts(ExportPlan plan)
    {
        var cuts = new List<long>();
        // Counting every n-th message needs all that came before.
        if (plan.Settings.Sampling.Any(s => s.Every is not null))
            return cuts;
        var target = plan.Settings.PartBytes ?? DefaultPartBytes;
        var segments = plan.Sessions.SelectMany(s => s.Segments).OrderBy(g => g.StartNs).ToList();
        var last = segments.Count == 0 ? 0 : Math.Max(segments[0].StartNs, plan.Settings.FromNs ?? long.MinValue);
        long bytes = 0;
        foreach (var segment in segments)
        {
            if (bytes > 0 && bytes + segment.Bytes / 2 > target && segment.StartNs > last
                && (plan.Settings.ToNs is not { } end || segment.StartNs < end))
            {
                cuts.Add(last = segment.StartNs);
                bytes = 0;
            }
            bytes += segment.Bytes;
        }
        return cuts;
    }
}
