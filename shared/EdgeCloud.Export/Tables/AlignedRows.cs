using EdgeCloud.Contracts;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Tables;

/// <summary>
/// The topics of one session on one clock: a column <c>time</c>, and for each topic <c>TOPIC.valid</c> and <c>TOPIC.FIELD</c>. Ticks at which
/// no topic has a message near enough are left out; what is latched holds and does not make a tick worth a row.
/// </summary>
internal sealed class AlignedRows : TableRows
{
    private readonly ExportAlignment _alignment;
    private readonly AlignedTopic[] _topics;
    private readonly Clock _clock;
    private readonly List<ColumnInfo> _columns = [new("time", new ColumnType { Kind = ColumnKind.Timestamp })];
    private readonly List<Column> _batch = [];
    private readonly NumberColumn _time;
    private ulong? _tick;
    private int _rows;

    private AlignedRows(ExportAlignment alignment, AlignedTopic[] topics, Clock clock)
    {
        (_alignment, _topics, _clock) = (alignment, topics, clock);
        _time = (NumberColumn)Column.Create(_columns[0].Type);
        _batch.Add(_time);
        // A topic's field can have the name of another's: b.x of /a and x of /a/b.
        var names = topics.Select(t => t.ValidName).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var topic in topics)
            topic.AddColumns(_columns, _batch, names);
    }

    /// <summary>Time of the first row.</summary>
    public ulong FirstTick => _tick ?? 0;

    public override IReadOnlyList<ColumnInfo> Columns => _columns;

    public override IReadOnlyList<Column> Batch => _batch;

    public override int Rows => _rows;

    /// <summary>The rows of a session; null when it has none in this part.</summary>
    /// <param name="work">The part.</param>
    /// <param name="session">The session.</param>
    /// <param name="tables">Its tables, in order of name, those without messages included.</param>
    /// <exception cref="ExportException">The master topic is not among them, though others are.</exception>
    public static AlignedRows? Of(PartWork work, PlannedSession session, IReadOnlyList<Table> tables)
    {
        var alignment = work.Plan.Settings.Alignment!;
        var from = (ulong)Math.Max(0, work.Part.FromNs ?? 0);
        var to = work.Part.ToNs is { } end ? (ulong)Math.Max(0, end) : ulong.MaxValue;
        Clock clock;
        if (alignment.MasterTopic is { } master)
        {
            if (tables.FirstOrDefault(t => t.First.Topic == master) is not { } masterTable)
                return null;
            clock = new MasterClock(masterTable, from, to);
        }
        else
        {
            var segments = work.Plan.Sessions.First(s => s.Id == session.Id).Segments;
            from = Math.Max(from, (ulong)Math.Max(0, segments.Min(s => s.StartNs)));
            to = Math.Min(to, (ulong)Math.Max(0, segments.Max(s => s.EndNs)) + 1);
            (from, to) = (Math.Max(from, (ulong)Math.Max(0, session.FromNs ?? 0)), Math.Min(to, (ulong)Math.Max(0, session.ToNs ?? long.MaxValue)));
            clock = new RateClock(alignment.RateHz!.Value, from, to);
        }
        var topics = tables.Select(t => new AlignedTopic(new MessageRows(t, work.Feed.Channels.All, RowFiles.Of(work.Plan.Settings, t)), t, alignment)).ToArray();
        var rows = new AlignedRows(alignment, topics, clock);
        rows._tick = rows.NextTick();
        return rows._tick is null ? null : rows;
    }

    public override bool MoveNext()
    {
        foreach (var column in _batch)
            column.Clear();
        _rows = 0;
        while (_rows < BatchRows && _tick is { } tick)
        {
            _time.Append(tick);
            foreach (var topic in _topics)
                topic.Append(tick);
            (FirstNs, LastNs) = (Math.Min(FirstNs, tick), Math.Max(LastNs, tick));
            _rows++;
            _tick = NextTick();
        }
        RowsRead += _rows;
        return _rows > 0;
    }

    /// <summary>The next tick at which a topic has a value; the topics are at it.</summary>
    private ulong? NextTick()
    {
        while (_clock.Next() is { } tick)
        {
            var next = ulong.MaxValue;
            var hasValue = false;
            foreach (var topic in _topics)
            {
                topic.MoveTo(tick);
                hasValue |= !topic.IsLatched && topic.Finds(tick);
                next = Math.Min(next, topic.NextTime);
            }
            if (hasValue)
                return tick;
            if (next == ulong.MaxValue)
                return null;
            // Nothing until the next message comes near.
            _clock.SkipTo(next - Math.Min(next, (ulong)_alignment.ToleranceNs));
        }
        return null;
    }

    /// <summary>Gives the ticks of a part.</summary>
    private abstract class Clock
    {
        public abstract ulong? Next();

        public virtual void SkipTo(ulong time)
        {
        }
    }

    /// <summary>Ticks at the multiples of a period, rounded down to ns.</summary>
    private sealed class RateClock(double rate, ulong from, ulong to) : Clock
    {
        private readonly decimal _period = 1_000_000_000m / (decimal)rate;
        private decimal _number = decimal.Ceiling(from * (decimal)rate / 1_000_000_000m);

        public override ulong? Next()
        {
            var tick = (ulong)decimal.Floor(_number * _period);
            if (tick < from)
                tick = (ulong)decimal.Floor(++_number * _period);
            _number++;
            return tick < to ? tick : null;
        }

        public override void SkipTo(ulong time) => _number = Math.Max(_number, decimal.Ceiling(time / _period));
    }

    /// <summary>Ticks at the messages of a topic, each time once.</summary>
    private sealed class MasterClock(Table table, ulong from, ulong to) : Clock
    {
        private readonly ScratchStream.Reader _reader = table.Messages.Read();
        private ulong? _last;

        public override ulong? Next()
        {
            while (_reader.Take(MessageHeader.Size) is { Length: > 0 } head)
            {
                var header = System.Runtime.InteropServices.MemoryMarshal.Read<MessageHeader>(head.Span);
                _reader.Take(header.Length);
                if (header.LogTime < from || header.LogTime >= to || header.LogTime == _last)
                    continue;
                return _last = header.LogTime;
            }
            return null;
        }
    }
}
