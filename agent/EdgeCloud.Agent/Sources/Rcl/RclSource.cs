using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;
using global::Rcl;
using global::Rcl.Graph;
using global::Rcl.Qos;
using Microsoft.Extensions.Logging;
using Rosidl.Runtime;

namespace EdgeCloud.Agent.Sources.Rcl;

/// <summary>
/// An installed ROS 2 through the package Rcl.NET, over whatever RMW it is set to, Zenoh's included. Compared with the source dds it needs the
/// packages of all message types, re-encodes payloads (rmw_serialize), and knows neither the sender's stamp nor its numbers: the stamp
/// is the moment of receipt and losses in transport are not seen. The domain is <c>ROS_DOMAIN_ID</c>.
/// </summary>
internal sealed partial class RclSource(RosSettings ros, TimeProvider clock, ILogger log) : ISource
{
    private const int QueueSize = 10_000;
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly MessageDefinitions _definitions = new(
        MessageDefinitions.Folders(ros.Definitions, Environment.GetEnvironmentVariable("AMENT_PREFIX_PATH")), log);

    // The sink is spoken to from one thread at a time; subscriptions deliver on several.
    private readonly Lock _gate = new();

    public string Name => "rcl";

    /// <summary>A topic with publishers, and its subscription.</summary>
    private sealed class Topic(string name, string type)
    {
        public string Name { get; } = name;
        public string Type { get; } = type;
        public Dictionary<GraphId, RosTopicEndPoint> Publishers { get; } = [];
        public ReaderQos? Qos { get; set; }
        public TopicHandle? Handle { get; set; }
        public CancellationTokenSource? Stop { get; set; }
        public Task Reading { get; set; } = Task.CompletedTask;
    }

    public async Task RunAsync(ISourceSink sink, CancellationToken cancellation)
    {
        await using var context = Open();
        using var node = context.CreateNode("edgecloud_agent");
        LogListening(global::Rcl.RosEnvironment.Distribution);
        try
        {
            await foreach (var change in node.Graph.ReadEventsAsync(cancellation))
            {
                if (change is PublisherAppearedEvent { Publisher: var appeared })
                    await AppearedAsync(node, appeared, sink);
                else if (change is PublisherDisappearedEvent { Publisher: var gone })
                    await GoneAsync(node, gone, sink);
            }
        }
        finally
        {
            foreach (var topic in _topics.Values)
                await StopAsync(topic);
        }
    }

    private static RclContext Open()
    {
        try
        {
            return new RclContext();
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or RclException)
        {
            throw new SourceException($"no ROS 2 can be used ({(e.InnerException ?? e).Message}): source its setup.bash before the agent starts, or use source dds", e);
        }
    }

    private async Task AppearedAsync(IRclNode node, RosTopicEndPoint publisher, ISourceSink sink)
    {
        var name = publisher.Topic.Name;
        if (!ros.Rules.Admits(name, RosTopicKind.Topic))
            return;
        if (!_topics.TryGetValue(name, out var topic))
            _topics.Add(name, topic = new Topic(name, publisher.Type));
        if (topic.Type != publisher.Type)
        {
            LogSecondType(name, publisher.Type, topic.Type);
            return;
        }
        topic.Publishers[publisher.Gid] = publisher;
        await FollowAsync(node, topic, sink);
    }

    private async Task GoneAsync(IRclNode node, RosTopicEndPoint publisher, ISourceSink sink)
    {
        if (!_topics.TryGetValue(publisher.Topic.Name, out var topic) || !topic.Publishers.Remove(publisher.Gid))
            return;
        if (topic.Publishers.Count > 0)
        {
            await FollowAsync(node, topic, sink);
            return;
        }
        await StopAsync(topic);
        _topics.Remove(topic.Name);
        lock (_gate)
        {
            if (topic.Handle is { } handle)
                sink.TopicGone(handle);
        }
    }

