using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A segment as the timeline needs it.</summary>
/// <param name="Sequence">Place in the session, from 1.</param>
/// <param name="FromNs">Least log time, ns since the Unix epoch; 0 without messages.</param>
/// <param name="ToNs">Greatest log time, ns since the Unix epoch; 0 without messages.</param>
/// <param name="Custody">Where it is.</param>
/// <param name="Lost">Messages lost since the previous segment.</param>
public sealed record SegmentSpan(int Sequence, long FromNs, long ToNs, Custody Custody, long Lost);

/// <summary>What the recording holds of a stretch of time.</summary>
public enum Presence
{
    /// <summary>Announced segments cover it.</summary>
    Recorded,
    /// <summary>The session was paused.</summary>
    Paused,
    /// <summary>Expected and absent: between two segments, or in one that was given up.</summary>
    Gap,
    /// <summary>The robot has not announced anything of it yet, which is no gap.</summary>
    Unreported,
}

/// <summary>A stretch of the timeline, in percent of its width.</summary>
public sealed record Stretch<T>(double From, double Width, T State);

/// <summary>A loss on the timeline.</summary>
/// <param name="At">Place, in percent of the width.</param>
/// <param name="Sequence">Segment whose ledger counts it.</param>
/// <param name="Lost">Messages.</param>
public sealed record LossMark(double At, int Sequence, long Lost);

/// <summary>
/// A session's time, cut into columns about as wide as a pixel: in each the worst of what it holds wins, so that no zoom level hides a
/// loss. Times between segments shorter than <see cref="ToleranceNs"/> count as recorded, since slow topics leave such holes.
/// </summary>
public sealed record Coverage
{
    /// <summary>Columns: about as many as a wide screen shows pixels.</summary>
    public const int Columns = 1200;

    /// <summary>Holes up to this long are not called gaps.</summary>
    public const long ToleranceNs = 2_000_000_000;

    /// <summary>Left end, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>Right end, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    public required IReadOnlyList<Stretch<Presence>> Presence { get; init; }
    public required IReadOnlyList<Stretch<Custody>> Custody { get; init; }
    public required IReadOnlyList<LossMark> Losses { get; init; }

    private long WidthNs => ToNs - FromNs;

    /// <summary>How much time one column stands for.</summary>
    public TimeSpan PerColumn => TimeSpan.FromTicks(WidthNs / 100 / Columns);

    /// <summary>Draws a session that began at <paramref name="fromNs"/> and ended, or has come, to <paramref name="toNs"/>.</summary>
    public static Coverage Of(long fromNs, long toNs, bool isOver, IReadOnlyList<SegmentSpan> segments, IReadOnlyList<PauseInterval> pauses)
    {
        var filled = segments.Where(s => s.FromNs > 0).OrderBy(s => s.FromNs).ToList();
        fromNs = Math.Min(fromNs, filled.Count > 0 ? filled[0].FromNs : fromNs);
        toNs = Math.Max(Math.Max(toNs, fromNs + 1), filled.Count > 0 ? filled.Max(s => s.ToNs) : toNs);
        var scale = new Scale(fromNs, toNs);
        var reportedToNs = isOver ? toNs : filled.Count > 0 ? filled.Max(s => s.ToNs) : fromNs;

        var presence = new Presence[Columns];
        for (var column = 0; column < Columns; column++)
            presence[column] = scale.StartOf(column) >= reportedToNs ? Pages.Presence.Unreported : Pages.Presence.Gap;
        foreach (var pause in pauses)
            Fill(presence, scale, pause.FromNs, pause.ToNs ?? toNs, Pages.Presence.Paused);
        var custody = new Custody?[Columns];
        var endNs = fromNs;
        foreach (var segment in filled)
        {
            // The short hole before a segment is the segment's.
            var begin = segment.FromNs > endNs && segment.FromNs - endNs <= ToleranceNs ? endNs : segment.FromNs;
            if (!IsGone(segment.Custody))
                Fill(presence, scale, segment.FromNs, segment.ToNs, Pages.Presence.Recorded);
            FillWorst(custody, scale, begin, segment.ToNs, segment.Custody);
            endNs = Math.Max(endNs, segment.ToNs);
        }
        JoinShortHoles(presence, (int)Math.Max(1, ToleranceNs / Math.Max(1, (toNs - fromNs) / Columns)));
        foreach (var gone in filled.Where(s => IsGone(s.Custody)))
            Fill(presence, scale, gone.FromNs, gone.ToNs, Pages.Presence.Gap);
        return new Coverage
        {
            FromNs = fromNs,
            ToNs = toNs,
            Presence = [.. Stretches(presence.Select(p => (Presence?)p))],
            Custody = [.. Stretches(custody)],
            Losses = [.. filled.Where(s => s.Lost > 0).Select(s => new LossMark(scale.PercentOf(s.FromNs + ((s.ToNs - s.FromNs) / 2)), s.Sequence, s.Lost))],
        };
    }

