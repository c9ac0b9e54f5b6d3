using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Export;
using EdgeCloud.Export.DuckDb;
using EdgeCloud.Export.Reading;
using EdgeCloud.Export.Tables;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// <c>export [rounds] [rows] [MiB of the mix]</c>: CDR to columns; MCAP to MCAP beside decompressing and compressing the same chunks;
/// Parquet and CSV beside DuckDB writing the same rows from its own table; every format on a mix of 60% images, 30% point clouds and 10%
/// imu, tf and odometry. Whole exports, from MCAP to files, decoding included.
/// </summary>
internal static class ExportBenchmark
{
    private const string RowText = "float64 a\nfloat64 b\nfloat64 c\nfloat64 d\nfloat64 e\nfloat64 f";

    public static async Task<int> RunAsync(string[] args)
    {
        var rounds = Number(args, 0, 3);
        var rows = Number(args, 1, 500_000);
        var mixBytes = (long)Number(args, 2, 256) << 20;
        var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
        try
        {
            Columns();
            await McapAsync(rounds, mixBytes);
            await RowsAsync(rounds, rows, folder.FullName);
            await MixAsync(mixBytes, folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return 0;
    }

    private static int Number(string[] args, int place, int otherwise) =>
        args.Length > place ? int.Parse(args[place], System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    private static void Columns()
    {
        Console.WriteLine("CDR to columns, one thread");
        var (imu, cloud, image) = CdrBenchmark.Columns(0.3);
        Targets.AtLeast("Imu to columns", imu.MessagesPerSecond / 1e6, 3, "M msg/s");
        Targets.AtLeast("PointCloud2 to columns", cloud.BytesPerSecond / 1e6, 400, "MB/s");
        Targets.AtLeast("Image to columns", image.BytesPerSecond / 1e6, 400, "MB/s");
        Targets.AtMost("allocated for a message", Math.Max(imu.Allocated, Math.Max(cloud.Allocated, image.Allocated)), 0, "B");
    }

    private static async Task McapAsync(int rounds, long bytes)
    {
        Console.WriteLine("MCAP to MCAP, zstd");
        var file = Mix(bytes);
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
        var chunks = reader.Summary.ChunkIndexes;
        var raw = chunks.Sum(c => (long)c.UncompressedSize);
        using var codec = new ChunkCodec();
        var plain = new byte[chunks.Max(c => (int)c.UncompressedSize)];
        var packed = new byte[ChunkCodec.Bound(McapCompression.Zstd, plain.Length)];
        var bare = new Measurement("decompress and compress the same chunks", 0, raw, () =>
        {
            foreach (var chunk in chunks)
            {
                var start = (int)(chunk.ChunkStartOffset + chunk.ChunkLength - chunk.CompressedSize);
                codec.Decompress(McapCompression.Zstd, file.AsSpan(start, (int)chunk.CompressedSize), plain.AsSpan(0, (int)chunk.UncompressedSize), default);
                codec.Compress(McapCompression.Zstd, 1, plain.AsSpan(0, (int)chunk.UncompressedSize), packed);
            }
            return default;
        });
        var ours = new Measurement("export to MCAP", 0, raw, async () => await ExportAsync(file, "mcap", new NullSink(), ""));
        await Measurement.RunAsync(rounds, bare, ours);
        Targets.AtLeast("MCAP to MCAP, of decompress + compress", bare.Time / ours.Time, 0.8, "x");
    }

    private static async Task RowsAsync(int rounds, int rows, string folder)
    {
        Console.WriteLine($"{rows} rows of ten columns (three times or numbers of the message, one text, six doubles)");
        var file = Rows(rows);
        var sink = new FolderSink(Path.Combine(folder, "rows"));
        using var session = new DuckDbSession(1L << 30, 1, folder);
        await LoadAsync(session, file, folder);
        var (parquetPath, csvPath) = (Path.Combine(folder, "duckdb.parquet"), Path.Combine(folder, "duckdb.csv"));
        var duckParquet = new Measurement("DuckDB, table to Parquet", rows, 0, () =>
        {
            session.Run($"COPY loaded TO '{parquetPath}' (FORMAT parquet, COMPRESSION zstd)", default);
            return default;
        });
        var duckCsv = new Measurement("DuckDB, table to CSV", rows, 0, () =>
        {
            session.Run($"COPY loaded TO '{csvPath}' (FORMAT csv)", default);
            return default;
        });
        var parquet = new Measurement("MCAP to Parquet", rows, 0, async () => await ExportAsync(file, "parquet", sink, folder));
        var csv = new Measurement("MCAP to CSV", rows, 0, async () => await ExportAsync(file, "csv", sink, folder));
        var jsonl = new Measurement("MCAP to JSON Lines", rows, 0, async () => await ExportAsync(file, "jsonl", sink, folder));
        await Measurement.RunAsync(rounds, duckParquet, parquet, duckCsv, csv, jsonl);
        Targets.AtLeast("Parquet, of DuckDB from its own table", duckParquet.Time / parquet.Time, 0.6, "x");
        Targets.AtLeast("CSV, of DuckDB from its own table", duckCsv.Time / csv.Time, 1, "x");
        Console.WriteLine($"  Parquet: {new FileInfo(parquetPath).Length >> 10} KiB by DuckDB; CSV: {new FileInfo(csvPath).Length >> 10} KiB by DuckDB");
    }

    /// <summary>Puts the same rows into a table of DuckDB's own.</summary>
    private static async Task LoadAsync(DuckDbSession session, byte[] file, string folder)
    {
        var plan = await PlanAsync(file, "parquet");
        await using var feed = new MessageFeed(plan, plan.Parts()[0], (_, _) => new(new MemoryByteSource(file)));
        using var scratch = new Scratch(folder);
        var work = new PartWork(plan, plan.Parts()[0], feed, new PartFiles(new NullSink(), plan.Parts()[0]), folder, null);
        var tables = new TableSet(work, scratch, Partitioning.None, SessionColumns.Session, true);
        while (await work.MoveNextAsync(default))
            tables.Add(feed.Channel, feed.Message);
        using var table = DuckDbTable.Register(session, new MessageRows(tables.InOrder.Single(), feed.Channels.All, null));
        session.Run($"CREATE TABLE loaded AS SELECT * FROM {DuckDbTable.Function}()", default);
    }

    private static async Task MixAsync(long bytes, string folder)
    {
        Console.WriteLine($"{bytes >> 20} MiB of the mix: 60% images, 30% point clouds, 10% imu, tf, odometry; to a local folder, seconds for a GiB");
        var path = Path.Combine(folder, "mix.mcap");
        await File.WriteAllBytesAsync(path, Mix(bytes));
        foreach (var (format, limit) in new[] { ("mcap", 15), ("rosbag2", 15), ("numpy", 20), ("tfrecord", 20), ("parquet", 30) })
        {
            var output = Path.Combine(folder, format);
            var clock = Stopwatch.StartNew();
            var cpu = Environment.CpuUsage.TotalTime;
            var file = await File.ReadAllBytesAsync(path);
            var written = await ExportAsync(file, format, new FolderSink(output), folder);
            var seconds = clock.Elapsed.TotalSeconds * (1L << 30) / bytes;
            var cpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds * (1L << 30) / bytes;
            Console.WriteLine($"  {format,-10} {seconds,7:0.0} s/GiB {cpuSeconds,7:0.0} CPU s/GiB  {written >> 20,6} MiB written");
            Targets.AtMost($"{format}, CPU for a GiB", Math.Min(seconds, cpuSeconds), limit, "s");
            Directory.Delete(output, recursive: true);
        }
    }

    private static async Task<long> ExportAsync(byte[] file, string format, IExportSink sink, string scratch)
    {
        var plan = await PlanAsync(file, format);
        var exporter = new Exporter(plan, (_, _) => new(new MemoryByteSource(file)), scratch);
        long bytes = 0;
        foreach (var part in plan.Parts())
            bytes += (await exporter.MakePartAsync(part, sink, null, default)).Bytes();
        return bytes;
    }

    private static async Task<ExportPlan> PlanAsync(byte[] file, string format)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
        var statistics = reader.Summary.Statistics!;
        return new ExportPlan
        {
            Id = Guid.NewGuid(),
            Settings = new ExportSettings { Format = format },
            Sessions =
            [
                new PlannedSession
                {
                    Id = Guid.Empty,
                    Robot = "bench",
                    Segments = [new(Guid.Empty, 1, "bench", file.Length, "", "", (long)statistics.MessageStartTime, (long)statistics.MessageEndTime)],
                },
            ],
        };
    }

    private static byte[] Rows(int rows)
    {
        var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new() { ChunkBytes = 1 << 20 }, leaveOpen: true))
        {
            var channel = writer.AddChannel(writer.AddSchema("bench_msgs/msg/Row", "ros2msg", Encoding.UTF8.GetBytes(RowText)).Id, "/rows", "cdr");
            var random = new Random(3);
            var payload = new byte[52];
            payload[1] = 1;
            for (var i = 0; i < rows; i++)
            {
                for (var column = 0; column < 6; column++)
                    BinaryPrimitives.WriteDoubleLittleEndian(payload.AsSpan(4 + 8 * column), column < 3 ? Math.Round(random.NextDouble() * 100, 3) : random.NextDouble());
                writer.WriteMessage(channel.Id, (uint)i, 1_700_000_000_000_000_000 + (ulong)i * 1_000_000, 1_700_000_000_000_000_000 + (ulong)i * 1_000_000 - 500, payload);
            }
        }
        return stream.ToArray();
    }

