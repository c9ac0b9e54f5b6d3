using System.Globalization;
using EdgeCloud.Testing.Ros;

namespace EdgeCloud.Benchmarks.Dds;

/// <summary>
/// <c>dds [steady|full|topics] [seconds]</c>: the whole agent (dds, write-ahead log, disk) in a process of its own, hearing publishers on CycloneDDS
/// in others. Full load is measured beside the bare shim: the same publisher, samples taken and let go.
/// </summary>
internal static class DdsBenchmark
{
    private static int _domain = 200;

    private static int NextDomain => ++_domain;

    public static async Task<int> RunAsync(string[] args)
    {
        var what = args.Length > 0 ? args[0] : "all";
        var seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 20;
        if (what is not ("steady" or "full" or "topics" or "all"))
        {
            await Console.Error.WriteLineAsync("usage: EdgeCloud.Benchmarks dds [steady|full|topics] [seconds]");
            return 2;
        }
        if (what is "steady" or "all")
            await SteadyAsync(seconds);
        if (what is "full" or "all")
        {
            await FullAsync("64 B", "string", size: 51, count: 400_000);
            await FullAsync("1 MB", "cloud", size: 1_000_000, count: 3000);
        }
        if (what is "topics" or "all")
            await TopicsAsync(seconds);
        return 0;
    }

    /// <summary>What a robot does all day: 1 kHz of 1 KB, reliable, and two topics of 1 MB at 30 Hz, best effort.</summary>
    private static async Task SteadyAsync(int measuredSeconds)
    {
        // An agent runs for days: what is called for every segment, one a second, is compiled for good, too, when it counts.
        const int WarmSeconds = 60;
        var seconds = WarmSeconds + measuredSeconds;
        var domain = NextDomain;
        await using var agent = await AgentUnderLoad.StartAsync(domain);
        await using var small = await RosPublisher.StartAsync(
            DdsVendor.Cyclone, $"domain={domain}", "topic=rt/small", "size=1000", "rate=1000", $"count={1000 * seconds}", "depth=1000");
        await using var left = await Images(domain, "rt/left", seconds);
        await using var right = await Images(domain, "rt/right", seconds);
        await Task.Delay(TimeSpan.FromSeconds(WarmSeconds));
        var use = agent.Use();
        await Task.Delay(TimeSpan.FromSeconds(measuredSeconds - 2));
        var (cpu, elapsed) = agent.Use() - use;
        var memory = agent.ResidentBytes;
        await small.DoneAsync();
        await left.DoneAsync();
        await right.DoneAsync();
        var counts = await agent.StopAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"steady (1 kHz x 1 KB, 2 x 30 Hz x 1 MB): {100 * cpu / elapsed:0.0}% of one core, {memory / 1e6:0} MB resident, " +
            $"{counts.Recorded} of {1060 * seconds} recorded, {counts.LostTransport} lost in transport, {counts.Dropped} dropped"));
    }

    private static Task<RosPublisher> Images(int domain, string topic, int seconds) => RosPublisher.StartAsync(
        DdsVendor.Cyclone, $"domain={domain}", $"topic={topic}", "type=cloud", "size=1000000", "rate=30", $"count={30 * seconds}", "reliable=0", "depth=5");

    private static async Task FullAsync(string name, string type, int size, int count)
    {
        string[] Options(int domain) =>
            [$"domain={domain}", $"type={type}", "topic=rt/full", $"size={size}", $"count={count}", "keepall=1"];
        var bare = await BareShim.MeasureAsync(NextDomain, Options);
        var domain = NextDomain;
        await using var agent = await AgentUnderLoad.StartAsync(domain);
        await using var publisher = await RosPublisher.StartAsync(DdsVendor.Cyclone, Options(domain));
        var use = agent.Use();
        await publisher.DoneAsync();
        var (cpu, elapsed) = agent.Use() - use;
        var counts = await agent.StopAsync();
        var rate = counts.Recorded / counts.Seconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"full, {name}: agent {rate,8:0} msg/s {counts.Bytes / counts.Seconds / 1e6,5:0} MB/s to disk, {cpu / elapsed:0.00} cores, {counts.Recorded} of {count} recorded, " +
            $"{counts.LostTransport} lost in transport, {counts.Dropped} dropped; bare shim {bare.PerSecond,8:0} msg/s {bare.BytesPerSecond / 1e6,5:0} MB/s; ratio {rate / bare.PerSecond:0.00}"));
    }

    private static async Task TopicsAsync(int seconds)
    {
        const int Topics = 500;
        var domain = NextDomain;
        await using var publisher = await RosPublisher.StartAsync(
            DdsVendor.Cyclone, $"domain={domain}", "topic=rt/many", $"topics={Topics}", "match=0");
        var found = await TopicSearch.MeasureAsync(domain, Topics);
        await using var agent = await AgentUnderLoad.StartAsync(domain);
        await Task.Delay(5000);
        var use = agent.Use();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var (cpu, elapsed) = agent.Use() - use;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Topics} topics: subscribed to after {found.TotalSeconds:0.00} s; idle {100 * cpu / elapsed:0.00}% of a core, {agent.ResidentBytes / 1e6:0} MB resident"));
        await agent.StopAsync();
    }
}
