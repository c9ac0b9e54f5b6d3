using EdgeCloud.Agent.Sources.Ros;
using global::Rcl;
using global::Rcl.Graph;
using global::Rcl.Qos;
using Rosidl.Runtime;

namespace EdgeCloud.Agent.Sources.Rcl;

/// <summary>A topic with publishers, and its subscription.</summary>
internal sealed class RclTopic(string name, string type, TypeSupportHandle support)
{
    public string Name { get; } = name;

    /// <summary>Such as <c>sensor_msgs/msg/Imu</c>.</summary>
    public string Type { get; } = type;

    public TypeSupportHandle Support { get; } = support;

    public Dictionary<GraphId, RosTopicEndPoint> Publishers { get; } = [];

    /// <summary>How often publishers came or went.</summary>
    public int Changes { get; set; }

    public IRclNativeSubscription? Subscription { get; set; }

    /// <summary>What <see cref="Subscription"/> asks for.</summary>
    public ReaderQos? Qos { get; set; }

    /// <summary>While another subscription ends whose place <see cref="Subscription"/> takes, and a little longer.</summary>
    public Overlap? Overlap { get; set; }

    /// <summary>Its name at the sink; null until it is told.</summary>
    public TopicHandle? Handle { get; set; }

    /// <summary>What was told to the sink last.</summary>
    public SourceTopic? Told { get; set; }

    /// <summary>Messages that came.</summary>
    public long Received { get; set; }

    /// <summary>Messages that could not be turned into bytes.</summary>
    public long Failed { get; set; }

    /// <summary>What suits all publishers: a subscription that asks for more than a publisher offers gets nothing from it.</summary>
    public ReaderQos Suitable() => new()
    {
        IsReliable = Publishers.Values.All(p => p.QosProfile.Reliability is ReliabilityPolicy.Reliable),
        IsTransientLocal = Publishers.Values.All(p => p.QosProfile.Durability is DurabilityPolicy.TransientLocal),
    };

    /// <summary>The distinct profiles that publishers offer, as the recording carries them.</summary>
    public string OfferedProfiles => QosProfile.Write(Publishers.Values.Select(p => Offered(p.QosProfile)).Distinct()
        .OrderByDescending(q => q.IsReliable).ThenByDescending(q => q.IsTransientLocal).ThenBy(q => q.DeadlineNs).ThenBy(q => q.LifespanNs));

    /// <summary>True when the last message of every publisher stays valid.</summary>
    public bool IsLatched => Publishers.Values.All(p => Offered(p.QosProfile).IsLatching);

    /// <summary>Full names of the nodes that publish it.</summary>
    public IReadOnlyList<string> Nodes =>
        [.. Publishers.Values.Select(p => FullName(p.Node.Name)).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>A node's full name; Rcl.NET's own leaves out the slash behind a namespace.</summary>
    public static string FullName(NodeName node) => $"{node.Namespace.TrimEnd('/')}/{node.Name}";

    private static QosProfile Offered(global::Rcl.Qos.QosProfile qos) =>
        new(qos.Reliability is ReliabilityPolicy.Reliable, qos.Durability is DurabilityPolicy.TransientLocal)
        {
            Depth = qos.History is HistoryPolicy.KeepLast ? qos.Depth : 0,
            KeepsAll = qos.History is HistoryPolicy.KeepAll,
            DeadlineNs = Ns(qos.Deadline),
            LifespanNs = Ns(qos.LifeSpan),
            IsManualByTopic = qos.Liveliness is LivelinessPolicy.ManualByTopic,
            LeaseNs = Ns(qos.LivelinessLeaseDuration),
        };

    /// <summary>No limit is 0, or what rmw's infinite duration becomes on its way through a floating-point number.</summary>
    private static long Ns(TimeSpan time) =>
        time <= TimeSpan.Zero || time.TotalSeconds >= 9.2e9 ? QosProfile.Forever : time.Ticks * TimeSpan.NanosecondsPerTick;
}
