using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// <c>mcap [rounds]</c>: writing, reading, querying and merging, each beside what the machine allows in the same run: memcpy,
/// System.IO.Hashing's CRC-32, a bare loop that sums and writes the same bytes, raw libzstd and liblz4 on the same chunks.
/// </summary>
internal static class McapBenchmark
{
    private const int ChunkBytes = 1 << 20;
    private const int Topics = 10;

    public static async Task<int> RunAsync(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 5;
        var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
        try
        {
            await LimitsAsync(rounds);
            foreach (var (size, messages) in new[] { (100, 600_000), (10_000, 12_000), (1_000_000, 120) })
                await WriteAsync(rounds, folder.FullName, size, messages);
            foreach (var (size, messages) in new[] { (100, 600_000), (10_000, 12_000) })
                await CompressedAsync(rounds, size, messages);
            await ReadAsync(rounds, folder.FullName);
            await MergeAsync(rounds, folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return 0;
    }

    private static async Task LimitsAsync(int rounds)
    {
        Console.WriteLine("limits of this machine, 1 MiB pieces and 100 B pieces");
        var (source, target) = (new byte[ChunkBytes], new byte[ChunkBytes]);
        new Random(1).NextBytes(source);
        const int times = 300;
        await Measurement.RunAsync(rounds,
            Of("memcpy", () => source.CopyTo(target, 0)),
            Of("System.IO.Hashing CRC-32", () => System.IO.Hashing.Crc32.HashToUInt32(source)),
            Of("EdgeCloud.Mcap CRC-32", () => Crc32.Compute(source)),
            Of("System.IO.Hashing CRC-32, 100 B pieces", () =>
            {
                for (var at = 0; at + 100 <= source.Length; at += 100)
                    System.IO.Hashing.Crc32.HashToUInt32(source.AsSpan(at, 100));
            }),
            Of("EdgeCloud.Mcap CRC-32, 100 B pieces", () =>
            {
                for (var at = 0; at + 100 <= source.Length; at += 100)
                    Crc32.Compute(source.AsSpan(at, 100));
            }));

        static Measurement Of(string name, Action work) => new(name, 0, (long)times * ChunkBytes, () =>
        {
            for (var i = 0; i < times; i++)
                work();
            return default;
        });
    }

    private static async Task WriteAsync(int rounds, string folder, int size, int messages)
    {
        Console.WriteLine($"writing {size} B, uncompressed, CRCs of chunks and data section");
        var payloads = Payloads.Of(size);
        var path = Path.Combine(folder, $"write-{size}.mcap");
        using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        var chunks = await ChunksAsync(size, messages, payloads);
        using var bareFile = new FileStream(path + ".bare", FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        var bytes = (long)size * messages;
        var bare = new Measurement("bare loop: CRC and write of the same bytes", messages, bytes, () =>
        {
            bareFile.Position = 0;
            foreach (var chunk in chunks)
            {
                System.IO.Hashing.Crc32.HashToUInt32(chunk);
                bareFile.Write(chunk);
            }
            return default;
        });
        var ours = new Measurement("McapWriter", messages, bytes, () =>
        {
            file.Position = 0;
            Write(file, size, messages, payloads, McapCompression.None);
            return default;
        });
        await Measurement.RunAsync(rounds, bare, ours);
        if (size == 100)
            Targets.AtLeast("writing at 100 B, M msg/s", ours.MessagesPerSecond / 1e6, 3.5, "M msg/s");
        else
            Targets.AtLeast($"writing at {size} B, of the bare loop", ours.BytesPerSecond / bare.BytesPerSecond, 0.85, "x");
    }

    private static async Task CompressedAsync(int rounds, int size, int messages)
    {
        var payloads = Payloads.Of(size);
        var chunks = await ChunksAsync(size, messages, payloads);
        var bytes = chunks.Sum(chunk => (long)chunk.Length);
        foreach (var compression in new[] { McapCompression.Zstd, McapCompression.Lz4 })
        {
            using var codec = new ChunkCodec();
            var target = new byte[ChunkCodec.Bound(compression, chunks.Max(chunk => chunk.Length))];
            var compressed = chunks.Select(chunk => target[..codec.Compress(compression, 1, chunk, target)]).ToList();
            var share = 100.0 * compressed.Sum(chunk => (long)chunk.Length) / bytes;
            Console.WriteLine($"{compression} 1 at {size} B, to {share:0}% of the size, in memory on both sides");
            var output = new byte[chunks.Max(chunk => chunk.Length)];
            using var file = new MemoryStream();
            Write(file, size, messages, payloads, compression);
            var source = new MemoryByteSource(file.ToArray());
            var rawWrite = new Measurement("raw compression", messages, bytes, () =>
            {
                foreach (var chunk in chunks)
                    codec.Compress(compression, 1, chunk, target);
                return default;
            });
            var write = new Measurement("McapWriter", messages, bytes, () =>
            {
                Write(Stream.Null, size, messages, payloads, compression);
                return default;
            });
            using var lz4 = new RawLz4();
            var rawRead = new Measurement("raw decompression", messages, bytes, () =>
            {
                for (var i = 0; i < chunks.Count; i++)
                {
                    var records = output.AsSpan(0, chunks[i].Length);
                    if (compression == McapCompression.Lz4)
                        lz4.Decompress(compressed[i], records);
                    else
                        codec.Decompress(compression, compressed[i], records, default); // ZSTD_decompressDCtx and nothing else
                }
                return default;
            });
            var ownRead = new Measurement("ChunkCodec alone", messages, bytes, () =>
            {
                for (var i = 0; i < chunks.Count; i++)
                    codec.Decompress(compression, compressed[i], output.AsSpan(0, chunks[i].Length), default);
                return default;
            });
            var read = new Measurement("McapIndexedReader, CRCs verified", messages, bytes, () => ScanAsync(source, messages, new() { Order = MessageOrder.File }));
            await Measurement.RunAsync(rounds, rawWrite, write, rawRead, ownRead, read);
            Targets.AtLeast($"{compression} writing at {size} B, of the raw library", write.BytesPerSecond / rawWrite.BytesPerSecond, 0.9, "x");
            Targets.AtLeast($"{compression} reading at {size} B, of the raw library", read.BytesPerSecond / rawRead.BytesPerSecond, 0.9, "x");
            if (size == 100 && compression == McapCompression.Zstd)
                Targets.AtLeast("full scan at 100 B with zstd", read.MessagesPerSecond / 1e6, 2.5, "M msg/s");
        }
    }

    private static async Task ReadAsync(int rounds, string folder)
    {
        Console.WriteLine("reading, every chunk CRC verified");
        const int small = 600_000, large = 12_000;
        var (smallPath, largePath) = (Path.Combine(folder, "write-100.mcap"), Path.Combine(folder, "write-10000.mcap"));
        var byFile = new Measurement("full scan 100 B, file order", small, 100L * small, () => ScanAsync(smallPath, small, new() { Order = MessageOrder.File }));
        var byTime = new Measurement("full scan 100 B, log-time order", small, 100L * small, () => ScanAsync(smallPath, small, new()));
        var streamed = new Measurement("full scan 100 B, McapStreamReader", small, 100L * small, () => StreamAsync(smallPath, small));
        var tenKilobytes = new Measurement("full scan 10 KB, file order", large, 10_000L * large, () => ScanAsync(largePath, large, new() { Order = MessageOrder.File }));
        var start = (ulong)small * 1000 / 2;
        var one = new McapReadOptions { StartTime = start, EndTime = start + (ulong)small * 10, Topics = topic => topic == "/topic3" };
        var query = new Measurement("1% of the time, one topic, file opened anew", small / 100 / Topics, 0, () => ScanAsync(smallPath, small / 100 / Topics, one));
        await Measurement.RunAsync(rounds, byFile, byTime, streamed, tenKilobytes, query);
        Targets.AtLeast("full scan at 100 B", byFile.MessagesPerSecond / 1e6, 5, "M msg/s");
        Targets.AtLeast("full scan at 10 KB, GB/s", tenKilobytes.BytesPerSecond / 1e9, 4, "GB/s");
        Targets.AtLeast("query of 1% at 100 B, per second (2.2 ms)", 1 / query.Seconds, 1 / 0.0022, "1/s");
    }

    private static async Task MergeAsync(int rounds, string folder)
    {
        const int segments = 16, each = 40_000;
        Console.WriteLine($"merging {segments} segments of 100 B messages");
        var payloads = Payloads.Of(100);
        for (var segment = 0; segment < segments; segment++)
        {
            using var file = new FileStream(Path.Combine(folder, $"segment-{segment}.mcap"), FileMode.Create);
            Write(file, 100, each, payloads, McapCompression.None, start: (ulong)segment);
        }
        var merge = new Measurement("k-way merge", segments * each, 100L * segments * each, async () =>
        {
            var readers = new List<McapIndexedReader>();
            for (var segment = 0; segment < segments; segment++)
                readers.Add(await McapIndexedReader.OpenAsync(Path.Combine(folder, $"segment-{segment}.mcap")));
            var count = 0;
            await foreach (var _ in new McapMerge(readers))
                count++;
            foreach (var reader in readers)
                await reader.DisposeAsync();
            Check(count, segments * each);
        });
        await Measurement.RunAsync(rounds, merge);
        Targets.AtLeast("merge of 16 segments", merge.MessagesPerSecond / 1e6, 1.5, "M msg/s");
    }

    private static void Write(Stream stream, int size, int messages, byte[] payloads, McapCompression compression, ulong start = 0)
    {
        using var writer = new McapWriter(stream, new() { Compression = compression, ChunkBytes = ChunkBytes }, leaveOpen: true);
        var schema = writer.AddSchema("demo_msgs/msg/Demo", "ros2msg", "uint8[] data"u8.ToArray());
        for (var i = 0; i < Topics; i++)
            writer.AddChannel(schema.Id, $"/topic{i}", "cdr");
        var at = 0;
        for (var i = 0; i < messages; i++)
        {
            var time = start + (ulong)i * 1000;
            writer.WriteMessage((ushort)(1 + i % Topics), (uint)i, time, time, payloads.AsSpan(at, size));
            at = at + 2 * size <= payloads.Length ? at + size : 0;
        }
        writer.Finish();
        stream.SetLength(stream.Position);
    }

    /// <summary>The uncompressed records of the chunks that the writer makes of the same messages.</summary>
    private static async Task<List<byte[]>> ChunksAsync(int size, int messages, byte[] payloads)
    {
        var stream = new MemoryStream();
        Write(stream, size, messages, payloads, McapCompression.None);
        var file = stream.GetBuffer();
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file.AsMemory(0, (int)stream.Length)));
        return reader.Summary.ChunkIndexes
            .Select(chunk => file.AsSpan((int)(chunk.ChunkStartOffset + chunk.ChunkLength - chunk.CompressedSize), (int)chunk.CompressedSize).ToArray())
            .ToList();
    }

    private static ValueTask ScanAsync(string path, int expected, McapReadOptions options) =>
        ScanAsync(new FileByteSource(path), expected, options);

    private static async ValueTask ScanAsync(IByteSource source, int expected, McapReadOptions options)
    {
        await using var reader = await McapIndexedReader.OpenAsync(source);
        var (count, times) = (0, 0UL);
        await foreach (var message in reader.ReadMessages(options))
        {
            count += message.Data.IsEmpty ? 0 : 1;
            times += message.LogTime + message.PublishTime + message.Sequence; // a message is decoded when somebody looks at it
        }
        Check(count, expected);
        if (times == 0)
            throw new InvalidOperationException("The messages carry no times.");
    }

    private static ValueTask StreamAsync(string path, int expected)
    {
        using var reader = new McapStreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0), new() { VerifySectionCrcs = false });
        var count = 0;
        while (reader.ReadMessage(out _))
            count++;
        Check(count, expected);
        return default;
    }

    private static void Check(int count, int expected)
    {
        if (count != expected)
            throw new InvalidOperationException($"{count} messages were read instead of {expected}.");
    }
}
