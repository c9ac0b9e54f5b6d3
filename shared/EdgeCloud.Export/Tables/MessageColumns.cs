using EdgeCloud.Contracts;
using EdgeCloud.Export.Reading;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Export.Tables;

/// <summary>Which columns the messages of one topic and type become, and under which names.</summary>
internal sealed class MessageColumns
{
    private static readonly ColumnType Time = new() { Kind = ColumnKind.Timestamp };
    private static readonly ColumnType Text = new() { Kind = ColumnKind.Text };

    private MessageColumns(ColumnPlan plan, FeedChannel channel, SessionColumns session, bool inlinesFiles, string? fileColumn, string error)
    {
        Plan = plan;
        Error = error;
        Kind = FileKind(channel);
        var columns = new List<ColumnInfo>
        {
            new("log_time", Time, null, "when the robot received the message"),
            new("publish_time", Time, null, "when it was sent"),
            new("sequence", new ColumnType { Kind = ColumnKind.UInt32 }),
        };
        if (session == SessionColumns.RobotAndSession)
            columns.Add(new("robot", Text));
        if (session != SessionColumns.None)
            columns.Add(new("session", Text));
        if (fileColumn is not null)
            columns.Add(new(fileColumn, Text, null, "the file that holds the data"));
        MetaCount = columns.Count;
        Session = session;
        NamesFile = fileColumn is not null;
        var names = columns.Select(c => c.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < plan.Columns.Count; i++)
        {
            var column = plan.Columns[i];
            if (Kind != RowFileKind.None && column.Name == "data" && !(inlinesFiles && fileColumn is null))
                continue;
            var name = column.Name;
            while (!names.Add(name))
                name = $"message.{name}";
            Taken.Add(i);
            columns.Add(column with { Name = name });
        }
        Columns = columns;
    }

    /// <summary>How payloads are decoded.</summary>
    public ColumnPlan Plan { get; }

    /// <summary>Columns about the message first, then those of the message.</summary>
    public IReadOnlyList<ColumnInfo> Columns { get; }

    /// <summary>How many columns are about the message.</summary>
    public int MetaCount { get; }

    public SessionColumns Session { get; }

    /// <summary>Whether the last of the columns about the message names a file beside the table.</summary>
    public bool NamesFile { get; }

    /// <summary>Which of the plan's columns follow.</summary>
    public List<int> Taken { get; } = [];

    /// <summary>What its messages are, where they can become files of their own.</summary>
    public RowFileKind Kind { get; }

    /// <summary>Why its definition is not understood; its messages are carried as bytes then. Empty otherwise.</summary>
    public string Error { get; }

    /// <summary>The columns of a channel.</summary>
    /// <param name="settings">Which fields are wanted, which become files.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="session">How rows say which robot and session they are from.</param>
    /// <param name="inlinesFiles">Whether the format has a place for images and point clouds in its tables.</param>
    /// <exception cref="ExportException">A wanted field is not in the type.</exception>
    public static MessageColumns Of(ExportSettings settings, FeedChannel channel, SessionColumns session, bool inlinesFiles)
    {
        string[]? fields = [.. settings.Fields.Where(f => TopicSelection.IsMatch(f.Topic, channel.Topic)).SelectMany(f => f.Fields).Distinct()];
        var error = "";
        ColumnPlan plan;
        try
        {
            plan = ColumnPlan.Create(
                channel.Schema?.Name ?? "", channel.Schema?.Encoding ?? "", channel.Schema?.Data ?? [], channel.Encoding, fields.Length == 0 ? null : fields);
        }
        catch (DefinitionException e)
        {
            error = $"The definition is not understood, so its messages are carried as bytes: {e.Message}";
            plan = ColumnPlan.Opaque();
        }
        catch (ArgumentException e)
        {
            throw new ExportException($"Topic {channel.Topic}: {e.Message}", e);
        }
        var kind = error.Length > 0 ? RowFileKind.None : FileKind(channel);
        var isFile = kind == RowFileKind.Cloud ? settings.PointClouds != CloudFiles.None : kind != RowFileKind.None && settings.Images != ImageFiles.None;
        return new MessageColumns(plan, channel, session, inlinesFiles, isFile ? "file" : null, error);
    }

    private static RowFileKind FileKind(FeedChannel channel) => channel.Encoding != "cdr" ? RowFileKind.None : channel.Schema?.Name switch
    {
        "sensor_msgs/msg/Image" or "sensor_msgs/Image" => RowFileKind.Image,
        "sensor_msgs/msg/CompressedImage" or "sensor_msgs/CompressedImage" => RowFileKind.CompressedImage,
        "sensor_msgs/msg/PointCloud2" or "sensor_msgs/PointCloud2" => RowFileKind.Cloud,
        _ => RowFileKind.None,
    };
}

/// <summary>How rows say where they are from.</summary>
internal enum SessionColumns
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>By <c>session</c>; the robot is in the path.</summary>
    Session,
    /// <summary>By <c>robot</c> and <c>session</c>.</summary>
    RobotAndSession,
}

/// <summary>What messages are that can become files of their own.</summary>
internal enum RowFileKind
{
    /// <summary>Something else.</summary>
    None,
    /// <summary>Pixels.</summary>
    Image,
    /// <summary>A file of an image format.</summary>
    CompressedImage,
    /// <summary>Points.</summary>
    Cloud,
}
