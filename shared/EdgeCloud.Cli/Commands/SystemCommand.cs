using System.CommandLine;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud me</c>, <c>edgecloud topics</c> and <c>edgecloud system show|endpoints</c>.</summary>
internal static class SystemCommand
{
    public static Command Create() => new("system", "The control plane, for administrators")
    {
        Lists.CreateShow("show", "How the control plane does", [], _ => "system", Output.Json.SystemView, s =>
        [
            ("version", s.Version), ("runs since", Output.Time(s.StartedAt)), ("broker", s.BrokerConnected ? "connected" : "away"),
            ("database", $"{s.Database}, {Output.Bytes(s.DatabaseBytes)}"), ("bucket", s.Bucket),
            ("robots", $"{Output.Count(s.Robots)}, {Output.Count(s.RobotsOnline)} online"), ("sessions", Output.Count(s.Sessions)),
            ("segments", $"about {Output.Count(s.Segments)}"), ("objects to check", Output.Count(s.UncheckedSegments)),
            ("open exports", Output.Count(s.OpenExports)), ("deliveries waiting", Output.Count(s.PendingDeliveries)),
        ]),
        Lists.Create(
            "endpoints", "Every address there is, and what guards it", [], _ => "system/endpoints", ApiJsonContext.Default.PageEndpointView, Output.Json.EndpointView,
            ["METHOD", "PATH", "OPEN TO"], e => [e.Method, e.Path, e.Open ? "everybody" : string.Join(" and ", e.Policies)]),
    };

    public static Command CreateMe() => Lists.CreateShow("me", "Who you are and what you may", [], _ => "me", Output.Json.MeView, m =>
        [("user", m.User), ("roles", string.Join(", ", m.Roles)), ("key", m.Key), ("for", string.Join(", ", m.Scopes))]);

    public static Command CreateTopics()
    {
        var text = new Option<string?>("--text") { Description = "Only those with this in topic or type" };
        return Lists.Create(
            "topics", "The topics and types that any session holds", [text], parsed => "topics" + Lists.Query(("q", parsed.GetValue(text))),
            ApiJsonContext.Default.PageTopicName, Output.Json.TopicName, ["TOPIC", "TYPE"], t => [t.Name, t.Type]);
    }
}
