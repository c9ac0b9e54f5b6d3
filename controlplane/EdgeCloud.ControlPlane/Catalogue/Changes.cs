using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Npgsql;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>What kind of row changed.</summary>
public enum ChangeKind
{
    /// <summary>Anything may have changed: the connection to the database was away. Always delivered.</summary>
    Everything,
    /// <summary>A robot's state or figures.</summary>
    Robot,
    /// <summary>A session, or a segment of it.</summary>
    Session,
    /// <summary>A command.</summary>
    Command,
    /// <summary>An export.</summary>
    Export,
    /// <summary>A line in a robot's log.</summary>
    Log,
    /// <summary>An event of a robot; the id is that of its only session, empty when it belongs to every session of its moment.</summary>
    Event,
    /// <summary>A delivery to a webhook; the id is the webhook's.</summary>
    Webhook,
}

/// <summary>Something in the catalogue changed, on whatever replica.</summary>
/// <param name="Kind">What.</param>
/// <param name="Robot">The robot concerned; empty for an export.</param>
/// <param name="Id">The row's id: a robot, session, command or export; empty for <see cref="ChangeKind.Everything"/> and logs.</param>
public readonly record struct Change(ChangeKind Kind, string Robot, string Id)
{
    /// <summary>True when this is of <paramref name="kind"/>, or anything may have changed.</summary>
    public bool Concerns(ChangeKind kind) => Kind == kind || Kind == ChangeKind.Everything;

    /// <summary>True when this is of <paramref name="kind"/> and about <paramref name="id"/>, or anything may have changed.</summary>
    public bool Concerns(ChangeKind kind, string id) => Kind == ChangeKind.Everything || (Kind == kind && Id == id);

    /// <summary>True when this is about anything of <paramref name="robot"/>, or anything may have changed.</summary>
    public bool ConcernsRobot(string robot) => Kind == ChangeKind.Everything || Robot == robot;
}

/// <summary>
/// The stream of changes that pages live from. Triggers in the database say what changed (<c>NOTIFY catalogue</c>), one connection per
/// replica listens, and each subscriber gets what concerns it, at most once per interval and each change once per batch:
/// <code>
/// await foreach (var batch in changes.Subscribe(c => c.Concerns(ChangeKind.Robot), cancellation))
///     await InvokeAsync(ReloadAsync);
/// </code>
/// A change is delivered after its transaction committed, so a query made on delivery sees it.
/// </summary>
public sealed partial class Changes(NpgsqlDataSource dataSource, TimeProvider clock, ILogger<Changes> log) : BackgroundService
{
    /// <summary>The PostgreSQL channel.</summary>
    public const string ChannelName = "catalogue";

    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<Subscriber> _subscribers = [];
    private volatile bool _isListening;

    /// <summary>True while changes come in: the database is there.</summary>
    public bool IsListening => _isListening;

    /// <summary>
    /// Batches of distinct changes that pass <paramref name="filter"/>, until <paramref name="cancellation"/>, which ends the
    /// enumeration without an exception. A first change is delivered at once, later ones gathered for <paramref name="interval"/>
    /// (a second unless given).
    /// </summary>
    public async IAsyncEnumerable<IReadOnlySet<Change>> Subscribe(
        Func<Change, bool> filter, [EnumeratorCancellation] CancellationToken cancellation, TimeSpan? interval = null)
    {
        var subscriber = new Subscriber(filter);
        lock (_gate)
            _subscribers.Add(subscriber);
        try
        {
            while (await WaitAsync(subscriber, cancellation))
            {
                var batch = subscriber.Take();
                if (batch.Count == 0)
                    continue;
                yield return batch;
                await Task.Delay(interval ?? DefaultInterval, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            lock (_gate)
                _subscribers.Remove(subscriber);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (NpgsqlException e) when (!stoppingToken.IsCancellationRequested)
            {
                _isListening = false;
                ListeningLost(log, e.Message);
                await Task.Delay(ReconnectPause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellation);
        connection.Notification += (_, notification) =>
        {
            if (TryParse(notification.Payload, out var change))
                Deliver(change);
        };
        await using (var listen = new NpgsqlCommand($"listen {ChannelName}", connection))
            await listen.ExecuteNonQueryAsync(cancellation);
        _isListening = true;
        // What happened before this moment was missed.
        Deliver(new Change(ChangeKind.Everything, "", ""));
        while (true)
        {
            // A connection that died silently is found by asking.
            if (!await connection.WaitAsync(KeepAlive, cancellation))
            {
                await using var ping = new NpgsqlCommand("select 1", connection);
                await ping.ExecuteNonQueryAsync(cancellation);
            }
        }
    }

    private void Deliver(Change change)
    {
        lock (_gate)
        {
            foreach (var subscriber in _subscribers)
                subscriber.Offer(change);
        }
    }

    /// <summary>Reads a payload <c>{kind} {robot or -} {id or -}</c>, as the triggers write it.</summary>
    internal static bool TryParse(string payload, out Change change)
    {
        var words = payload.Split(' ');
        change = default;
        if (words.Length != 3 || !Enum.TryParse<ChangeKind>(words[0], ignoreCase: true, out var kind))
            return false;
        change = new Change(kind, words[1] == "-" ? "" : words[1], words[2] == "-" ? "" : words[2]);
        return true;
    }

    private static async Task<bool> WaitAsync(Subscriber subscriber, CancellationToken cancellation)
    {
        try
        {
            await subscriber.Signal.Reader.ReadAsync(cancellation);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 5000, Level = LogLevel.Warning, Message = "Live changes stand still: the connection to the database was lost ({Reason}); trying again")]
    private static partial void ListeningLost(ILogger log, string reason);

    private sealed class Subscriber(Func<Change, bool> filter)
    {
        // A slow page with very many changes gets one "everything" instead of a long list.
        private const int MaxPending = 1000;
        private readonly Lock _gate = new();
        private HashSet<Change> _pending = [];

        public Channel<bool> Signal { get; } = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public void Offer(Change change)
        {
            if (change.Kind != ChangeKind.Everything && !filter(change))
                return;
            lock (_gate)
            {
                if (_pending.Count >= MaxPending)
                    _pending = [new Change(ChangeKind.Everything, "", "")];
                _pending.Add(change);
            }
            Signal.Writer.TryWrite(true);
        }

        public IReadOnlySet<Change> Take()
        {
            lock (_gate)
            {
                var taken = _pending;
                _pending = [];
                return taken;
            }
        }
    }
}
