using EdgeCloud.Contracts;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Tables;

/// <summary>One topic of an aligned table: the message before a tick and the one after, and what lies between them.</summary>
internal sealed class AlignedTopic
{
    private const int FirstField = 3; // log_time, publish_time and sequence come before
    private static readonly ColumnType Float64 = new() { Kind = ColumnKind.Float64 };

    private readonly MessageRows _rows;
    private readonly Table _table;
    private readonly ExportAlignment _alignment;
    private readonly ulong _tolerance;
    private readonly Column[] _kept;      // the last row of the batch before, while it may be wanted
    private readonly List<Column> _target = [];
    private readonly NumberColumn _valid = (NumberColumn)Column.Create(new ColumnType { Kind = ColumnKind.Bool });
    private readonly bool[] _isLinear;
    private readonly bool[] _isQuaternion; // at the place of x
    private bool _hasBatch;
    private int _next;                    // row of the first message after the tick
    private ulong? _keptTime;

    public AlignedTopic(MessageRows rows, Table table, ExportAlignment alignment)
    {
        (_rows, _table, _alignment, _tolerance) = (rows, table, alignment, (ulong)alignment.ToleranceNs);
        _kept = [.. rows.Columns.Select(c => Column.Create(c.Type))];
        _isLinear = [.. rows.Columns.Select(c => alignment.Method == AlignmentMethod.Linear && IsNumber(c.Type))];
        _isQuaternion = [.. Enumerable.Range(0, rows.Columns.Count).Select(IsQuaternion)];
        _hasBatch = rows.MoveNext();
    }

    /// <summary>Whether a message holds until the next one comes.</summary>
    public bool IsLatched => _table.First.IsLatched;

    /// <summary>Log time of the first message after the tick; the greatest number when there is none.</summary>
    public ulong NextTime => _hasBatch ? _rows.LogTimes[_next] : ulong.MaxValue;

    private ulong? PreviousTime => _next > 0 ? _rows.LogTimes[_next - 1] : _keptTime;

    /// <summary>Name of the column that tells where a message is near enough.</summary>
    public string ValidName => $"{_table.Name}.valid";

    /// <summary>Adds the topic's columns to those of the table.</summary>
    /// <param name="columns">The table's columns.</param>
    /// <param name="batch">Where their values go.</param>
    /// <param name="names">The names that are taken; a field of such a name becomes <c>TOPIC.message.FIELD</c>.</param>
    public void AddColumns(List<ColumnInfo> columns, List<Column> batch, HashSet<string> names)
    {
        columns.Add(new ColumnInfo(ValidName, _valid.Type, null, "whether a message is near enough"));
        batch.Add(_valid);
        for (var i = FirstField; i < _rows.Columns.Count; i++)
        {
            var column = _rows.Columns[i];
            var field = column.Name;
            while (!names.Add($"{_table.Name}.{field}"))
                field = $"message.{field}";
            var type = _isLinear[i] && column.Type.Kind != ColumnKind.Float32 ? Float64 : column.Type;
            columns.Add(column with { Name = $"{_table.Name}.{field}", Type = type });
            _target.Add(Column.Create(type));
        }
        batch.AddRange(_target);
    }

    /// <summary>Goes on until the next message is after the tick.</summary>
    public void MoveTo(ulong tick)
    {
        while (_hasBatch)
        {
            var times = _rows.LogTimes;
            while (_next < times.Length && times[_next] <= tick)
                _next++;
            if (_next < times.Length)
                return;
            Keep(times.Length - 1);
            _hasBatch = _rows.MoveNext();
            _next = 0;
        }
    }

    /// <summary>Whether there is a value at the tick.</summary>
    public bool Finds(ulong tick) => Choose(tick) != Choice.None;

    /// <summary>Adds the row of a tick, to which the topic was moved.</summary>
    public void Append(ulong tick)
    {
        var choice = Choose(tick);
        _valid.Append(choice == Choice.None ? (byte)0 : (byte)1);
        if (choice == Choice.Between)
        {
            Interpolate((tick - PreviousTime!.Value) / (double)(NextTime - PreviousTime.Value));
            return;
        }
        for (var i = 0; i < _target.Count; i++)
        {
            if (choice == Choice.None)
                _target[i].AppendMissing();
            else if (choice == Choice.Next)
                Take(i, _rows.Batch[FirstField + i], _next);
            else
                Take(i, Previous(i, out var row), row);
        }
    }

    private enum Choice
    {
        None,
        Previous,
        Next,
        Between,
    }

