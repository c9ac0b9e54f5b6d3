using System.Diagnostics;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>The log with compression beside the libraries alone, on the same chunks with as many threads as compress in the log.</summary>
internal static class CompressionRate
{
    private const int ChunkBytes = 1 << 20;
    private const long Bytes = 500_000_000;

    public static void Measure(string folder, int rounds)
    {
        foreach (var compression in new[] { McapCompression.Zstd, McapCompression.Lz4 })
        {
            var measured = Enumerable.Range(0, rounds).Select(_ => (
                    Raw: Raw(compression, Math.Clamp(Environment.ProcessorCount, 2, 8)),
                    // A source that can wait: nothing is gained by compressing less.
                    Log: Throughput.Measure(folder, 10_000, Bytes, compression, producers: 1, with: new SegmentLogOptions { CompressionStepsDown = false })))
                .OrderBy(m => m.Log.BytesPerSecond / m.Raw.BytesPerSecond).ToList();
            var (raw, log) = measured[rounds / 2];
            Console.WriteLine(
                $"  {compression.ToName()}: log {log.BytesPerSecond / 1e6:0} MB/s in {log.CpuSeconds / (log.BytesPerSecond * log.Seconds) * 1e9:0.00} CPU s/GB, "
                + $"library alone {raw.BytesPerSecond / 1e6:0} MB/s in {raw.CpuPerByte * 1e9:0.00} CPU s/GB; {log.BytesPerSecond / raw.BytesPerSecond:0.00}x");
            Targets.AtLeast($"log with {compression.ToName()}, of the library alone", log.BytesPerSecond / raw.BytesPerSecond, 0.9, "x");
        }
    }

    private static (double BytesPerSecond, double CpuPerByte) Raw(McapCompression compression, int threads)
    {
        // The records of such chunks as the log makes of these messages.
        var payloads = Payloads.Make(10_000, 64);
        var chunk = new byte[ChunkBytes];
        for (var at = 0; at < ChunkBytes; at += 10_031)
            payloads[at / 10_031 % 64].AsSpan(0, Math.Min(10_000, Math.Max(0, ChunkBytes - at - 31))).CopyTo(chunk.AsSpan(Math.Min(at + 31, ChunkBytes)));
        var cpu = Environment.CpuUsage.TotalTime;
        var start = Stopwatch.GetTimestamp();
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            using var codec = new ChunkCodec();
            var target = new byte[ChunkCodec.Bound(compression, ChunkBytes)];
            for (var done = 0L; done < Bytes / threads; done += ChunkBytes)
                codec.Compress(compression, compression == McapCompression.Zstd ? 1 : 0, chunk, target);
        })).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        return (Bytes / Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / Bytes);
    }
}
