using EdgeCloud.Agent.Sources;

namespace EdgeCloud.Agent.Tests.Sources;

/// <summary>One message as a test compares it.</summary>
internal sealed record Collected(SourceTopic Topic, MessageTimes Times, byte[] Payload);

/// <summary>Keeps everything that a source tells.</summary>
internal sealed class CollectingSink(int limit = int.MaxValue) : ISourceSink
{
    private readonly CancellationTokenSource _full = new();

    public List<SourceTopic> Topics { get; } = [];

    public List<Collected> Messages { get; } = [];

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
        Messages.Add(new Collected(Topics[topic.Index], times, payload.ToArray()));
        if (Messages.Count >= limit)
            _full.Cancel();
    }

    public void Lost(TopicHandle topic, long count) => throw new NotSupportedException();

    public void TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes) => throw new NotSupportedException();

    public void TopicGone(TopicHandle topic) => throw new NotSupportedException();

    public ValueTask RoomAsync(int payloadBytes, CancellationToken cancellation) => default;
}
