namespace EdgeCloud.Contracts;

/// <summary>The last level or levels of an EdgeCloud MQTT topic.</summary>
public enum MqttTopicKind
{
    /// <summary>Retained <see cref="StateMessage"/>; the Last Will sets it offline. Robot to control plane.</summary>
    State,
    /// <summary><see cref="TelemetryMessage"/>. Robot to control plane.</summary>
    Telemetry,
    /// <summary><see cref="SegmentAnnouncement"/> and <see cref="SessionAnnouncement"/>. Robot to control plane.</summary>
    Manifest,
    /// <summary><see cref="CommandMessage"/>. Control plane to robot.</summary>
    Command,
    /// <summary><see cref="CommandAck"/>. Robot to control plane.</summary>
    CommandAck,
    /// <summary><see cref="CustodyMessage"/> and <see cref="EventAck"/>. Control plane to robot.</summary>
    Custody,
    /// <summary><see cref="LogMessage"/>, warnings and above, and <see cref="EventMessage"/>. Robot to control plane.</summary>
    Log,
    /// <summary><see cref="TriggerMessage"/>. To robot, from any software that the broker lets publish there.</summary>
    Trigger,
}

/// <summary>MQTT topics: <c>edgecloud/v1/{robot}/{kind}</c>. All QoS 1; only <c>state</c> is retained.</summary>
public static class MqttTopics
{
    /// <summary>The first two levels of every topic.</summary>
    public const string Root = "edgecloud/v1";

    /// <summary>The shared-subscription group of the control plane's replicas.</summary>
    public const string ControlPlaneGroup = "controlplane";

    /// <summary>The topic of <paramref name="kind"/> for <paramref name="robot"/>.</summary>
    public static string For(string robot, MqttTopicKind kind) => $"{Root}/{robot}/{Suffix(kind)}";

    /// <summary>A subscription to <paramref name="kind"/> of every robot, that each subscriber receives whole.</summary>
    public static string AllRobots(MqttTopicKind kind) => $"{Root}/+/{Suffix(kind)}";

    /// <summary>A subscription to <paramref name="kind"/> of every robot, shared among the control plane's replicas.</summary>
    public static string SharedByReplicas(MqttTopicKind kind) => $"$share/{ControlPlaneGroup}/{AllRobots(kind)}";

    /// <summary>Splits a topic into robot and kind; false for any topic that is not EdgeCloud's.</summary>
    public static bool TryParse(string topic, out string robot, out MqttTopicKind kind)
    {
        robot = "";
        kind = default;
        if (!topic.StartsWith(Root + "/", StringComparison.Ordinal))
            return false;
        var rest = topic.AsSpan(Root.Length + 1);
        var slash = rest.IndexOf('/');
        if (slash < 0)
            return false;
        var suffix = rest[(slash + 1)..];
        foreach (var candidate in Enum.GetValues<MqttTopicKind>())
        {
            if (!suffix.SequenceEqual(Suffix(candidate)))
                continue;
            robot = rest[..slash].ToString();
            kind = candidate;
            return RobotId.IsValid(robot);
        }
        return false;
    }

    private static string Suffix(MqttTopicKind kind) => kind switch
    {
        MqttTopicKind.State => "state",
        MqttTopicKind.Telemetry => "telemetry",
        MqttTopicKind.Manifest => "manifest",
        MqttTopicKind.Command => "cmd",
        MqttTopicKind.CommandAck => "cmd/ack",
        MqttTopicKind.Custody => "custody",
        MqttTopicKind.Log => "log",
        MqttTopicKind.Trigger => "trigger",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
