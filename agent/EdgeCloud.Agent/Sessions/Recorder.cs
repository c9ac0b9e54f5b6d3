using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Where the source meets the sessions: each topic arrives once and goes to every live session that selects it. One gate guards topics,
/// counters and the list of live sessions; it is held for the copy of one message, and by commands for moments.
/// </summary>
/// <param name="rules">How topics are treated.</param>
internal sealed class Recorder(TopicRules rules) : ISourceSink
{
    private static readonly TimeSpan RoomRetry = TimeSpan.FromMilliseconds(100);
    private readonly List<TopicTraffic> _topics = [];
    private readonly List<SessionRecording> _live = [];
    private bool _diskGuarded;
    private long _recordedMessages;
    private long _recordedBytes;

    public Lock Gate { get; } = new();

    /// <summary>Told when topics appear or go.</summary>
    public event Action? TopicsChanged;

    /// <summary>While true, messages are counted as dropped by the disk guard and not written.</summary>
    public bool DiskGuarded
    {
        get => Volatile.Read(ref _diskGuarded);
        set => Volatile.Write(ref _diskGuarded, value);
    }

    /// <summary>Live sessions' recordings.</summary>
    public IReadOnlyList<SessionRecording> Live
    {
        get
        {
            lock (Gate)
                return [.. _live];
        }
    }

    /// <summary>Messages and payload bytes that sessions took since the start.</summary>
    public (long Messages, long Bytes) Recorded
    {
        get
        {
            lock (Gate)
                return (_recordedMessages, _recordedBytes);
        }
    }

    /// <summary>Where the robot was last, by whatever topic told it; null when none did.</summary>
    public GeoPosition? Position
    {
        get
        {
            lock (Gate)
                return _topics.Select(t => t.Position()).MaxBy(p => p?.TimeNs);
        }
    }

    /// <summary>Traffic by topic name since the start.</summary>
    public IReadOnlyList<TopicCount> Counts()
    {
        lock (Gate)
        {
            return [.. _topics.GroupBy(t => t.Topic.Topic, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new TopicCount(
                    g.Key, g.Last().Topic.Type, rules.ClassOf(g.Last().Topic, g.Last().Nodes), g.Sum(t => t.Messages), g.Sum(t => t.Bytes), g.Sum(t => t.Lost), g.Any(t => t.IsOffered)))];
        }
    }

    /// <summary>Lets a recording take part; it learns of every topic, and of the last message of the latched ones.</summary>
    public void Add(SessionRecording recording)
    {
        lock (Gate)
        {
            for (var i = 0; i < _topics.Count; i++)
            {
                recording.AddTopic(_topics[i].Topic, _topics[i].Nodes);
                Prime(recording, i);
            }
            _live.Add(recording);
        }
    }

    /// <summary>Ends a recording's part: no message reaches it when this returns.</summary>
    public void Remove(SessionRecording recording)
    {
        lock (Gate)
            _live.Remove(recording);
    }

    /// <summary>Changes between counting and recording. What latched topics said in a pause is made known to the log.</summary>
    public void SetPaused(SessionRecording recording, bool paused)
    {
        lock (Gate)
        {
            recording.IsPaused = paused;
            if (paused)
                return;
            for (var i = 0; i < _topics.Count; i++)
                Prime(recording, i);
        }
    }

    public TopicHandle TopicAppeared(SourceTopic topic)
    {
        int index;
        lock (Gate)
        {
            index = _topics.FindIndex(t => IsSame(t.Topic, topic));
            if (index >= 0 && _topics[index].IsOffered)
                return new TopicHandle(index);
            if (index >= 0)
            {
                _topics[index].IsOffered = true;
            }
            else
            {
                index = _topics.Count;
                _topics.Add(new TopicTraffic(topic));
                foreach (var recording in _live)
                    recording.AddTopic(topic, []);
            }
        }
        TopicsChanged?.Invoke();
        return new TopicHandle(index);
    }

    public void Message(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        lock (Gate)
        {
            var traffic = _topics[topic.Index];
            traffic.Count(times, payload);
            foreach (var recording in _live)
            {
                switch (recording.Take(topic, times, payload, _diskGuarded))
                {
                    case Offer.Taken:
                        _recordedMessages++;
                        _recordedBytes += payload.Length;
                        break;
                    case Offer.Dropped:
                        traffic.Lost++;
                        break;
                }
            }
        }
    }

    public void Lost(TopicHandle topic, long count)
    {
        lock (Gate)
        {
            _topics[topic.Index].Lost += count;
            foreach (var recording in _live)
                recording.CountLost(topic, count);
        }
    }

    public void TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes)
    {
        lock (Gate)
        {
            if (_topics[topic.Index].Nodes.SequenceEqual(nodes))
                return;
            _topics[topic.Index].Nodes = nodes;
            foreach (var recording in _live)
            {
                if (recording.SetNodes(topic, nodes))
                    Prime(recording, topic.Index);
            }
        }
    }

    public void TopicGone(TopicHandle topic)
    {
        lock (Gate)
            _topics[topic.Index].IsOffered = false;
        TopicsChanged?.Invoke();
    }

    public ValueTask RoomAsync(int payloadBytes, CancellationToken cancellation) =>
        FullLog(payloadBytes) is null ? default : new ValueTask(WaitForRoomAsync(payloadBytes, cancellation));

    /// <summary>A log that a message of that size would have to wait for. Paused and guarded sessions write nothing.</summary>
    private SegmentLog? FullLog(int payloadBytes)
    {
        lock (Gate)
        {
            if (_diskGuarded)
                return null;
            foreach (var recording in _live)
            {
                if (!recording.IsPaused && !recording.Log.WaitForRoomAsync(payloadBytes).IsCompleted)
                    return recording.Log;
            }
            return null;
        }
    }

    private async Task WaitForRoomAsync(int payloadBytes, CancellationToken cancellation)
    {
        // The log may end, or be paused, while it is waited for: look again from time to time.
        while (!cancellation.IsCancellationRequested && FullLog(payloadBytes) is { } log)
            await Task.WhenAny(log.WaitForRoomAsync(payloadBytes), Task.Delay(RoomRetry, cancellation));
        cancellation.ThrowIfCancellationRequested();
    }

    private void Prime(SessionRecording recording, int index)
    {
        var topic = _topics[index];
        if (topic.HasLatched)
            recording.Prime(new TopicHandle(index), topic.LatchedTimes, topic.LatchedPayload);
    }

    private static bool IsSame(SourceTopic a, SourceTopic b) =>
        a.Topic == b.Topic && a.MessageEncoding == b.MessageEncoding && a.Latched == b.Latched && a.Publisher == b.Publisher && a.Class == b.Class
        && (a.Schema is null ? b.Schema is null : b.Schema is not null && a.Schema.Name == b.Schema.Name
            && a.Schema.Encoding == b.Schema.Encoding && a.Schema.Data.Span.SequenceEqual(b.Schema.Data.Span))
        && a.Metadata.SequenceEqual(b.Metadata);
}
