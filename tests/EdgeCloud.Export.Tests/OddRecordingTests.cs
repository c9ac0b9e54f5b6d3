using System.Buffers.Binary;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Export.DuckDb;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

/// <summary>Recordings as others make them: no format refuses one, and none of what they claim costs memory or leads out of the folder.</summary>
public sealed class OddRecordingTests : IDisposable
{
    private const string Strange = """
        uint32 sequence
        string log_time
        float64 Value
        float64 value
        string[2] pair
        Part[2] parts
        bool[] flags
        ================================================================================
        MSG: odd/Part
        float32[] ranges
        string name
        """;

    private const string Nothings = """
        Nothing[] things
        Nothing[2] pair
        ================================================================================
        MSG: odd/Nothing
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Formats => [.. ExportFormats.All];

    [Theory, MemberData(nameof(Formats))]
    public async Task Whatever_is_in_a_recording_comes_out(string format)
    {
        SkipWithoutDuckDb(format);
        var file = Write();
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = format }), _folder["export"]);

        Assert.Equal(
            ["", "../../etc/passwd", "/a", "/empty", "/flat", "/fußgänger weg", "/no_definition", "/nothings", "/ros1", "/strange", "/undecodable", "a"],
            manifest.Topics.Select(t => t.Topic).Distinct().Order(StringComparer.Ordinal));
        Assert.All(manifest.Topics, t => Assert.Equal(t.Topic == "/a" ? 2 : 3, t.Messages));
        Assert.Equal(2, manifest.Topics.Count(t => t.Topic == "/a")); // two types of one name
        Assert.True(manifest.Complete);
        Assert.Equal(manifest.Files.Count, manifest.Files.Select(f => f.Name.ToLowerInvariant()).Distinct().Count());
        var root = Path.GetFullPath(_folder["export"]);
        Assert.Equal(manifest.Files.Count + 2, Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Count()); // README and manifest
        Assert.Equal(["export"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
        if (format is not ("mcap" or "rosbag2"))
        {
            Assert.Equal(3, manifest.Topics.Single(t => t.Topic == "/undecodable").Undecoded);
            Assert.Contains("is not understood", manifest.Topics.Single(t => t.Topic == "/no_definition").Error);
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public async Task An_empty_recording_is_an_empty_export(string format)
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, leaveOpen: true))
            writer.Finish();
        var manifest = await Samples.ExportAsync(stream.ToArray(), await Samples.PlanAsync(stream.ToArray(), new() { Format = format }), _folder["export"]);
        Assert.Empty(manifest.Topics);
        Assert.True(File.Exists(_folder["export/README.md"]));
    }

    [Fact]
    public async Task A_field_that_a_type_does_not_have_is_named_with_its_topic()
    {
        var file = Write();
        var plan = await Samples.PlanAsync(file, new() { Format = "csv", Fields = [new("/strange", ["valeu"])] });
        var error = await Assert.ThrowsAsync<ExportException>(() => Samples.ExportAsync(file, plan, _folder["export"]));
        Assert.Contains("Topic /strange", error.Message);
        Assert.Contains("'valeu'", error.Message);
    }

    [Theory]
    [InlineData("/strange:nothing", "/strange cannot be filtered by nothing")]
    [InlineData("/flat:value", "/flat cannot be filtered by value")]
    [InlineData("/strange:Value", "'many'")]
    public async Task A_filter_that_does_not_fit_is_named_with_its_topic(string filter, string expected)
    {
        var file = Write();
        var plan = await Samples.PlanAsync(file, new() { Format = "csv", Filters = [new(filter.Split(':')[0], filter.Split(':')[1], FilterComparison.Less, "many")] });
        var error = await Assert.ThrowsAsync<ExportException>(() => Samples.ExportAsync(file, plan, _folder["export"]));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public async Task Filters_keep_the_messages_that_meet_them_all()
    {
        var file = Samples.Simulated;
        var plan = await Samples.PlanAsync(file, new()
        {
            Format = "csv",
            Selection = new() { Include = ["/imu*"] },
            Fields = [new("/imu*", ["linear_acceleration.x"])],
            Filters = [new("/imu*", "linear_acceleration.x", FilterComparison.Less, "0"), new("/imu*", "header.frame_id", FilterComparison.Equal, "imu")],
        });
        var manifest = await Samples.ExportAsync(file, plan, _folder["export"]);
        var lines = File.ReadAllLines(_folder["export/imu.data.csv"]);
        Assert.Equal("log_time,publish_time,sequence,linear_acceleration.x", lines[0]);
        Assert.InRange(manifest.Topics.Single().Messages, 1, 84);
        Assert.All(lines[1..], l => Assert.StartsWith("-", l.Split(',')[3]));
    }

    [Fact]
    public async Task What_cannot_be_read_fails_the_export_or_is_left_out_and_said()
    {
        var recording = new Recording();
        recording.Add(1, 1, [.. Enumerable.Range(0, 50).Select(i => new Line("/a", (ulong)i, 0, 0, $"payload {i * 7919}"))]);
        recording.Add(1, 2, [.. Enumerable.Range(100, 500).Select(i => new Line("/a", (ulong)i, 0, 0, $"payload {i * 7919}"))]);
        recording.Add(1, 3, [.. Enumerable.Range(700, 50).Select(i => new Line("/a", (ulong)i, 0, 0, $"payload {i * 7919}"))]);
        recording.Damage(1, 2);
        var plan = recording.Plan() with { Settings = new() { AllowIncomplete = true } };

        await Assert.ThrowsAsync<ExportException>(() => recording.ExportAsync(recording.Plan()));
        using var output = new MemoryStream();
        var result = await recording.WriteAsync(plan, output);
        var lines = await Recording.ReadAsync(output.ToArray());

        Assert.Contains($"Segment {Recording.Session(1)}/2", Assert.Single(result.Problems));
        Assert.Equal(50, lines.Count(l => l.LogTime < 100));
        Assert.Equal(50, lines.Count(l => l.LogTime >= 700));
        var manifest = await recording.Exporter(plan).AssembleAsync([result], DateTimeOffset.UnixEpoch, new FolderSink(_folder["export"]), default);
        Assert.False(manifest.Complete);
        Assert.Equal(result.Problems, manifest.Problems);
    }

    [Fact]
    public async Task A_plan_survives_its_json_and_its_hash_knows_what_matters()
    {
        var file = Samples.Simulated;
        var plan = await Samples.PlanAsync(file, new()
        {
            Format = "parquet",
            Fields = [new("/imu", ["a.b"])],
            Filters = [new("/imu", "a", FilterComparison.GreaterOrEqual, "1")],
            Sampling = [new() { Topic = "*", RateHz = 2.5 }],
            Alignment = new() { MasterTopic = "/imu", Method = AlignmentMethod.Linear, ToleranceNs = 5 },
            Images = ImageFiles.Png,
        });
        var again = ExportPlan.FromJson(plan.ToJson());

        Assert.Equal(plan.ToJson(), again.ToJson());
        Assert.Equal(plan.Hash(), again.Hash());
        Assert.Equal(plan.Hash(), (plan with { Id = Guid.NewGuid() }).Hash());
        Assert.NotEqual(plan.Hash(), (plan with { Settings = plan.Settings with { ToNs = 7 } }).Hash());
        Assert.Empty(plan.Settings.Problems());
        Assert.NotEmpty((plan.Settings with { Format = "mcap" }).Problems());
    }

    private static byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2" }, leaveOpen: true))
        {
            var none = new Dictionary<string, string>();
            ushort Type(string name, string encoding, string text) => writer.AddSchema(name, encoding, Encoding.UTF8.GetBytes(text)).Id;
            var number = Type("std_msgs/msg/UInt8", "ros2msg", "uint8 data");
            byte[] small = [0, 1, 0, 0, 5];
            (Channel Channel, byte[] Payload)[] channels =
            [
                (writer.AddChannel(Type("odd/msg/Strange", "ros2msg", Strange), "/strange", "cdr", none), StrangePayload()),
                (writer.AddChannel(number, "", "cdr", none), small),
                (writer.AddChannel(number, "../../etc/passwd", "cdr", none), small),
                (writer.AddChannel(number, "/fußgänger weg", "cdr", none), small),
                (writer.AddChannel(number, "a", "cdr", none), small),
                (writer.AddChannel(Type("odd/msg/Gone", "ros2msg", "Missing thing"), "/no_definition", "cdr", none), small),
                (writer.AddChannel(Type("std_msgs/String", "ros1msg", "string data"), "/ros1", "ros1", none), [1, 0, 0, 0, 65]),
                (writer.AddChannel(Type("Odd", "flatbuffer", "\u0001\u0002"), "/flat", "flatbuffer", none), [9, 9]),
                (writer.AddChannel(Type("std_msgs/msg/Empty", "ros2msg", ""), "/empty", "cdr", none), [0, 1, 0, 0, 0]),
                (writer.AddChannel(Type("odd/msg/Nothings", "ros2msg", Nothings), "/nothings", "cdr", none), [0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
                (writer.AddChannel(Type("odd/msg/Claims", "ros2msg", "float64[] many"), "/undecodable", "cdr", none), [0, 1, 0, 0, 255, 255, 255, 127]),
            ];
            var first = writer.AddChannel(number, "/a", "cdr", none);
            var second = writer.AddChannel(Type("std_msgs/msg/String", "ros2msg", "string data"), "/a", "cdr", none);
            ulong[] times = [0, 1_700_000_000_000_000_000, long.MaxValue];
            for (uint i = 0; i < 3; i++)
            {
                foreach (var (channel, payload) in channels)
                    writer.WriteMessage(channel.Id, i, times[i], 0, payload);
            }
            for (uint i = 0; i < 2; i++)
            {
                writer.WriteMessage(first.Id, i, 10 + i, 0, small);
                writer.WriteMessage(second.Id, i, 10 + i, 0, [0, 1, 0, 0, 2, 0, 0, 0, 65, 0]);
            }
        }
        return stream.ToArray();
    }

    private static byte[] StrangePayload()
    {
        var bytes = new List<byte>();
        void Word(uint value)
        {
            while (bytes.Count % 4 != 0)
                bytes.Add(0);
            var word = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(word, value);
            bytes.AddRange(word);
        }
        void Text(string text)
        {
            Word((uint)text.Length + 1);
            bytes.AddRange([.. Encoding.ASCII.GetBytes(text), 0]);
        }
        Word(7);
        Text("late");
        while (bytes.Count % 8 != 0)
            bytes.Add(0);
        bytes.AddRange([.. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(2.5)]);
        Text("x");
        Text("y");
        for (uint part = 0; part < 2; part++)
        {
            Word(part);
            for (uint i = 0; i < part; i++)
                Word(BitConverter.SingleToUInt32Bits(0.5f));
            Text("part");
        }
        Word(2);
        bytes.AddRange([1, 0]);
        return [0, 1, 0, 0, .. bytes];
    }

    [Fact]
    public async Task A_message_at_the_last_time_there_is_counts()
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions(), leaveOpen: true))
            writer.WriteMessage(writer.AddChannel(0, "/late", "text").Id, 1, ulong.MaxValue, 0, [1]);

        var manifest = await Samples.ExportAsync(stream.ToArray(), await Samples.PlanAsync(stream.ToArray(), new() { Format = "csv" }), _folder["export"]);

        Assert.Equal(1, Assert.Single(manifest.Topics).Messages);
    }

    private static void SkipWithoutDuckDb(string format)
    {
        if (format == "parquet" && NativeDuckDb.FindLibrary() is null)
            Assert.Skip("DuckDB's library, which writes Parquet, is not there; infra/duckdb fetches it.");
    }
}
