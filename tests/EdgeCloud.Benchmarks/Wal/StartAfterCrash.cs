using System.Diagnostics;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>
/// How soon an agent records again after a crash, on a folder with 10 GiB of sealed segments (holes, but for their state files) and one of 60 MiB
/// that is open. From the start of the process to the line that says so, beside a start on an empty folder.
/// </summary>
internal static class StartAfterCrash
{
    private const int Segments = 160;
    private const long SegmentBytes = 64L << 20;

    public static void Measure(string folder, int rounds)
    {
        var (full, empty) = (Path.Combine(folder, "full"), Path.Combine(folder, "empty"));
        Prepare(full);
        var measured = Enumerable.Range(0, rounds).Select(_ => (Full: Start(Copy(full, folder), "goes on, Recording"), Empty: Start(Emptied(empty), "started by configuration"))).ToList();
        Targets.AtMost("recording again after a crash", Median(measured.Select(m => m.Full)), 1000, "ms");
        Console.WriteLine(
            $"  recording again after {Median(measured.Select(m => m.Full)):0} ms, on an empty folder after {Median(measured.Select(m => m.Empty)):0} ms");
    }

    private static void Prepare(string dataDir)
    {
        var bench = new RecordingBench(dataDir, ChunkCompression.None);
        var session = bench.Start();
        for (var i = 0; i < 60_000; i++)
        {
            bench.Recorder.RoomAsync(1000, CancellationToken.None).AsTask().Wait();
            bench.Recorder.Message(bench.Topics[i % 20], new MessageTimes((ulong)i + 1, (ulong)i, (uint)i), new byte[1000]);
        }
        bench.Desk.SealAsync().Wait();
        while (session.Segments.Count == 0)
            Thread.Sleep(10);
        var first = session.Segments[0];
        // An open segment as a crash leaves it: the sealed one without its end.
        var open = Path.Combine(session.Folder, $"{Segments + 1:000000}.mcap.open");
        var target = Directory.CreateDirectory(Path.Combine(dataDir, "crashed", "sessions", session.Id.ToString("D"))).FullName;
        File.Copy(first.MediaPath, Path.Combine(target, Path.GetFileName(open)));
        var crashed = Session.Create(target, session.File.Manifest);
        for (var i = 1; i <= Segments; i++)
        {
            crashed.AddToChain(first.Read() with
            {
                Manifest = first.Manifest with { Sequence = i, Bytes = SegmentBytes, ObjectKey = ObjectKeys.Segment(session.File.Manifest.ObjectPrefix, i) },
            });
            using var media = File.Create(Path.Combine(target, ObjectKeys.SegmentName(i) + ".mcap"));
            media.SetLength(SegmentBytes);
        }
        bench.DisposeAsync().AsTask().Wait();
    }

    /// <summary>The prepared folder again, its media as holes.</summary>
    private static string Copy(string prepared, string folder)
    {
        var copy = Path.Combine(folder, "copy");
        if (Directory.Exists(copy))
            Directory.Delete(copy, recursive: true);
        using var cp = Process.Start("cp", ["-r", "--sparse=always", Path.Combine(prepared, "crashed"), copy]);
        cp.WaitForExit();
        return copy;
    }

    private static string Emptied(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return folder;
    }

    private static double Start(string dataDir, string line)
    {
        Directory.CreateDirectory(dataDir);
        var configuration = Path.Combine(dataDir, "agent.yaml");
        File.WriteAllText(configuration, $"robot: bench\ndata_dir: {dataDir}\nsource: {{ kind: simulated }}\nrecording: {{ autostart: true }}\ndisk: {{ minimum_free_bytes: 0 }}\n");
        var assembly = Repository.PathTo("agent/EdgeCloud.Agent", "bin", "Release", "net10.0", "edgecloud-agent.dll");
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo("dotnet", [assembly, "run", "--config", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        // The agent logs to standard error or output, whichever the terminal has.
        var found = new TaskCompletionSource<double>();
        void Look(object sender, DataReceivedEventArgs e)
        {
            if (e.Data?.Contains(line, StringComparison.Ordinal) ?? false)
                found.TrySetResult(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        process.OutputDataReceived += Look;
        process.ErrorDataReceived += Look;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var took = found.Task.Wait(TimeSpan.FromSeconds(60)) ? found.Task.Result : throw new InvalidOperationException($"The agent did not say '{line}'.");
        process.Kill();
        process.WaitForExit();
        return took;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
