using EdgeCloud.Export.Reading;

namespace EdgeCloud.Export;

/// <summary>What a format has to make a part of, and where to put it.</summary>
internal sealed class PartWork(
    ExportPlan plan, ExportPart part, MessageFeed feed, PartFiles files, string scratchFolder, IProgress<ExportProgress>? progress)
{
    private const int MessagesBetweenReports = 4096;
    private readonly List<ExportedTopic> _topics = [];
    private readonly List<ExportedTable> _tables = [];
    private long _messages;
    private int _sinceReport;

    public ExportPlan Plan => plan;

    public ExportPart Part => part;

    public MessageFeed Feed => feed;

    public PartFiles Files => files;

    public string ScratchFolder => scratchFolder;

    /// <summary>Moves the feed and reports progress.</summary>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        _messages++;
        if (++_sinceReport >= MessagesBetweenReports)
        {
            cancellation.ThrowIfCancellationRequested();
            Report();
        }
        return feed.MoveNextAsync(cancellation);
    }

    /// <summary>Reports progress.</summary>
    public void Report()
    {
        _sinceReport = 0;
        progress?.Report(new ExportProgress(feed.BytesDone, _messages, files.Bytes));
    }

    /// <summary>Adds to what the part exported of a topic.</summary>
    public void Add(ExportedTopic topic) => _topics.Add(topic);

    /// <summary>Describes a table of several topics.</summary>
    public void Add(ExportedTable table) => _tables.Add(table);

    /// <summary>Counts what was noted on the feed's channels; for formats that have no more to say about a topic.</summary>
    public void AddChannels()
    {
        foreach (var channel in feed.Channels.All)
        {
            if (channel.Count > 0)
                Add(TopicOf(channel));
        }
    }

    /// <summary>What was noted on a channel.</summary>
    public static ExportedTopic TopicOf(FeedChannel channel) => new()
    {
        Topic = channel.Topic,
        Robot = channel.Session.Robot,
        Type = channel.Schema?.Name ?? "",
        SchemaHash = channel.Schema?.Hash ?? "",
        Encoding = channel.Encoding,
        Qos = channel.Metadata.GetValueOrDefault("offered_qos_profiles", ""),
        TypeHash = channel.Metadata.GetValueOrDefault("topic_type_hash", ""),
        Messages = channel.IsRepeat ? 0 : channel.Count,
        Repeats = channel.IsRepeat ? channel.Count : 0,
        FirstNs = (long)channel.FirstNs,
        LastNs = (long)channel.LastNs,
    };

    public PartResult Result() => new()
    {
        Part = part.Index,
        Files = files.Files,
        Topics = ExportedTopic.Sum(_topics),
        Tables = ExportedTable.Sum(_tables),
        Problems = feed.Problems,
    };
}
