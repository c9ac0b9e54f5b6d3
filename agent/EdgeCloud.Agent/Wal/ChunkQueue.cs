using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>What the committer gets from the producers: a chunk, or the wish for a new segment after all chunks before it.</summary>
internal readonly record struct CommitWork(MessageChunk? Chunk, RotateRequest? Request);

/// <summary>A wish for the present segment to be sealed. Completes when everything before it is durable and the segment is being sealed.</summary>
internal sealed class RotateRequest(SealReason reason)
{
    public SealReason Reason => reason;

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Where producers meet the committer. Producers copy messages into the active chunk under one short lock; a chunk that is full, old or urgent
/// goes to the committer, and another takes its place, so that nobody waits for the disk. When memory runs out, messages are refused: those of channels with the least share of it first.
/// </summary>
internal sealed class ChunkQueue : IDisposable
{
    private const int AloneBytes = 64 << 10;

    private readonly object _gate = new();
    private readonly AutoResetEvent _signal = new(false);
    private readonly Queue<CommitWork> _ready = new();
    private readonly ChunkPool _pool;
    private readonly DurableWaiterPool _waiters = new();
    private readonly TimeProvider _time;
    private readonly WalWorkers _workers;
    private readonly ChunkEncoding? _encoding; // where not every worker may encode
    private readonly McapCompression _compression;
    private readonly bool _stepsDown;
    private readonly int _chunkBytes;
    private readonly long _boundTicks;
    private MessageChunk? _active;
    private TaskCompletionSource? _room;
    private int _channels;
    private double _leastShare = 1;
    private long _allowance;
    private long _durableBytes;
    private bool _urgent;
    private bool _ended;
    private Exception? _failure;

    public ChunkQueue(SegmentLogOptions options, TimeProvider time, WalWorkers workers)
    {
        _time = time;
        _workers = workers;
        _encoding = options.CompressionThreads > 0 ? new ChunkEncoding(workers, options.CompressionThreads) : null;
        _compression = options.Compression;
        _stepsDown = options.CompressionStepsDown;
        _chunkBytes = options.ChunkBytes;
        _boundTicks = options.BoundMs * time.TimestampFrequency / 1000;
        // Twice the target: a message that comes just before a chunk is full still fits, unless it is nearly a chunk itself.
        _pool = new ChunkPool(2 * options.ChunkBytes, options.MemoryBytes);
    }

    /// <summary>True while the disk takes no writes: what is refused then is the disk's doing.</summary>
    public bool DiskDown { get; set; }

