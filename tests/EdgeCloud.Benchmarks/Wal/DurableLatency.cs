using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>How long an append that is awaited takes at low rate, beside a bare write and fdatasync of the same bytes, one after the other.</summary>
internal static class DurableLatency
{
    private const int Appends = 400;

    public static void Measure(string folder, int rounds)
    {
        foreach (var compression in new[] { McapCompression.None, McapCompression.Zstd })
        {
            var (bare, log) = (new List<double>(), new List<double>());
            for (var round = 0; round < rounds; round++)
                MeasureOnce(folder, compression, bare, log);
            Console.WriteLine(
                $"  1000 B, {compression}: awaited append p50 {At(log, 0.5):0.000} ms, p99 {At(log, 0.99):0.000} ms; "
                + $"write + fdatasync p50 {At(bare, 0.5):0.000} ms, p99 {At(bare, 0.99):0.000} ms; p50 {At(log, 0.5) / At(bare, 0.5):0.00}x, p99 {At(log, 0.99) / At(bare, 0.99):0.00}x");
            Targets.AtMost($"awaited append with {compression}, p50 of write + fdatasync", At(log, 0.5) / At(bare, 0.5), 1.5, "x");
        }
    }

    private static unsafe void MeasureOnce(string folder, McapCompression compression, List<double> bare, List<double> log)
    {
        foreach (var old in Directory.GetFiles(folder))
            File.Delete(old);
        var files = new LinuxFiles();
        using var file = files.Create(Path.Combine(folder, "bare"), 64 << 20);
        files.SyncDirectory(folder);
        var block = (byte*)NativeMemory.AlignedAlloc(4096, 4096);
        new Span<byte>(block, 4096).Fill(7);
        var segments = new SegmentLog(folder, 1, new SegmentLogOptions { Compression = compression });
        var channel = segments.AddChannel(new ChannelDefinition { Topic = "/a", MessageEncoding = "cdr" });
        var data = Payloads.Make(1000, 1)[0];
        for (var i = -20; i < Appends; i++)
        {
            // Paced, so that each finds an idle disk and sleeping threads, as at low rate.
            Thread.Sleep(2);
            var start = Stopwatch.GetTimestamp();
            file.Write((i + 20) * 4096L, [new MemoryPiece(block, 4096)]); // a commit of one message takes one block, too
            file.Sync();
            var direct = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            Thread.Sleep(2);
            start = Stopwatch.GetTimestamp();
            segments.AppendAsync(channel, (uint)i, (ulong)i, (ulong)i, data).AsTask().Wait();
            var awaited = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (i < 0)
                continue;
            bare.Add(direct);
            log.Add(awaited);
        }
        segments.DisposeAsync().AsTask().Wait();
        NativeMemory.AlignedFree(block);
    }

    private static double At(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));
}
