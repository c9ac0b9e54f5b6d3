using EdgeCloud.Contracts;
using EdgeCloud.Mcap.Reading;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.Export.Tests;

public sealed class McapExportTests
{
    private const string Latching = "- history: 1\n  depth: 1\n  durability: 1\n";

    private static Line L(string topic, ulong logTime, string payload = "x") => new(topic, logTime, logTime - 1, (uint)logTime, payload);

    private static Line Latched(ulong logTime, string payload, ulong published = 1, bool repeat = false) =>
        new("/tf_static", logTime, published, 1, payload, "tf2_msgs/msg/TFMessage", Latching, repeat);

    [Fact]
    public void Whatever_the_segments_every_message_comes_out_once_as_it_went_in_and_in_order() =>
        Prop.ForAll(Recordings().ToArbitrary(), recorded =>
        {
            var recording = new Recording();
            foreach (var ((session, sequence), lines) in recorded)
                recording.Add(session, sequence, lines);

            var exported = Recording.ReadAsync(recording.ExportAsync(recording.Plan()).GetAwaiter().GetResult()).GetAwaiter().GetResult();

            // Within one log time: by session, segment, place in the segment.
            var expected = recorded.OrderBy(r => r.Key.Session).ThenBy(r => r.Key.Sequence)
                .SelectMany(r => r.Value.OrderBy(l => l.LogTime)).OrderBy(l => l.LogTime).ToList();
            Assert.Equal(expected, exported);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task A_range_takes_its_start_and_leaves_its_end()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10), L("/a", 20));
        recording.Add(1, 2, L("/a", 30), L("/a", 40));
        recording.Add(1, 3, L("/a", 50));

        var exported = await Recording.ReadAsync(await recording.ExportAsync(recording.Plan(from: 20, to: 50)));

