using System.Diagnostics;
using System.Threading.Channels;
using EdgeCloud.Mqtt.Libmosquitto;

namespace EdgeCloud.Mqtt;

/// <summary>
/// An MQTT 5 connection that keeps itself alive and never blocks the network thread: it opens one link after another, with a jittered
/// pause that doubles between them, and subscribes again on each. The same code drives both libraries; only the link underneath differs.
/// </summary>
public sealed class MqttConnection : IAsyncDisposable
{
    private readonly MqttOptions _options;
    private readonly Func<MqttMessage?, int, MqttLink> _openLink;
    private readonly Channel<MqttConnectionChange> _changes = Channel.CreateBounded<MqttConnectionChange>(
        new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Channel<MqttMessage> _messages;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly List<string> _filters;
    private TaskCompletionSource _connected = NewConnected();
    private MqttLink? _link;
    private Task? _run;
    private bool _disposed;
    private long _dropped;

    private MqttConnection(MqttOptions options, MqttLibrary library)
    {
        _options = options;
        _filters = [.. options.Subscriptions];
        _messages = Channel.CreateBounded<MqttMessage>(
            new BoundedChannelOptions(options.ReceiveQueueLength) { SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
        _openLink = library switch
        {
            MqttLibrary.Libmosquitto => (will, attempt) => new MosquittoLink(options, will, Deliver, attempt),
#if FULL_FEED
            MqttLibrary.MqttNet => (will, _) => new MqttNet.MqttNetLink(options, will, Deliver),
#endif
            _ => throw new ArgumentOutOfRangeException(nameof(library), library, null),
        };
    }

    /// <summary>The libraries that this build can use, the preferred one first.</summary>
    public static IReadOnlyList<MqttLibrary> Libraries { get; } =
    [
#if FULL_FEED
        MqttLibrary.MqttNet,
#endif
        MqttLibrary.Libmosquitto,
    ];

    /// <summary>A connection that is not started yet.</summary>
    /// <param name="options">Where to connect to, and as what.</param>
    /// <param name="library">Null for the first of <see cref="Libraries"/>.</param>
    /// <exception cref="MqttException">A setting cannot work, or the library is missing in this build or on this system.</exception>
    public static MqttConnection Create(MqttOptions options, MqttLibrary? library = null)
    {
        options.Validate();
        var chosen = library ?? Libraries[0];
        if (!Libraries.Contains(chosen))
            throw new MqttException($"this build has no {chosen}; it has {string.Join(", ", Libraries)}");
        if (chosen == MqttLibrary.Libmosquitto)
            NativeMosquitto.Load();
        return new MqttConnection(options, chosen);
    }

    /// <summary>True between a CONNACK with success and the loss of the connection.</summary>
    public bool IsConnected => CurrentLink is not null;

    /// <summary>
    /// Every change of the connection, in order: connected, lost (with the reason), refused (with the broker's reason code).
    /// Bounded; when nobody reads, the oldest are dropped.
    /// </summary>
    public ChannelReader<MqttConnectionChange> Changes => _changes.Reader;

    /// <summary>
    /// Messages that arrived, in order. Bounded by <see cref="MqttOptions.ReceiveQueueLength"/>; what does not fit is dropped and counted
    /// in <see cref="DroppedMessages"/>, since senders repeat what matters.
    /// </summary>
    public ChannelReader<MqttMessage> Messages => _messages.Reader;

    /// <summary>Messages that were dropped because <see cref="Messages"/> was full.</summary>
    public long DroppedMessages => Volatile.Read(ref _dropped);

    /// <summary>Starts connecting and returns at once; a broker that cannot be reached is retried for ever.</summary>
    public void Start()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_run is not null)
                throw new InvalidOperationException("the MQTT connection has been started already");
            _run = Task.Run(RunAsync);
        }
    }

    /// <summary>Waits until the connection stands.</summary>
    public Task WaitForConnectionAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _connected.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Sends at QoS 1 and completes when the broker acknowledged.</summary>
    /// <exception cref="MqttException">
    /// Not connected, connection lost before the acknowledgement, or refused by the broker (an ACL, a quota).
    /// </exception>
    public async Task PublishAsync(MqttMessage message, CancellationToken cancellation)
    {
        if (message.Topic.Length == 0 || message.Topic.AsSpan().ContainsAny('+', '#', '\0'))
            throw new MqttException($"'{message.Topic}' is no topic to publish on: it is empty or has one of + # NUL");
        await RequireLink().PublishAsync(message, cancellation);
    }

