using System.CommandLine;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;

namespace EdgeCloud.Agent.Host;

/// <summary>Options of <c>record</c> for the sources of ROS 2; the words are those of <c>ros2 bag record</c> where it has them.</summary>
internal sealed class RosOptions
{
    private readonly Option<int?> _domain = new("--domain") { Description = "DDS domain; without it ROS_DOMAIN_ID, else 0." };
    private readonly Option<string[]> _interface = List("--interface", "Network interface, by name or address.");
    private readonly Option<string[]> _peer = List("--peer", "Host to look for participants on.");
    private readonly Option<string[]> _definitions = List("--definitions", "Folder with message definitions, package/msg/Name.msg.");
    private readonly Option<string?> _overrides = new("--qos-profile-overrides-path") { Description = "YAML of QoS profiles by topic." };
    private readonly Option<bool> _hidden = new("--include-hidden-topics") { Description = "Topics with a name that begins with '_', too." };
    private readonly Option<bool> _services = new("--services") { Description = "Requests and replies of services as they are on the wire." };
    private readonly Option<bool> _events = new("--service-events") { Description = "Service events, where nodes publish them." };
    private readonly Option<bool> _actions = new("--actions") { Description = "Feedback and status of actions." };
    private readonly Option<bool> _plain = new("--plain-dds") { Description = "DDS topics that are none of ROS." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_domain, _interface, _peer, _definitions, _overrides, _hidden, _services, _events, _actions, _plain])
            command.Add(option);
    }

    /// <exception cref="ConfigurationException">The domain is none.</exception>
    public DdsSettings Dds(ParseResult parsed)
    {
        var domain = parsed.GetValue(_domain) ?? RosEnvironment.Domain ?? 0;
        if (domain is < 0 or > ConfigurationFile.HighestDomain)
            throw new ConfigurationException([$"--domain is {domain}; allowed is 0 to {ConfigurationFile.HighestDomain}"]);
        var peers = parsed.GetValue(_peer) ?? [];
        return new DdsSettings
        {
            Domain = domain,
            Interfaces = parsed.GetValue(_interface) is { Length: > 0 } interfaces ? interfaces : RosEnvironment.Interfaces,
            Peers = peers.Length > 0 ? peers : RosEnvironment.Peers,
            Multicast = RosEnvironment.Multicast,
        };
    }

    /// <exception cref="ConfigurationException">The overrides cannot be read.</exception>
    public RosSettings Ros(ParseResult parsed) => new()
    {
        Rules = new RosTopicRules
        {
            Hidden = parsed.GetValue(_hidden),
            Services = parsed.GetValue(_services),
            ServiceEvents = parsed.GetValue(_events),
            Actions = parsed.GetValue(_actions),
            Plain = parsed.GetValue(_plain),
        },
        Definitions = [.. (parsed.GetValue(_definitions) ?? []).Select(Path.GetFullPath)],
        QosOverrides = parsed.GetValue(_overrides) is { } file ? QosOverrides.Read(file) : QosOverrides.None,
    };

    private static Option<string[]> List(string name, string description) => new(name) { Description = description, DefaultValueFactory = _ => [] };
}
