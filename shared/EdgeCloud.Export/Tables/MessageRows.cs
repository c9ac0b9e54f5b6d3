using System.Runtime.InteropServices;
using System.Text;
using EdgeCloud.Export.Reading;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Tables;

/// <summary>The messages of a table, decoded. One that cannot be decoded is a row with times and no values.</summary>
internal sealed class MessageRows : TableRows
{
    private readonly Table _table;
    private readonly ScratchStream.Reader _reader;
    private readonly ColumnBatch _decoded;
    private readonly Column[] _batch;
    private readonly NumberColumn _logTime, _publishTime, _sequence;
    private readonly TextColumn? _robot, _session, _file;
    private readonly Dictionary<int, (byte[] Robot, byte[] Session)> _sessions = [];
    private readonly IReadOnlyList<FeedChannel> _channels;
    private readonly RowFiles? _rowFiles;
    private (int Channel, byte[] Robot, byte[] Session) _last = (-1, [], []); // the last of them

    /// <param name="table">The table.</param>
    /// <param name="channels">The part's channels, by index.</param>
    /// <param name="rowFiles">The files beside the table, whose names are in its rows; null for none.</param>
    /// <param name="isLast">Whether nobody reads the table's messages after this.</param>
    public MessageRows(Table table, IReadOnlyList<FeedChannel> channels, RowFiles? rowFiles, bool isLast = false)
    {
        _table = table;
        _channels = channels;
        _reader = isLast ? table.Messages.ReadLast() : table.Messages.Read();
        _rowFiles = rowFiles;
        var columns = table.Columns;
        _decoded = columns.Plan.CreateBatch();
        Column[] meta = [.. columns.Columns.Take(columns.MetaCount).Select(c => Column.Create(c.Type))];
        (_logTime, _publishTime, _sequence) = ((NumberColumn)meta[0], (NumberColumn)meta[1], (NumberColumn)meta[2]);
        _robot = columns.Session == SessionColumns.RobotAndSession ? (TextColumn)meta[3] : null;
        _session = columns.Session == SessionColumns.None ? null : (TextColumn)meta[_robot is null ? 3 : 4];
        _file = columns.NamesFile ? (TextColumn)meta[^1] : null;
        _batch = [.. meta, .. columns.Taken.Select(i => _decoded.Columns[i])];
    }

    public override IReadOnlyList<ColumnInfo> Columns => _table.Columns.Columns;

    public override IReadOnlyList<Column> Batch => _batch;

    public override int Rows => _decoded.Rows;

    /// <summary>The row's log time, for whoever reads row by row.</summary>
    public ReadOnlySpan<ulong> LogTimes => _logTime.Values<ulong>();

    public override bool MoveNext()
    {
        for (var i = 0; i < _table.Columns.MetaCount; i++)
            _batch[i].Clear();
        _decoded.Clear();
        long bytes = 0;
        while (_decoded.Rows < BatchRows && bytes < BatchBytes && _reader.Take(MessageHeader.Size) is { Length: > 0 } head)
        {
            var header = MemoryMarshal.Read<MessageHeader>(head.Span);
            Append(header, _reader.Take(header.Length).Span);
            bytes += header.Length;
        }
        RowsRead += _decoded.Rows;
        return _decoded.Rows > 0;
    }

    private void Append(in MessageHeader header, ReadOnlySpan<byte> data)
    {
        FirstNs = Math.Min(FirstNs, header.LogTime);
        LastNs = Math.Max(LastNs, header.LogTime);
        _logTime.Append(header.LogTime);
        _publishTime.Append(header.PublishTime);
        _sequence.Append(header.Sequence);
        if (_session is not null)
            AppendSession(header.Channel);
        AppendFile(header, data);
        try
        {
            _decoded.Append(data);
        }
        catch (Exception e) when (e is CdrException or FormatException)
        {
            _decoded.AppendMissing();
            var (count, error) = _table.Undecoded;
            _table.Undecoded = (count + 1, error.Length > 0 ? error : $"{_table.Describe(header)}: {e.Message}");
        }
    }

    private void AppendFile(in MessageHeader header, ReadOnlySpan<byte> data)
    {
        if (_file is null)
            return;
        if (_rowFiles?.NameOf(header, data) is { } name)
            _file.Append(Encoding.UTF8.GetBytes(name));
        else
            _file.AppendMissing();
    }

    private void AppendSession(int channel)
    {
        if (channel != _last.Channel)
        {
            if (!_sessions.TryGetValue(channel, out var names))
            {
                var session = _channels[channel].Session;
                _sessions[channel] = names = (Encoding.UTF8.GetBytes(session.Robot), Encoding.UTF8.GetBytes(session.Id.ToString("D")));
            }
            _last = (channel, names.Robot, names.Session);
        }
        _robot?.Append(_last.Robot);
        _session!.Append(_last.Session);
    }
}