    /// <summary>
    /// Subscribes at QoS 1 and completes when the broker acknowledged; repeated after every reconnect, unless it failed. What is known
    /// beforehand is better put into <see cref="MqttOptions.Subscriptions"/>.
    /// </summary>
    /// <exception cref="MqttException">Not connected, connection lost before the acknowledgement, or refused by the broker.</exception>
    public async Task SubscribeAsync(string filter, CancellationToken cancellation)
    {
        var link = RequireLink();
        // Remembered before it is asked for, so that a reconnect in between cannot forget it.
        bool added;
        lock (_gate)
        {
            added = !_filters.Contains(filter);
            if (added)
                _filters.Add(filter);
        }
        try
        {
            await link.SubscribeAsync(filter, cancellation);
        }
        catch when (added)
        {
            lock (_gate)
                _filters.Remove(filter);
            throw;
        }
    }

    /// <summary>Disconnects (the broker keeps the Will to itself), ends every task and thread, and completes both channels.</summary>
    public async ValueTask DisposeAsync()
    {
        bool first;
        lock (_gate)
        {
            first = !_disposed;
            _disposed = true;
        }
        if (first)
            await _stopping.CancelAsync();
        try
        {
            if (_run is not null)
                await _run;
        }
        finally
        {
            if (first)
            {
                Complete(null);
                _stopping.Dispose();
            }
        }
    }

    private MqttLink? CurrentLink
    {
        get
        {
            lock (_gate)
                return _link is { Lost.IsCompleted: false } ? _link : null;
        }
    }

    private MqttLink RequireLink()
    {
        lock (_gate)
            ObjectDisposedException.ThrowIf(_disposed, this);
        return CurrentLink ?? throw new MqttException($"not connected to the broker {_options.Host}:{_options.Port}");
    }

    private static TaskCompletionSource NewConnected() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        try
        {
            var failures = 0;
            for (var attempt = 0; ; attempt++)
            {
                var started = Stopwatch.GetTimestamp();
                var change = await ConnectAndStayAsync(attempt);
                _changes.Writer.TryWrite(change);
                // Only a connection that has stood for a while clears the slate: one that is thrown out at once must not spin.
                failures = Stopwatch.GetElapsedTime(started) > _options.ReconnectMax ? 1 : failures + 1;
                await Task.Delay(Pause(change.State, failures), _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception unexpected)
        {
            // A defect here or in the owner's Will: whoever reads or waits is told, and DisposeAsync throws it.
            Complete(unexpected);
            throw;
        }
    }

    /// <summary>One link, from its first packet to its end.</summary>
    private async Task<MqttConnectionChange> ConnectAndStayAsync(int attempt)
    {
        await using var link = _openLink(_options.Will?.Invoke(), attempt);
        try
        {
            await link.ConnectAsync(_stopping.Token);
            await SubscribeAgainAsync(link);
        }
        catch (MqttException e)
        {
            var state = e.ReasonCode is null ? MqttConnectionState.Lost : MqttConnectionState.Refused;
            return new MqttConnectionChange(state, e.Message);
        }
        lock (_gate)
        {
            _link = link;
            _connected.SetResult();
        }
        try
        {
            _changes.Writer.TryWrite(new MqttConnectionChange(MqttConnectionState.Connected, ""));
            return new MqttConnectionChange(MqttConnectionState.Lost, await link.Lost.WaitAsync(_stopping.Token));
        }
        finally
        {
            lock (_gate)
            {
                _link = null;
                _connected = NewConnected();
            }
        }
    }

    private async Task SubscribeAgainAsync(MqttLink link)
    {
        string[] filters;
        lock (_gate)
            filters = [.. _filters];
        try
        {
            foreach (var filter in filters)
                await link.SubscribeAsync(filter, _stopping.Token).WaitAsync(_options.ConnectTimeout, _stopping.Token);
        }
        catch (TimeoutException)
        {
            throw new MqttException($"the broker did not answer a subscription within {_options.ConnectTimeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>From <c>ReconnectMin</c> to a ceiling that doubles; a refusal is a matter for people and is tried slowly at once.</summary>
    private TimeSpan Pause(MqttConnectionState state, int failures)
    {
        var max = _options.ReconnectMax;
        if (state == MqttConnectionState.Refused)
            return max * (0.5 + Random.Shared.NextDouble() / 2);
        var min = _options.ReconnectMin;
        var ceiling = min * Math.Pow(2, Math.Min(failures, 30));
        return min + ((ceiling < max ? ceiling : max) - min) * Random.Shared.NextDouble();
    }

    /// <summary>Runs on the network thread: never waits.</summary>
    private void Deliver(MqttMessage message)
    {
        if (!_messages.Writer.TryWrite(message))
            Interlocked.Increment(ref _dropped);
    }

    private void Complete(Exception? cause)
    {
        _messages.Writer.TryComplete(cause);
        _changes.Writer.TryComplete(cause);
        lock (_gate)
        {
            _connected.TrySetException(cause ?? new ObjectDisposedException(nameof(MqttConnection)));
            _ = _connected.Task.Exception; // seen, although nobody may be waiting
        }
    }
}
