using System.Globalization;
using EdgeCloud.Agent.Configuration;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>The variables by which ROS 2 nodes are told where to look for each other.</summary>
internal static class RosEnvironment
{
    /// <summary><c>ROS_DOMAIN_ID</c>; null when it is not set to a number.</summary>
    public static int? Domain => int.TryParse(Variable("ROS_DOMAIN_ID"), NumberStyles.None, CultureInfo.InvariantCulture, out var domain) ? domain : null;

    /// <summary><c>ROS_STATIC_PEERS</c>, separated by semicolons; the host itself when discovery is limited to it.</summary>
    public static IReadOnlyList<string> Peers
    {
        get
        {
            var peers = Variable("ROS_STATIC_PEERS").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return IsLocal ? [.. peers, "localhost"] : peers;
        }
    }

    /// <summary>Off when <c>ROS_AUTOMATIC_DISCOVERY_RANGE</c> or <c>ROS_LOCALHOST_ONLY</c> limits discovery to this host.</summary>
    public static DdsMulticast? Multicast => IsLocal ? DdsMulticast.Off : null;

    private static bool IsLocal => Variable("ROS_AUTOMATIC_DISCOVERY_RANGE").ToUpperInvariant() switch
    {
        "LOCALHOST" => true,
        "SUBNET" or "OFF" => false,
        _ => Variable("ROS_LOCALHOST_ONLY") == "1",
    };

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";
}
