using System.Globalization;
using System.Text;

namespace EdgeCloud.Agent.Sources;

/// <summary>
/// What one publisher offers. rosbag2 keeps a YAML list of these as a channel's <c>offered_qos_profiles</c>, one profile for each publisher,
/// with RMW's numbers (before bag version 9) or words.
/// </summary>
/// <param name="IsReliable">Delivered again when lost.</param>
/// <param name="IsTransientLocal">The last messages again for who comes late.</param>
internal sealed record QosProfile(bool IsReliable, bool IsTransientLocal)
{
    /// <summary>Stands for no limit in time, ns.</summary>
    public const long Forever = long.MaxValue;

    private const int KeepLast = 1, KeepAll = 2, Unknown = 3;

    /// <summary>Queue of 10, delivered again when lost.</summary>
    public static readonly string Reliable = Write([new(true, false) { Depth = 10 }]);

    /// <summary>Queue of 5, not repeated.</summary>
    public static readonly string SensorData = Write([new(false, false) { Depth = 5 }]);

    /// <summary>Reliable, and the last message again for who comes late.</summary>
    public static readonly string Latched = Write([new(true, true) { Depth = 1 }]);

    /// <summary>Length of the queue; 0 when the publisher does not tell: of DDS only CycloneDDS tells.</summary>
    public int Depth { get; init; }
    /// <summary>The queue has no end.</summary>
    public bool KeepsAll { get; init; }
    public long DeadlineNs { get; init; } = Forever;
    public long LifespanNs { get; init; } = Forever;
    /// <summary>The publisher says itself that it lives.</summary>
    public bool IsManualByTopic { get; init; }
    public long LeaseNs { get; init; } = Forever;

    /// <summary>The list, in the given order.</summary>
    public static string Write(IEnumerable<QosProfile> profiles)
    {
        var text = new StringBuilder();
        foreach (var profile in profiles)
        {
            text.Append(CultureInfo.InvariantCulture, $"- history: {(profile.KeepsAll ? KeepAll : profile.Depth > 0 ? KeepLast : Unknown)}\n  depth: {profile.Depth}\n")
                .Append(CultureInfo.InvariantCulture, $"  reliability: {(profile.IsReliable ? 1 : 2)}\n")
                .Append(CultureInfo.InvariantCulture, $"  durability: {(profile.IsTransientLocal ? 1 : 2)}\n");
            Append(text, "deadline", profile.DeadlineNs);
            Append(text, "lifespan", profile.LifespanNs);
            text.Append(CultureInfo.InvariantCulture, $"  liveliness: {(profile.IsManualByTopic ? 3 : 1)}\n");
            Append(text, "liveliness_lease_duration", profile.LeaseNs);
            text.Append("  avoid_ros_namespace_conventions: false\n");
        }
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>The last message stays valid for who comes late. That of <c>/rosout</c> is kept too, but only for ten seconds.</summary>
    public bool IsLatching => IsTransientLocal && LifespanNs == Forever;

    private static void Append(StringBuilder text, string name, long ns) =>
        text.Append(CultureInfo.InvariantCulture, $"  {name}:\n    sec: {ns / 1_000_000_000}\n    nsec: {ns % 1_000_000_000}\n");
}