    private Choice Choose(ulong tick)
    {
        var (before, after) = (PreviousTime, NextTime);
        var beforeFits = before is { } b && (IsLatched || tick - b <= _tolerance);
        var afterFits = after != ulong.MaxValue && after - tick <= _tolerance;
        return _alignment.Method switch
        {
            _ when IsLatched => beforeFits ? Choice.Previous : Choice.None,
            AlignmentMethod.Nearest when beforeFits && afterFits => tick - before!.Value <= after - tick ? Choice.Previous : Choice.Next,
            AlignmentMethod.Nearest => beforeFits ? Choice.Previous : afterFits ? Choice.Next : Choice.None,
            AlignmentMethod.Previous => beforeFits ? Choice.Previous : Choice.None,
            _ => before == tick ? Choice.Previous : beforeFits && afterFits ? Choice.Between : Choice.None,
        };
    }

    private Column Previous(int field, out int row)
    {
        row = _next > 0 ? _next - 1 : 0;
        return _next > 0 ? _rows.Batch[FirstField + field] : _kept[FirstField + field];
    }

    private void Keep(int row)
    {
        for (var i = 0; i < _kept.Length; i++)
        {
            _kept[i].Clear();
            _kept[i].AppendFrom(_rows.Batch[i], row);
        }
        _keptTime = _rows.LogTimes[row];
    }

    private void Interpolate(double share)
    {
        for (var i = 0; i < _target.Count; i++)
        {
            var (before, after) = (Previous(i, out var row), _rows.Batch[FirstField + i]);
            if (_isQuaternion[FirstField + i])
            {
                InterpolateQuaternion(i, share);
                i += 3;
            }
            else if (!_isLinear[FirstField + i] || before.IsMissing(row) || after.IsMissing(_next))
            {
                Take(i, before, row);
            }
            else
            {
                var (a, b) = (Value(before, row), Value(after, _next));
                Add(_target[i], a + (b - a) * share);
            }
        }
    }

    /// <summary>Adds a message's own value, in the type of the column that it goes to.</summary>
    private void Take(int field, Column source, int row)
    {
        var target = _target[field];
        if (source.IsMissing(row))
            target.AppendMissing();
        else if (source.Type.Kind == target.Type.Kind)
            target.AppendFrom(source, row);
        else
            Add(target, Value(source, row));
    }

    private void InterpolateQuaternion(int field, double share)
    {
        Span<double> a = stackalloc double[4], b = stackalloc double[4];
        for (var i = 0; i < 4; i++)
        {
            a[i] = Value(Previous(field + i, out var row), row);
            b[i] = Value(_rows.Batch[FirstField + field + i], _next);
        }
        Slerp(a, b, share);
        for (var i = 0; i < 4; i++)
            Add(_target[field + i], a[i]);
    }

    /// <summary>The rotation at a share of the way from one to another, the short way; into the first.</summary>
    internal static void Slerp(Span<double> a, ReadOnlySpan<double> b, double share)
    {
        var dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
        var sign = dot < 0 ? -1 : 1;
        dot = Math.Min(1, Math.Abs(dot));
        var angle = Math.Acos(dot);
        // Where the two are nearly the same, the arc is a line, and the quotient below would lose its digits.
        var (wa, wb) = angle < 1e-6 ? (1 - share, share) : (Math.Sin((1 - share) * angle) / Math.Sin(angle), Math.Sin(share * angle) / Math.Sin(angle));
        double norm = 0;
        for (var i = 0; i < 4; i++)
        {
            a[i] = wa * a[i] + sign * wb * b[i];
            norm += a[i] * a[i];
        }
        norm = norm > 0 ? Math.Sqrt(norm) : 1;
        for (var i = 0; i < 4; i++)
            a[i] /= norm;
    }

    private bool IsQuaternion(int place)
    {
        var columns = _rows.Columns;
        if (place + 3 >= columns.Count || !columns[place].Name.EndsWith(".x", StringComparison.Ordinal))
            return false;
        var prefix = columns[place].Name[..^1];
        return "xyzw".Select((letter, i) => columns[place + i].Name == prefix + letter && columns[place + i].Type.Kind == ColumnKind.Float64).All(fits => fits);
    }

    /// <summary>Whether there is something between two values. Between two truth values, names of an enumeration or times there is nothing to say.</summary>
    private static bool IsNumber(ColumnType type) => type.Enum is null && type.Kind is >= ColumnKind.Int8 and <= ColumnKind.Float64;

    private static double Value(Column column, int row) => ((NumberColumn)column).Number(row);

    private static void Add(Column column, double value)
    {
        if (column.Type.Kind == ColumnKind.Float32)
            ((NumberColumn)column).Append((float)value);
        else
            ((NumberColumn)column).Append(value);
    }
}
