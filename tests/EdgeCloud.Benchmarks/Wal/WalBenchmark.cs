using System.Globalization;
using EdgeCloud.Mcap;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>
/// <c>wal [rounds]</c>: how fast the log takes uncompressed messages of several sizes from two producers on 20 channels, beside the disk's own
/// direct sequential writes of 1 MiB, measured in turn: without a sync, and with one after each block.
/// </summary>
internal static class WalBenchmark
{
    private const long DiskBytes = 1_000_000_000;

    public static Task<int> RunAsync(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 3;
        var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                foreach (var payload in new[] { 100, 1000, 10_000, 1_000_000 }) Compare(folder.FullName, payload);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return Task.FromResult(0);
    }

    private static void Compare(string folder, int payload)
    {
        var disk = DiskRate.Write(folder, 1 << 20, DiskBytes, blocksPerSync: 0);
        var synced = DiskRate.Write(folder, 1 << 20, DiskBytes, blocksPerSync: 1);
        var log = Throughput.Measure(folder, payload, payload == 100 ? DiskBytes / 5 * 2 : DiskBytes, McapCompression.None);
        Console.WriteLine(
            $"{payload,8} B: {log.MessagesPerSecond / 1e6,6:0.000} M msg/s {log.BytesPerSecond / 1e6,6:0} MB/s durable, {log.CpuSeconds / log.Seconds:0.00} cores, "
            + $"all sealed {log.SealSeconds:0.00} s later; disk {disk / 1e6:0} MB/s ({log.BytesPerSecond / disk:0.00}x), "
            + $"synced per MiB {synced / 1e6:0} MB/s ({log.BytesPerSecond / synced:0.00}x)");
    }
}
