using System.Diagnostics;
using EdgeCloud.Agent;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Benchmarks.Upload;

/// <summary>An agent's start on a backlog of many segments: time until the queue of uploads stands, and memory that it keeps.</summary>
internal static class BacklogBenchmark
{
    private const int Few = 100, Many = 10_000;

    public static void Run(string folder)
    {
        Measure(Path.Combine(folder, "few"), Few); // warms up
        var (_, few) = Measure(Path.Combine(folder, "few"), 0);
        Make(Path.Combine(folder, "many"), Many);
        var (seconds, many) = Measure(Path.Combine(folder, "many"), 0);
        Console.WriteLine(
            $"backlog of {Many} segments: start-up scan {seconds:0.00} s, {(many - few) / 1048576.0:0.0} MiB more memory than with {Few} "
            + $"({(many - few) / (double)(Many - Few):0} B per segment)");
        Targets.AtMost($"start-up scan of {Many} segments", seconds, 1, "s");
    }

    private static void Make(string dataDir, int segments)
    {
        var recordings = new Recordings(dataDir);
        var session = recordings.AddSession("recordings");
        for (var sequence = 1; sequence <= segments; sequence++)
        {
            var path = Path.Combine(session.Folder, ObjectKeys.SegmentName(sequence));
            File.WriteAllBytes(path + ".mcap", []);
            // As AddToChain would, without a sync for each.
            var file = Recordings.Describe(session, sequence, 1 << 20, new string('b', 64), new string('c', 32));
            File.WriteAllBytes(path + ".json", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(file, SessionJson.Default.SegmentFile));
        }
        // What AddToChain leaves in the session's own file: the sum of the ledgers of all its segments.
        var ledger = Recordings.Describe(session, 1, 1 << 20, "", "").Manifest.Ledger;
        session.UpdateQuietly(f => f with
        {
            SegmentsLedger = [.. ledger.Select(e => e with { Received = e.Received * segments, Recorded = e.Recorded * segments })],
            LedgerThrough = segments,
            Manifest = f.Manifest with { LastSequence = segments },
        });
    }

    private static (double Seconds, long Bytes) Measure(string dataDir, int make)
    {
        if (make > 0)
            Make(dataDir, make);
        var before = Kept();
        var clock = Stopwatch.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var configuration = new AgentConfiguration { Robot = Recordings.Robot, DataDir = dataDir, Source = new SourceSettings { Kind = SourceKind.Simulated } };
        var book = SessionBook.Open(dataDir, damage => throw new InvalidOperationException(damage));
        new RestartRecovery(configuration, book, new Alarms(), NullLogger.Instance).Survey();
        var queue = new UploadQueue(TimeProvider.System);
        foreach (var session in book.All)
            queue.Put(session);
        // Of wall and CPU time the smaller: on a busy machine the wall time says little.
        var seconds = Math.Min(Stopwatch.GetElapsedTime(clock).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        var kept = Kept() - before;
        if (queue.Take(_ => true, out _) is not Segment)
            throw new InvalidOperationException("the queue is empty");
        GC.KeepAlive(book);
        return (seconds, kept);
    }

    private static long Kept()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
