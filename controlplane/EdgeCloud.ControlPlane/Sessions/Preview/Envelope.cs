using System.Numerics;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// A series cut into columns, of each of which the least and the greatest value are kept: drawn, it looks like all the points would.
/// Holes, and values that are no number, break the line; nothing is smoothed or joined.
/// </summary>
internal sealed class Envelope(long fromNs, long toNs, int columns)
{
    /// <summary>A hole this many times the usual interval breaks the line.</summary>
    private const int BreakIntervals = 4;

    private readonly Column[] _columns = new Column[columns];
    private readonly long[] _intervals = new long[64]; // how many are of 2^n ns

    private struct Column
    {
        public long Count;
        public long NotFinite;
        public long FirstNs;
        public long LastNs;
        public long MinNs;
        public long MaxNs;
        public double Min;
        public double Max;
    }

    /// <summary>Values so far.</summary>
    public long Count => _columns.Sum(c => c.Count);

    /// <summary>Those that are NaN or infinite.</summary>
    public long NotFinite => _columns.Sum(c => c.NotFinite);

    /// <summary>Takes in a value; one outside of the range counts for nothing.</summary>
    /// <param name="atNs">Its time, ns since the Unix epoch.</param>
    /// <param name="previousNs">Time of the message before it; 0 when there is none.</param>
    /// <param name="value">The value.</param>
    public void Add(long atNs, long previousNs, double value)
    {
        if (atNs < fromNs || atNs >= toNs)
            return;
        ref var column = ref _columns[(int)((Int128)(atNs - fromNs) * columns / (toNs - fromNs))];
        column.FirstNs = column.Count == 0 ? atNs : Math.Min(column.FirstNs, atNs);
        column.LastNs = Math.Max(column.LastNs, atNs);
        column.Count++;
        if (previousNs > 0 && atNs > previousNs)
            _intervals[BitOperations.Log2((ulong)(atNs - previousNs))]++;
        if (!double.IsFinite(value))
        {
            column.NotFinite++;
            return;
        }
        var isFirst = column.Count - column.NotFinite == 1;
        if (isFirst || value < column.Min)
            (column.Min, column.MinNs) = (value, atNs);
        if (isFirst || value > column.Max)
            (column.Max, column.MaxNs) = (value, atNs);
    }

    /// <summary>Takes in what another envelope of the same range and columns holds.</summary>
    public void Add(Envelope other)
    {
        for (var i = 0; i < _columns.Length; i++)
        {
            ref var mine = ref _columns[i];
            ref readonly var theirs = ref other._columns[i];
            if (theirs.Count == 0)
                continue;
            var (isEmpty, hasNumber) = (mine.Count == 0, mine.Count > mine.NotFinite);
            mine.FirstNs = isEmpty ? theirs.FirstNs : Math.Min(mine.FirstNs, theirs.FirstNs);
            mine.LastNs = Math.Max(mine.LastNs, theirs.LastNs);
            if (theirs.Count > theirs.NotFinite)
            {
                if (!hasNumber || theirs.Min < mine.Min)
                    (mine.Min, mine.MinNs) = (theirs.Min, theirs.MinNs);
                if (!hasNumber || theirs.Max > mine.Max)
                    (mine.Max, mine.MaxNs) = (theirs.Max, theirs.MaxNs);
            }
            mine.Count += theirs.Count;
            mine.NotFinite += theirs.NotFinite;
        }
        for (var i = 0; i < _intervals.Length; i++)
            _intervals[i] += other._intervals[i];
    }

    /// <summary>The points, at most two per column, and nulls that break the line between them.</summary>
    /// <param name="holes">Stretches in which nothing can be, whatever the intervals say, ascending.</param>
    /// <returns>Times, ns after the start of the range, and values.</returns>
    public (IReadOnlyList<long> T, IReadOnlyList<double?> V) Points(IReadOnlyList<(long FromNs, long ToNs)> holes)
    {
        var (t, v) = (new List<long>(), new List<double?>());
        var hole = HoleNs();
        var lastNs = 0L;
        foreach (var column in _columns)
        {
            if (column.Count == 0)
                continue;
            var (before, after) = (lastNs, column.FirstNs);
            lastNs = column.LastNs;
            if (column.Count == column.NotFinite)
            {
                Break(column.FirstNs);
                continue;
            }
            if (before > 0 && (after - before > hole || holes.Any(h => h.FromNs < after && h.ToNs > before)))
                Break(before + ((after - before) / 2));
            var (first, second) = column.MinNs <= column.MaxNs
                ? ((column.MinNs, column.Min), (column.MaxNs, column.Max))
                : ((column.MaxNs, column.Max), (column.MinNs, column.Min));
            t.Add(first.Item1 - fromNs);
            v.Add(first.Item2);
            if (second == first)
                continue;
            t.Add(second.Item1 - fromNs);
            v.Add(second.Item2);
        }
        return (t, v);

        void Break(long atNs)
        {
            if (v.Count == 0 || v[^1] is null)
                return;
            t.Add(atNs - fromNs);
            v.Add(null);
        }
    }

    /// <summary>Least and greatest finite value; null without one.</summary>
    public (double Min, double Max)? Range()
    {
        var full = _columns.Where(c => c.Count > c.NotFinite).ToList();
        return full.Count == 0 ? null : (full.Min(c => c.Min), full.Max(c => c.Max));
    }

    /// <summary>How long a hole breaks the line: some times the median interval, to a power of two.</summary>
    private long HoleNs()
    {
        var half = (_intervals.Sum() + 1) / 2;
        if (half == 0)
            return long.MaxValue;
        var seen = 0L;
        for (var i = 0; i < _intervals.Length; i++)
        {
            seen += _intervals[i];
            if (seen >= half)
                return (2L << Math.Min(i, 57)) * BreakIntervals;
        }
        return long.MaxValue;
    }
}
