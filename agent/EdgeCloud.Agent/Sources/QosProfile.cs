using System.Text.RegularExpressions;

namespace EdgeCloud.Agent.Sources;

/// <summary>
/// The YAML list of QoS profiles that rosbag2 keeps as a channel's <c>offered_qos_profiles</c>: one profile for each publisher, with
/// RMW's numbers (before bag version 9) or words.
/// </summary>
internal static partial class QosProfile
{
    /// <summary>Queue of 10, delivered again when lost.</summary>
    public static readonly string Reliable = Write(depth: 10, reliability: 1, durability: 2);

    /// <summary>Queue of 5, not repeated.</summary>
    public static readonly string SensorData = Write(depth: 5, reliability: 2, durability: 2);

    /// <summary>Reliable, and the last message again for who comes late.</summary>
    public static readonly string Latched = Write(depth: 1, reliability: 1, durability: 1);

    /// <summary>True when every publisher offers transient local: its last message counts for who comes late.</summary>
    public static bool IsLatched(string? profiles)
    {
        var offers = Durability().Matches(profiles ?? "");
        return offers.Count > 0 && offers.All(o => o.Groups[1].Value is "1" or "transient_local");
    }

    private static string Write(int depth, int reliability, int durability)
    {
        const string Never = "\n    sec: 9223372036\n    nsec: 854775807\n";
        return $"- history: 1\n  depth: {depth}\n  reliability: {reliability}\n  durability: {durability}\n  deadline:{Never}" +
            $"  lifespan:{Never}  liveliness: 1\n  liveliness_lease_duration:{Never}  avoid_ros_namespace_conventions: false";
    }

    [GeneratedRegex(@"^[\s-]*durability:\s*(\w+)", RegexOptions.Multiline)]
    private static partial Regex Durability();
}
