namespace EdgeCloud.Contracts;

/// <summary>
/// What an export makes of the messages that it reads: which topics, times and rows, how sampled and aligned, in which format. The same in
/// a request, in a plan and on the command line.
/// </summary>
public record ExportSettings
{
    /// <summary>Which topics; null means all.</summary>
    public TopicSelection? Selection { get; init; }
    /// <summary>First log time, ns since the Unix epoch, inclusive; null means from the start.</summary>
    public long? FromNs { get; init; }
    /// <summary>Last log time, ns since the Unix epoch, exclusive; null means to the end.</summary>
    public long? ToNs { get; init; }
    /// <summary>Output format: one of <see cref="ExportFormats.All"/>.</summary>
    public string Format { get; set; } = ExportFormats.Mcap;
    /// <summary>Which fields become columns; topics that no entry matches have all of theirs. Not for <c>mcap</c> and <c>rosbag2</c>.</summary>
    public IReadOnlyList<TopicFields> Fields { get; set; } = [];
    /// <summary>Conditions that a message must meet, all of those whose pattern matches its topic.</summary>
    public IReadOnlyList<FieldFilter> Filters { get; set; } = [];
    /// <summary>Down-sampling; the first entry whose pattern matches a topic holds for it.</summary>
    public IReadOnlyList<TopicSampling> Sampling { get; set; } = [];
    /// <summary>One table on one clock instead of one table for each topic; null means none. Not for <c>mcap</c> and <c>rosbag2</c>.</summary>
    public ExportAlignment? Alignment { get; init; }
    /// <summary>Images as files of their own, beside the tables or recordings.</summary>
    public ImageFiles Images { get; set; }
    /// <summary>Point clouds as files of their own, beside the tables or recordings.</summary>
    public CloudFiles PointClouds { get; set; }
    /// <summary>About how many bytes of recordings one part reads; each part has its own files. Null means the format's default.</summary>
    public long? PartBytes { get; init; }
    /// <summary>Whether a recording that cannot be read is left out, and said so in the manifest, instead of failing the export.</summary>
    public bool AllowIncomplete { get; init; }

    /// <summary>What is wrong with the settings, as (name of the setting, what is wrong and what to do). Empty when nothing is.</summary>
    public IEnumerable<(string Setting, string Problem)> Problems()
    {
        if (!ExportFormats.All.Contains(Format))
            yield return ("format", $"'{Format}' is no format; use one of {string.Join(", ", ExportFormats.All)}.");
        if (FromNs >= ToNs)
            yield return ("to_ns", "The range is empty: to_ns must be greater than from_ns.");
        if (PartBytes < ExportFormats.PartBytesMin)
            yield return ("part_bytes", $"{PartBytes} is too small; use {ExportFormats.PartBytesMin} or more.");
        var copies = Format is ExportFormats.Mcap or ExportFormats.Rosbag2;
        if (copies && Fields.Count > 0)
            yield return ("fields", $"{Format} copies messages whole; leave the fields out, or use a format with columns.");
        if (copies && Alignment is not null)
            yield return ("alignment", $"{Format} copies messages with their own times; use a format with columns to align them.");
        if (Selection is { } s && s.Types.Count + s.ExcludeTypes.Count + s.Nodes.Count + s.ExcludeNodes.Count > 0)
            yield return ("selection", "An export selects topics by their names; leave types and nodes out.");
        if (Fields.Any(f => f.Topic.Length == 0 || f.Fields.Count == 0))
            yield return ("fields", "Each entry needs a topic pattern and one field at least.");
        if (Filters.Any(f => f.Topic.Length == 0 || f.Field.Length == 0))
            yield return ("filters", "Each filter needs a topic pattern and a field.");
        if (Sampling.Any(s => s.Topic.Length == 0 || (s.RateHz is null) == (s.Every is null) || !(s.RateHz is null or (> 0 and <= 1e9)) || s.Every < 1))
            yield return ("sampling", "Each entry needs a topic pattern and either rate_hz, above 0, or every, 1 or more.");
        if (Alignment is { } a && ((a.RateHz is null) == (a.MasterTopic is null) || !(a.RateHz is null or (> 0 and <= 1e6)) || a.ToleranceNs < 0))
            yield return ("alignment", "Give either rate_hz (above 0, up to 1000000) or master_topic, and a tolerance_ns that is not negative.");
    }
}

/// <summary>Names of the output formats.</summary>
public static class ExportFormats
{
    /// <summary>Merged, indexed MCAP files.</summary>
    public const string Mcap = "mcap";
    /// <summary>A bag folder: MCAP files with <c>metadata.yaml</c>.</summary>
    public const string Rosbag2 = "rosbag2";
    /// <summary>Apache Parquet, partitioned by robot and date.</summary>
    public const string Parquet = "parquet";
    /// <summary>CSV as in RFC 4180.</summary>
    public const string Csv = "csv";
    /// <summary>JSON Lines.</summary>
    public const string JsonLines = "jsonl";
    /// <summary>NumPy <c>.npz</c>.</summary>
    public const string Numpy = "numpy";
    /// <summary>TFRecord files of <c>tf.train.Example</c>.</summary>
    public const string TfRecord = "tfrecord";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Mcap, Rosbag2, Parquet, Csv, JsonLines, Numpy, TfRecord];

    /// <summary>Least <see cref="ExportSettings.PartBytes"/>.</summary>
    public const long PartBytesMin = 1 << 20;
}

