using System.Numerics;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Durations in buckets of an eighth of a power of two (at most 12.5 % too high), from 1 µs to over an hour. One thread adds, any may read.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 3;
    private readonly long[] _buckets = new long[40 << SubBits];
    private long _maxNs;

    /// <summary>Durations added.</summary>
    public long Count => _buckets.Sum();

    /// <summary>Greatest duration, ns.</summary>
    public long MaxNs => Volatile.Read(ref _maxNs);

    internal void Add(long ns)
    {
        Volatile.Write(ref _maxNs, Math.Max(_maxNs, ns));
        ref var bucket = ref _buckets[Math.Min(BucketOf(ns), _buckets.Length - 1)];
        Volatile.Write(ref bucket, bucket + 1);
    }

    /// <summary>The duration that a share of all durations does not exceed, ns; 0 when there is none.</summary>
    /// <param name="share">For example 0.5 or 0.99.</param>
    public long PercentileNs(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(Count * share));
        long seen = 0;
        for (var i = 0; i < _buckets.Length; i++)
        {
            seen += Volatile.Read(ref _buckets[i]);
            if (seen >= wanted) return Math.Min(UpperBoundNs(i), MaxNs);
        }

        return 0;
    }

    private static int BucketOf(long ns)
    {
        var us = (ulong)Math.Max(ns, 0) / 1000;
        if (us < 1 << SubBits) return (int)us;
        var shift = BitOperations.Log2(us) - SubBits;
        return ((shift + 1) << SubBits) + (int)((us >> shift) - (1 << SubBits));
    }

    private static long UpperBoundNs(int bucket)
    {
        var shift = (bucket >> SubBits) - 1;
        var us = shift < 0 ? bucket + 1L : ((1L << SubBits) + (bucket & ((1 << SubBits) - 1)) + 1) << shift;
        return us * 1000;
    }
}
