using System.Threading.Channels;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;
using global::Rcl;
using global::Rcl.Graph;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sources.Rcl;

/// <summary>
/// An installed ROS 2 through the package Rcl.NET, over whatever RMW it is set to, Zenoh's included. Compared with the source dds it needs the
/// packages of all message types, re-encodes payloads (rmw_serialize), and knows neither the sender's stamp nor its numbers: the stamp
/// is the moment of receipt and losses in transport are not seen. The domain is <c>ROS_DOMAIN_ID</c>.
/// <para>
/// Everything happens on the thread of Rcl.NET's event loop, deliveries included. A message is read by the thread that took it, so Rcl.NET's
/// queue between taking and reading, which drops the oldest without a word, never fills.
/// </para>
/// </summary>
internal sealed partial class RclSource(RosSettings ros, TimeProvider clock, ILogger log) : ISource
{
    private readonly HashSet<(string Name, string Type)> _refused = [];

    public string Name => "rcl";

    public async Task RunAsync(ISourceSink sink, CancellationToken cancellation)
    {
        await using var context = Open();
        await context.Yield();
        // A recorder that publishes its own log would have it in every recording.
        using var node = context.CreateNode("edgecloud_agent", options: new NodeOptions(enableRosOut: false));
        using var topics = new RclTopics(node, ros, clock, sink, log);
        LogListening(global::Rcl.RosEnvironment.Distribution, global::Rcl.RosEnvironment.RmwImplementationIdentifier);
        // Rcl.NET's own queue, ReadEventsAsync, holds one event: of several in one look at the graph it keeps the last.
        var changes = Channel.CreateUnbounded<RosGraphEvent>();
        node.Graph.GraphChanged += change => changes.Writer.TryWrite(change);
        // What the node knew at once comes first. Nothing happens in between: it would be on this thread.
        foreach (var publisher in node.Graph.Topics.SelectMany(t => t.Publishers).ToList())
            Appeared(publisher, node, topics);
        await Task.WhenAny(FollowAsync(changes.Reader, node, topics, cancellation), topics.Broken).Unwrap();
    }

    private static RclContext Open()
    {
        if (Rmw.Misfit(Environment.GetEnvironmentVariable("RMW_IMPLEMENTATION"), global::Rcl.RosEnvironment.Distribution) is { } misfit)
            throw new SourceException($"no ROS 2 can be used: {misfit}");
        try
        {
            return new RclContext(useSynchronizationContext: true);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or RclException)
        {
            throw new SourceException(
                $"no ROS 2 can be used ({(e.InnerException ?? e).Message}): source its setup.bash before the agent starts, or use source dds", e);
        }
    }

    private async Task FollowAsync(ChannelReader<RosGraphEvent> changes, IRclNode node, RclTopics topics, CancellationToken cancellation)
    {
        await foreach (var change in changes.ReadAllAsync(cancellation))
        {
            if (change is PublisherAppearedEvent { Publisher: var appeared })
                Appeared(appeared, node, topics);
            else if (change is PublisherDisappearedEvent { Publisher: var gone })
                topics.Gone(gone);
        }
    }

    private void Appeared(RosTopicEndPoint publisher, IRclNode node, RclTopics topics)
    {
        var name = publisher.Topic.Name;
        // The agent's own node has a publisher of /parameter_events, as every node has.
        if (RclTopic.FullName(publisher.Node.Name) == node.FullyQualifiedName || !ros.Rules.Admits(name, RosTopicKind.Topic))
            return;
        if (topics.Find(name) is not { } topic)
        {
            if (Rmw.FindType(publisher.Type) is not { } support)
            {
                if (_refused.Add((name, publisher.Type)))
                    LogUnknownType(name, publisher.Type);
                return;
            }
            topic = topics.Add(name, publisher.Type, support);
        }
        if (topic.Type == publisher.Type)
            topics.Appeared(topic, publisher);
        else if (_refused.Add((name, publisher.Type)))
            LogSecondType(name, publisher.Type, topic.Type);
    }

    [LoggerMessage(EventId = 631, Level = LogLevel.Information, Message = "Listening through the installed ROS 2 {Distribution} and its {Rmw}")]
    private partial void LogListening(string distribution, string rmw);

    [LoggerMessage(EventId = 632, Level = LogLevel.Error, Message = "{Topic} is not recorded: the package of {Type} is not installed here; source dds needs none")]
    private partial void LogUnknownType(string topic, string type);

    [LoggerMessage(EventId = 633, Level = LogLevel.Warning, Message = "{Topic}: a publisher of {Type} is not recorded, because another one publishes {Other} there")]
    private partial void LogSecondType(string topic, string type, string other);
}