        Assert.Equal([20ul, 30, 40], exported.Select(l => l.LogTime));
    }

    [Fact]
    public async Task A_range_may_reach_as_far_as_numbers_do_also_where_more_than_it_is_read()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10), L("/a", 20));
        var plan = recording.Plan(from: long.MinValue, to: long.MaxValue);

        var exported = await Recording.ReadAsync(await recording.ExportAsync(
            plan with { Settings = plan.Settings with { Sampling = [new() { Topic = "/a", RateHz = 1e8 }] } }));

        Assert.Equal([10ul, 20], exported.Select(l => l.LogTime));
    }

    [Fact]
    public async Task A_selection_leaves_the_other_topics_out_with_their_channels()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/camera/image", 10), L("/imu", 11), L("/camera/info", 12));

        var file = await recording.ExportAsync(recording.Plan(new TopicSelection { Include = ["/camera/*"], Exclude = ["*info"] }));

        Assert.Equal(["/camera/image"], (await Recording.ReadAsync(file)).Select(l => l.Topic));
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "export"));
        Assert.Single(reader.Channels);
    }

    [Fact]
    public async Task A_stretch_of_a_session_begins_in_its_time_with_what_was_latched_by_then_in_however_many_parts()
    {
        var recording = new Recording();
        recording.Add(1, 1, Latched(10, "map"), L("/a", 20), L("/a", 30), L("/a", 40));
        recording.Add(1, 2, Latched(50, "map", repeat: true), L("/a", 50), L("/a", 60));
        recording.Add(2, 1, L("/b", 5), L("/b", 28));
        recording.Add(2, 2, L("/b", 35));
        var plan = recording.Plan();
        plan = plan with { Sessions = [plan.Sessions[0] with { Id = Recording.Session(3), FromNs = 25, ToNs = 60 }, plan.Sessions[1]] };
        (string, ulong, bool)[] expected =
            [("/b", 5, false), ("/tf_static", 25, true), ("/b", 28, false), ("/a", 30, false), ("/b", 35, false), ("/a", 40, false), ("/a", 50, false)];

        Assert.Equal(expected, (await Recording.ReadAsync(await recording.ExportAsync(plan))).Select(l => (l.Topic, l.LogTime, l.IsRepeat)));

        plan = plan with { Settings = plan.Settings with { PartBytes = 1 } };
        var lines = new List<Line>();
        foreach (var part in plan.Parts())
        {
            using var output = new MemoryStream();
            await recording.MakeAsync(plan, part, output);
            lines.AddRange(await Recording.ReadAsync(output.ToArray()));
        }
        Assert.True(plan.Parts().Count >= 3);
        Assert.Equal(expected, lines.Select(l => (l.Topic, l.LogTime, l.IsRepeat)));
    }

    [Fact]
    public async Task Repeats_of_a_message_that_is_in_the_export_are_left_out()
    {
        var recording = new Recording();
        recording.Add(1, 1, Latched(10, "old"), L("/a", 11), Latched(12, "new", published: 2));
        recording.Add(1, 2, Latched(20, "new", published: 2, repeat: true), L("/a", 21));
        recording.Add(1, 3, Latched(30, "new", published: 2, repeat: true), L("/a", 31));

        var exported = await Recording.ReadAsync(await recording.ExportAsync(recording.Plan()));

        Assert.Equal([10ul, 11, 12, 21, 31], exported.Select(l => l.LogTime));
        Assert.DoesNotContain(exported, l => l.IsRepeat);
    }

    [Fact]
    public async Task A_repeat_whose_original_was_never_recorded_is_exported_once_and_marked()
    {
        var recording = new Recording();
        recording.Add(1, 1, Latched(10, "map", repeat: true), L("/a", 11));
        recording.Add(1, 2, Latched(20, "map", repeat: true), L("/a", 21));

        using var output = new MemoryStream();
        var figures = await recording.WriteAsync(recording.Plan(), output);
        var exported = await Recording.ReadAsync(output.ToArray());

        Assert.Equal([(10ul, true), (11, false), (21, false)], exported.Select(l => (l.LogTime, l.IsRepeat)));
        Assert.Equal(2, figures.Messages());
        Assert.Equal(output.Length, figures.Bytes());
    }

    [Fact]
    public async Task A_range_begins_with_what_was_latched_before_it()
    {
        var recording = new Recording();
        recording.Add(1, 1, Latched(10, "a"), L("/a", 11));
        recording.Add(1, 2, Latched(20, "a", repeat: true), L("/a", 21), Latched(22, "b", published: 2), L("/a", 25), L("/a", 26));

        var exported = await Recording.ReadAsync(await recording.ExportAsync(recording.Plan(from: 25, to: 27)));

        Assert.Equal([(25ul, "a", true), (25, "b", true), (25, "x", false), (26, "x", false)],
            exported.Select(l => (l.LogTime, l.Payload, l.IsRepeat)));
        Assert.All(exported.Where(l => l.IsRepeat), l => Assert.Equal("tf2_msgs/msg/TFMessage", l.Schema));
    }

    [Fact]
    public async Task A_range_behind_the_last_message_of_a_segment_still_has_what_that_segment_latched()
    {
        var recording = new Recording();
        recording.Add(1, 1, Latched(10, "a"), L("/a", 11));
        recording.Add(1, 2, L("/a", 50));

        var exported = await Recording.ReadAsync(await recording.ExportAsync(recording.Plan(from: 40)));

        Assert.Equal([(40ul, "a"), (50, "x")], exported.Select(l => (l.LogTime, l.Payload)));
    }

    [Fact]
    public async Task Lines_of_the_log_are_no_state_though_late_subscribers_get_them_for_a_while()
    {
        const string ForTenSeconds = "- history: 1\n  depth: 1000\n  durability: 1\n  lifespan:\n    sec: 10\n    nsec: 0\n";
        Line Log(ulong logTime) => new("/rosout", logTime, 5, 1, "the same", "rcl_interfaces/msg/Log", ForTenSeconds);
        var recording = new Recording();
        recording.Add(1, 1, Log(10), L("/a", 11), Log(12));
        recording.Add(1, 2, Log(20), L("/a", 21), Log(22), L("/a", 25), Log(26));

        Assert.Equal([10ul, 12, 20, 22, 26], (await Recording.ReadAsync(await recording.ExportAsync(recording.Plan()))).Where(l => l.Topic == "/rosout").Select(l => l.LogTime));
        Assert.Equal([("/a", 25ul), ("/rosout", 26)],
            (await Recording.ReadAsync(await recording.ExportAsync(recording.Plan(from: 25)))).Select(l => (l.Topic, l.LogTime)));
    }

    [Fact]
    public async Task Sessions_stay_apart_by_channels_that_name_robot_and_session()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10, "one"));
        recording.Add(2, 1, L("/a", 10, "two"));

        var file = await recording.ExportAsync(recording.Plan());

        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "export"));
        Assert.Equal([("/a", "robot-1"), ("/a", "robot-2")], reader.Channels.Values.Select(c => (c.Topic, c.Metadata["edgecloud.robot"])).Order());
        Assert.Equal(["one", "two"], (await Recording.ReadAsync(file)).Select(l => l.Payload));
    }

    [Fact]
    public async Task The_output_says_what_it_was_made_of_and_what_it_lacks()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10));

        var file = await recording.ExportAsync(recording.Plan(from: 5));

        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "export"));
        var index = Assert.Single(reader.Summary.MetadataIndexes, m => m.Name == "edgecloud.export");
        var pairs = (await reader.ReadMetadataAsync(index)).Pairs;
        Assert.Equal("5", pairs["from_ns"]);
        Assert.Equal("", pairs["to_ns"]);
        Assert.Contains("\"missing\":[\"00000001-0000-0000-0000-000000000000/77: discarded\"]", pairs["sessions"]);
        Assert.Contains("\"topic\":\"/a\",\"received\":7,\"recorded\":4", pairs["sessions"]);
        Assert.Contains("\"paused\":3", pairs["sessions"]);
        Assert.Contains("\"discarded\":2", pairs["sessions"]);
        Assert.Contains("\"sha256\":\"sha-00000001", pairs["sessions"]);
    }

    [Fact]
    public async Task The_same_plan_gives_the_same_bytes()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10), Latched(11, "t"));
        recording.Add(2, 1, L("/b", 10), L("/a", 12));
        Assert.Equal(await recording.ExportAsync(recording.Plan()), await recording.ExportAsync(recording.Plan()));
    }

    [Fact]
    public async Task However_many_segments_only_those_that_overlap_are_open_together()
    {
        var recording = new Recording();
        for (var i = 1; i <= 50; i++)
            recording.Add(1, i, L("/a", (ulong)i * 10), L("/a", (ulong)i * 10 + 9));
        Assert.Equal(100, (await Recording.ReadAsync(await recording.ExportAsync(recording.Plan()))).Count);
        Assert.Equal(1, recording.OpenAtMost);
    }

    [Fact]
    public async Task A_damaged_segment_is_named_and_the_output_does_not_look_whole()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10));
        recording.Add(1, 2, [.. Enumerable.Range(20, 500).Select(i => L("/a", (ulong)i, $"payload number {i * 7919}"))]);
        recording.Damage(1, 2);
        using var output = new MemoryStream();

        var error = await Assert.ThrowsAsync<ExportException>(() => recording.WriteAsync(recording.Plan(), output));

        Assert.Contains($"{Recording.Session(1)}/2", error.Message);
        Assert.False(output.ToArray().AsSpan().EndsWith(Mcap.McapFormat.Magic));
    }

    [Fact]
    public async Task An_export_without_messages_is_a_sound_file()
    {
        var recording = new Recording();
        recording.Add(1, 1, L("/a", 10));
        Assert.Empty(await Recording.ReadAsync(await recording.ExportAsync(recording.Plan(from: 1000))));
    }

    /// <summary>A few sessions with a few segments whose times may overlap, touch and run backwards.</summary>
    private static Gen<SortedDictionary<(int Session, int Sequence), IReadOnlyList<Line>>> Recordings()
    {
        var line =
            from topic in Gen.Elements("/a", "/b", "/camera/image")
            from schema in Gen.Elements("std_msgs/msg/String", "sensor_msgs/msg/Image")
            from logTime in Gen.Choose(1, 60)
            from published in Gen.Choose(0, 1000)
            from sequence in Gen.Choose(0, 3)
            from payload in Gen.Choose(0, 400)
            select new Line(topic, (ulong)logTime, (ulong)published, (uint)sequence, new string('p', payload), schema);
        return
            from sessions in Gen.Choose(1, 3)
            from segments in Gen.Choose(1, 5)
            from lines in Gen.ArrayOf(Gen.ListOf(line), sessions * segments)
            select new SortedDictionary<(int, int), IReadOnlyList<Line>>(lines
                .Select((l, i) => ((i / segments) + 1, (i % segments) + 1, l))
                .Where(x => x.l.Count > 0)
                .ToDictionary(x => (x.Item1, x.Item2), x => (IReadOnlyList<Line>)x.l.ToList()));
    }
}
