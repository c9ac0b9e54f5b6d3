using System.Diagnostics;
using System.Globalization;
using EdgeCloud.Agent;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Benchmarks.Upload;

/// <summary>
/// <c>upload [MiB] [rounds]</c>: segments of 16 MiB to a radosgw on loopback, beside Debian's rclone with as many transfers and parts of the
/// same size; the cost of a steady 10 MB/s over TLS; the start with a backlog of 10,000 segments.
/// </summary>
internal static class UploadBenchmark
{
    private const int Workers = 4, SegmentBytes = 16 << 20;
    private const string Prefix = "recordings";

    public static async Task<int> RunAsync(string[] args)
    {
        var onlyBacklog = args is ["backlog"];
        var mib = args.Length > 0 && !onlyBacklog ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1024;
        var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
        var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
        await using var s3 = new S3Server { Tls = AgentRuntime.Tls };
        try
        {
            BacklogBenchmark.Run(folder.FullName);
            if (onlyBacklog)
                return 0;
            await s3.InitializeAsync();
            await CompareAsync(s3, Path.Combine(folder.FullName, "compare"), mib, rounds);
            await SteadyBenchmark.RunAsync(s3, Path.Combine(folder.FullName, "steady"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return 0;
    }

    /// <summary>An upload loop as the agent makes it.</summary>
    public static UploadLoop Loop(SessionBook book, ObjectStore store, S3Settings settings) => new(
        book, store, new BandwidthCap(0, TimeProvider.System), new NetworkConditions(UploadSettings.DefaultNetworks, settings.Endpoint),
        new AbandonedUploads(book, store, ObjectKeys.RobotPrefix(settings.Prefix, Recordings.Robot), NullLogger.Instance),
        Workers, new Alarms(), TimeProvider.System, NullLogger.Instance);

    /// <summary>A bucket of its own with the robot's key.</summary>
    public static async Task<S3Settings> SettingsAsync(S3Server s3)
    {
        var bucket = await s3.CreateBucketAsync();
        var key = await s3.AddRobotAsync(bucket, Prefix, Recordings.Robot);
        return new S3Settings { Endpoint = s3.Endpoint, Bucket = bucket, Prefix = Prefix, AccessKey = key.AccessKey, SecretKey = key.SecretKey };
    }

    private static async Task CompareAsync(S3Server s3, string folder, int mib, int rounds)
    {
        var count = Math.Max(mib * (1 << 20) / SegmentBytes, 1);
        var bytes = (long)count * SegmentBytes;
        var settings = await SettingsAsync(s3);
        var recordings = new Recordings(folder);
        var session = recordings.AddSession(Prefix);
        var files = Enumerable.Range(1, count).Select(i => Recordings.Write(session, i, SegmentBytes)).ToList();
        var rclone = await FindRcloneAsync();
        var (best, bestRclone) = (new Cost(double.MaxValue, double.MaxValue), new Cost(double.MaxValue, double.MaxValue));
        // The first round warms both up.
        for (var round = 0; round <= rounds; round++)
        {
            var one = await OursAsync(settings, recordings, files, session);
            var other = rclone is null ? default : await RcloneAsync(rclone, s3, settings, session.Folder, round);
            if (round == 0)
                continue;
            (best, bestRclone) = (best.Best(one), bestRclone.Best(other));
            Console.WriteLine($"  round {round}: agent {one.Text(bytes)}; rclone {other.Text(bytes)}");
        }
        Console.WriteLine($"upload of {count} x 16 MiB, {Workers} at a time: agent {best.Text(bytes)}");
        Console.WriteLine(rclone is null
            ? "  no rclone here to compare with: apt-get install rclone"
            : $"  rclone {bestRclone.Text(bytes)}: rate {bestRclone.Seconds / best.Seconds:0.00}x, CPU per MB {best.CpuSeconds / bestRclone.CpuSeconds:0.00}x");
        if (rclone is null)
            return;
        Targets.AtLeast("upload, rate of rclone's", bestRclone.Seconds / best.Seconds, 1, "x");
        Targets.AtMost("upload, CPU per MB of rclone's", best.CpuSeconds / bestRclone.CpuSeconds, 1, "x");
    }

    private static async Task<Cost> OursAsync(S3Settings settings, Recordings recordings, IReadOnlyList<SegmentFile> files, Session template)
    {
        // The same files under the names of a new session.
        var session = recordings.AddSession(Prefix);
        foreach (var file in files)
        {
            var name = ObjectKeys.SegmentName(file.Manifest.Sequence) + ".mcap";
            File.CreateSymbolicLink(Path.Combine(session.Folder, name), Path.Combine(template.Folder, name));
            session.AddToChain(file with
            {
                Manifest = file.Manifest with { Session = session.Id, ObjectKey = ObjectKeys.Segment(session.File.Manifest.ObjectPrefix, file.Manifest.Sequence) },
            });
        }
        using var store = new ObjectStore(settings, TimeSpan.FromMinutes(1));
        var loop = Loop(recordings.Book, store, settings);
        using var end = new CancellationTokenSource();
        var cpu = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.GetTimestamp();
        var running = loop.RunAsync(end.Token);
        while (session.Segments.Any(s => s.Custody is not Custody.Uploaded))
        {
            if (loop.LastError.Length > 0)
                throw new InvalidOperationException(loop.LastError);
            await Task.Delay(5);
        }
        var cost = new Cost(Stopwatch.GetElapsedTime(clock).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        await end.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var segment in session.Segments)
            segment.TryAdvance(Custody.Acknowledged);
        return cost;
    }

    private static async Task<string?> FindRcloneAsync()
    {
        using var which = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "command -v rclone"]) { RedirectStandardOutput = true })!;
        var path = (await which.StandardOutput.ReadToEndAsync()).Trim();
        return path.Length > 0 ? path : null;
    }

