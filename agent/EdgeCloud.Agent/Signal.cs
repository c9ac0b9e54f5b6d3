namespace EdgeCloud.Agent;

/// <summary>Wakes one waiting loop. Set many times before the loop comes round, it wakes it once.</summary>
internal sealed class Signal : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _semaphore = new(0, 1);

    public void Set()
    {
        lock (_gate)
        {
            if (_semaphore.CurrentCount == 0)
                _semaphore.Release();
        }
    }

    /// <summary>Waits until set, or until <paramref name="timeout"/> has passed.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellation) => _semaphore.WaitAsync(timeout, cancellation);

    public void Dispose() => _semaphore.Dispose();
}