    private static bool IsGone(Custody custody) => custody is Contracts.Custody.Discarded or Contracts.Custody.Quarantined;

    // Slow topics leave holes between segments, and beside pauses; what stands before a short one goes on through it.
    private static void JoinShortHoles(Presence[] columns, int longest)
    {
        for (var at = 0; at < Columns;)
        {
            var begin = at;
            while (at < Columns && columns[at] == Pages.Presence.Gap)
                at++;
            if (at > begin && at - begin <= longest && (begin > 0 || at < Columns))
                Array.Fill(columns, begin > 0 ? columns[begin - 1] : columns[at], begin, at - begin);
            at = Math.Max(at, begin + 1);
        }
    }

    private static void Fill(Presence[] columns, Scale scale, long fromNs, long toNs, Presence state)
    {
        for (var column = scale.ColumnOf(fromNs); column <= scale.ColumnOf(toNs); column++)
            columns[column] = state;
    }

    private static void FillWorst(Custody?[] columns, Scale scale, long fromNs, long toNs, Custody state)
    {
        for (var column = scale.ColumnOf(fromNs); column <= scale.ColumnOf(toNs); column++)
        {
            if (columns[column] is not { } there || Badness(state) > Badness(there))
                columns[column] = state;
        }
    }

    private static int Badness(Custody custody) => custody switch
    {
        Contracts.Custody.Released => 0,
        Contracts.Custody.Acknowledged => 1,
        Contracts.Custody.Uploaded => 2,
        Contracts.Custody.Uploading => 3,
        Contracts.Custody.Sealed => 4,
        Contracts.Custody.Open => 5,
        Contracts.Custody.Quarantined => 6,
        Contracts.Custody.Discarded => 7,
        _ => throw new ArgumentOutOfRangeException(nameof(custody), custody, null),
    };

    private static IEnumerable<Stretch<T>> Stretches<T>(IEnumerable<T?> columns) where T : struct, Enum
    {
        const double step = 100.0 / Columns;
        var (begin, at, current) = (0, 0, (T?)null);
        foreach (var state in columns.Append(null))
        {
            if (!EqualityComparer<T?>.Default.Equals(state, current))
            {
                if (current is { } ended)
                    yield return new Stretch<T>(begin * step, (at - begin) * step, ended);
                (begin, current) = (at, state);
            }
            at++;
        }
    }

    private readonly record struct Scale(long FromNs, long ToNs)
    {
        public double PercentOf(long ns) => Math.Clamp(100.0 * (ns - FromNs) / (ToNs - FromNs), 0, 100);

        public int ColumnOf(long ns) => Math.Min(Columns - 1, (int)(PercentOf(ns) / 100 * Columns));

        public long StartOf(int column) => FromNs + (long)((double)(ToNs - FromNs) * column / Columns);
    }
}
