using System.Globalization;
using System.Text;
using EdgeCloud.Agent.Wal;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// The metadata record <c>rosbag2</c> that rosbag2's own MCAP storage leaves at the end of a file: what <c>metadata.yaml</c> says, version 8,
/// in which QoS profiles have numbers (from version 9 on they have words).
/// </summary>
internal static class BagMetadata
{
    private const int NumberedProfiles = 8, WordedProfiles = 9;

    /// <summary>The record for a segment that ends.</summary>
    public static SegmentMetadata Of(SegmentFacts facts) =>
        new("rosbag2", new Dictionary<string, string> { ["serialized_metadata"] = Write(facts) });

    private static string Write(SegmentFacts facts)
    {
        var channels = facts.Channels.Where(c => c.Messages > 0).ToList();
        var file = SegmentName.Of(facts.Sequence, SegmentName.Sealed);
        var duration = facts.LogTimeEndNs - facts.LogTimeStartNs;
        var version = channels.Any(c => HasWords(Profiles(c))) ? WordedProfiles : NumberedProfiles;
        var yaml = new StringBuilder();
        yaml.Append(CultureInfo.InvariantCulture, $"version: {version}\nstorage_identifier: mcap\nduration:\n  nanoseconds: {duration}\n")
            .Append(CultureInfo.InvariantCulture, $"starting_time:\n  nanoseconds_since_epoch: {facts.LogTimeStartNs}\n")
            .Append(CultureInfo.InvariantCulture, $"message_count: {facts.Messages}\ntopics_with_message_count:\n");
        foreach (var channel in channels)
            Append(yaml, channel, version);
        if (channels.Count == 0)
            yaml.Append("  []\n");
        return yaml.Append(CultureInfo.InvariantCulture, $"compression_format: \"\"\ncompression_mode: \"\"\nrelative_file_paths:\n  - {file}\nfiles:\n")
            .Append(CultureInfo.InvariantCulture, $"  - path: {file}\n    starting_time:\n      nanoseconds_since_epoch: {facts.LogTimeStartNs}\n")
            .Append(CultureInfo.InvariantCulture, $"    duration:\n      nanoseconds: {duration}\n    message_count: {facts.Messages}\n")
            .Append("custom_data: ~\nros_distro: \"\"").ToString();
    }

    private static void Append(StringBuilder yaml, SegmentChannel channel, int version)
    {
        var definition = channel.Definition;
        yaml.Append("  - topic_metadata:\n      name: ").Append(Quoted(definition.Topic))
            .Append("\n      type: ").Append(Quoted(definition.SchemaName))
            .Append("\n      serialization_format: ").Append(Quoted(definition.MessageEncoding));
        if (version == NumberedProfiles)
        {
            yaml.Append("\n      offered_qos_profiles: ").Append(Quoted(Profiles(channel)));
        }
        else
        {
            var profiles = Profiles(channel);
            yaml.Append("\n      offered_qos_profiles:").Append(profiles.Length == 0 ? " []" : "\n        " + profiles.TrimEnd().ReplaceLineEndings("\n        "));
        }
        yaml.Append("\n      type_description_hash: ").Append(Quoted(definition.Metadata.GetValueOrDefault("topic_type_hash", "")))
            .Append(CultureInfo.InvariantCulture, $"\n    message_count: {channel.Messages}\n");
    }

    private static string Profiles(SegmentChannel channel) => channel.Definition.Metadata.GetValueOrDefault("offered_qos_profiles", "");

    private static bool HasWords(string profiles) => profiles.Contains("history: keep", StringComparison.Ordinal)
        || profiles.Contains("history: unknown", StringComparison.Ordinal) || profiles.Contains("history: system", StringComparison.Ordinal);

    /// <summary>A YAML scalar between double quotes.</summary>
    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
