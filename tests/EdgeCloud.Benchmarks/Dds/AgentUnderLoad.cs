using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeCloud.Testing;
using EdgeCloud.Testing.Ros;

namespace EdgeCloud.Benchmarks.Dds;

/// <summary>Processor time and moment of a process.</summary>
internal readonly record struct ProcessUse(double CpuSeconds, double AtSeconds)
{
    public static (double Cpu, double Elapsed) operator -(ProcessUse after, ProcessUse before) =>
        (after.CpuSeconds - before.CpuSeconds, after.AtSeconds - before.AtSeconds);
}

/// <summary>What an agent recorded: ledger sums, payload bytes, and the time from its first to its last message.</summary>
internal readonly record struct RecordedCounts(long Recorded, long LostTransport, long Dropped, long Bytes, double Seconds);

/// <summary>The agent as robots run it, without uplink: <c>run</c> with source dds and a session that starts by itself.</summary>
internal sealed class AgentUnderLoad : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly ProductProcess _process;

    private AgentUnderLoad(TemporaryFolder folder, ProductProcess process)
    {
        _folder = folder;
        _process = process;
    }

    public static async Task<AgentUnderLoad> StartAsync(int domain)
    {
        var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["agent.yaml"], $"""
            robot: bench
            data_dir: data
            source:
              kind: dds
              dds: {"{"} domain: {domain} {"}"}
              ros: {"{"} definitions: ['{RosPublisher.Definitions}'] {"}"}
            recording: {"{"} autostart: true, compression: none {"}"}
            disk: {"{"} minimum_free_bytes: 100000000 {"}"}
            """);
        var process = ProductProcess.StartAgent(["run", "--config", folder["agent.yaml"]], AgentRuntime.OfUnit);
        await process.WaitForLineAsync("Listening on DDS domain", TimeSpan.FromSeconds(60));
        return new AgentUnderLoad(folder, process);
    }

    public long ResidentBytes
    {
        get
        {
            using var process = Process.GetProcessById(_process.Id);
            return process.WorkingSet64;
        }
    }

    public ProcessUse Use()
    {
        using var process = Process.GetProcessById(_process.Id);
        return new ProcessUse(process.TotalProcessorTime.TotalSeconds, Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency);
    }

    /// <summary>Ends the agent, which seals what is open, and sums up what its segments say.</summary>
    public async Task<RecordedCounts> StopAsync()
    {
        await _process.TerminateAsync(TimeSpan.FromSeconds(60));
        long recorded = 0, lost = 0, dropped = 0, bytes = 0, first = long.MaxValue, last = 0;
        foreach (var path in Directory.EnumerateFiles(_folder["data/sessions"], "0*.json", SearchOption.AllDirectories))
        {
            using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(path));
            var manifest = file.RootElement.GetProperty("manifest");
            foreach (var entry in manifest.GetProperty("ledger").EnumerateArray().Where(e => !e.GetProperty("topic").GetString()!.StartsWith("/ros", StringComparison.Ordinal)))
            {
                recorded += Number(entry, "recorded");
                lost += Number(entry, "lost_transport");
                dropped += Number(entry, "dropped_queue") + Number(entry, "dropped_disk");
            }
            bytes += manifest.GetProperty("topics").EnumerateArray().Sum(t => Number(t, "bytes"));
            if (Number(manifest, "log_time_end_ns") is > 0 and var end)
                (first, last) = (Math.Min(first, Number(manifest, "log_time_start_ns")), Math.Max(last, end));
        }
        return new RecordedCounts(recorded, lost, dropped, bytes, last > first ? (last - first) / 1e9 : double.NaN);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }

    private static long Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var number) ? Convert.ToInt64(number.GetDouble(), CultureInfo.InvariantCulture) : 0;
}
