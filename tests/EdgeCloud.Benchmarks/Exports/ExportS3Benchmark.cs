using System.Diagnostics;
using Amazon.S3;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.Benchmarks.Exports;

/// <summary>
/// <c>export-s3 [--mib N] [--formats a,b] [--parts-at-once N] [--scaling]</c>: exports of the mixed recording (60% images, 30% point clouds, 10% imu, tf and
/// odometry by bytes) from S3 to S3 by worker processes, with PostgreSQL, S3 and everything else on this machine. Time counts from the
/// request to the last file visible; processor time is the worker's. Peak memory is the worker's resident set while it makes three parts at once,
/// as it does unless told otherwise, or as many as <c>--parts-at-once</c> says. <c>--scaling</c> gives each worker a link of its own to
/// S3 and compares one worker with two.
/// </summary>
internal static class ExportS3Benchmark
{
    private const double MiB = 1L << 20, GiB = 1L << 30;
    private const long MemoryTarget = 512L << 20;
    private const int FramesPerSegment = 20;
    private const double FrameMib = 1.47;
    /// <summary>Slow enough that the link and not the two cores decide.</summary>
    private const long LinkBytesPerSecond = 12_000_000;

    // At most, s per GiB of payload. CSV and JSON Lines are measured in rows per second, of the numeric topics alone.
    private static readonly (string Format, double? Target)[] Formats =
    [
        (ExportFormats.Mcap, 15), (ExportFormats.Rosbag2, 15), (ExportFormats.Numpy, 20), (ExportFormats.TfRecord, 20), (ExportFormats.Parquet, 30),
        (ExportFormats.Csv, null), (ExportFormats.JsonLines, null),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var mib = args.SkipWhile(a => a != "--mib").Skip(1).Select(int.Parse).FirstOrDefault(1024);
        var only = args.SkipWhile(a => a != "--formats").Skip(1).FirstOrDefault()?.Split(',');
        await using var stage = new Stage();
        await stage.StartAsync();
        var segments = Math.Max(2, (int)Math.Round(mib / FrameMib / FramesPerSegment));
        var recording = await StoredRecording.MakeAsync(
            stage.System.ControlPlane.ConnectionString, stage.S3, stage.System.ControlPlane.Bucket, "bench", segments, FramesPerSegment);
        Console.WriteLine(
            $"export-s3: {recording.PayloadBytes / GiB:0.00} GiB of payload, {recording.Segments.Sum(s => s.Bytes) / GiB:0.00} GiB stored, {recording.Messages:N0} messages, {segments} segments, {Environment.ProcessorCount} cores");
        if (args.Contains("--scaling"))
            await ScaleAsync(stage, recording);
        else
            await MeasureFormatsAsync(stage, recording, only, args.SkipWhile(a => a != "--parts-at-once").Skip(1).FirstOrDefault("3"));
        return 0;
    }

    private static async Task MeasureFormatsAsync(Stage stage, StoredRecording recording, string[]? only, string partsAtOnce)
    {
        var started = Stopwatch.GetTimestamp();
        await using var worker = stage.System.ControlPlane.StartWorker(("Exports__PartsAtOnce", partsAtOnce));
        await worker.WaitForLineAsync("Application started", TimeSpan.FromMinutes(2));
        Console.WriteLine($"  worker is up after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s, processor {BusySeconds(worker.Id):0.0} s");
        await stage.ExportAsync(Request(recording, ExportFormats.Mcap)); // warms up
        foreach (var (format, target) in Formats.Where(f => only?.Contains(f.Format) ?? true))
        {
            ResetPeak(worker.Id);
            var (clock, busyBefore) = (Stopwatch.GetTimestamp(), BusySeconds(worker.Id));
            var export = await stage.ExportAsync(Request(recording, format));
            var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            var busy = BusySeconds(worker.Id) - busyBefore;
            var peak = PeakBytes(worker.Id);
            var perGiB = seconds / (recording.PayloadBytes / GiB);
            var rate = target is null ? $"{export.Messages / seconds,12:N0} rows/s" : $"{perGiB,7:0.0} s/GiB      ";
            Console.WriteLine(
                $"  {format,-9} {rate}  {seconds,7:0.0} s, processor {busy,5:0.0} s  {export.Bytes / 1e6,8:0} MB in {export.Files,4} files  peak {peak / 1e6,5:0} MB");
            Targets.AtMost($"{format}, peak of the worker", peak / MiB, MemoryTarget / MiB, "MiB");
            if (target is { } most)
                Targets.AtMost($"{format}, for a GiB", perGiB, most, "s");
        }
    }