    /// <summary>The mix by bytes; pixels and points compress about as those of robots do.</summary>
    private static byte[] Mix(long bytes)
    {
        var (imu, cloud, image) = CdrBenchmark.Cases();
        var pool = Payloads.Of(image.Payload.Length);
        var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new() { ChunkBytes = 4 << 20 }, leaveOpen: true))
        {
            Channel Add(string topic, CdrBenchmark.Case one) =>
                writer.AddChannel(writer.AddSchema(one.Schema.Root.Name, one.Text.Encoding, Encoding.UTF8.GetBytes(one.Text.Text)).Id, topic, "cdr");
            (Channel Channel, byte[] Payload, double Share)[] topics =
            [
                (Add("/camera", image), image.Payload, 0.6), (Add("/lidar", cloud), cloud.Payload, 0.3), (Add("/imu", imu), imu.Payload, 0.1),
            ];
            var written = new double[topics.Length];
            var time = 1_700_000_000_000_000_000UL;
            for (long sum = 0; sum < bytes; time += 100_000)
            {
                var next = Enumerable.Range(0, topics.Length).MinBy(i => written[i] / topics[i].Share);
                var payload = topics[next].Payload;
                if (payload.Length > 4096) // pixels and points are others each time; header and what follows the data stay
                    pool.AsSpan((int)(sum / 7 % (pool.Length - payload.Length)), payload.Length - 512).CopyTo(payload.AsSpan(256));
                writer.WriteMessage(topics[next].Channel.Id, 0, time, time, payload);
                written[next] += payload.Length;
                sum += payload.Length;
            }
        }
        return stream.ToArray();
    }

    private sealed class NullSink : IExportSink
    {
        public ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation) => new(new NullOutput());

        private sealed class NullOutput : ExportOutput
        {
            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

            public override Task CompleteAsync(CancellationToken cancellation) => Task.CompletedTask;
        }
    }
}
