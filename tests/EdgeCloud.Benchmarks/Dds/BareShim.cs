using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Dds;
using EdgeCloud.Testing.Ros;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Benchmarks.Dds;

/// <summary>How fast samples arrive when they are taken in batches and let go: what is above is the agent's own.</summary>
internal readonly record struct ShimRate(double PerSecond, double BytesPerSecond);

/// <summary>The shim without anything behind it.</summary>
internal static class BareShim
{
    private const int BatchMax = 1024;

    /// <summary>Subscribes to the first topic that is found, until its publisher is done.</summary>
    public static async Task<ShimRate> MeasureAsync(int domain, Func<int, string[]> options)
    {
        await using var publisher = await RosPublisher.StartAsync(DdsVendor.Cyclone, options(domain));
        var ended = false;
        var taking = Task.Factory.StartNew(() => Take(domain, () => Volatile.Read(ref ended)), TaskCreationOptions.LongRunning);
        await publisher.DoneAsync();
        Volatile.Write(ref ended, true);
        return await taking;
    }

    private static unsafe ShimRate Take(int domain, Func<bool> isEnded)
    {
        Cdrtap.Load();
        if (Cdrtap.Open((uint)domain, CycloneConfiguration.Compose(new DdsSettings(), null), 64 << 20, out var tap) < 0)
            throw new InvalidOperationException($"Domain {domain} cannot be opened: {string.Join("; ", Cdrtap.Log())}");
        var samples = (Cdrtap.Sample*)NativeMemory.Alloc(BatchMax, (nuint)sizeof(Cdrtap.Sample));
        long count = 0, bytes = 0, first = 0, last = 0;
        try
        {
            for (var isQuiet = false; !isQuiet;)
            {
                var answer = Cdrtap.Take(tap, samples, BatchMax, 200, 4000);
                if ((answer & Cdrtap.EndpointsFlag) != 0)
                    Subscribe(tap);
                var taken = answer & ~Cdrtap.EndpointsFlag;
                for (var i = 0; i < taken; i++)
                {
                    if (samples[i].State != Cdrtap.Data)
                        continue;
                    first = count == 0 ? samples[i].ReceivedNs : first;
                    last = samples[i].ReceivedNs;
                    count++;
                    bytes += samples[i].Size;
                }
                Cdrtap.Release(samples, (uint)taken);
                isQuiet = taken == 0 && isEnded();
            }
        }
        finally
        {
            Cdrtap.Close(tap);
            NativeMemory.Free(samples);
        }
        var seconds = (last - first) / 1e9;
        return new ShimRate(count / seconds, bytes / seconds);
    }

    private static unsafe void Subscribe(nint tap)
    {
        const int Most = 16;
        var endpoints = stackalloc Cdrtap.Endpoint[Most];
        var count = Cdrtap.Endpoints(tap, endpoints, Most);
        for (var i = 0; i < count; i++)
        {
            if (endpoints[i].Topic is null)
                continue;
            var request = new Cdrtap.Request
            {
                Topic = endpoints[i].Topic,
                Type = endpoints[i].Type,
                DeadlineNs = long.MaxValue,
                LeaseNs = long.MaxValue,
                Reliable = endpoints[i].Reliable,
                Depth = 10_000,
            };
            Cdrtap.Subscribe(tap, &request, 0);
        }
        Cdrtap.ReturnEndpoints(tap);
    }
}

/// <summary>The time that the source takes to find and subscribe to topics that are there.</summary>
internal sealed class TopicSearch(int wanted) : ISourceSink
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _found;

    public static async Task<TimeSpan> MeasureAsync(int domain, int topics)
    {
        using var stop = new CancellationTokenSource();
        var search = new TopicSearch(topics);
        var clock = Stopwatch.StartNew();
        var running = new DdsSource(new DdsSettings { Domain = domain }, new RosSettings(), NullLogger.Instance).RunAsync(search, stop.Token);
        await await Task.WhenAny(search._done.Task, running);
        var elapsed = clock.Elapsed;
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return elapsed;
    }

    public TopicHandle TopicAppeared(SourceTopic topic)
    {
        if (++_found == wanted)
            _done.SetResult();
        return new TopicHandle(_found);
    }

    public void Message(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
    }

    public void Lost(TopicHandle topic, long count)
    {
    }

    public void TopicNodes(TopicHandle topic, IReadOnlyList<string> nodes)
    {
    }

    public void TopicGone(TopicHandle topic)
    {
    }

    public ValueTask RoomAsync(int payloadBytes, CancellationToken cancellation) => default;
}
