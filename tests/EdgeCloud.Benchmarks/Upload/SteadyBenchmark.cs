using System.Diagnostics;
using System.Globalization;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Benchmarks.Upload;

/// <summary>What uploading 10 MB/s of new segments costs beside doing nothing, over TLS, as robots do, once the code is compiled: CPU, memory, and bytes read back from the disk.</summary>
internal static class SteadyBenchmark
{
    private const int SegmentBytes = 20_000_000, Warm = 15, Segments = 15;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(S3Server s3, string folder)
    {
        var settings = await UploadBenchmark.SettingsAsync(s3) with { Endpoint = s3.SecureEndpoint };
        var recordings = new Recordings(folder);
        var session = recordings.AddSession("recordings");
        var files = Enumerable.Range(1, Warm + Segments).Select(i => Recordings.Write(session, i, SegmentBytes)).ToList();
        using var store = new ObjectStore(settings, TimeSpan.FromMinutes(1));
        var loop = UploadBenchmark.Loop(recordings.Book, store, settings);
        var idle = Snapshot();
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        long peak = 0;
        await AddAsync(files.Take(Warm));
        var before = Snapshot();
        var clock = Stopwatch.StartNew();
        await AddAsync(files.Skip(Warm));
        var after = Snapshot();
        var seconds = clock.Elapsed.TotalSeconds;
        while (session.Segments.Any(s => s.Custody is not Custody.Uploaded))
            await Task.Delay(10);
        await end.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var bytes = (double)Segments * SegmentBytes;
        Console.WriteLine(
            $"steady {bytes / 1e6 / seconds:0.0} MB/s: {100 * (after.Cpu - before.Cpu).TotalSeconds / seconds:0.0}% of a core, "
            + $"{(peak - idle.WorkingSet) / 1048576.0:0.0} MiB beyond the base, "
            + $"{(after.Read - before.Read) / bytes:0.000} bytes read per byte, state files included");
        Targets.AtMost("steady upload, of a core", 100 * (after.Cpu - before.Cpu).TotalSeconds / seconds, 5, "%");
        Targets.AtMost("steady upload, beyond the base", (peak - idle.WorkingSet) / 1048576.0, 32, "MiB");
        Targets.AtMost("steady upload, bytes read per byte", (after.Read - before.Read) / bytes, 1.01, ""); // state files are read, too

        async Task AddAsync(IEnumerable<SegmentFile> sealedOnes)
        {
            foreach (var file in sealedOnes)
            {
                session.AddToChain(file);
                var start = Stopwatch.GetTimestamp();
                for (; Stopwatch.GetElapsedTime(start) < Interval; await Task.Delay(100))
                    peak = Math.Max(peak, Environment.WorkingSet);
            }
        }
    }

    private static (TimeSpan Cpu, long WorkingSet, long Read) Snapshot()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var read = long.Parse(File.ReadLines("/proc/self/io").First(l => l.StartsWith("rchar:", StringComparison.Ordinal))[6..], CultureInfo.InvariantCulture);
        return (Environment.CpuUsage.TotalTime, Environment.WorkingSet, read);
    }
}
