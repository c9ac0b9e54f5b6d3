using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

/// <summary>Recordings as files, with plans of exports of them.</summary>
internal static class Samples
{
    /// <summary>A simulated robot: imu, odometry, tf, lidar, camera, diagnostics, fix and a protobuf topic.</summary>
    public static byte[] Simulated => File.ReadAllBytes(Repository.PathTo("infra", "demo", "simulated-10s.mcap"));

    /// <summary>Everything that is awkward: lists in lists, extreme numbers, padded images and clouds, unknown encodings, a damaged message.</summary>
    public static byte[] Awkward { get; } = WriteAwkward();

    private const string AwkwardText = """
        int64 big
        uint64 bigger
        float64 number
        float32 small
        bool yes
        wstring wide
        string[] names
        float32[3] three
        Shape[] shapes
        builtin_interfaces/Time when
        uint8[] blob
        int8[] signed_bytes
        ================================================================================
        MSG: demo_msgs/Shape
        string label
        float64[] sides
        int32 corners
        ================================================================================
        MSG: builtin_interfaces/Time
        int32 sec
        uint32 nanosec
        """;

    private const string ImageText = """
        uint32 height
        uint32 width
        string encoding
        uint8 is_bigendian
        uint32 step
        uint8[] data
        """;

    private const string CloudText = """
        uint32 height
        uint32 width
        sensor_msgs/PointField[] fields
        bool is_bigendian
        uint32 point_step
        uint32 row_step
        uint8[] data
        ================================================================================
        MSG: sensor_msgs/PointField
        string name
        uint32 offset
        uint8 datatype
        uint32 count
        """;