    private static async Task ScaleAsync(Stage stage, StoredRecording recording)
    {
        var one = await TimeAsync(stage, recording, workers: 1);
        var two = await TimeAsync(stage, recording, workers: 2);
        Console.WriteLine($"  mcap over links of {LinkBytesPerSecond / 1e6:0} MB/s: one worker {one:0.0} s, two {two:0.0} s, {one / two:0.00}x");
        Targets.AtLeast("mcap by two workers, of one", one / two, 1.7, "x");
    }

    private static async Task<double> TimeAsync(Stage stage, StoredRecording recording, int workers)
    {
        var relays = Enumerable.Range(0, workers).Select(_ => new TcpRelay(new Uri(stage.System.S3.Endpoint).Port) { BytesPerSecond = LinkBytesPerSecond }).ToList();
        var processes = relays.Select(r => stage.System.ControlPlane.StartWorker(("S3__Endpoint", $"http://127.0.0.1:{r.Port}"))).ToList();
        foreach (var process in processes)
            await process.WaitForLineAsync("Application started", TimeSpan.FromMinutes(2));
        var clock = Stopwatch.GetTimestamp();
        // Many parts, so that the last one does not decide.
        await stage.ExportAsync(Request(recording, ExportFormats.Mcap) with { PartBytes = recording.Segments.Sum(s => s.Bytes) / 12 });
        var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        foreach (var process in processes)
            await process.TerminateAsync(TimeSpan.FromMinutes(1));
        foreach (var relay in relays)
            await relay.DisposeAsync();
        return seconds;
    }

    private static ExportRequest Request(StoredRecording recording, string format) => new()
    {
        Sessions = [recording.Session],
        Format = format,
        Selection = format is ExportFormats.Csv or ExportFormats.JsonLines ? new TopicSelection { Include = ["/imu/data", "/odom", "/tf"] } : null,
    };

    // The kernel forgets the peak when a 5 is written.
    private static void ResetPeak(int process) => File.WriteAllText($"/proc/{process}/clear_refs", "5");

    private static double BusySeconds(int process) => Process.GetProcessById(process).TotalProcessorTime.TotalSeconds;

    private static long PeakBytes(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) * 1024;

    private sealed class Stage : IAsyncDisposable
    {
        public EdgeCloudSystem System { get; } = EdgeCloudSystem.WithoutWorker();

        public AmazonS3Client S3 { get; private set; } = null!;

        public async Task StartAsync()
        {
            System.ControlPlane.Settings["Exports__RetentionDays"] = "1";
            await System.InitializeAsync();
            S3 = System.S3.Connect();
        }

        /// <summary>Exports, waits, and has the files deleted, since they lie in memory.</summary>
        public async Task<ExportView> ExportAsync(ExportRequest request)
        {
            var created = await System.Api.PostAsync("exports", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView);
            while (true)
            {
                var export = await System.Api.GetAsync($"exports/{created.Id}", ApiJsonContext.Default.ExportView);
                if (export.State is ExportState.Succeeded)
                {
                    await System.Api.PostAsync($"exports/{created.Id}/expire", ApiJsonContext.Default.ExportView);
                    return export;
                }
                if (export.State is not (ExportState.Queued or ExportState.Running))
                    throw new InvalidOperationException($"The export {export.State}: {export.Error}");
                await Task.Delay(50);
            }
        }

        public async ValueTask DisposeAsync()
        {
            S3?.Dispose();
            await System.DisposeAsync();
        }
    }
}
