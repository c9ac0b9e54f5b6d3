using System.Diagnostics;

namespace EdgeCloud.Benchmarks;

/// <summary>The best of several runs of one thing.</summary>
internal sealed class Measurement(string name, long messages, long bytes, Func<ValueTask> run)
{
    public string Name => name;

    /// <summary>Least wall time of a run, s.</summary>
    public double Seconds { get; private set; } = double.MaxValue;

    /// <summary>Least CPU time of a run, s. On a busy machine it says more than the wall time.</summary>
    public double CpuSeconds { get; private set; } = double.MaxValue;

    /// <summary>Least bytes that a run allocated.</summary>
    public long Allocated { get; private set; } = long.MaxValue;

    /// <summary>Time that counts: of wall and CPU time the smaller, since threads of ours never run side by side here.</summary>
    public double Time => Math.Min(Seconds, CpuSeconds);

    public double MessagesPerSecond => messages / Time;

    public double BytesPerSecond => bytes / Time;

    /// <summary>Runs every measurement in turn, round after round, so that a noisy moment hits all alike.</summary>
    public static async Task RunAsync(int rounds, params Measurement[] all)
    {
        for (var round = -1; round < rounds; round++)
        {
            foreach (var one in all)
                await one.RunOnceAsync(count: round >= 0); // the first round warms up
        }
        foreach (var one in all)
            Console.WriteLine(one);
    }

    public override string ToString() =>
        $"  {name,-44} {BytesPerSecond / 1e6,9:0} MB/s {(messages > 0 ? $"{MessagesPerSecond / 1e6,8:0.00} M msg/s {(double)Allocated / messages,8:0.000} B/msg" : new string(' ', 31))} {CpuSeconds,7:0.000} CPU s {Seconds,7:0.000} s";

    private async ValueTask RunOnceAsync(bool count)
    {
        GC.Collect();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.GetTimestamp();
        await run();
        var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        var cpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        if (!count)
            return;
        Seconds = Math.Min(Seconds, seconds);
        CpuSeconds = Math.Min(CpuSeconds, cpuSeconds);
        Allocated = Math.Min(Allocated, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }
}
