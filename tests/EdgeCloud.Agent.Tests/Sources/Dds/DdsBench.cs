using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Dds;
using EdgeCloud.Testing;
using EdgeCloud.Testing.Ros;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Tests.Sources.Dds;

/// <summary>What a source told of one topic name.</summary>
internal sealed class HeardTopic
{
    public List<SourceTopic> Appearances { get; } = [];
    public List<MessageTimes> Times { get; } = [];
    public List<byte[]> Payloads { get; } = [];
    /// <summary>Of each message, which publisher it is from.</summary>
    public List<int> Publishers { get; } = [];
    public long Lost { get; set; }
    public bool IsGone { get; set; }
    public IReadOnlyList<string> Nodes { get; set; } = [];
}

/// <summary>The source on a DDS domain of the test's own, and everything that it tells.</summary>
internal sealed class DdsBench : ISourceSink, ILogger, IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // Another process of tests begins elsewhere. The greatest domain that has ports is 232.
    private static int _domains = Environment.ProcessId * 7;
    private readonly CancellationTokenSource _stop = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HeardTopic> _topics = new(StringComparer.Ordinal);
    private readonly List<HeardTopic> _handles = [];
    private readonly List<int> _publishers = [];
    private readonly List<string> _log = [];
    private Task? _running;

    public DdsBench() => Domain = 20 + (Interlocked.Increment(ref _domains) % 200);

    public int Domain { get; }

    /// <summary>Called with every message, on the source's thread.</summary>
    public Action? OnMessage { get; init; }

    public static DdsBench Start(RosSettings? ros = null, DdsSettings? dds = null)
    {
        var bench = new DdsBench();
        bench.Listen(ros, dds);
        return bench;
    }

    public void Listen(RosSettings? ros = null, DdsSettings? dds = null)
    {
        ros ??= new RosSettings();
        var source = new DdsSource(
            (dds ?? new DdsSettings()) with { Domain = Domain }, ros with { Definitions = [.. ros.Definitions, RosPublisher.Definitions] }, this);
        _running = source.RunAsync(this, _stop.Token);
    }

    /// <summary>Starts a publisher in the bench's domain.</summary>
    public Task<RosPublisher> PublishAsync(DdsVendor vendor, params string[] options) =>
        RosPublisher.StartAsync(vendor, [$"domain={Domain}", .. options]);

    /// <summary>A path for a publisher's dump.</summary>
    public string Dump(string name = "dump") => _folder[name];

    public T On<T>(string topic, Func<HeardTopic, T> question)
    {
        lock (_gate)
            return question(_topics.TryGetValue(topic, out var heard) ? heard : new HeardTopic());
    }

    public IReadOnlyList<string> Topics
    {
        get
        {
            lock (_gate)
                return [.. _topics.Keys.Order(StringComparer.Ordinal)];
        }
    }

    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_gate)
                return [.. _log];
        }
    }

    /// <summary>Waits until something is true of a topic.</summary>
    public async Task Until(string topic, Func<HeardTopic, bool> condition, string description)
    {
        await Eventually.Holds(
            () => _running is { IsFaulted: true } ? throw _running.Exception!.InnerException! : On(topic, condition), Deadline,
            $"{description} on {topic}; heard {On(topic, t => t.Payloads.Count)} messages, {On(topic, t => t.Lost)} lost; log: {string.Join(" | ", Log)}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_running is not null)
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _folder.Dispose();
        _stop.Dispose();
        if (_running is { IsFaulted: true })
            await _running;
    }

    TopicHandle ISourceSink.TopicAppeared(SourceTopic topic)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(topic.Topic, out var heard))
                _topics.Add(topic.Topic, heard = new HeardTopic());
            heard.Appearances.Add(topic);
            heard.IsGone = false;
            _handles.Add(heard);
            _publishers.Add(topic.Publisher);
            return new TopicHandle(_handles.Count - 1);
        }
    }

    void ISourceSink.Message(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            _handles[topic.Index].Times.Add(times);
            _handles[topic.Index].Payloads.Add(payload.ToArray());
            _handles[topic.Index].Publishers.Add(_publishers[topic.Index]);
        }
        OnMessage?.Invoke();
    }

    void ISourceSink.Lost(TopicHandle topic, long count)
    {
        lock (_gate)
            _handles[topic.Index].Lost += count;
    }

    void ISourceSink.TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes)
    {
        lock (_gate)
            _handles[topic.Index].Nodes = nodes;
    }

    void ISourceSink.TopicGone(TopicHandle topic)
    {
        lock (_gate)
            _handles[topic.Index].IsGone = true;
    }

    ValueTask ISourceSink.RoomAsync(int payloadBytes, CancellationToken cancellation) => default;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_gate)
            _log.Add(formatter(state, exception));
    }
}