    /// <summary>Memory of chunks that are in use, bytes.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate) return _pool.UsedBytes;
        }
    }

    /// <summary>Memory of chunks that are durable and not given back yet, bytes: they wait for nothing but their hashes.</summary>
    public long DurableBytes
    {
        get
        {
            lock (_gate) return _durableBytes;
        }
    }

    /// <summary>True while a good part of the memory waits for the disk: what can be done later is left for later.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate) return UndurableBytes > _pool.LimitBytes / 8;
        }
    }

    /// <summary>Tells how many channel ids there are (older chunks refuse newer channels), and the newest one's share of the memory.</summary>
    public void SetChannels(int channels, double memoryShare)
    {
        lock (_gate)
        {
            _channels = Math.Max(_channels, channels);
            _leastShare = Math.Min(_leastShare, memoryShare);
        }
    }

    /// <summary>Takes a message or refuses it; a refused one is counted, also when the log has failed.</summary>
    public bool TryAppend(ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_failure is null && Place(channel, sequence, logTime, publishTime, data) is not null) return true;
            Drop(channel);
            return false;
        }
    }

    /// <summary>Takes a message and gives a task that ends when it is durable; false, and nothing is counted, when there is no room.</summary>
    public bool TryAppendDurably(
        ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data, out ValueTask durable)
    {
        lock (_gate)
        {
            durable = default;
            if (Place(channel, sequence, logTime, publishTime, data) is not { } chunk) return false;
            var waiter = _waiters.Rent();
            waiter.Next = chunk.Waiters;
            chunk.Waiters = waiter;
            durable = waiter.Task;
            _urgent = true;
        }

        _signal.Set();
        return true;
    }

    /// <summary>Ends when memory has become free, or at once when there is some for a message of that size on every channel.</summary>
    public Task WaitForRoomAsync(int payloadBytes)
    {
        lock (_gate)
        {
            // When nothing is in use there is nothing to wait for.
            var used = _pool.UsedBytes;
            if (used == 0) return Task.CompletedTask;
            var then = used + _pool.CapacityFor(MessageChunk.BytesFor(payloadBytes, _channels));
            if (HasRoom && then <= _pool.LimitBytes * _leastShare) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>Puts a wish for a new segment behind everything appended so far.</summary>
    public Task Request(SealReason reason)
    {
        var request = new RotateRequest(reason);
        lock (_gate)
        {
            ThrowIfEnded();
            _ended = reason == SealReason.Finish;
            CloseActive();
            _ready.Enqueue(new CommitWork(null, request));
        }

        _signal.Set();
        return request.Done.Task;
    }

    /// <summary>Moves what is ready to the committer's hands.</summary>
    public void Take(List<CommitWork> hands)
    {
        lock (_gate)
        {
            if (TicksUntilDue() <= 0) CloseActive();
            while (_ready.TryDequeue(out var work)) hands.Add(work);
        }
    }

    /// <summary>Waits until there is something to take, at most until a deadline.</summary>
    /// <param name="atMostTicks">Ticks of the log's <see cref="TimeProvider"/>.</param>
    public void Wait(long atMostTicks)
    {
        long ticks;
        lock (_gate) ticks = _ready.Count > 0 ? 0 : Math.Min(atMostTicks, TicksUntilDue());
        if (ticks <= 0) return;
        _signal.WaitOne((int)Math.Min(int.MaxValue - 1, ticks / (_time.TimestampFrequency / 1000) + 1));
    }

    /// <summary>Wakes whoever is in <see cref="Wait"/>.</summary>
    public void Wake() => _signal.Set();

    /// <summary>Tells how long the last commit took, from the moment its chunks were taken: chunks close that much before the bound. A disk that
    /// was slow for once is believed to be so for a while.</summary>
    public void Allow(long ticks)
    {
        lock (_gate) _allowance = Math.Min(_boundTicks / 2, Math.Max(ticks + _time.TimestampFrequency / 1000, _allowance - _allowance / 8));
    }

    /// <summary>Says that a chunk is durable.</summary>
    public void SetDurable(MessageChunk chunk)
    {
        if (!chunk.IsPooled) return;
        TaskCompletionSource? room;
        lock (_gate)
        {
            _durableBytes += chunk.Capacity;
            room = TakeRoom();
        }

        room?.SetResult();
    }

    /// <summary>Takes back a chunk.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="wasDurable">False when it was given up: see <see cref="SetDurable"/>.</param>
    public void Return(MessageChunk chunk, bool wasDurable = true)
    {
        if (!chunk.IsPooled)
        {
            chunk.Dispose();
            return;
        }

        TaskCompletionSource? room;
        lock (_gate)
        {
            _pool.Return(chunk);
            if (wasDurable) _durableBytes -= chunk.Capacity;
            room = TakeRoom();
        }

        room?.SetResult();
    }

    /// <summary>Refuses everything from now on.</summary>
    public void Fail(Exception reason)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            _failure = reason;
            (room, _room) = (_room, null);
            foreach (var (chunk, request) in _ready)
            {
                DurableWaiter.Complete(chunk?.Waiters, reason);
                request?.Done.SetException(reason);
            }

            DurableWaiter.Complete(_active?.Waiters, reason);
            _ready.Clear();
            _active = null;
        }

        room?.SetException(reason);
    }

    /// <summary>Counts the messages of an encoded chunk as lost to the disk.</summary>
    public void GiveUp(MessageChunk chunk, IReadOnlyList<ChannelHandle?> byId)
    {
        lock (_gate)
        {
            foreach (ref readonly var tally in chunk.Tallies)
            {
                if (byId[tally.Channel] is { } channel) channel.DroppedByDiskCount += tally.Messages;
            }
        }
    }

    /// <summary>Puts a message into the active chunk, or into a new one; null when there is no room for its channel.</summary>
    private MessageChunk? Place(ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        ThrowIfEnded();
        var limit = (long)(_pool.LimitBytes * channel.MemoryShare);
        if (_pool.UsedBytes > limit) return null;
        if (_active is null || !_active.TryAppend(channel.Id, sequence, logTime, publishTime, data, _time))
        {
            var chunk = _pool.Rent(MessageChunk.BytesFor(data.Length, _channels), limit);
            if (chunk is null) return null;
            CloseActive();
            _active = chunk;
            chunk.Reset(_channels);
            if (!chunk.TryAppend(channel.Id, sequence, logTime, publishTime, data, _time))
                throw new InvalidOperationException($"A message of {data.Length} bytes does not fit a chunk of {chunk.Capacity}.");
            _signal.Set(); // the committer learns when it is due
        }

        channel.AcceptedCount++;
        var active = _active;
        if (active.RecordsBytes >= _chunkBytes)
        {
            CloseActive();
            _signal.Set();
        }

        return active;
    }

    private void Drop(ChannelHandle channel)
    {
        if (DiskDown) channel.DroppedByDiskCount++;
        else channel.DroppedByQueueCount++;
    }

    private void CloseActive()
    {
        if (_active is not { } chunk) return;
        // A chunk alone is encoded by the committer itself, without waking anybody else, unless compressing it takes long.
        var isForWorkers = _ready.Count > 0 || _compression != McapCompression.None && chunk.RecordsBytes > AloneBytes;
        chunk.Close(CompressionNow(), isLeftToWorkers: isForWorkers && _encoding is not null);
        if (isForWorkers && _encoding is not null) _encoding.Post(chunk);
        else if (isForWorkers) _workers.Add(chunk, WalWorkers.Urgency.Chunk);
        _ready.Enqueue(new CommitWork(chunk, null));
        _active = null;
        _urgent = false;
    }

    /// <summary>When the processor cannot keep up, compression steps down, well before anything is dropped.</summary>
    private McapCompression CompressionNow()
    {
        if (!_stepsDown || HasRoom) return _compression;
        return _compression == McapCompression.Zstd && UndurableBytes <= _pool.LimitBytes / 8 * 3 ? McapCompression.Lz4 : McapCompression.None;
    }

    /// <summary>Memory of what waits for the processor or the disk; under the gate.</summary>
    private long UndurableBytes => _pool.UsedBytes - _durableBytes;

    /// <summary>True while nothing needs to be done about that; under the gate.</summary>
    private bool HasRoom => UndurableBytes <= _pool.LimitBytes / 4;

    /// <summary>What to complete because there is room; under the gate.</summary>
    private TaskCompletionSource? TakeRoom()
    {
        if (_room is null || !HasRoom) return null;
        var room = _room;
        _room = null;
        return room;
    }

    private long TicksUntilDue() => _active is not { } chunk ? long.MaxValue
        : _urgent ? 0
        : chunk.FirstAppend + _boundTicks - _allowance - _time.GetTimestamp();

    private void ThrowIfEnded()
    {
        if (_failure is not null) throw new InvalidOperationException("The log has failed: it takes no more messages.", _failure);
        if (_ended) throw new InvalidOperationException("The log has been finished: it takes no more messages.");
    }

    public void Dispose()
    {
        _signal.Dispose();
        _active?.Dispose();
        foreach (var work in _ready) work.Chunk?.Dispose();
        _pool.Dispose();
    }
}
