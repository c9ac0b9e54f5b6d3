using EdgeCloud.Agent.Upload;

namespace EdgeCloud.Agent.Tests.Upload;

public sealed class BandwidthCapTests
{
    [Fact]
    public async Task No_more_passes_than_the_cap_allows_and_no_less()
    {
        var clock = new ManualClock();
        var cap = new BandwidthCap(1_000_000, clock);
        long passed = 0;
        using var end = new CancellationTokenSource();
        var takers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
                Interlocked.Add(ref passed, await cap.TakeAsync(64 << 10, end.Token));
        })).ToArray();
        for (var i = 0; i < 1000; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
            Assert.True(Volatile.Read(ref passed) <= 10_000 * (i + 1) + 250_000);
        }
        await Testing.Eventually.Holds(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            return Volatile.Read(ref passed) >= 5_000_000;
        }, TimeSpan.FromSeconds(60), "what the cap allows has passed");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(takers));
    }

    [Fact]
    public async Task Without_a_cap_everything_passes_at_once() =>
        Assert.Equal(1 << 20, await new BandwidthCap(0, new ManualClock()).TakeAsync(1 << 20, CancellationToken.None));
}
