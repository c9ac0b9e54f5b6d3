using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>
/// The log with compression beside the libraries alone, on the same chunks with as many threads that compress: one, which leaves the other cores
/// to the hashes and the disk, and as many as there are cores, where these take from it. Payloads compress as robot data do, or are half noise,
/// half runs, which the libraries take five times as fast. Beside it what the libraries and the SHA-256
/// of a segment give together: the most that a log could on these cores, if it had nothing to copy, index and write.
/// </summary>
internal static class CompressionRate
{
    private const int ChunkBytes = 1 << 20;
    private const int PayloadBytes = 10_000;
    private const int Chunks = 32; // more than the caches hold

    public static void Measure(string folder, int rounds)
    {
        var pool = EdgeCloud.Benchmarks.Payloads.Of(PayloadBytes);
        var robot = Enumerable.Range(0, 256).Select(i => pool[(i * PayloadBytes)..((i + 1) * PayloadBytes)]).ToArray();
        foreach (var (name, payloads, bytes) in new[] { ("robot data", robot, 1L << 30), ("half noise", Payloads.Make(PayloadBytes, 256), 1L << 30) })
        {
            foreach (var compression in new[] { McapCompression.Zstd, McapCompression.Lz4 })
            {
                foreach (var threads in new[] { 1, Math.Clamp(Environment.ProcessorCount, 2, 8) })
                    Measure(folder, rounds, name, payloads, bytes, compression, threads);
            }
        }
    }

    private static void Measure(string folder, int rounds, string name, byte[][] payloads, long bytes, McapCompression compression, int threads)
    {
        var chunks = ChunksOf(payloads);
        // A source that can wait: nothing is gained by compressing less.
        var options = new SegmentLogOptions { CompressionStepsDown = false, CompressionThreads = threads };
        Throughput.Measure(folder, payloads, bytes / 8, compression, producers: 1, with: options); // compiles what will be measured
        var measured = Enumerable.Range(0, rounds).Select(_ => (
                Raw: Raw(compression, chunks, bytes, threads, withHash: false),
                Log: Throughput.Measure(folder, payloads, bytes, compression, producers: 1, with: options),
                Hashed: Raw(compression, chunks, bytes, threads, withHash: true)))
            .OrderBy(m => m.Log.BytesPerSecond / m.Raw.BytesPerSecond).ToList();
        var (raw, log, hashed) = measured[rounds / 2];
        var ratio = log.BytesPerSecond / raw.BytesPerSecond;
        Console.WriteLine(
            $"  {compression.ToName()}, {name}, {threads} thread(s): log {log.BytesPerSecond / 1e6:0} MB/s in {log.CpuSeconds / (log.BytesPerSecond * log.Seconds) * 1e9:0.00} CPU s/GB, "
            + $"sealed {log.SealSeconds:0.00} s after {log.Seconds:0.00} s; library alone {raw.BytesPerSecond / 1e6:0} MB/s in {raw.CpuPerByte * 1e9:0.00} CPU s/GB; "
            + $"{ratio:0.00}x; library and SHA-256 {hashed.BytesPerSecond / 1e6:0} MB/s in {hashed.CpuPerByte * 1e9:0.00} CPU s/GB");
        Targets.AtLeast($"log with {compression.ToName()} of {name}, {threads} thread(s), of the library alone", ratio, 0.9, "x");
    }

    /// <summary>The records of such chunks as the log makes of these messages.</summary>
    private static byte[][] ChunksOf(byte[][] payloads)
    {
        const int head = MessageChunk.MessageHeadBytes;
        var message = 0;
        return [.. Enumerable.Range(0, Chunks).Select(_ =>
        {
            var chunk = new byte[(ChunkBytes + head + PayloadBytes - 1) / (head + PayloadBytes) * (head + PayloadBytes)];
            for (var at = 0; at < chunk.Length; at += head + PayloadBytes, message++)
            {
                chunk[at] = (byte)Opcode.Message;
                BinaryPrimitives.WriteInt64LittleEndian(chunk.AsSpan(at + 1), head - 9 + PayloadBytes);
                BinaryPrimitives.WriteInt16LittleEndian(chunk.AsSpan(at + 9), (short)(message % 20));
                BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(at + 11), message);
                BinaryPrimitives.WriteInt64LittleEndian(chunk.AsSpan(at + 15), message);
                BinaryPrimitives.WriteInt64LittleEndian(chunk.AsSpan(at + 23), message);
                payloads[message % payloads.Length].CopyTo(chunk, at + head);
            }
            return chunk;
        })];
    }

    private static (double BytesPerSecond, double CpuPerByte) Raw(McapCompression compression, byte[][] chunks, long bytes, int threads, bool withHash)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var start = Stopwatch.GetTimestamp();
        long next = 0;
        var count = bytes / chunks[0].Length;
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            using var codec = new ChunkCodec();
            using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var target = new byte[ChunkCodec.Bound(compression, chunks[0].Length)];
            for (long i; (i = Interlocked.Increment(ref next)) <= count;)
            {
                var stored = codec.Compress(compression, compression == McapCompression.Zstd ? 1 : 0, chunks[i % chunks.Length], target);
                if (withHash) sha256.AppendData(target, 0, stored);
            }
        })).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        bytes = count * chunks[0].Length;
        return (bytes / Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / bytes);
    }
}
