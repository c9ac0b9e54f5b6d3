using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Export.Tables;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

public sealed class AlignmentTests : IDisposable
{
    private const ulong Start = 1_700_000_000_000_000_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AlignmentMethod.Previous, "0,true,0;40,true,0;80,true,1;120,true,1")]
    [InlineData(AlignmentMethod.Nearest, "0,true,0;40,true,1;80,true,1;120,true,2")]
    [InlineData(AlignmentMethod.Linear, "0,true,0;40,true,0.5714285714285714;80,true,1.1428571428571428;120,true,1.7142857142857144")]
    public async Task Values_come_from_the_messages_around_the_tick(AlignmentMethod method, string expected)
    {
        var rows = await AlignAsync(new() { RateHz = 25, Method = method }, Numbers("/a", 0, 70, 140));
        Assert.Equal(expected, string.Join(';', rows.Select(r => string.Join(',', r))));
    }

    [Fact]
    public async Task Beyond_the_tolerance_a_topic_is_not_valid_and_ticks_without_any_are_left_out()
    {
        var rows = await AlignAsync(new() { RateHz = 100, Method = AlignmentMethod.Nearest, ToleranceNs = 10_000_000 }, Numbers("/a", 0, 500), Numbers("/b", 20));

        Assert.Equal(
            ["0,true,0,false,", "10,true,0,true,0", "20,false,,true,0", "30,false,,true,0", "490,true,1,false,", "500,true,1,false,"],
            rows.Select(r => string.Join(',', r)));
    }

    [Fact]
    public async Task A_master_topic_gives_the_ticks()
    {
        var rows = await AlignAsync(new() { MasterTopic = "/b", Method = AlignmentMethod.Linear }, Numbers("/a", 0, 100), Numbers("/b", 25, 50));
        Assert.Equal(["25,true,0.25,true,0", "50,true,0.5,true,1"], rows.Select(r => string.Join(',', r)));
    }

    [Theory]
    [InlineData(AlignmentMethod.Linear, "0,true,-3,10,false,true;20,true,-1.25,11,false,true;40,true,0.5,12,false,true;60,true,2.25,13,false,true;80,true,4,14,true,true")]
    [InlineData(AlignmentMethod.Previous, "0,true,-3,10,false,true;20,true,-3,10,false,true;40,true,-3,10,false,true;60,true,-3,10,false,true;80,true,4,14,true,true")]
    public async Task Integers_are_floating_point_between_two_messages_and_truth_values_hold(AlignmentMethod method, string expected)
    {
        byte[] Payload(int count, ulong large, bool flag) =>
            [0, 1, 0, 0, .. BitConverter.GetBytes(count), 0, 0, 0, 0, .. BitConverter.GetBytes(large), .. BitConverter.GetBytes(flag)];
        var topic = new Topic("/a", [(0, Payload(-3, 10, false)), (80, Payload(4, 14, true))], Text: "int32 count\nuint64 large\nbool flag");
        var rows = await AlignAsync(new() { RateHz = 50, Method = method }, topic, Numbers("/b", 0, 80));
        Assert.Equal(expected, string.Join(';', rows.Select(r => string.Join(',', r[..^1]))));
    }

    [Fact]
    public async Task Linear_makes_integers_float64_in_every_part_also_where_nothing_is_between_messages()
    {
        var session = Recording.Session(1);
        Topic[] topics = [new("/a", [(0, [0, 1, 0, 0, 1, 0, 0, 0]), (1000, [0, 1, 0, 0, 2, 0, 0, 0])], Text: "int32 count"), Numbers("/b", 10)];
        var (_, results, folder) = await ExportAsync(new() { MasterTopic = "/b", Method = AlignmentMethod.Linear, ToleranceNs = 1 }, 1, topics, "numpy");
        Assert.Equal("<f8", await ReadDescrAsync(Path.Combine(folder, Assert.Single(Assert.Single(results).Files).Name), "a.count"));
    }

    /// <summary>NumPy's type of an array in an archive.</summary>
    private static async Task<string> ReadDescrAsync(string file, string array)
    {
        using var zip = System.IO.Compression.ZipFile.OpenRead(file);
        using var reader = new StreamReader(zip.GetEntry($"{array}.npy")!.Open(), Encoding.Latin1);
        return (await reader.ReadToEndAsync()).Split("'descr': '")[1].Split('\'')[0];
    }

    [Theory]
    [InlineData("- durability: 1\n", true)]
    [InlineData("- durability: transient_local\n  lifespan:\n    sec: 2147483647\n    nsec: 4294967295\n", true)]
    [InlineData("- durability: 1\n  lifespan:\n    sec: 9223372036\n    nsec: 854775807\n- durability: 2\n", true)]
    [InlineData("- durability: transient_local\n  lifespan:\n    sec: 0\n    nsec: 0\n", true)]
    [InlineData("- durability: transient_local\n  lifespan:\n    sec: 10\n    nsec: 0\n", false)]
    [InlineData("- durability: 2\n", false)]
    public async Task A_latched_message_holds(string qos, bool holds)
    {
        var rows = await AlignAsync(new() { MasterTopic = "/a", ToleranceNs = 1 }, Numbers("/a", 0, 1000, 5000), Numbers("/map", 10) with { Qos = qos });
        var map = holds ? "true,0" : "false,";
        Assert.Equal(["0,true,0,false,", $"1000,true,1,{map}", $"5000,true,2,{map}"], rows.Select(r => string.Join(',', r)));
    }

    [Theory]
    [InlineData(AlignmentMethod.Nearest)]
    [InlineData(AlignmentMethod.Previous)]
    [InlineData(AlignmentMethod.Linear)]
    public async Task Parts_give_the_rows_that_the_whole_gives(AlignmentMethod method)
    {
        var random = new Random(5);
        ulong[] Times() => [.. Enumerable.Range(0, 400).Select(_ => (ulong)random.Next(0, 4000)).Distinct().Order()];
        Topic[] topics = [Numbers("/a", Times()), Numbers("/b", Times())];
        var alignment = new ExportAlignment { RateHz = 33, Method = method, ToleranceNs = 20_000_000 };

        var whole = await AlignAsync(alignment, topics);
        var parts = await AlignAsync(alignment, segments: 7, topics);

        Assert.NotEmpty(whole);
        Assert.Equal(whole.Select(r => string.Join(',', r)), parts.Select(r => string.Join(',', r)));
    }

    [Fact]
    public async Task Every_part_has_the_columns_of_the_whole_also_of_topics_that_it_has_no_message_of()
    {
        Topic[] topics = [Numbers("/always", [.. Enumerable.Range(0, 400).Select(i => (ulong)i * 10)]), Numbers("/early", 5), Numbers("/late", 3900)];

        var (plan, results, folder) = await ExportAsync(new() { RateHz = 10 }, segments: 4, topics);

        Assert.True(results.Count >= 3);
        Assert.All(results.SelectMany(r => r.Files), f => Assert.Equal(
            "time,always.valid,always.data,early.valid,early.data,late.valid,late.data", File.ReadLines(Path.Combine(folder, f.Name)).First()));
        Assert.All(results, r => Assert.All(r.Topics, t => Assert.NotEqual(0, t.Messages)));
        var selected = plan with { Settings = plan.Settings with { Selection = new() { Exclude = ["/early"] } } };
        Assert.DoesNotContain("early", File.ReadLines(Path.Combine(folder, (await MakeAsync(selected, topics, folder))[0].Files[0].Name)).First());
    }

    [Fact]
    public async Task No_two_columns_have_one_name()
    {
        var valid = new Topic("/a", [(0, [0, 1, 0, 0, 1, 0, 0, 0])], Text: "bool valid\nB b\n================================================================================\nMSG: demo_msgs/B\nbool valid\nbool data");
        var (_, results, folder) = await ExportAsync(new() { RateHz = 10 }, 1, [valid, Numbers("/a/b", 0)]);

        Assert.Equal(
            "time,a.valid,a.message.valid,a.message.b.valid,a.b.data,a.b.valid,a.b.message.data",
            File.ReadLines(Path.Combine(folder, Assert.Single(Assert.Single(results).Files).Name)).First());
    }

    [Fact]
    public void Rotations_go_the_short_way_at_an_even_pace()
    {
        var half = Math.Sqrt(0.5);
        double[] still = [0, 0, 0, 1], quarter = [0, 0, half, half];

        Span<double> between = [0, 0, 0, 1];
        AlignedTopic.Slerp(between, quarter, 1.0 / 3);
        Assert.Equal([0, 0, Math.Sin(Math.PI / 12), Math.Cos(Math.PI / 12)], between.ToArray().Select(v => Math.Round(v, 12)), (a, b) => Math.Abs(a - b) < 1e-11);

        // The same rotation with the other sign.
        between = [0, 0, 0, 1];
        AlignedTopic.Slerp(between, [0, 0, -half, -half], 1.0 / 3);
        Assert.Equal(Math.Sin(Math.PI / 12), between[2], 12);

        between = [0, 0, 0, 1];
        AlignedTopic.Slerp(between, still, 0.4);
        Assert.Equal(still, between.ToArray());
    }

    [Fact]
    public async Task Sampling_and_filters_choose_the_same_messages_however_the_export_is_cut()
    {
        var recording = new Recording();
        for (var segment = 1; segment <= 9; segment++)
            recording.Add(1, segment, [.. Enumerable.Range(0, 100).Select(i => new Line("/a", (ulong)(segment * 1_000 + i * 9) * 1_000_000, 0, (uint)i, "x"))]);
        var settings = new ExportSettings { Sampling = [new() { Topic = "/*", RateHz = 3 }] };
        var plan = recording.Plan() with { Settings = settings };

        var whole = await Recording.ReadAsync(await recording.ExportAsync(plan));
        var cut = plan with { Sessions = [.. plan.Sessions.Select(s => s with { Segments = [.. s.Segments.Select(g => g with { Bytes = 1 << 20 })] })], Settings = settings with { PartBytes = 2 << 20 } };
        var parts = new List<Line>();
        foreach (var part in cut.Parts())
        {
            using var sink = new MemoryStream();
            await recording.MakeAsync(cut, part, sink);
            parts.AddRange(await Recording.ReadAsync(sink.ToArray()));
        }

        Assert.True(cut.Parts().Count >= 4);
        Assert.Equal(whole, parts);
        Assert.InRange(whole.Count, 26, 28); // 9 s at 3 Hz
    }

    private sealed record Topic(string Name, (ulong Ms, byte[] Payload)[] Messages, string Qos = "", string Text = "float64 data");

    /// <summary>A topic of <c>std_msgs/msg/Float64</c> whose n-th message, n ms after the start, says n.</summary>
    private static Topic Numbers(string name, params ulong[] times) =>
        new(name, [.. times.Select((ms, i) => (ms, (byte[])[0, 1, 0, 0, .. BitConverter.GetBytes((double)i)]))]);

    private Task<List<string[]>> AlignAsync(ExportAlignment alignment, params Topic[] topics) => AlignAsync(alignment, 1, topics);

    /// <summary>The rows of the aligned table, times in ms after the start.</summary>
    private async Task<List<string[]>> AlignAsync(ExportAlignment alignment, int segments, params Topic[] topics)
    {
        var (_, results, folder) = await ExportAsync(alignment, segments, topics);
        Assert.Equal(segments > 1, results.Count > 1);
        var lines = results.SelectMany(r => r.Files).SelectMany(f => File.ReadAllText(Path.Combine(folder, f.Name)).Split("\r\n")[1..^1]);
        return [.. lines.Select(l => l.Split(',')).Select(c => (string[])[((ulong.Parse(c[0], CultureInfo.InvariantCulture) - Start) / 1_000_000).ToString(CultureInfo.InvariantCulture), .. c[1..]])];
    }

    private async Task<(ExportPlan Plan, List<PartResult> Results, string Folder)> ExportAsync(
        ExportAlignment alignment, int segments, Topic[] topics, string format = "csv")
    {
        var session = Recording.Session(1);
        var plan = new ExportPlan
        {
            Id = Guid.NewGuid(),
            Settings = new() { Format = format, Alignment = alignment, PartBytes = segments == 1 ? null : 1 << 20 },
            Sessions =
            [
                new PlannedSession
                {
                    Id = session,
                    Robot = "amr",
                    Segments = [.. Segments(topics, segments).Select((f, i) => new PlannedSegment(session, i + 1, $"{i}", 1 << 20, "", "", (long)(Start + f.First * 1_000_000), (long)(Start + f.Last * 1_000_000)))],
                    Topics = [.. topics.Select(t => new PlannedTopic(t.Name, TypeOf(t), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(t.Text))), "cdr"))],
                },
            ],
        };
        var folder = _folder[Guid.NewGuid().ToString("N")];
        return (plan, await MakeAsync(plan, topics, folder), folder);
    }

    private static async Task<List<PartResult>> MakeAsync(ExportPlan plan, Topic[] topics, string folder)
    {
        var files = Segments(topics, plan.Sessions[0].Segments.Count);
        var exporter = new Exporter(plan, (segment, _) => new(new Mcap.Reading.MemoryByteSource(files[int.Parse(segment.Key)].File, segment.Key)), Path.GetTempPath());
        var results = new List<PartResult>();
        foreach (var part in plan.Parts())
            results.Add(await exporter.MakePartAsync(part, new FolderSink(folder), null, CancellationToken.None));
        return results;
    }

    private static List<(byte[] File, ulong First, ulong Last)> Segments(Topic[] topics, int segments)
    {
        var last = topics.Max(t => t.Messages.Max(m => m.Ms));
        return [.. Enumerable.Range(0, segments).Select(i => Write(topics, last * (ulong)i / (ulong)segments, i == segments - 1 ? last + 1 : last * (ulong)(i + 1) / (ulong)segments))];
    }

    private static string TypeOf(Topic topic) => topic.Text == "float64 data" ? "std_msgs/msg/Float64" : "demo_msgs/msg/Other";

    private static (byte[] File, ulong First, ulong Last) Write(Topic[] topics, ulong fromMs, ulong toMs)
    {
        using var stream = new MemoryStream();
        var messages = topics.SelectMany((t, i) => t.Messages.Select(m => (m.Ms, m.Payload, Topic: i))).Where(m => m.Ms >= fromMs && m.Ms < toMs).OrderBy(m => m.Ms).ToList();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2" }, leaveOpen: true))
        {
            var channels = topics.Select((t, i) => messages.All(m => m.Topic != i) ? null : writer.AddChannel(
                writer.AddSchema(TypeOf(t), "ros2msg", Encoding.UTF8.GetBytes(t.Text)).Id, t.Name, "cdr", t.Qos.Length == 0 ? [] : new Dictionary<string, string> { ["offered_qos_profiles"] = t.Qos })).ToList();
            foreach (var (ms, payload, topic) in messages)
                writer.WriteMessage(channels[topic]!.Id, 0, Start + ms * 1_000_000, 0, payload);
        }
        return (stream.ToArray(), messages.Count == 0 ? fromMs : messages[0].Ms, messages.Count == 0 ? fromMs : messages[^1].Ms);
    }
}