/// <summary>Which fields of the topics that match a pattern become columns.</summary>
/// <param name="Topic">Topic, in which <c>*</c> stands for any characters.</param>
/// <param name="Fields">Paths such as <c>pose.position</c>, for all below it, or <c>pose.position.x</c>.</param>
public sealed record TopicFields(string Topic, IReadOnlyList<string> Fields);

/// <summary>How a filter compares.</summary>
public enum FilterComparison
{
    /// <summary>==</summary>
    Equal,
    /// <summary>!=</summary>
    NotEqual,
    /// <summary>&lt;</summary>
    Less,
    /// <summary>&lt;=</summary>
    LessOrEqual,
    /// <summary>&gt;</summary>
    Greater,
    /// <summary>&gt;=</summary>
    GreaterOrEqual,
}

/// <summary>
/// A condition on one field of messages in CDR, protobuf or JSON. A field with several values meets it when one of them does, one without a
/// value never does. Enumerations of protobuf are texts, times nanoseconds. JSON says with each message what a field is: numbers are compared
/// with numbers, texts with texts.
/// </summary>
/// <param name="Topic">Topic, in which <c>*</c> stands for any characters.</param>
/// <param name="Field">Path of a number or text, such as <c>pose.position.x</c>, <c>ranges[3]</c> or, of every item, <c>status[].level</c>.</param>
/// <param name="Comparison">How it is compared; texts only for equality.</param>
/// <param name="Value">What with: a number, or a text.</param>
public sealed record FieldFilter(string Topic, string Field, FilterComparison Comparison, string Value);

/// <summary>Down-sampling of the topics that match a pattern: by rate or by count, one of them.</summary>
public sealed record TopicSampling
{
    /// <summary>Topic, in which <c>*</c> stands for any characters.</summary>
    public required string Topic { get; init; }
    /// <summary>Of each period of <c>1 / rate</c> seconds, counted from the Unix epoch, the first message.</summary>
    public double? RateHz { get; init; }
    /// <summary>Every so many messages one, the first included. An export with such an entry is one part.</summary>
    public int? Every { get; init; }
}

/// <summary>Where a value between two messages comes from.</summary>
public enum AlignmentMethod
{
    /// <summary>The message next in time, before or after; of two equally near the earlier.</summary>
    Nearest,
    /// <summary>The last message that is not after the tick.</summary>
    Previous,
    /// <summary>
    /// Numbers on the line between the messages before and after, quaternions (<c>x</c>, <c>y</c>, <c>z</c>, <c>w</c> of
    /// <c>geometry_msgs/msg/Quaternion</c>) on the great arc; everything else from the message before: truth values, enumerations, times,
    /// texts and lists. Columns of integers are <c>float64</c> then, in every row, and are not rounded.
    /// </summary>
    Linear,
}

/// <summary>One clock for all topics of a session. Each tick is a row; a topic without a message near enough has nulls there.</summary>
public sealed record ExportAlignment
{
    /// <summary>Ticks at the multiples of <c>1 / rate</c> seconds from the Unix epoch on; or null.</summary>
    public double? RateHz { get; init; }
    /// <summary>Ticks at the log times of this topic's messages; or null.</summary>
    public string? MasterTopic { get; init; }
    /// <summary>Where values come from.</summary>
    public AlignmentMethod Method { get; init; }
    /// <summary>How far in time, ns, a message may be from the tick. Latched topics hold until they are followed by another message.</summary>
    public long ToleranceNs { get; set; } = 100_000_000;
}

/// <summary>What becomes of images (<c>sensor_msgs/msg/Image</c>, <c>CompressedImage</c>).</summary>
public enum ImageFiles
{
    /// <summary>They stay in the tables, where the format has a type for bytes; CSV leaves them out.</summary>
    None,
    /// <summary>PNG; compressed images as they are.</summary>
    Png,
    /// <summary>JPEG; compressed images as they are.</summary>
    Jpeg,
    /// <summary>Pixels as they were recorded, row by row without padding; compressed images as they are.</summary>
    Raw,
}

/// <summary>What becomes of point clouds (<c>sensor_msgs/msg/PointCloud2</c>).</summary>
public enum CloudFiles
{
    /// <summary>They stay in the tables, where the format has a type for bytes; CSV leaves them out.</summary>
    None,
    /// <summary>PCD 0.7, binary.</summary>
    Pcd,
    /// <summary>PLY, binary.</summary>
    Ply,
}
