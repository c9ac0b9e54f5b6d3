using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts;

/// <summary>A stretch of log time.</summary>
/// <param name="FromNs">First log time, ns since the Unix epoch, inclusive; null means from the start.</param>
/// <param name="ToNs">Last log time, ns since the Unix epoch, exclusive; null means to the end.</param>
public sealed record TimeRange(long? FromNs, long? ToNs)
{
    /// <summary>True when there is no time in it.</summary>
    [JsonIgnore]
    public bool IsEmpty => FromNs is { } from && ToNs is { } to && from >= to;

    /// <summary>True when it and the log times from <paramref name="firstNs"/> to <paramref name="lastNs"/>, both included, have one in common.</summary>
    public bool Overlaps(long firstNs, long lastNs) => !IsEmpty && (FromNs is not { } from || from <= lastNs) && (ToNs is not { } to || to > firstNs);

    /// <summary>The same times in as few ranges as possible, in order; empty ranges go.</summary>
    public static IReadOnlyList<TimeRange> Union(IEnumerable<TimeRange> ranges)
    {
        List<TimeRange> union = [];
        foreach (var range in ranges.Where(r => !r.IsEmpty).OrderBy(r => r.FromNs ?? long.MinValue))
        {
            if (union.Count == 0 || union[^1].ToNs is { } end && end < (range.FromNs ?? long.MinValue))
                union.Add(range);
            else
                union[^1] = union[^1] with { ToNs = union[^1].ToNs is { } a && range.ToNs is { } b ? Math.Max(a, b) : null };
        }
        return union;
    }
}
