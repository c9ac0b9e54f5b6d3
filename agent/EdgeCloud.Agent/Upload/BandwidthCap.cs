namespace EdgeCloud.Agent.Upload;

/// <summary>
/// A token bucket over all uploads together: bytes are taken before they are sent. It holds a quarter of a second's worth, so the rate
/// over any second stays within a quarter of the cap.
/// </summary>
internal sealed class BandwidthCap(long bytesPerSecond, TimeProvider clock)
{
    private const double BurstSeconds = 0.25;
    private readonly Lock _gate = new();
    private long _bytesPerSecond = bytesPerSecond;
    private double _tokens;
    private long _at = clock.GetTimestamp();

    /// <summary>B/s; 0 for no cap. May change at any time.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set => Volatile.Write(ref _bytesPerSecond, value);
    }

    /// <summary>Waits until at least one byte may be sent; answers how many, at most <paramref name="wanted"/>.</summary>
    public async ValueTask<int> TakeAsync(int wanted, CancellationToken cancellation)
    {
        while (true)
        {
            var granted = TryTake(wanted, out var wait);
            if (granted > 0)
                return granted;
            await Task.Delay(wait, clock, cancellation);
        }
    }

    private int TryTake(int wanted, out TimeSpan wait)
    {
        wait = default;
        lock (_gate)
        {
            var rate = BytesPerSecond;
            if (rate == 0)
                return wanted;
            var now = clock.GetTimestamp();
            _tokens = Math.Min(_tokens + clock.GetElapsedTime(_at, now).TotalSeconds * rate, Math.Max(rate * BurstSeconds, 1));
            _at = now;
            var granted = (int)Math.Min(wanted, _tokens);
            if (granted == 0)
                wait = TimeSpan.FromSeconds(Math.Clamp(Math.Min(wanted, rate * BurstSeconds / 4) / rate, 0.005, 1));
            _tokens -= granted;
            return granted;
        }
    }
}
