using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>A topic that the source has offered, and what came on it. Guarded by the recorder's gate.</summary>
internal sealed class TopicTraffic(SourceTopic topic)
{
    private byte[] _latched = [];
    private int _latchedLength = -1;

    public SourceTopic Topic { get; } = topic;

    public bool IsOffered { get; set; } = true;

    /// <summary>Full names of the nodes that publish it, as far as they are known.</summary>
    public IReadOnlyList<string> Nodes { get; set; } = [];

    public long Messages { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Lost in transport, or dropped by a session.</summary>
    public long Lost { get; set; }

    /// <summary>The last message of a latched topic, when there was one.</summary>
    public bool HasLatched => _latchedLength >= 0;

    public ReadOnlySpan<byte> LatchedPayload => _latched.AsSpan(0, _latchedLength);

    public MessageTimes LatchedTimes { get; private set; }

    public void Count(in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        Messages++;
        Bytes += payload.Length;
        if (!Topic.Latched)
            return;
        if (_latched.Length < payload.Length)
            _latched = new byte[payload.Length];
        payload.CopyTo(_latched);
        _latchedLength = payload.Length;
        LatchedTimes = times;
    }
}

/// <summary>Traffic of one topic name since the agent started.</summary>
internal readonly record struct TopicCount(string Topic, string Type, TopicClass Class, long Messages, long Bytes, long Lost, bool IsOffered);
