using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// A rosbag2 bag: the folder <c>bag</c> with MCAP files and <c>metadata.yaml</c> as rosbag2 of ROS 2 Jazzy writes it (version 9), which
/// <c>ros2 bag info</c> and <c>ros2 bag play</c> read.
/// </summary>
internal sealed partial class Rosbag2Format : ExportFormat
{
    private const string Folder = "bag/";

    /// <summary>What rosbag2 demands of a profile.</summary>
    private static readonly string[] QosKeys =
    [
        "history", "depth", "reliability", "durability", "deadline", "lifespan", "liveliness", "liveliness_lease_duration", "avoid_ros_namespace_conventions",
    ];

    public override Task WriteAsync(PartWork work, CancellationToken cancellation) =>
        McapFormat.WriteAsync(work, string.Create(CultureInfo.InvariantCulture, $"{Folder}bag_{work.Part.Index}.mcap"), cancellation);

    public override Task FinishAsync(ExportAssembly assembly, CancellationToken cancellation) =>
        assembly.WriteAsync($"{Folder}metadata.yaml", "application/yaml", Encoding.UTF8.GetBytes(Metadata(assembly)), cancellation);

    public override string Loading(ExportManifest manifest) =>
        """
        The folder `bag` is a rosbag2 bag.

        ```
        ros2 bag info bag
        ros2 bag play bag
        ```
        """;

    private static string Metadata(ExportAssembly assembly)
    {
        var yaml = new StringBuilder();
        var files = assembly.PartFiles.Where(f => f.Table.Length == 0).ToList(); // not the images beside them
        yaml.Append("rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n");
        var (first, last) = Span(files);
        Append(yaml, $"  duration:\n    nanoseconds: {last - first}\n  starting_time:\n    nanoseconds_since_epoch: {first}\n");
        Append(yaml, $"  message_count: {files.Sum(f => f.Rows)}\n");
        AppendTopics(yaml, assembly);
        yaml.Append("  compression_format: \"\"\n  compression_mode: \"\"\n  relative_file_paths:\n");
        foreach (var file in files)
            Append(yaml, $"    - {file.Name[Folder.Length..]}\n");
        yaml.Append("  files:\n");
        foreach (var file in files)
        {
            Append(yaml, $"    - path: {file.Name[Folder.Length..]}\n      starting_time:\n        nanoseconds_since_epoch: {file.FirstNs}\n");
            Append(yaml, $"      duration:\n        nanoseconds: {file.LastNs - file.FirstNs}\n      message_count: {file.Rows}\n");
        }
        yaml.Append("  custom_data: ~\n  ros_distro: jazzy\n");
        return yaml.ToString();
    }

    private static void AppendTopics(StringBuilder yaml, ExportAssembly assembly)
    {
        if (assembly.Topics.Count == 0)
        {
            yaml.Append("  topics_with_message_count:\n    []\n");
            return;
        }
        yaml.Append("  topics_with_message_count:\n");
        // rosbag2 knows a topic by its name: robots with the same topic share a line.
        foreach (var same in assembly.Topics.GroupBy(t => t.Topic))
        {
            var topic = same.OrderByDescending(t => t.Messages).First();
            Append(yaml, $"    - topic_metadata:\n        name: {Quoted(topic.Topic)}\n        type: {Quoted(topic.Type)}\n        serialization_format: {Quoted(topic.Encoding)}\n");
            AppendQos(yaml, same.Select(t => t.Qos).FirstOrDefault(q => q.Length > 0) ?? "");
            Append(yaml, $"        type_description_hash: {Quoted(same.Select(t => t.TypeHash).FirstOrDefault(h => h.Length > 0) ?? "")}\n");
            Append(yaml, $"      message_count: {same.Sum(t => t.Messages + t.Repeats)}\n");
        }
    }

    /// <summary>The profiles as the recorder noted them, one level deeper and in the words of version 9 instead of RMW's numbers.</summary>
    private static void AppendQos(StringBuilder yaml, string qos)
    {
        var lines = qos.Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0).ToList();
        var isSequence = lines.Count > 0 && lines[0].StartsWith("- ", StringComparison.Ordinal)
            && lines.All(l => l.StartsWith("- ", StringComparison.Ordinal) || l.StartsWith("  ", StringComparison.Ordinal))
            && QosKeys.All(key => qos.Contains(key + ":", StringComparison.Ordinal));
        if (!isSequence)
        {
            yaml.Append("        offered_qos_profiles:\n          []\n");
            return;
        }
        yaml.Append("        offered_qos_profiles:\n");
        foreach (var line in lines)
            yaml.Append("          ").Append(Policy().Replace(line, InWords)).Append('\n');
    }

    private static string InWords(Match policy)
    {
        string[] words = policy.Groups[2].Value switch
        {
            "history" => ["system_default", "keep_last", "keep_all"],
            "reliability" => ["system_default", "reliable", "best_effort", "unknown", "best_available"],
            "durability" => ["system_default", "transient_local", "volatile", "unknown", "best_available"],
            _ => ["system_default", "automatic", "unknown", "manual_by_topic", "unknown", "best_available"],
        };
        var number = int.Parse(policy.Groups[3].Value, CultureInfo.InvariantCulture);
        return $"{policy.Groups[1].Value}{policy.Groups[2].Value}: {(number < words.Length ? words[number] : "unknown")}";
    }

    [GeneratedRegex(@"^([\s-]*)(history|reliability|durability|liveliness): (\d{1,2})$")]
    private static partial Regex Policy();

    private static (long First, long Last) Span(IReadOnlyList<ExportedFile> files)
    {
        var filled = files.Where(f => f.Rows > 0).ToList();
        return filled.Count == 0 ? (0, 0) : (filled.Min(f => f.FirstNs), filled.Max(f => f.LastNs));
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")}\"";

    private static void Append(StringBuilder yaml, FormattableString text) => yaml.Append(text.ToString(CultureInfo.InvariantCulture));
}
