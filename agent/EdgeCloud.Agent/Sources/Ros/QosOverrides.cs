using System.Globalization;
using EdgeCloud.Agent.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>
/// QoS that a person wants a subscription to have, in the YAML of <c>ros2 bag record --qos-profile-overrides-path</c>: by topic name,
/// <c>reliability</c>, <c>durability</c>, <c>history</c>, <c>depth</c>, <c>deadline</c>, <c>lifespan</c>, <c>liveliness</c> and
/// <c>liveliness_lease_duration</c>. What a profile does not say follows the publishers.
/// </summary>
internal sealed class QosOverrides
{
    private readonly Dictionary<string, Profile> _profiles = new(StringComparer.Ordinal);

    /// <summary>No wishes.</summary>
    public static QosOverrides None { get; } = new();

    private sealed record Profile
    {
        public bool? IsReliable { get; set; }
        public bool? IsTransientLocal { get; set; }
        public bool? KeepAll { get; set; }
        public int? Depth { get; set; }
        public long? DeadlineNs { get; set; }
        public bool? IsManualByTopic { get; set; }
        public long? LeaseNs { get; set; }
    }

    /// <summary>What to ask for on a topic, given what suits its publishers.</summary>
    public ReaderQos Apply(string topic, ReaderQos suitable)
    {
        if (!_profiles.TryGetValue(topic, out var wish))
            return suitable;
        return suitable with
        {
            IsReliable = wish.IsReliable ?? suitable.IsReliable,
            IsTransientLocal = wish.IsTransientLocal ?? suitable.IsTransientLocal,
            KeepAll = wish.KeepAll ?? suitable.KeepAll,
            Depth = wish.Depth ?? suitable.Depth,
            DeadlineNs = wish.DeadlineNs ?? suitable.DeadlineNs,
            IsManualByTopic = wish.IsManualByTopic ?? suitable.IsManualByTopic,
            LeaseNs = wish.LeaseNs ?? suitable.LeaseNs,
        };
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, or says something that is no QoS; each error names the line.</exception>
    public static QosOverrides Read(string file)
    {
        var errors = new List<string>();
        var overrides = new QosOverrides();
        var stream = new YamlStream();
        try
        {
            using var reader = new StreamReader(file);
            stream.Load(reader);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or YamlException)
        {
            throw new ConfigurationException([$"{file}: no QoS profiles can be read from it: {e.Message}"]);
        }
        if (stream.Documents.Count > 0)
            overrides.Add(file, stream.Documents[0].RootNode, errors);
        return errors.Count == 0 ? overrides : throw new ConfigurationException(errors);
    }

    private void Add(string file, YamlNode root, List<string> errors)
    {
        if (root is not YamlMappingNode topics)
        {
            errors.Add($"{file}:{root.Start.Line}: allowed is a mapping of topic names to QoS profiles");
            return;
        }
        foreach (var (key, node) in topics.Children)
        {
            var topic = key is YamlScalarNode { Value: { } name } ? name : "";
            if (!topic.StartsWith('/') || node is not YamlMappingNode settings)
            {
                errors.Add($"{file}:{key.Start.Line}: '{topic}' must be a topic name beginning with '/', with a QoS profile below it");
                continue;
            }
            var profile = new Profile();
            foreach (var (setting, value) in settings.Children)
            {
                if (Refusal(profile, (setting as YamlScalarNode)?.Value ?? "", value) is { } allowed)
                    errors.Add($"{file}:{setting.Start.Line}: {topic}: {setting} is '{value}'; allowed is {allowed}");
            }
            _profiles[topic] = profile;
        }
    }

    /// <summary>Takes one setting into a profile; null when it is sound, else what is allowed.</summary>
    private static string? Refusal(Profile profile, string setting, YamlNode value)
    {
        var word = (value as YamlScalarNode)?.Value ?? "";
        switch (setting)
        {
            case "reliability" when Choose(word, "reliable", "best_effort") is var (chosen, _):
                profile.IsReliable = chosen;
                return null;
            case "durability" when Choose(word, "transient_local", "volatile") is var (chosen, _):
                profile.IsTransientLocal = chosen;
                return null;
            case "history" when Choose(word, "keep_all", "keep_last") is var (chosen, _):
                profile.KeepAll = chosen;
                return null;
            case "liveliness" when Choose(word, "manual_by_topic", "automatic") is var (chosen, _):
                profile.IsManualByTopic = chosen;
                return null;
            case "depth" when int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var depth):
                profile.Depth = depth > 0 ? depth : null;
                return null;
            case "deadline" when Duration(value) is { } ns:
                profile.DeadlineNs = ns;
                return null;
            case "liveliness_lease_duration" when Duration(value) is { } ns:
                profile.LeaseNs = ns;
                return null;
            case "lifespan" when Duration(value) is not null:
            case "avoid_ros_namespace_conventions" when word is "true" or "false":
                // Of publishers only; the files of ros2 bag have them.
                return null;
            default:
                return setting switch
                {
                    "reliability" => "reliable, best_effort or system_default",
                    "durability" => "transient_local, volatile or system_default",
                    "history" => "keep_last, keep_all or system_default",
                    "liveliness" => "automatic, manual_by_topic or system_default",
                    "depth" => "a whole number",
                    "deadline" or "lifespan" or "liveliness_lease_duration" => "{sec: ..., nsec: ...}",
                    "avoid_ros_namespace_conventions" => "true or false",
                    _ => "reliability, durability, history, depth, deadline, lifespan, liveliness, liveliness_lease_duration or avoid_ros_namespace_conventions",
                };
        }
    }

    /// <summary>True for the first word, false for the second, null for the default; nothing for any other.</summary>
    private static (bool? Chosen, bool Known)? Choose(string word, string yes, string no) =>
        word == yes ? (true, true) : word == no ? (false, true) : word is "system_default" or "unknown" ? (null, true) : null;

    private static long? Duration(YamlNode node)
    {
        if (node is not YamlMappingNode { Children: { Count: 2 } parts })
            return null;
        long? Part(string name) => parts.TryGetValue(new YamlScalarNode(name), out var part)
            && long.TryParse((part as YamlScalarNode)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        if (Part("sec") is not { } seconds || Part("nsec") is not { } nanoseconds || nanoseconds >= 1_000_000_000)
            return null;
        // RMW's "infinite" is the greatest time; 0 means the default, which is infinite too.
        return seconds > 9_223_372_035 || (seconds == 0 && nanoseconds == 0) ? QosProfile.Forever : (seconds * 1_000_000_000) + nanoseconds;
    }
}
