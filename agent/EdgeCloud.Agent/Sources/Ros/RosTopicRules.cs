namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>
/// Which kinds of ROS topics a source subscribes to. What it subscribes to, sessions select from by name, type and node.
/// </summary>
internal sealed record RosTopicRules
{
    private static readonly string[] ParameterServices =
    [
        "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters", "set_parameters_atomically",
    ];

    /// <summary>Topics of which a part of the name begins with an underscore, unless another rule is about them.</summary>
    public bool Hidden { get; init; }
    /// <summary>Requests and replies as the middleware carries them, under their DDS names and without schema.</summary>
    public bool Services { get; init; }
    /// <summary>Service events (<c>.../_service_event</c>), which nodes publish when introspection is on.</summary>
    public bool ServiceEvents { get; init; }
    /// <summary>Feedback and status of actions; their services too when <see cref="Services"/> is on.</summary>
    public bool Actions { get; init; }
    /// <summary><c>/parameter_events</c>; the parameter services too when <see cref="Services"/> is on.</summary>
    public bool Parameters { get; init; } = true;
    /// <summary>DDS topics that are none of ROS.</summary>
    public bool Plain { get; init; }

    /// <summary>True when a topic is to be subscribed to.</summary>
    /// <param name="name">As <see cref="RosNames.FromDds"/> gives it.</param>
    /// <param name="kind">Likewise.</param>
    public bool Admits(string name, RosTopicKind kind)
    {
        if (kind is RosTopicKind.Other)
            return Plain && name != RosNames.DiscoveryTopic;
        if (kind is RosTopicKind.Topic && name.EndsWith("/_service_event", StringComparison.Ordinal))
            return ServiceEvents;
        if (kind is not RosTopicKind.Topic && !Services)
            return false;
        if (name.Contains("/_action/", StringComparison.Ordinal))
            return Actions;
        if (IsOfParameters(name, kind))
            return Parameters;
        return Hidden || !RosNames.IsHidden(name);
    }

    private static bool IsOfParameters(string name, RosTopicKind kind)
    {
        var last = name[(name.LastIndexOf('/') + 1)..];
        return kind is RosTopicKind.Topic ? last == "parameter_events" : ParameterServices.Contains(last);
    }
}
