using System.Threading.Tasks.Sources;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// One awaited append. Kept in a pool: an append that is awaited allocates nothing in steady state.
/// Continuations run on the thread pool, never on the thread that commits.
/// </summary>
internal sealed class DurableWaiter : IValueTaskSource
{
    private readonly DurableWaiterPool _pool;
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    public DurableWaiter(DurableWaiterPool pool) => _pool = pool;

    /// <summary>The next one: in the pool's list of free ones, or in that of a chunk.</summary>
    public DurableWaiter? Next;

    public ValueTask Task => new(this, _core.Version);

    /// <summary>Completes a list of waiters, with an error or without.</summary>
    public static void Complete(DurableWaiter? head, Exception? error)
    {
        while (head is not null)
        {
            var waiter = head;
            head = waiter.Next;
            waiter.Next = null;
            if (error is null) waiter._core.SetResult(true);
            else waiter._core.SetException(error);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            _pool.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}

/// <summary>Waiters that nobody waits with.</summary>
internal sealed class DurableWaiterPool
{
    private readonly Lock _lock = new();
    private DurableWaiter? _free;

    public DurableWaiter Rent()
    {
        lock (_lock)
        {
            if (_free is not { } waiter) return new DurableWaiter(this);
            _free = waiter.Next;
            waiter.Next = null;
            return waiter;
        }
    }

    public void Return(DurableWaiter waiter)
    {
        lock (_lock)
        {
            waiter.Next = _free;
            _free = waiter;
        }
    }
}
