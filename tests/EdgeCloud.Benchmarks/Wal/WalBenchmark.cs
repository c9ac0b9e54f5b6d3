using System.Globalization;
using EdgeCloud.Mcap;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>
/// <c>wal [throughput|sessions|latency|compression|load|overhead|start]... [rounds]</c>: the write-ahead log beside what the machine gives, each
/// comparison measured in turn in one run. Without a name: all of them. Every figure is with rotation, SHA-256 and ETag of the segments, loss
/// ledger and 20 channels.
/// </summary>
internal static class WalBenchmark
{
    private const long DiskBytes = 1_000_000_000;
    private static readonly int[] Payloads = [100, 1000, 10_000, 1_000_000];

    private static readonly Dictionary<string, Action<string, int>> Parts = new(StringComparer.Ordinal)
    {
        ["throughput"] = MeasureThroughput,
        ["sessions"] = MeasureSessions,
        ["latency"] = DurableLatency.Measure,
        ["compression"] = CompressionRate.Measure,
        ["load"] = SteadyLoad.Measure,
        ["overhead"] = FileOverhead.Measure,
        ["start"] = StartAfterCrash.Measure,
    };

    public static Task<int> RunAsync(string[] args)
    {
        if (args is [SteadyLoad.ChildArgument, ..])
            return SteadyLoad.RunChildAsync(args[1..]);
        var rounds = args.Select(a => int.TryParse(a, NumberStyles.None, CultureInfo.InvariantCulture, out var r) ? r : 0).DefaultIfEmpty(0).Max();
        var parts = args.Where(a => !int.TryParse(a, NumberStyles.None, CultureInfo.InvariantCulture, out _)).ToList();
        if (parts.Find(p => !Parts.ContainsKey(p)) is { } unknown)
        {
            Console.Error.WriteLine($"wal: '{unknown}' is none of {string.Join(", ", Parts.Keys)}");
            return Task.FromResult(2);
        }
        foreach (var part in parts.Count > 0 ? parts : [.. Parts.Keys])
        {
            var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
            try
            {
                Console.WriteLine($"{part}:");
                Parts[part](folder.FullName, rounds > 0 ? rounds : 3);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        return Task.FromResult(0);
    }

    private static void MeasureThroughput(string folder, int rounds)
    {
        foreach (var payload in Payloads)
        {
            var measured = Enumerable.Range(0, rounds).Select(_ =>
            {
                var synced = DiskRate.Write(folder, 1 << 20, DiskBytes, blocksPerSync: 1);
                var bare = DiskRate.Write(folder, 1 << 20, DiskBytes, blocksPerSync: 0);
                return (Log: Throughput.Measure(folder, payload, payload == 100 ? DiskBytes / 5 * 2 : DiskBytes, McapCompression.None), synced, bare);
            }).OrderBy(m => m.Log.BytesPerSecond / m.bare).ToList();
            var (log, disk, unsynced) = measured[rounds / 2];
            Console.WriteLine(
                $"  {payload,8} B: {log.MessagesPerSecond / 1e6,6:0.000} M msg/s, {log.BytesPerSecond / 1e6,5:0} MB/s durable, {log.CpuSeconds / log.Seconds:0.00} cores, "
                + $"sealed {log.SealSeconds:0.00} s later; disk {unsynced / 1e6:0} MB/s ({log.BytesPerSecond / unsynced:0.00}x), "
                + $"synced per MiB {disk / 1e6:0} MB/s ({log.BytesPerSecond / disk:0.00}x)");
            if (payload <= 1000)
                Targets.AtLeast($"log of {payload} B", log.MessagesPerSecond / 1e6, payload == 100 ? 3 : 0.6, "M msg/s");
            else
                Targets.AtLeast($"log of {payload} B, of the disk", log.BytesPerSecond / unsynced, 0.85, "x");
        }
    }

    private static void MeasureSessions(string folder, int rounds)
    {
        foreach (var sessions in new[] { 1, 2 })
        {
            foreach (var payload in Payloads)
            {
                var measured = Enumerable.Range(0, rounds).Select(_ =>
                {
                    var bare = DiskRate.Write(folder, 1 << 20, DiskBytes, blocksPerSync: 0);
                    return (Log: SessionThroughput.Measure(folder, payload, payload == 100 ? DiskBytes / 10 : DiskBytes / 2, sessions), bare);
                }).OrderBy(m => m.Log.BytesPerSecond / m.bare).ToList();
                var (log, disk) = measured[rounds / 2];
                Console.WriteLine(
                    $"  {sessions} session(s) from one source, {payload,8} B: {log.MessagesPerSecond / 1e6,6:0.000} M msg/s arrive, "
                    + $"{log.BytesPerSecond / 1e6,5:0} MB/s durable, {log.CpuSeconds / log.Seconds:0.00} cores; disk {disk / 1e6:0} MB/s ({log.BytesPerSecond / disk:0.00}x)");
            }
        }
    }
}