    private static async Task<Cost> RcloneAsync(string rclone, S3Server s3, S3Settings settings, string folder, int round)
    {
        // The owner's key: rclone asks about the bucket, which a robot's key may not.
        var start = new ProcessStartInfo("/bin/bash",
            ["-c", $"TIMEFORMAT='cost %R %U %S'; time {rclone} copy '{folder}' ':s3:{settings.Bucket}/rclone/{round}' --include '*.mcap' --config /dev/null "
                + $"--s3-provider Ceph --s3-endpoint {s3.Endpoint} --s3-region {s3.Region} --s3-no-check-bucket --s3-chunk-size 8Mi --s3-upload-cutoff 16Mi "
                + $"--s3-upload-concurrency 1 --transfers {Workers}"])
        {
            RedirectStandardError = true,
        };
        start.Environment.Remove("AWS_CA_BUNDLE"); // it speaks plain HTTP here, and refuses to with one
        start.Environment["RCLONE_S3_ACCESS_KEY_ID"] = s3.Owner.AccessKey;
        start.Environment["RCLONE_S3_SECRET_ACCESS_KEY"] = s3.Owner.SecretKey;
        using var process = Process.Start(start)!;
        var output = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"rclone failed: {output}");
        var cost = output.Split('\n').Last(l => l.StartsWith("cost ", StringComparison.Ordinal)).Split(' ').Skip(1)
            .Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new Cost(cost[0], cost[1] + cost[2]);
    }

    private readonly record struct Cost(double Seconds, double CpuSeconds)
    {
        public Cost Best(Cost other) => new(Math.Min(Seconds, other.Seconds), Math.Min(CpuSeconds, other.CpuSeconds));

        public string Text(long bytes) => $"{bytes / 1e6 / Seconds:0} MB/s, {1000 * CpuSeconds / (bytes / 1e6):0.00} CPU ms per MB";
    }
}
