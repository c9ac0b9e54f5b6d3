using EdgeCloud.Agent.Sources;

namespace EdgeCloud.Agent.Tests.Sources;

/// <summary>One message as a test compares it.</summary>
internal sealed record Collected(SourceTopic Topic, MessageTimes Times, byte[] Payload);

/// <summary>Keeps everything that a source tells; it may be looked at while the source goes on.</summary>
internal sealed class CollectingSink(int limit = int.MaxValue) : ISourceSink
{
    private readonly CancellationTokenSource _full = new();
    private readonly Lock _gate = new();
    private readonly List<Collected> _messages = [];

    public List<SourceTopic> Topics { get; } = [];

    public IReadOnlyList<Collected> Messages
    {
        get
        {
            lock (_gate)
                return [.. _messages];
        }
    }

    /// <summary>Cancelled when there are as many messages as wanted.</summary>
    public CancellationToken Full => _full.Token;

    public IEnumerable<Collected> On(string topic) => Messages.Where(m => m.Topic.Topic == topic);

    public TopicHandle TopicAppeared(SourceTopic topic)
    {
        Topics.Add(topic);
        return new TopicHandle(Topics.Count - 1);
    }

    public void Message(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        int count;
        lock (_gate)
        {
            _messages.Add(new Collected(Topics[topic.Index], times, payload.ToArray()));
            count = _messages.Count;
        }
        if (count >= limit)
            _full.Cancel();
    }

    public void Lost(TopicHandle topic, long count) => throw new NotSupportedException();

    public void TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes) => throw new NotSupportedException();

    public void TopicGone(TopicHandle topic) => throw new NotSupportedException();

    public ValueTask RoomAsync(int payloadBytes, CancellationToken cancellation) => default;
}
