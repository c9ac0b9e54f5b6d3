namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A run of columns of one state.</summary>
/// <param name="From">First column.</param>
/// <param name="To">The column after the last.</param>
/// <param name="State">Not 0.</param>
public readonly record struct ColumnRun(int From, int To, byte State)
{
    /// <summary>The same in percent of the width.</summary>
    public Stretch<T> Stretch<T>(T state) => new(From * 100.0 / Coverage.Columns, (To - From) * 100.0 / Coverage.Columns, state);
}

/// <summary>
/// The columns of a stretch of time, each with the worst (greatest) state that was painted into it; 0 where nothing was. However short a
/// span is, it fills the column that holds it.
/// </summary>
internal sealed class Raster(long fromNs, long toNs)
{
    private readonly byte[] _columns = new byte[Coverage.Columns];

    public long FromNs => fromNs;

    public long ToNs => toNs;

    /// <summary>The place of a moment, in percent of the width.</summary>
    public double PercentOf(long ns) => Math.Clamp(100.0 * (ns - fromNs) / Math.Max(1, toNs - fromNs), 0, 100);

    /// <summary>Paints a span where it is seen; it may begin and end outside.</summary>
    public void PaintWorst(long spanFromNs, long spanToNs, byte state)
    {
        if (spanToNs < fromNs || spanFromNs > toNs)
            return;
        // What ends on a column's left edge is not in that column.
        var (first, last) = (ColumnOf(spanFromNs), ColumnOf(spanToNs > spanFromNs ? spanToNs - 1 : spanToNs));
        for (var column = first; column <= last; column++)
            _columns[column] = Math.Max(_columns[column], state);
    }

    /// <summary>What was painted, in order.</summary>
    public IEnumerable<ColumnRun> Runs()
    {
        for (var from = 0; from < _columns.Length;)
        {
            var to = from + 1;
            while (to < _columns.Length && _columns[to] == _columns[from])
                to++;
            if (_columns[from] != 0)
                yield return new ColumnRun(from, to, _columns[from]);
            from = to;
        }
    }

    private int ColumnOf(long ns) =>
        (int)Int128.Clamp((Int128)(ns - fromNs) * Coverage.Columns / Math.Max(1, toNs - fromNs), 0, Coverage.Columns - 1);
}
