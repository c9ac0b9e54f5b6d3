using System.Globalization;
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

    [Fact]
    public async Task A_latched_message_holds()
    {
        var rows = await AlignAsync(new() { MasterTopic = "/a" }, Numbers("/a", 0, 1000, 5000), Numbers("/map", 10) with { Qos = "- durability: 1\n" });
        Assert.Equal(["0,true,0,false,", "1000,true,1,true,0", "5000,true,2,true,0"], rows.Select(r => string.Join(',', r)));
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

    private sealed record Topic(string Name, (ulong Ms, byte[] Payload)[] Messages, string Qos = "");

    /// <summary>A topic of <c>std_msgs/msg/Float64</c> whose n-th message, n ms after the start, says n.</summary>
    private static Topic Numbers(string name, params ulong[] times) =>
        new(name, [.. times.Select((ms, i) => (ms, (byte[])[0, 1, 0, 0, .. BitConverter.GetBytes((double)i)]))]);

    private Task<List<string[]>> AlignAsync(ExportAlignment alignment, params Topic[] topics) => AlignAsync(alignment, 1, topics);

    /// <summary>The rows of the aligned table, times in ms after the start.</summary>
    private async Task<List<string[]>> AlignAsync(ExportAlignment alignment, int segments, params Topic[] topics)
    {
        var last = topics.Max(t => t.Messages.Max(m => m.Ms));
        var files = Enumerable.Range(0, segments).Select(i => Write(topics, last * (ulong)i / (ulong)segments, i == segments - 1 ? last + 1 : last * (ulong)(i + 1) / (ulong)segments)).ToList();
        var session = Recording.Session(1);
        var plan = new ExportPlan
        {
            Id = Guid.NewGuid(),
            Settings = new() { Format = "csv", Alignment = alignment, PartBytes = segments == 1 ? null : 1 << 20 },
            Sessions =
            [
                new PlannedSession
                {
                    Id = session,
                    Robot = "amr",
                    Segments = [.. files.Select((f, i) => new PlannedSegment(session, i + 1, $"{i}", 1 << 20, "", "", (long)(Start + f.First * 1_000_000), (long)(Start + f.Last * 1_000_000)))],
                },
            ],
        };
        var exporter = new Exporter(plan, (segment, _) => new(new Mcap.Reading.MemoryByteSource(files[int.Parse(segment.Key)].File, segment.Key)), Path.GetTempPath());
        var folder = _folder[Guid.NewGuid().ToString("N")];
        var results = new List<PartResult>();
        foreach (var part in plan.Parts())
            results.Add(await exporter.MakePartAsync(part, new FolderSink(folder), null, CancellationToken.None));
        Assert.Equal(segments > 1, results.Count > 1);
        var lines = results.SelectMany(r => r.Files).SelectMany(f => File.ReadAllText(Path.Combine(folder, f.Name)).Split("\r\n")[1..^1]);
        return [.. lines.Select(l => l.Split(',')).Select(c => (string[])[((ulong.Parse(c[0], CultureInfo.InvariantCulture) - Start) / 1_000_000).ToString(CultureInfo.InvariantCulture), .. c[1..]])];
    }

    private static (byte[] File, ulong First, ulong Last) Write(Topic[] topics, ulong fromMs, ulong toMs)
    {
        using var stream = new MemoryStream();
        var messages = topics.SelectMany((t, i) => t.Messages.Select(m => (m.Ms, m.Payload, Topic: i))).Where(m => m.Ms >= fromMs && m.Ms < toMs).OrderBy(m => m.Ms).ToList();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2" }, leaveOpen: true))
        {
            var schema = writer.AddSchema("std_msgs/msg/Float64", "ros2msg", "float64 data"u8.ToArray());
            var channels = topics.Select(t => writer.AddChannel(schema.Id, t.Name, "cdr", t.Qos.Length == 0 ? [] : new Dictionary<string, string> { ["offered_qos_profiles"] = t.Qos })).ToList();
            foreach (var (ms, payload, topic) in messages)
                writer.WriteMessage(channels[topic].Id, 0, Start + ms * 1_000_000, 0, payload);
        }
        return (stream.ToArray(), messages.Count == 0 ? fromMs : messages[0].Ms, messages.Count == 0 ? fromMs : messages[^1].Ms);
    }
}