    /// <summary>The plan of an export of one file.</summary>
    public static async Task<ExportPlan> PlanAsync(byte[] file, ExportSettings settings)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "sample"));
        var statistics = reader.Summary.Statistics!;
        var session = Recording.Session(7);
        return new ExportPlan
        {
            Id = Guid.NewGuid(),
            Settings = settings,
            Sessions =
            [
                new PlannedSession
                {
                    Id = session,
                    Robot = "amr-01",
                    Segments = [new(session, 1, "sample", file.Length, "", "", (long)statistics.MessageStartTime, (long)statistics.MessageEndTime)],
                    Topics = PlannedTopic.Union(reader.Channels.Values.Select(c => new PlannedTopic(
                        c.Topic, reader.Schemas.GetValueOrDefault(c.SchemaId)?.Name ?? "", HashOf(reader.Schemas.GetValueOrDefault(c.SchemaId)), c.MessageEncoding))),
                },
            ],
        };
    }

    /// <summary>Makes all parts of an export of one file and assembles it.</summary>
    public static async Task<ExportManifest> ExportAsync(byte[] file, ExportPlan plan, string folder)
    {
        var exporter = new Exporter(plan, (_, _) => ValueTask.FromResult<IByteSource>(new MemoryByteSource(file, "sample")), Path.Combine(Path.GetTempPath()));
        var results = new List<PartResult>();
        foreach (var part in plan.Parts().Reverse()) // in any order
            results.Add(await exporter.MakePartAsync(part, new FolderSink(folder), null, CancellationToken.None));
        return await exporter.AssembleAsync(results, DateTimeOffset.UnixEpoch, new FolderSink(folder), CancellationToken.None);
    }

    private static string HashOf(Schema? schema) => schema is null || schema.Data.IsEmpty
        ? "" : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(schema.Data.Span));

    private static byte[] WriteAwkward()
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2", ChunkBytes = 4096 }, leaveOpen: true))
        {
            Channel Add(string topic, string type, string text) =>
                writer.AddChannel(writer.AddSchema(type, "ros2msg", Encoding.UTF8.GetBytes(text)).Id, topic, "cdr", new Dictionary<string, string>());
            var awkward = Add("/awkward", "demo_msgs/msg/Awkward", AwkwardText);
            var damaged = Add("/damaged", "demo_msgs/msg/Awkward", AwkwardText);
            var image = Add("/camera/image", "sensor_msgs/msg/Image", ImageText);
            var depth = Add("/camera/depth", "sensor_msgs/msg/Image", ImageText);
            var cloud = Add("/lidar", "sensor_msgs/msg/PointCloud2", CloudText);
            var json = writer.AddChannel(0, "/json", "json", new Dictionary<string, string>());
            var opaque = writer.AddChannel(0, "/opaque", "cbor", new Dictionary<string, string>());
            for (uint i = 0; i < 40; i++)
            {
                var time = 1_700_000_000_000_000_000 + i * 50_000_000UL;
                writer.WriteMessage(awkward.Id, i, time, time - 5, Awkwardly(i));
                writer.WriteMessage(damaged.Id, i, time, time, i == 13 ? [0, 1, 0, 0, 1] : Awkwardly(i));
                writer.WriteMessage(image.Id, i, time + 1, time, Image(i, 6, 5, "bgr8", 3, 21));
                writer.WriteMessage(depth.Id, i, time + 2, time, Image(i, 4, 3, "16UC1", 2, 8));
                writer.WriteMessage(cloud.Id, i, time + 3, time, Cloud(i));
                writer.WriteMessage(json.Id, i, time + 4, time, Encoding.UTF8.GetBytes($$"""{"n": {{i}}, "text": "ü"}"""));
                writer.WriteMessage(opaque.Id, i, time + 5, time, [(byte)i, 255, 0]);
            }
        }
        return stream.ToArray();
    }

    private static byte[] Awkwardly(uint i)
    {
        var cdr = new Cdr();
        cdr.Add(i % 2 == 0 ? long.MinValue + i : long.MaxValue - i).Add(ulong.MaxValue - i);
        cdr.Add(i % 5 == 1 ? double.NaN : i % 5 == 2 ? double.NegativeInfinity : 0.1 * i).Add(i / 3f).Add((byte)(i % 2));
        cdr.AddWide($"wide {i} Ω");
        cdr.Add(i % 3);
        for (uint n = 0; n < i % 3; n++)
            cdr.Add($"name \"{n}\", with\nall");
        cdr.Add(1f + i).Add(2.5f).Add(float.Epsilon);
        cdr.Add(i % 4);
        for (uint n = 0; n < i % 4; n++)
        {
            cdr.Add(n == 0 ? "" : $"shape {n}").Add(n);
            for (uint side = 0; side < n; side++)
                cdr.Add(side + 0.25);
            cdr.Add(n);
        }
        cdr.Add(i).Add(999_999_999u).Add(i % 6);
        for (uint n = 0; n < i % 6; n++)
            cdr.Add((byte)(200 + n));
        return cdr.Add(2u).Add(0xFF).Add(0x7F).ToArray();
    }

    private static byte[] Image(uint seed, uint height, uint width, string encoding, int pixelBytes, uint step)
    {
        var cdr = new Cdr().Add(height).Add(width).Add(encoding).Add((byte)0).Add(step).Add(height * step);
        for (uint i = 0; i < height * step; i++)
            cdr.Add(i % step < width * pixelBytes ? (byte)(seed + i * 7) : (byte)0xEE);
        return cdr.ToArray();
    }

    private static byte[] Cloud(uint seed)
    {
        var cdr = new Cdr().Add(1u).Add(seed % 5).Add(4u);
        cdr.Add("x").Add(0u).Add((byte)7).Add(1u).Add("y").Add(4u).Add((byte)7).Add(1u).Add("z").Add(8u).Add((byte)7).Add(1u);
        cdr.Add("ring").Add(16u).Add((byte)4).Add(1u);
        cdr.Add((byte)0).Add(20u).Add(20 * (seed % 5)).Add(20 * (seed % 5));
        for (uint point = 0; point < seed % 5; point++)
        {
            foreach (var b in BitConverter.GetBytes(1.5f * point).Concat(BitConverter.GetBytes((float)seed)).Concat(BitConverter.GetBytes(-1f)))
                cdr.Add(b);
            foreach (var b in new byte[] { 0, 0, 0, 0, (byte)point, 0, 0, 0 })
                cdr.Add(b);
        }
        return cdr.ToArray();
    }

    /// <summary>Little-endian XCDR1.</summary>
    private sealed class Cdr
    {
        private readonly List<byte> _bytes = [0, 1, 0, 0];

        public Cdr Add(byte value)
        {
            _bytes.Add(value);
            return this;
        }

        public Cdr Add(int value) => Add((byte)value);

        public Cdr Add(uint value) => Add(4, BitConverter.GetBytes(value));

        public Cdr Add(float value) => Add(4, BitConverter.GetBytes(value));

        public Cdr Add(double value) => Add(8, BitConverter.GetBytes(value));

        public Cdr Add(long value) => Add(8, BitConverter.GetBytes(value));

        public Cdr Add(ulong value) => Add(8, BitConverter.GetBytes(value));

        public Cdr Add(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            Add((uint)utf8.Length + 1);
            _bytes.AddRange(utf8);
            return Add((byte)0);
        }

        public Cdr AddWide(string text)
        {
            Add((uint)text.Length);
            foreach (var unit in text)
                Add((uint)unit);
            return this;
        }

        public byte[] ToArray() => [.. _bytes];

        private Cdr Add(int align, byte[] value)
        {
            while ((_bytes.Count - 4) % align != 0)
                _bytes.Add(0);
            _bytes.AddRange(value);
            return this;
        }
    }
}
