using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;
using global::Rcl;
using global::Rcl.Graph;
using global::Rcl.Qos;
using Microsoft.Extensions.Logging;
using Rosidl.Runtime;

namespace EdgeCloud.Agent.Sources.Rcl;

/// <summary>
/// The topics that are subscribed to. Subscriptions begin with what suits the publishers that are there, and ask for less when one comes that
/// offers less; they ask for more again when the topic has been without publishers. All of it is used on the event loop's thread.
/// </summary>
internal sealed partial class RclTopics(IRclNode node, RosSettings ros, TimeProvider clock, ISourceSink sink, ILogger log) : IDisposable
{
    private const int QueueSize = 10_000;

    /// <summary>Two subscriptions are there this long, so that publishers know the second before the first goes.</summary>
    private static readonly TimeSpan OverlapTime = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// A topic without publishers goes when nothing more has come for this long, and as long are messages kept in mind that the second of two
    /// subscriptions may still bring: there may be some that wait to be taken.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, RclTopic> _topics = new(StringComparer.Ordinal);
    private readonly MessageDefinitions _definitions = new(
        MessageDefinitions.Folders(ros.Definitions, Environment.GetEnvironmentVariable("AMENT_PREFIX_PATH")), log);
    private readonly Rmw.Serializer _serializer = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _broken = new();

    /// <summary>Fails when something unforeseen ends the reading of a topic.</summary>
    public Task Broken => _broken.Task;

    /// <summary>The topic of a name; null when it is not followed.</summary>
    public RclTopic? Find(string name) => _topics.GetValueOrDefault(name);

    /// <summary>A topic that gets its first publisher.</summary>
    public RclTopic Add(string name, string type, TypeSupportHandle support)
    {
        var topic = new RclTopic(name, type, support);
        _topics.Add(name, topic);
        return topic;
    }

    /// <summary>A topic has another publisher.</summary>
    public void Appeared(RclTopic topic, RosTopicEndPoint publisher)
    {
        topic.Publishers[publisher.Gid] = publisher;
        topic.Changes++;
        Follow(topic);
    }

    /// <summary>A publisher is gone, perhaps of a topic that is not followed.</summary>
    public void Gone(RosTopicEndPoint publisher)
    {
        if (Find(publisher.Topic.Name) is not { } topic || !topic.Publishers.Remove(publisher.Gid))
            return;
        topic.Changes++;
        if (topic.Publishers.Count > 0)
            Follow(topic);
        else
            Watch(LetGoAsync(topic));
    }

    public void Dispose()
    {
        _ended.Cancel();
        foreach (var topic in _topics.Values)
            topic.Subscription?.Dispose();
        _ended.Dispose();
        _serializer.Dispose();
    }

    private void Follow(RclTopic topic)
    {
        var suitable = ros.QosOverrides.Apply(topic.Name, topic.Suitable());
        if (topic.Subscription is null)
            Subscribe(topic, suitable);
        else if (topic.Overlap is null && suitable.IsWeakerThan(topic.Qos!))
            Watch(ReplaceAsync(topic, suitable));
        if (topic.Subscription is null)
            return;
        Tell(topic);
        sink.TopicNodes(topic.Handle!.Value, topic.Nodes);
    }

    /// <summary>Tells the sink of a topic, again when what recordings carry of it has changed.</summary>
    private void Tell(RclTopic topic)
    {
        var profiles = topic.OfferedProfiles;
        if (topic.Told?.Metadata["offered_qos_profiles"] == profiles)
            return;
        if (topic.Handle is { } before)
            sink.TopicGone(before);
        topic.Told = new SourceTopic
        {
            Topic = topic.Name,
            MessageEncoding = "cdr",
            Schema = _definitions.Find(topic.Type, null, topic.Name),
            Metadata = new Dictionary<string, string> { ["offered_qos_profiles"] = profiles },
            Latched = topic.IsLatched,
        };
        topic.Handle = sink.TopicAppeared(topic.Told);
    }

