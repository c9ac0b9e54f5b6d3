using System.Text;
using EdgeCloud.Agent.Sources.Ros;
using EdgeCloud.Ros2.Cdr;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>
/// The topics that are subscribed to, and their readers. A reader's QoS cannot be changed, so when the writers ask for another one, a second
/// reader is made, collects for a moment while the first still delivers, and takes its place; what both got is told apart by the writers'
/// numbers.
/// </summary>
internal sealed unsafe partial class DdsTopics(
    nint tap, MessageDefinitions definitions, QosOverrides overrides, ISourceSink sink, ILogger log)
{
    /// <summary>Both readers are there this long, so that remote writers know the second before the first goes.</summary>
    private const long OverlapMs = 300;

    /// <summary>A stronger request is made when writers have been the same for this long: nodes that restart do not cause two changes.</summary>
    private const long CalmMs = 2000;

    private readonly Dictionary<(string Name, string Type, bool IsKeyed), DdsTopic> _topics = [];
    private readonly HashSet<DdsTopic> _due = [];
    private DdsTopic?[] _ofReader = new DdsTopic?[64];

    /// <summary>Environment.TickCount64 when <see cref="Tend"/> has something to do; null for never.</summary>
    public long? NextDue { get; private set; }

    /// <summary>True while readers change.</summary>
    public bool IsBusy => NextDue is not null;

    /// <summary>The topic that a reader belongs to; null for a reader that is gone.</summary>
    public DdsTopic? OfReader(uint reader) => reader < _ofReader.Length ? _ofReader[reader] : null;

    /// <summary>The topic of a name and type.</summary>
    public DdsTopic Of(string ddsName, string ddsType, bool isKeyed, string name)
    {
        if (!_topics.TryGetValue((ddsName, ddsType, isKeyed), out var topic))
        {
            // Before the payload of a request some middlewares put a header that is in no definition: its type keeps its DDS name.
            var type = RosNames.FromDds(ddsName).Kind is RosTopicKind.Topic ? RosNames.TypeFromDds(ddsType) : ddsType;
            _topics.Add((ddsName, ddsType, isKeyed), topic = new DdsTopic(ddsName, ddsType, isKeyed, name, type));
        }
        return topic;
    }

    /// <summary>The name at the sink under which a writer's message goes; null when the topic is not told.</summary>
    public TopicHandle? HandleOf(DdsTopic topic, DdsWriter writer)
    {
        if (topic.Told is not { } told)
            return null;
        if (!told.Latched)
            return topic.Handles[0];
        if (writer.Place < 0)
            writer.Place = TakePlace(topic);
        while (topic.Handles.Count <= writer.Place)
        {
            topic.Handles.Add(sink.TopicAppeared(told with { Publisher = topic.Handles.Count }));
            sink.TopicNodes(topic.Handles[^1], topic.Nodes);
        }
        return topic.Handles[writer.Place];
    }

    private static int TakePlace(DdsTopic topic)
    {
        var place = topic.Places.IndexOf(false);
        if (place < 0)
        {
            place = topic.Places.Count;
            topic.Places.Add(false);
        }
        topic.Places[place] = true;
        return place;
    }

    /// <summary>Subscribes, asks for another QoS, or lets a topic go, as its writers have it.</summary>
    public void WritersChanged(DdsTopic topic, RosGraph graph)
    {
        if (topic.Writers.Count == 0)
        {
            // Its last samples may still wait: it goes with the next round.
            Schedule(topic, Environment.TickCount64);
            return;
        }
        var suitable = overrides.Apply(topic.Name, topic.Suitable());
        if (topic.Reader < 0)
        {
            topic.Reader = Subscribe(topic, suitable, isHeld: false);
            topic.Qos = suitable;
            if (topic.Reader >= 0)
                SetReader(topic.Reader, topic);
        }
        else if (suitable != (topic.NextQos ?? topic.Qos))
        {
            CancelNext(topic);
            if (suitable.IsWeakerThan(topic.Qos!))
                Prepare(topic, suitable);
            else if (suitable != topic.Qos)
                Schedule(topic, Environment.TickCount64 + CalmMs);
        }
        Tell(topic);
        TellNodes(topic, graph);
    }

    /// <summary>Tells the sink which nodes publish what.</summary>
    public void NodesChanged(RosGraph graph)
    {
        foreach (var topic in _topics.Values)
            TellNodes(topic, graph);
    }

    /// <summary>Does what is due: lets second readers take over, makes stronger requests, lets topics without writers go.</summary>
    /// <param name="drain">Delivers what still waits at a reader.</param>
    public void Tend(Action<int> drain)
    {
        var now = Environment.TickCount64;
        foreach (var topic in _due.Where(t => t.DueAt <= now).ToList())
        {
            _due.Remove(topic);
            topic.DueAt = 0;
            if (topic.Writers.Count == 0)
                LetGo(topic, drain);
            else if (topic.NextReader >= 0)
                TakeOver(topic, drain);
            else if (overrides.Apply(topic.Name, topic.Suitable()) is var suitable && suitable != topic.Qos)
                Prepare(topic, suitable);
        }
        NextDue = _due.Count == 0 ? null : _due.Min(t => t.DueAt);
    }

    private void Prepare(DdsTopic topic, ReaderQos qos)
    {
        topic.NextReader = Subscribe(topic, qos, isHeld: true);
        topic.NextQos = qos;
        if (topic.NextReader >= 0)
            Schedule(topic, Environment.TickCount64 + OverlapMs);
    }

    private void TakeOver(DdsTopic topic, Action<int> drain)
    {
        drain(topic.Reader);
        Cdrtap.Unsubscribe(tap, (uint)topic.Reader);
        _ofReader[topic.Reader] = null;
        LogChanged(topic.Name, topic.Qos!.Words, topic.NextQos!.Words);
        (topic.Reader, topic.Qos) = (topic.NextReader, topic.NextQos);
        (topic.NextReader, topic.NextQos) = (-1, null);
        SetReader(topic.Reader, topic);
        Cdrtap.Unhold(tap, (uint)topic.Reader);
    }

    private void CancelNext(DdsTopic topic)
    {
        if (topic.NextReader >= 0)
            Cdrtap.Unsubscribe(tap, (uint)topic.NextReader);
        (topic.NextReader, topic.NextQos) = (-1, null);
        _due.Remove(topic);
        topic.DueAt = 0;
    }

    private void LetGo(DdsTopic topic, Action<int> drain)
    {
        CancelNext(topic);
        if (topic.Reader >= 0)
        {
            drain(topic.Reader);
            Cdrtap.Unsubscribe(tap, (uint)topic.Reader);
            _ofReader[topic.Reader] = null;
        }
        topic.Reader = -1;
        topic.Qos = null;
        Untell(topic);
        _topics.Remove((topic.DdsName, topic.DdsType, topic.IsKeyed));
    }

    private int Subscribe(DdsTopic topic, ReaderQos qos, bool isHeld)
    {
        var (name, type) = (Encoding.UTF8.GetBytes(topic.DdsName + '\0'), Encoding.UTF8.GetBytes(topic.DdsType + '\0'));
        var (partitions, userData) = (Encoding.Latin1.GetBytes(qos.Partitions + '\0'), topic.UserData);
        fixed (byte* namePointer = name, typePointer = type, partitionPointer = partitions, dataPointer = userData)
        {
            var request = new Cdrtap.Request
            {
                Topic = namePointer,
                Type = typePointer,
                Partitions = partitionPointer,
                UserData = dataPointer,
                UserDataSize = (ulong)userData.Length,
                DeadlineNs = qos.DeadlineNs,
                LeaseNs = qos.LeaseNs,
                Keyed = topic.IsKeyed ? 1 : 0,
                Reliable = qos.IsReliable ? 1 : 0,
                Durability = qos.IsTransientLocal ? 1 : 0,
                KeepAll = qos.KeepAll ? 1 : 0,
                Depth = qos.Depth,
                Liveliness = qos.IsManualByTopic ? 2 : 0,
                Exclusive = qos.IsExclusive ? 1 : 0,
            };
            var reader = Cdrtap.Subscribe(tap, &request, isHeld ? 1 : 0);
            if (reader < 0)
                LogNotSubscribed(topic.Name, topic.DdsType, string.Join("; ", Cdrtap.Log().Append(Cdrtap.Error(reader))));
            return reader;
        }
    }

    /// <summary>Tells the sink of a topic, again when what recordings carry of it has changed.</summary>
    private void Tell(DdsTopic topic)
    {
        if (topic.IsDiscovery || topic.Reader < 0)
            return;
        var (hash, profiles) = (topic.TypeHash, topic.OfferedProfiles);
        var metadata = new Dictionary<string, string> { ["offered_qos_profiles"] = profiles };
        if (hash is not null)
            metadata["topic_type_hash"] = hash;
        if (topic.Told is { } told && told.Metadata.Count == metadata.Count && told.Metadata.All(m => metadata.GetValueOrDefault(m.Key) == m.Value))
            return;
        var schema = definitions.Find(topic.Type, hash, topic.Name);
        topic.Extent = definitions.Trusted(topic.Type, hash) is { } parsed ? MessageExtent.Of(parsed) : null;
        Untell(topic);
        topic.Told = new SourceTopic
        {
            Topic = topic.Name,
            MessageEncoding = "cdr",
            Schema = schema,
            Metadata = metadata,
            Latched = topic.IsLatched,
        };
        topic.Handles.Add(sink.TopicAppeared(topic.Told));
    }

    private void Untell(DdsTopic topic)
    {
        foreach (var handle in topic.Handles)
            sink.TopicGone(handle);
        topic.Handles.Clear();
        topic.Told = null;
        topic.Nodes = [];
    }

    private void TellNodes(DdsTopic topic, RosGraph graph)
    {
        topic.Nodes = topic.Writers.Select(w => graph.NodeOf(w.Guid)).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var handle in topic.Handles)
            sink.TopicNodes(handle, topic.Nodes);
    }

    private void SetReader(int reader, DdsTopic topic)
    {
        if (reader >= _ofReader.Length)
            Array.Resize(ref _ofReader, Math.Max(reader + 1, 2 * _ofReader.Length));
        _ofReader[reader] = topic;
    }

    private void Schedule(DdsTopic topic, long at)
    {
        topic.DueAt = at;
        _due.Add(topic);
        NextDue = _due.Min(t => t.DueAt);
    }

    [LoggerMessage(EventId = 621, Level = LogLevel.Information, Message = "{Topic}: subscribed as {After} instead of {Before}, because its publishers changed")]
    private partial void LogChanged(string topic, string before, string after);

    [LoggerMessage(EventId = 622, Level = LogLevel.Error, Message = "{Topic} ({Type}) cannot be subscribed to and is not recorded: {Error}")]
    private partial void LogNotSubscribed(string topic, string type, string error);
}
