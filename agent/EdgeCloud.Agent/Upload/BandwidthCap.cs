namespace EdgeCloud.Agent.Upload;

/// <summary>
/// A token bucket over all uploads together: bytes are taken before they are sent. It holds <see cref="BurstBytes"/>, so that over any time
/// no more passes than the cap allows and one burst.
/// </summary>
internal sealed class BandwidthCap(long bytesPerSecond, TimeProvider clock, long burstBytes = 0)
{
    private const double DefaultBurstSeconds = 0.25;
    private readonly Lock _gate = new();
    private long _bytesPerSecond = bytesPerSecond;
    private long _burstBytes = burstBytes;
    private long _taken;
    private double _tokens;
    private long _at = clock.GetTimestamp();

    /// <summary>B/s; 0 for no cap. May change at any time.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set => Volatile.Write(ref _bytesPerSecond, value);
    }

    /// <summary>What may pass at once after a rest, bytes; 0 for what the cap allows in a quarter of a second. May change at any time.</summary>
    public long BurstBytes
    {
        get => Volatile.Read(ref _burstBytes);
        set => Volatile.Write(ref _burstBytes, value);
    }

    /// <summary>Bytes that passed since the start, those of failed attempts included.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Waits until at least one byte may be sent; answers how many, at most <paramref name="wanted"/>.</summary>
    public async ValueTask<int> TakeAsync(int wanted, CancellationToken cancellation)
    {
        while (true)
        {
            var granted = TryTake(wanted, out var wait);
            if (granted > 0)
            {
                Interlocked.Add(ref _taken, granted);
                return granted;
            }
            await Task.Delay(wait, clock, cancellation);
        }
    }

    private int TryTake(int wanted, out TimeSpan wait)
    {
        wait = default;
        var rate = BytesPerSecond;
        if (rate == 0)
            return wanted;
        lock (_gate)
        {
            var burst = Math.Max(BurstBytes > 0 ? BurstBytes : rate * DefaultBurstSeconds, 1);
            var now = clock.GetTimestamp();
            _tokens = Math.Min(_tokens + clock.GetElapsedTime(_at, now).TotalSeconds * rate, burst);
            _at = now;
            var granted = (int)Math.Min(wanted, _tokens);
            if (granted == 0)
                wait = TimeSpan.FromSeconds(Math.Clamp(Math.Min(wanted, rate * DefaultBurstSeconds / 4) / rate, 0.005, 1));
            _tokens -= granted;
            return granted;
        }
    }
}
