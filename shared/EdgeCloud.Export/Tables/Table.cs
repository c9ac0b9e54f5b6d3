using System.Globalization;
using EdgeCloud.Export.Reading;
using EdgeCloud.Mcap;

namespace EdgeCloud.Export.Tables;

/// <summary>What precedes a message's data in scratch space.</summary>
internal readonly record struct MessageHeader(ulong LogTime, ulong PublishTime, uint Sequence, int Length, int Channel, int Reserved)
{
    public const int Size = 32;
}

/// <summary>The messages of one topic and type (and one partition) of a part, kept in scratch space until its turn comes.</summary>
internal sealed class Table(string name, string partition, MessageColumns columns, FeedChannel first, Scratch scratch)
{
    /// <summary>Name that no other table of the export has; good as a file name.</summary>
    public string Name => name;

    /// <summary>Folders of its partition: <c>robot=amr-01/date=2026-03-01</c>; empty where the format has none.</summary>
    public string Partition => partition;

    public MessageColumns Columns => columns;

    /// <summary>The channel of its first message.</summary>
    public FeedChannel First => first;

    /// <summary>The messages: header, data, header, data.</summary>
    public ScratchStream Messages { get; } = new(scratch);

    public long Count { get; private set; }

    /// <summary>Messages that could not be decoded, once the rows were read, and what is wrong with the first.</summary>
    public (long Count, string Error) Undecoded { get; set; } = (0, columns.Error);

    public void Add(FeedChannel channel, in Message message)
    {
        Messages.Write(new MessageHeader(message.LogTime, message.PublishTime, message.Sequence, message.Data.Length, channel.Index, 0));
        Messages.Write(message.Data.Span);
        Count++;
    }

    /// <summary>A place for what cannot be decoded, in words: topic and message.</summary>
    public string Describe(in MessageHeader message) => string.Create(
        CultureInfo.InvariantCulture, $"topic {First.Topic}, message with log time {message.LogTime} and sequence {message.Sequence}");
}

/// <summary>The tables of a part.</summary>
/// <param name="work">The part.</param>
/// <param name="scratch">Where messages wait.</param>
/// <param name="partitioning">What has files of its own.</param>
/// <param name="session">How rows say where they are from.</param>
/// <param name="inlinesFiles">Whether the format has a place for images and point clouds in its tables.</param>
internal sealed class TableSet(PartWork work, Scratch scratch, Partitioning partitioning, SessionColumns session, bool inlinesFiles)
{
    private const ulong DayNs = 86_400_000_000_000;
    private const ulong DayMax = ulong.MaxValue / DayNs;

    private readonly TableNames _names = new(work.Plan);
    private readonly Dictionary<(string Name, string Partition), Table> _tables = [];
    private readonly List<Current> _byChannel = [];

    private record struct Current(Table? Table, ulong Day);

    /// <summary>By name and partition.</summary>
    public IEnumerable<Table> InOrder =>
        _tables.Values.OrderBy(t => t.Name, StringComparer.Ordinal).ThenBy(t => t.Partition, StringComparer.Ordinal);

    /// <summary>The name of a channel's table.</summary>
    public string NameOf(FeedChannel channel) => _names.Of(channel);

    /// <summary>Makes the table of a channel without messages, where partitions do not depend on time.</summary>
    public void Add(FeedChannel channel) => TableOf(channel, 0);

    /// <summary>Keeps a message for its table.</summary>
    public void Add(FeedChannel channel, in Message message) => TableOf(channel, message).Add(channel, message);

    /// <summary>Keeps a message of which a file is to be made, for formats that need their messages for nothing else.</summary>
    public void AddForFile(FeedChannel channel, in Message message)
    {
        var table = TableOf(channel, message);
        if (table.Columns.NamesFile)
            table.Add(channel, message);
    }

    private Table TableOf(FeedChannel channel, in Message message)
    {
        while (_byChannel.Count <= channel.Index)
            _byChannel.Add(default);
        var current = _byChannel[channel.Index];
        var day = partitioning == Partitioning.RobotAndDate ? message.LogTime / DayNs : 0;
        if (current.Table is null || current.Day != day)
            _byChannel[channel.Index] = current = new Current(TableOf(channel, day), day);
        return current.Table!;
    }

    private Table TableOf(FeedChannel channel, ulong day)
    {
        var name = _names.Of(channel);
        var partition = partitioning switch
        {
            Partitioning.RobotAndDate => Hive(channel.Session.Robot, day * DayNs),
            Partitioning.Session => channel.Session.Id.ToString("D"),
            _ => "",
        };
        if (_tables.TryGetValue((name, partition), out var table))
            return table;
        var columns = _tables.Values.FirstOrDefault(t => t.Name == name)?.Columns
            ?? MessageColumns.Of(work.Plan.Settings, channel, session, inlinesFiles);
        return _tables[(name, partition)] = new Table(name, partition, columns, channel, scratch);
    }

    /// <summary>The folders of a robot and of the day of a time, as Hive, Spark and DuckDB read them.</summary>
    public static string Hive(string robot, ulong ns)
    {
        var day = Math.Min(ns / DayNs, DayMax);
        return $"robot={robot}/date={DateOnly.FromDayNumber(new DateOnly(1970, 1, 1).DayNumber + (int)day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
    }
}

/// <summary>What has files of its own, beside the parts.</summary>
internal enum Partitioning
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>Each robot and day, in folders <c>robot=amr-01/date=2026-03-01</c>.</summary>
    RobotAndDate,
    /// <summary>Each session.</summary>
    Session,
}
