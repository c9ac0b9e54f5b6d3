using System.Diagnostics;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>How fast the log takes messages when two producers give all they can, everything durable at the end.</summary>
internal sealed record Throughput(double MessagesPerSecond, double BytesPerSecond, double CpuSeconds, double Seconds, long Segments, double SealSeconds)
{
    /// <summary>Runs a log for about as many payload bytes as given.</summary>
    public static Throughput Measure(string folder, int payload, long bytes, McapCompression compression) =>
        Measure(folder, Payloads.Make(payload, 64), bytes, compression);

    /// <summary>Runs a log for about as many payload bytes as given.</summary>
    /// <param name="folder">Where to; emptied before.</param>
    /// <param name="data">Payloads of one size, sent in turn.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="compression">Compression.</param>
    /// <param name="producers">Threads that append.</param>
    /// <param name="with">Other options.</param>
    public static Throughput Measure(
        string folder, byte[][] data, long bytes, McapCompression compression, int producers = 2, SegmentLogOptions? with = null)
    {
        const int channels = 20;
        var payload = data[0].Length;
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.GetFiles(folder)) File.Delete(old);
        var options = (with ?? new SegmentLogOptions()) with { Compression = compression };
        var messages = bytes / payload / producers;
        var log = new SegmentLog(folder, 1, options);
        var handles = Enumerable.Range(0, channels).Select(i => log.AddChannel(new ChannelDefinition
        {
            Topic = $"/topic{i}",
            MessageEncoding = "cdr",
            SchemaName = "demo/msg/Bytes",
            SchemaEncoding = "ros2msg",
            SchemaData = "uint8[] data\n"u8.ToArray(),
        })).ToArray();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, producers).Select(p => new Thread(() =>
        {
            for (long i = 0; i < messages; i++)
            {
                var handle = handles[(i * producers + p) % channels];
                while (!log.TryAppend(handle, (uint)i, (ulong)i, (ulong)i, data[i % data.Length])) log.WaitForRoomAsync(payload).Wait();
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        log.RotateAsync(SealReason.Sync).Wait();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
        log.FinishAsync().Wait();
        var all = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long segments = 0;
        while (log.Sealed.TryRead(out _)) segments++;
        if (log.DurableMessages != messages * producers) throw new InvalidOperationException($"{log.DurableMessages} of {messages * producers} messages are durable.");
        log.DisposeAsync().AsTask().Wait();
        return new Throughput(messages * producers / seconds, messages * producers * (double)payload / seconds, used, seconds, segments, all - seconds);
    }
}

/// <summary>Payloads that compress about as robot data does: half noise, half slow values.</summary>
internal static class Payloads
{
    public static byte[][] Make(int bytes, int count) => [.. Enumerable.Range(0, count).Select(seed =>
    {
        var data = new byte[bytes];
        var random = new Random(seed);
        random.NextBytes(data.AsSpan(0, bytes / 2));
        for (var i = bytes / 2; i < bytes; i++) data[i] = (byte)(i / 16 + seed);
        return data;
    })];
}
