using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sources;

/// <summary>Where messages come from. It speaks to an <see cref="ISourceSink"/> from one thread at a time.</summary>
internal interface ISource
{
    /// <summary>The word in the configuration, such as <c>simulated</c>.</summary>
    string Name { get; }

    /// <summary>Delivers topics and messages until there are no more, or until cancelled.</summary>
    /// <exception cref="SourceException">The source cannot go on: a broken recording, a missing file.</exception>
    Task RunAsync(ISourceSink sink, CancellationToken cancellation);
}

/// <summary>What a source tells. Calls return at once; payloads are copied before they return.</summary>
internal interface ISourceSink
{
    /// <summary>A topic appeared. The answer names it in the calls below.</summary>
    TopicHandle TopicAppeared(SourceTopic topic);

    /// <summary>A message arrived on a topic that appeared and is not gone.</summary>
    void Message(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload);

    /// <summary>The transport lost <paramref name="count"/> messages of a topic before they arrived.</summary>
    void Lost(TopicHandle topic, long count);

    /// <summary>Which nodes publish the topic, by full name, as far as the source knows; told again when it changes.</summary>
    void TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes);

    /// <summary>Nobody offers the topic any more.</summary>
    void TopicGone(TopicHandle topic);

    /// <summary>
    /// Completes when a message of <paramref name="payloadBytes"/> would be recorded without being dropped for want of memory. A source
    /// that can wait (a file) asks before each message; one that cannot (a robot) never does.
    /// </summary>
    ValueTask RoomAsync(int payloadBytes, CancellationToken cancellation);
}

/// <summary>Names a topic between a source and its sink.</summary>
internal readonly record struct TopicHandle(int Index);

/// <summary>A topic as it goes into a recording, byte for byte.</summary>
internal sealed record SourceTopic
{
    /// <summary>Topic name, ROS namespace included.</summary>
    public required string Topic { get; init; }
    /// <summary>Encoding of its messages, such as <c>cdr</c>.</summary>
    public required string MessageEncoding { get; init; }
    /// <summary>Null for a topic without schema.</summary>
    public SourceSchema? Schema { get; init; }
    /// <summary>Channel metadata, in order: <c>offered_qos_profiles</c>, <c>topic_type_hash</c> and whatever the source knows.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    /// <summary>Late subscribers get the last message again (transient local), so every segment repeats it.</summary>
    public bool Latched { get; init; }
    /// <summary>
    /// Which of a latched topic's publishers it stands for, from 0 on: the last message of each counts, as of several nodes that send
    /// <c>/tf_static</c>. 0 when the source cannot tell them apart, and for a topic that is not latched.
    /// </summary>
    public int Publisher { get; init; }
    /// <summary>How much it matters; null for what its type says (<see cref="Sessions.TopicClasses"/>).</summary>
    public TopicClass? Class { get; init; }

    /// <summary>The schema's name; empty when unknown.</summary>
    public string Type => Schema?.Name ?? "";
}

/// <summary>A message definition.</summary>
/// <param name="Name">Such as <c>sensor_msgs/msg/Imu</c>.</param>
/// <param name="Encoding">Such as <c>ros2msg</c>; empty when the definition is unknown.</param>
/// <param name="Data">The definition.</param>
internal sealed record SourceSchema(string Name, string Encoding, ReadOnlyMemory<byte> Data);

/// <summary>When a message was received and sent, and its number at its sender.</summary>
/// <param name="LogTimeNs">Received, ns since the Unix epoch. A replay with original times gives its input's.</param>
/// <param name="PublishTimeNs">The source's stamp, ns since the Unix epoch.</param>
/// <param name="Sequence">The source's number; 0 when it has none.</param>
internal readonly record struct MessageTimes(ulong LogTimeNs, ulong PublishTimeNs, uint Sequence)
{
    private const ulong YearNs = 365UL * 24 * 3600 * 1_000_000_000;

    /// <summary>
    /// The source's stamp is zero, or more than a year from the moment of receipt: a sender without a clock, or with one that was never set.
    /// </summary>
    public bool HasOddStamp => PublishTimeNs == 0
        || (PublishTimeNs > LogTimeNs ? PublishTimeNs - LogTimeNs : LogTimeNs - PublishTimeNs) > YearNs;
}

/// <summary>A source that cannot go on, in one line.</summary>
internal sealed class SourceException(string message, Exception? inner = null) : Exception(message, inner);
