using System.Text;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>What a DDS topic is to ROS.</summary>
internal enum RosTopicKind
{
    Topic,
    /// <summary>Requests to a service.</summary>
    Request,
    /// <summary>A service's replies.</summary>
    Reply,
    /// <summary>Not of ROS, or with its name conventions avoided.</summary>
    Other,
}

/// <summary>
/// How ROS 2 writes its names in DDS: topic <c>/chatter</c> is <c>rt/chatter</c>, service <c>/add</c> is <c>rq/addRequest</c> and
/// <c>rr/addReply</c>, type <c>std_msgs/msg/String</c> is <c>std_msgs::msg::dds_::String_</c>.
/// </summary>
internal static class RosNames
{
    /// <summary>DDS topic on which each participant tells its nodes and their publishers.</summary>
    public const string DiscoveryTopic = "ros_discovery_info";

    private const string TypeMark = "dds_::";
    private const string HashKey = "typehash=";
    private const int HashLength = 7 + 64;

    /// <summary>The name of a DDS topic in ROS, and what it is. A service's name is that of the service.</summary>
    public static (string Name, RosTopicKind Kind) FromDds(string topic)
    {
        if (topic.StartsWith("rt/", StringComparison.Ordinal))
            return (topic[2..], RosTopicKind.Topic);
        if (Service(topic, "rq/", "Request") is { } requested)
            return (requested, RosTopicKind.Request);
        return Service(topic, "rr/", "Reply") is { } replying ? (replying, RosTopicKind.Reply) : (topic, RosTopicKind.Other);
    }

    /// <summary>The DDS name of a ROS topic.</summary>
    public static string ToDds(string topic) => "rt" + topic;

    /// <summary>The ROS name of a DDS type; a type that is none of ROS keeps its name.</summary>
    public static string TypeFromDds(string type)
    {
        var mark = type.LastIndexOf(TypeMark, StringComparison.Ordinal);
        if (mark < 2 || !type.EndsWith('_') || type.Length - 1 <= mark + TypeMark.Length)
            return type;
        return string.Concat(type.AsSpan(0, mark), type.AsSpan(mark + TypeMark.Length, type.Length - mark - TypeMark.Length - 1))
            .Replace("::", "/", StringComparison.Ordinal);
    }

    /// <summary>The DDS name of a ROS type that is written <c>package/msg/Name</c>.</summary>
    public static string TypeToDds(string type)
    {
        var slash = type.LastIndexOf('/');
        return $"{type[..slash].Replace("/", "::", StringComparison.Ordinal)}::{TypeMark}{type[(slash + 1)..]}_";
    }

    /// <summary>The type hash in an endpoint's user data (<c>key=value;</c> each), such as <c>RIHS01_</c> and 64 digits; null without one.</summary>
    public static string? TypeHash(ReadOnlySpan<byte> userData)
    {
        if (userData.Length is 0 or > 4096)
            return null;
        foreach (var pair in Encoding.UTF8.GetString(userData).Split(';'))
        {
            if (pair.StartsWith(HashKey, StringComparison.Ordinal))
                return pair.Length == HashKey.Length + HashLength ? pair[HashKey.Length..] : null;
        }
        return null;
    }

    /// <summary>True when a part of the name begins with an underscore: ROS's tools pass over it unless asked.</summary>
    public static bool IsHidden(string topic) =>
        topic.StartsWith('_') || topic.Contains("/_", StringComparison.Ordinal);

    private static string? Service(string topic, string prefix, string suffix) =>
        topic.StartsWith(prefix, StringComparison.Ordinal) && topic.EndsWith(suffix, StringComparison.Ordinal)
            && topic.Length > prefix.Length + suffix.Length ? topic[(prefix.Length - 1)..^suffix.Length] : null;
}