    private void Subscribe(RclTopic topic, ReaderQos qos)
    {
        var options = new SubscriptionOptions(
            new global::Rcl.Qos.QosProfile(
                qos.KeepAll ? HistoryPolicy.KeepAll : HistoryPolicy.KeepLast, qos.Depth,
                qos.IsReliable ? ReliabilityPolicy.Reliable : ReliabilityPolicy.BestEffort,
                qos.IsTransientLocal ? DurabilityPolicy.TransientLocal : DurabilityPolicy.Volatile,
                Deadline: Time(qos.DeadlineNs),
                Liveliness: qos.IsManualByTopic ? LivelinessPolicy.ManualByTopic : LivelinessPolicy.Automatic,
                LivelinessLeaseDuration: Time(qos.LeaseNs)),
            queueSize: QueueSize, allowSynchronousContinuations: true, ignoreLocalPublications: true);
        try
        {
            topic.Subscription = node.CreateNativeSubscription(topic.Name, topic.Support, options);
        }
        catch (RclException e)
        {
            LogNotSubscribed(topic.Name, topic.Type, e.Message);
            return;
        }
        topic.Qos = qos;
        Watch(ReadAsync(topic, topic.Subscription));
    }

    /// <summary>No limit is 0 at rmw.</summary>
    private static TimeSpan Time(long ns) => ns == QosProfile.Forever ? TimeSpan.Zero : TimeSpan.FromTicks(ns / TimeSpan.NanosecondsPerTick);

    /// <summary>A subscription cannot be changed: another one takes its place, and both are there for a moment.</summary>
    private async Task ReplaceAsync(RclTopic topic, ReaderQos qos)
    {
        var (before, asked, overlap) = (topic.Subscription!, topic.Qos!, new Overlap());
        topic.Overlap = overlap;
        Subscribe(topic, qos);
        if (topic.Subscription != before)
        {
            await Task.Delay(OverlapTime, clock, _ended.Token);
            before.Dispose();
            overlap.FirstEnded();
            LogChanged(topic.Name, qos.Words, asked.Words);
            await Task.Delay(Linger, clock, _ended.Token);
        }
        topic.Overlap = null;
        if (topic.Publishers.Count > 0)
            Follow(topic);
    }

    private async Task LetGoAsync(RclTopic topic)
    {
        var changes = topic.Changes;
        long received;
        do
        {
            received = topic.Received;
            await Task.Delay(Linger, clock, _ended.Token);
            if (topic.Changes != changes)
                return;
        }
        while (topic.Received != received || topic.Overlap is not null);
        _topics.Remove(topic.Name);
        topic.Subscription?.Dispose();
        if (topic.Handle is { } handle)
            sink.TopicGone(handle);
    }

    private async Task ReadAsync(RclTopic topic, IRclNativeSubscription subscription)
    {
        await foreach (var message in subscription.ReadAllAsync())
        {
            using (message)
                Deliver(topic, message, isOfSecond: topic.Subscription == subscription);
        }
    }

    private void Deliver(RclTopic topic, RosMessageBuffer message, bool isOfSecond)
    {
        topic.Received++;
        ReadOnlySpan<byte> payload;
        try
        {
            payload = _serializer.Serialize(message.Data, topic.Support);
        }
        catch (SourceException e)
        {
            sink.Lost(topic.Handle!.Value, 1);
            if (topic.Failed++ == 0)
                LogNotSerialized(topic.Name, topic.Type, e.Message);
            return;
        }
        if (topic.Overlap is { } overlap && !(isOfSecond ? overlap.IsNewOfSecond(payload) : overlap.IsNewOfFirst(payload)))
            return;
        var now = (ulong)clock.NowNs();
        sink.Message(topic.Handle!.Value, new MessageTimes(now, now, 0), payload);
    }

    /// <summary>What goes on beside the graph must not end unseen.</summary>
    private void Watch(Task task) =>
        task.ContinueWith(
            t => _broken.TrySetException(t.Exception!.InnerException!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    [LoggerMessage(EventId = 634, Level = LogLevel.Information, Message = "{Topic}: subscribed as {After} instead of {Before}, because its publishers changed")]
    private partial void LogChanged(string topic, string after, string before);

    [LoggerMessage(EventId = 635, Level = LogLevel.Error, Message = "{Topic} ({Type}) cannot be subscribed to and is not recorded: {Error}")]
    private partial void LogNotSubscribed(string topic, string type, string error);

    [LoggerMessage(EventId = 636, Level = LogLevel.Error, Message =
        "{Topic}: a message of {Type} cannot be turned into bytes and is lost: {Error}; more of the kind are counted only")]
    private partial void LogNotSerialized(string topic, string type, string error);
}
