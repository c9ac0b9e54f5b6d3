using System.Diagnostics;
using System.Text;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// Decoding of CDR on one thread: into columns (batches as an exporter would take them), into JSON, and single fields.
/// Each line is the best of several rounds; copying the same payloads stands beside as what memory allows.
/// </summary>
internal static class CdrBenchmark
{
    private const int Rounds = 5;

    public static Task<int> RunAsync(string[] args)
    {
        double seconds = args.Length > 0 ? double.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 0.3;
        (Case imu, Case cloud, Case image) = Cases();
        foreach (Case one in new[] { imu, cloud, image })
        {
            Columns(one, seconds);
            var copy = new byte[one.Payload.Length];
            Measure(one, "copy (for comparison)", seconds, payload => payload.CopyTo(copy, 0));
        }

        FieldPath field = FieldPath.Compile(imu.Schema, "linear_acceleration.z");
        Measure(imu, "one field", seconds, payload => field.TryReadNumber(payload, out _));
        MessageJson json = MessageJson.Create(imu.Schema.Root.Name, imu.Text.Encoding, Encoding.UTF8.GetBytes(imu.Text.Text), "cdr");
        Measure(imu, "json", seconds, payload => json.Write(payload));
        return Task.FromResult(0);
    }

    /// <summary>A small, a large and a very large message.</summary>
    internal static (Case Imu, Case Cloud, Case Image) Cases() => (
        new Case("sensor_msgs/msg/Imu", Imu(), 20_000), new Case("sensor_msgs/msg/PointCloud2", PointCloud2(1 << 20), 16),
        new Case("sensor_msgs/msg/Image", Image(1280 * 720 * 3), 8));

    /// <summary>Decodes each of <see cref="Cases"/> into columns.</summary>
    internal static (Figures Imu, Figures Cloud, Figures Image) Columns(double seconds)
    {
        (Case imu, Case cloud, Case image) = Cases();
        return (Columns(imu, seconds), Columns(cloud, seconds), Columns(image, seconds));
    }

    private static Figures Columns(Case one, double seconds)
    {
        ColumnBatch batch = ColumnPlan.Create(one.Schema).CreateBatch();
        return Measure(one, "columns", seconds, payload =>
        {
            batch.Append(payload);
            if (batch.Rows == one.BatchRows)
                batch.Clear();
        });
    }

    /// <summary>What was measured.</summary>
    internal readonly record struct Figures(double MessagesPerSecond, double BytesPerSecond, long Allocated);

    private static Figures Measure(Case one, string what, double seconds, Action<byte[]> act)
    {
        double best = double.MaxValue;
        long allocated = long.MaxValue;
        int count = 1;
        for (int round = 0; round < Rounds + 3; round++)
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            for (int i = 0; i < count; i++)
                act(one.Payload);
            double wall = clock.Elapsed.TotalSeconds;
            double time = Math.Min(wall, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
            bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
            if (round < 3)
            {
                // The first rounds warm up and find out how many messages fill a round.
                count = (int)Math.Clamp(count * seconds / Math.Max(wall, 1e-6), 3 * one.BatchRows, 50_000_000);
                continue;
            }

            best = Math.Min(best, time / count);
            allocated = Math.Min(allocated, bytes / count);
        }

        Console.WriteLine(
            $"{one.Schema.Root.Name,-30} {what,-22} {one.Payload.Length,9} B  {1e-6 / best,9:0.00} M msg/s  {one.Payload.Length / best / 1e6,9:0} MB/s  {allocated,4} B allocated/msg");
        return new Figures(1 / best, one.Payload.Length / best, allocated);
    }

    private static byte[] Imu() => new Payload().Header().Doubles(37).ToArray();

    private static byte[] PointCloud2(int size)
    {
        Payload payload = new Payload().Header().Words(1, (uint)size / 16, 4);
        for (uint i = 0; i < 4; i++)
            payload.Text("xyzi".Substring((int)i, 1)).Words(4 * i).Byte(7).Words(1);
        return payload.Byte(0).Words(16, (uint)size).Bytes(size).Byte(1).ToArray();
    }

    private static byte[] Image(int size) => new Payload().Header().Words(720, 1280).Text("rgb8").Byte(0).Words(1280 * 3).Bytes(size).ToArray();

    /// <summary>A message type with one payload of it.</summary>
    internal sealed class Case
    {
        public Case(string type, byte[] payload, int batchRows)
        {
            Text = new DefinitionFolders([Path.Combine(TestData.Folder, "ros2-msgs")]).Find(type)
                ?? throw new InvalidOperationException($"no definition of {type} in {TestData.Folder}/ros2-msgs; set EDGECLOUD_TEST_DATA to the folder with test data");
            Schema = MessageSchema.Parse(type, Text.Encoding, Text.Text);
            Payload = payload;
            BatchRows = batchRows;
        }

        public SchemaText Text { get; }

        public MessageSchema Schema { get; }

        public byte[] Payload { get; }

        public int BatchRows { get; }
    }

    /// <summary>Little-endian XCDR1.</summary>
    private sealed class Payload
    {
        private readonly List<byte> _bytes = [0, 1, 0, 0];

        public Payload Header() => Words(1_700_000_000, 5).Text("base_link");

        public Payload Byte(byte value)
        {
            _bytes.Add(value);
            return this;
        }

        public Payload Words(params uint[] values)
        {
            Align(4);
            foreach (uint value in values)
                _bytes.AddRange(BitConverter.GetBytes(value));
            return this;
        }

        public Payload Doubles(int count)
        {
            Align(8);
            for (int i = 0; i < count; i++)
                _bytes.AddRange(BitConverter.GetBytes(0.1 * i));
            return this;
        }

        public Payload Text(string text)
        {
            Words((uint)text.Length + 1);
            _bytes.AddRange(Encoding.UTF8.GetBytes(text));
            return Byte(0);
        }

        public Payload Bytes(int count)
        {
            Words((uint)count);
            _bytes.AddRange(new byte[count]);
            return this;
        }

        public byte[] ToArray() => [.. _bytes];

        private void Align(int to)
        {
            while ((_bytes.Count - 4) % to != 0)
                _bytes.Add(0);
        }
    }
}