    /// <summary>Subscribes as suits all publishers, again when that changed.</summary>
    private async Task FollowAsync(IRclNode node, Topic topic, ISourceSink sink)
    {
        if (topic.Handle is null)
        {
            if (Rmw.FindType(topic.Type) is null)
            {
                LogUnknownType(topic.Name, topic.Type);
                return;
            }
            Tell(topic, sink);
        }
        lock (_gate)
            sink.TopicNodes(topic.Handle!.Value, [.. topic.Publishers.Values.Select(p => p.Node.Name.FullyQualifiedName).Distinct().Order(StringComparer.Ordinal)]);
        var profiles = topic.Publishers.Values.Select(p => p.QosProfile).ToList();
        var qos = ros.QosOverrides.Apply(topic.Name, new ReaderQos
        {
            IsReliable = profiles.TrueForAll(p => p.Reliability is ReliabilityPolicy.Reliable),
            IsTransientLocal = profiles.TrueForAll(p => p.Durability is DurabilityPolicy.TransientLocal),
        });
        if (qos == topic.Qos)
            return;
        await StopAsync(topic);
        topic.Qos = qos;
        topic.Stop = new CancellationTokenSource();
        topic.Reading = ReadAsync(node, topic, qos, Rmw.FindType(topic.Type)!.Value, sink, topic.Stop.Token);
    }

    private void Tell(Topic topic, ISourceSink sink)
    {
        var offered = topic.Publishers.Values
            .Select(p => new Sources.QosProfile(
                p.QosProfile.Reliability is ReliabilityPolicy.Reliable, p.QosProfile.Durability is DurabilityPolicy.TransientLocal))
            .Distinct().ToList();
        var profiles = Sources.QosProfile.Write(offered);
        lock (_gate)
        {
            topic.Handle = sink.TopicAppeared(new SourceTopic
            {
                Topic = topic.Name,
                MessageEncoding = "cdr",
                Schema = _definitions.Find(topic.Type, null, topic.Name),
                Metadata = new Dictionary<string, string> { ["offered_qos_profiles"] = profiles },
                Latched = Sources.QosProfile.IsLatched(profiles),
            });
        }
    }

    private async Task ReadAsync(
        IRclNode node, Topic topic, ReaderQos qos, TypeSupportHandle type, ISourceSink sink, CancellationToken cancellation)
    {
        using var serializer = new Rmw.Serializer();
        var options = new SubscriptionOptions(
            new global::Rcl.Qos.QosProfile(
                qos.KeepAll ? HistoryPolicy.KeepAll : HistoryPolicy.KeepLast, qos.Depth,
                qos.IsReliable ? ReliabilityPolicy.Reliable : ReliabilityPolicy.BestEffort,
                qos.IsTransientLocal ? DurabilityPolicy.TransientLocal : DurabilityPolicy.Volatile),
            queueSize: QueueSize);
        using var subscription = node.CreateNativeSubscription(topic.Name, type, options);
        try
        {
            await foreach (var message in subscription.ReadAllAsync(cancellation))
            {
                using (message)
                    Deliver(topic, serializer.Serialize(message.Data, type), sink);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    private void Deliver(Topic topic, ReadOnlySpan<byte> payload, ISourceSink sink)
    {
        var now = (ulong)clock.NowNs();
        lock (_gate)
            sink.Message(topic.Handle!.Value, new MessageTimes(now, now, 0), payload);
    }

    private static async Task StopAsync(Topic topic)
    {
        if (topic.Stop is null)
            return;
        await topic.Stop.CancelAsync();
        await topic.Reading;
        topic.Stop.Dispose();
        topic.Stop = null;
    }

    [LoggerMessage(EventId = 631, Level = LogLevel.Information, Message = "Listening through the installed ROS 2 {Distribution}")]
    private partial void LogListening(string distribution);

    [LoggerMessage(EventId = 632, Level = LogLevel.Error, Message = "{Topic} is not recorded: the package of {Type} is not installed here; source dds needs none")]
    private partial void LogUnknownType(string topic, string type);

    [LoggerMessage(EventId = 633, Level = LogLevel.Warning, Message = "{Topic}: a publisher of {Type} is not recorded, because another one publishes {Other} there")]
    private partial void LogSecondType(string topic, string type, string other);
}
