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

    /// <summary>Just the loopback when <c>ROS_LOCALHOST_ONLY</c> says so.</summary>
    public static IReadOnlyList<string> Interfaces => IsLoopbackOnly ? ["lo"] : [];

    /// <summary>
    /// Off when <c>ROS_AUTOMATIC_DISCOVERY_RANGE</c> limits discovery to this host: nodes then announce themselves to each participant of it. With
    /// <c>ROS_LOCALHOST_ONLY</c> those on FastDDS do so by multicast on the loopback only, and are found by chance, seconds later, without.
    /// </summary>
    public static DdsMulticast? Multicast => IsLoopbackOnly ? DdsMulticast.Discovery : IsLocal ? DdsMulticast.Off : null;

    private static bool IsLocal => IsLoopbackOnly || Range == "LOCALHOST";

    private static bool IsLoopbackOnly => Range is not ("LOCALHOST" or "SUBNET" or "OFF") && Variable("ROS_LOCALHOST_ONLY") == "1";

    private static string Range => Variable("ROS_AUTOMATIC_DISCOVERY_RANGE").ToUpperInvariant();

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";
}
