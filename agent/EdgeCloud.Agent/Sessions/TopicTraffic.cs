using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>A topic that the source has offered, and what came on it. Guarded by the recorder's gate.</summary>
internal sealed class TopicTraffic(SourceTopic topic)
{
    private readonly bool _isFix = topic.MessageEncoding == "cdr" && NavSatFix.IsType(topic.Type);
    private byte[] _last = [];
    private int _lastLength = -1;
    private GeoPosition? _position;

    public SourceTopic Topic { get; } = topic;

    public bool IsOffered { get; set; } = true;

    /// <summary>Full names of the nodes that publish it, as far as they are known.</summary>
    public IReadOnlyList<string> Nodes { get; set; } = [];

    public long Messages { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Lost in transport, or dropped by a session.</summary>
    public long Lost { get; set; }

    /// <summary>The last message of a latched topic, when there was one.</summary>
    public bool HasLatched => Topic.Latched && _lastLength >= 0;

    public ReadOnlySpan<byte> LatchedPayload => _last.AsSpan(0, _lastLength);

    public MessageTimes LatchedTimes { get; private set; }

    /// <summary>Where the robot was by the last fix on this topic; null on other topics, and before the first fix.</summary>
    public GeoPosition? Position() => _position = _isFix && _lastLength >= 0
        ? NavSatFix.Read(_last.AsSpan(0, _lastLength), (long)LatchedTimes.LogTimeNs) ?? _position
        : _position;

    public void Count(in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        Messages++;
        Bytes += payload.Length;
        if (!Topic.Latched && !_isFix)
            return;
        if (_last.Length < payload.Length)
            _last = new byte[payload.Length];
        payload.CopyTo(_last);
        _lastLength = payload.Length;
        LatchedTimes = times;
    }
}

/// <summary>Traffic of one topic name since the agent started.</summary>
internal readonly record struct TopicCount(string Topic, string Type, TopicClass Class, long Messages, long Bytes, long Lost, bool IsOffered);
