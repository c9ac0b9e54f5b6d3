using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Wal;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>
/// 10,000 messages of 1 KB a second at a bound of 50 ms: CPU, memory, allocations and garbage collections of the whole way of a message, each
/// in a process of its own, beside a bare loop that appends, CRCs, writes and syncs the same bytes at the same bound.
/// </summary>
internal static class SteadyLoad
{
    public const string ChildArgument = "steady-load-child";
    private const int PerTick = 10, Bytes = 1000; // a tick is 1 ms
    private const double Seconds = 12;
    private const int WarmSegments = 40; // an agent runs for days: what is called for every segment is compiled, too, when it counts

    public static void Measure(string folder, int rounds)
    {
        var kinds = new[] { "bare", "bare+sha256", "none", "zstd" };
        var results = kinds.ToDictionary(k => k, _ => new List<double[]>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var kind in kinds)
                results[kind].Add(Child(kind, folder));
        }
        var bare = Median(results["bare"], 0);
        foreach (var kind in kinds)
        {
            var all = results[kind];
            Console.WriteLine(
                $"  {kind,-12}: {Median(all, 0) / Seconds * 100:0.0}% of a core ({Median(all, 0) / bare:0.00}x of bare), {Median(all, 1) / (1 << 20):0} MiB resident, "
                + $"allocated per message: {Median(all, 2) / (Seconds * 1000 * PerTick):0.000} B by the thread that hands it over, "
                + $"{Median(all, 3) / (Seconds * 1000 * PerTick):0.000} B with its share of what commits and segments take, {Median(all, 4):0} garbage collections");
        }
        var none = results["none"];
        Targets.AtMost("steady load, of bare", Median(none, 0) / bare, 1.3, "x");
        Targets.AtMost("steady load, resident", Median(none, 1) / 1e6, 80, "MB");
        Targets.AtMost("steady load, allocated by the thread that hands over", Median(none, 2), 0, "B");
        // Most of it is kept for each commit until its segment is sealed, and goes into the segment's manifest.
        Targets.AtMost("steady load, allocated", Median(none, 3) / (Seconds * 1000 * PerTick), 0, "B/msg");
        Targets.AtMost("steady load, collections", Median(none, 4), 0, "");
    }

    /// <summary>One kind, in this process; prints CPU seconds, resident bytes, bytes allocated by this thread and by all, and collections.</summary>
    public static async Task<int> RunChildAsync(string[] args)
    {
        var (kind, folder) = (args[0], args[1]);
        var data = Payloads.Make(Bytes, 64);
        if (kind.StartsWith("bare", StringComparison.Ordinal))
        {
            using var loop = new BareLoop(folder, withSha256: kind == "bare+sha256");
            Drive(i => loop.Append(data[i & 63]), () => { });
            return 0;
        }
        await using var bench = new RecordingBench(folder, kind == "zstd" ? ChunkCompression.Zstd : ChunkCompression.None);
        bench.Start();
        Drive(i => bench.Recorder.Message(bench.Topics[i % 20], new MessageTimes((ulong)i, (ulong)i, (uint)i), data[i & 63]), () => bench.Desk.SealAsync().Wait());
        return 0;
    }

    private static void Drive(Action<int> send, Action seal)
    {
        var message = 0;
        for (var segment = 0; segment < WarmSegments; segment++, seal())
            Run(0.3);
        Run(Seconds / 2);
        // As an agent after its start: what it needed for that is given back.
        GC.Collect();
        var collections = GC.CollectionCount(0);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var byThread = GC.GetAllocatedBytesForCurrentThread();
        var cpu = Environment.CpuUsage.TotalTime;
        Run(Seconds);
        byThread = GC.GetAllocatedBytesForCurrentThread() - byThread;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(Environment.CpuUsage.TotalTime - cpu).TotalSeconds} {Environment.WorkingSet} {byThread} {GC.GetTotalAllocatedBytes(precise: true) - allocated} {GC.CollectionCount(0) - collections}"));

        void Run(double seconds)
        {
            var start = Stopwatch.GetTimestamp();
            for (long sent = 0; sent < (long)(seconds * 1000 * PerTick);)
            {
                var due = Math.Min((long)(Stopwatch.GetElapsedTime(start).TotalMilliseconds * PerTick), (long)(seconds * 1000 * PerTick));
                for (; sent < due; sent++)
                    send(message++ & 0xffffff);
                Thread.Sleep(1);
            }
        }
    }

    private static double[] Child(string kind, string folder)
    {
        var own = Path.Combine(folder, kind);
        Directory.CreateDirectory(own);
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
            [typeof(SteadyLoad).Assembly.Location, "wal", ChildArgument, kind, own])
        { RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{kind} said nothing.");
        process.WaitForExit();
        Directory.Delete(own, recursive: true);
        return [.. line.Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
    }

    private static double Median(List<double[]> all, int index) => all.Select(r => r[index]).Order().ElementAt(all.Count / 2);

    /// <summary>The least that durable messages cost: appended to memory, with a CRC, written and synced every 50 ms into files of 64 MiB.</summary>
    private sealed unsafe class BareLoop(string folder, bool withSha256) : IDisposable
    {
        private const int Capacity = 2 << 20;
        private readonly byte* _memory = PageMemory.AllocateHuge(Capacity);
        private readonly LinuxFiles _files = new();
        private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private IWalFile? _file;
        private long _offset;
        private int _length;
        private int _number;
        private long _committedAt = Stopwatch.GetTimestamp();

        public void Append(ReadOnlySpan<byte> data)
        {
            data.CopyTo(new Span<byte>(_memory + _length, data.Length));
            _length += data.Length;
            if (Stopwatch.GetElapsedTime(_committedAt).TotalMilliseconds < 50 && _length < Capacity - 2 * data.Length)
                return;
            _committedAt = Stopwatch.GetTimestamp();
            var crc = System.IO.Hashing.Crc32.HashToUInt32(new ReadOnlySpan<byte>(_memory, _length)); // not ours, which is measured
            *(uint*)(_memory + _length) = crc;
            var padded = (_length + 4 + 4095) / 4096 * 4096;
            if (_file is null || _offset + padded > 64 << 20)
            {
                _file?.Dispose();
                _file = _files.Create(Path.Combine(folder, $"{_number++}"), 64 << 20);
                _offset = 0;
            }
            _file.Write(_offset, [new MemoryPiece(_memory, padded)]);
            _file.Sync();
            if (withSha256)
                _sha256.AppendData(new ReadOnlySpan<byte>(_memory, padded));
            _offset += padded;
            _length = 0;
        }

        public void Dispose()
        {
            _file?.Dispose();
            _sha256.Dispose();
            PageMemory.Free(_memory, Capacity);
        }
    }
}
