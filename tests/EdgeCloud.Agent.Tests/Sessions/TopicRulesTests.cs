using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Agent.Tests.Sessions;

/// <summary>What a session takes of what the source offers, and how it notes what it leaves out.</summary>
public sealed class TopicRulesTests
{
    private const ulong Start = 1_700_000_000_000_000_000;

    private static SourceTopic Topic(string name, string type = "test/msg/Number") => new()
    {
        Topic = name,
        MessageEncoding = "cdr",
        Schema = new SourceSchema(type, "ros2msg", "uint32 number\n"u8.ToArray()),
    };

    [Theory]
    [InlineData(30, 10, 300, 100)]
    [InlineData(100, 30, 1000, 300)]
    [InlineData(5, 10, 50, 50)]
    public void A_rate_is_brought_down_evenly(double rateHz, double limitHz, int sent, int kept)
    {
        var limit = TopicLimit.Of(new TopicRule("*", "*", "*", null, limitHz, 0))!;
        var random = new Random(1);
        var taken = Enumerable.Range(0, sent)
            .Count(i => !limit.Refuses(Start + (ulong)((i / rateHz * 1e9) + random.Next(2_000_000)), 10));
        Assert.InRange(taken, kept * 9 / 10, (kept * 11 / 10) + 1);
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_silence_a_topic()
    {
        var limit = TopicLimit.Of(new TopicRule("*", "*", "*", null, 1, 0))!;
        Assert.False(limit.Refuses(Start, 1));
        Assert.True(limit.Refuses(Start + 500_000_000, 1));
        Assert.False(limit.Refuses(Start - 3_600_000_000_000, 1));
    }

    [Fact]
    public async Task Limits_and_odd_stamps_are_in_the_ledger()
    {
        await using var bench = SessionBench.Create(new RecordingSettings
        {
            BoundMs = 5,
            Topics = [new TopicRule("/big*", "*", "*", TopicClass.Bulk, 0, 50), new TopicRule("*", "test/msg/Fast", "*", null, 10, 0)],
        });
        var session = await bench.StartAsync();
        var big = bench.Recorder.TopicAppeared(Topic("/big"));
        var fast = bench.Recorder.TopicAppeared(Topic("/fast", "test/msg/Fast"));
        Assert.Equal([TopicClass.Bulk, TopicClass.Normal], bench.Recorder.Counts().Select(c => c.Class)); // what the robot's state says
        for (var i = 0u; i < 40; i++)
        {
            var time = Start + (i * 25_000_000);
            bench.Recorder.Message(big, new MessageTimes(time, i % 4 == 0 ? 0 : time, i), new byte[i < 30 ? 50 : 51]);
            bench.Recorder.Message(fast, new MessageTimes(time, i == 0 ? time * 2 : time, i), new byte[10]);
        }
        await bench.Desk.FinishAsync(session);
        var ledger = session.Describe().Ledger;
        Assert.Equal([("/big", 40, 30, 10, 8), ("/fast", 40, 10, 30, 1)], ledger.Select(e => (e.Topic, e.Received, e.Recorded, e.Limited, e.OddStamps)));
        Assert.Equal(0, ledger.Sum(e => e.Lost()));
    }

    [Fact]
    public async Task Topics_are_selected_by_type_and_node_when_the_node_is_known()
    {
        await using var bench = SessionBench.Create();
        var byType = await bench.Desk.StartAsync(Guid.CreateVersion7(), "", new TopicSelection { Types = ["test/msg/A*"] }, "test");
        var byNode = await bench.Desk.StartAsync(
            Guid.CreateVersion7(), "", new TopicSelection { Nodes = ["/arm/*"], ExcludeNodes = ["/arm/noisy"] }, "test");
        var a = bench.Recorder.TopicAppeared(Topic("/a", "test/msg/Apple"));
        var b = bench.Recorder.TopicAppeared(Topic("/b", "test/msg/Bean"));
        var c = bench.Recorder.TopicAppeared(Topic("/c", "test/msg/Corn"));
        void SendAll(ulong time)
        {
            foreach (var topic in (TopicHandle[])[a, b, c])
                bench.Recorder.Message(topic, new MessageTimes(time, time, 0), new byte[4]);
        }
        SendAll(Start);
        bench.Recorder.TopicNodes(b, ["/arm/driver"]);
        bench.Recorder.TopicNodes(c, ["/arm/driver", "/arm/noisy"]);
        SendAll(Start + 1);
        await bench.Desk.FinishAsync(byType);
        await bench.Desk.FinishAsync(byNode);
        Assert.Equal([("/a", 2)], byType.Describe().Ledger.Select(e => (e.Topic, (int)e.Recorded)));
        Assert.Equal([("/b", 1)], byNode.Describe().Ledger.Select(e => (e.Topic, (int)e.Recorded)));
        Assert.Equal("/arm/driver", Metadata(byNode, "edgecloud.nodes")["/b"]);
    }

    [Fact]
    public async Task A_segment_names_every_node_that_published_in_it_also_when_it_went()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        var topic = bench.Recorder.TopicAppeared(Topic("/a"));
        async Task EndSegmentAsync(uint sequence)
        {
            bench.Recorder.Message(topic, new MessageTimes(Start + sequence, Start + sequence, sequence), BitConverter.GetBytes(sequence));
            await bench.Desk.SealAsync();
        }
        bench.Recorder.TopicNodes(topic, ["/first", "/second"]);
        bench.Recorder.Message(topic, new MessageTimes(Start, Start, 1), BitConverter.GetBytes(1u));
        bench.Recorder.TopicNodes(topic, ["/second"]);
        await EndSegmentAsync(2);
        await EndSegmentAsync(3);
        bench.Recorder.TopicNodes(topic, []);
        await EndSegmentAsync(4);
        await EndSegmentAsync(5);
        bench.Recorder.TopicNodes(topic, ["/third"]);
        bench.Recorder.Message(topic, new MessageTimes(Start + 6, Start + 6, 6), BitConverter.GetBytes(6u));
        await bench.Desk.FinishAsync(session);
        // Who went is named by one segment more, for what of theirs was not written yet.
        string[] expected = ["/first /second", "/first /second", "/second", "/second", "/third"];
        Assert.Equal(expected, Enumerable.Range(0, 5).Select(i => Metadata(session, "edgecloud.nodes", segment: i)["/a"]));
    }

    [Fact]
    public async Task News_of_nodes_repeats_a_latched_message_only_where_it_was_not_recorded()
    {
        await using var bench = SessionBench.Create();
        var all = await bench.StartAsync();
        var byNode = await bench.Desk.StartAsync(Guid.CreateVersion7(), "", new TopicSelection { Nodes = ["/arm/*"] }, "test");
        var topic = bench.Recorder.TopicAppeared(Topic("/tf_static", "test/msg/Tree") with { Latched = true });
        bench.Recorder.Message(topic, new MessageTimes(Start, Start, 1), BitConverter.GetBytes(1u));
        bench.Recorder.TopicNodes(topic, ["/arm/driver"]);
        bench.Recorder.Message(topic, new MessageTimes(Start + 1, Start + 1, 2), BitConverter.GetBytes(2u));
        await bench.Desk.FinishAsync(all);
        await bench.Desk.FinishAsync(byNode);
        Assert.Equal([1u, 2u], SessionBench.Read(all)["/tf_static"]);
        Assert.Empty(SessionBench.Read(all, repeats: true));
        Assert.Equal([2u], SessionBench.Read(byNode)["/tf_static"]);
        Assert.Equal([1u], SessionBench.Read(byNode, repeats: true)["/tf_static"]);
    }

    [Fact]
    public async Task A_session_can_begin_paused()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.Desk.StartAsync(Guid.CreateVersion7(), "", TopicSelection.All, "test", paused: true);
        bench.Send("/a", 10);
        await bench.Desk.ResumeAsync(session);
        bench.Send("/a", 5);
        await bench.Desk.FinishAsync(session);
        var ledger = SessionBench.Ledger(session, "/a");
        Assert.Equal((15, 5, 10), (ledger.Received, ledger.Recorded, ledger.Paused));
        Assert.NotNull(Assert.Single(session.Describe().Pauses).ToNs);
    }

    [Fact]
    public async Task A_clock_that_is_set_begins_a_segment_and_is_noted()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 10);
        await bench.Desk.ClockJumpedAsync(-3_600_000_000_000);
        bench.Send("/a", 10);
        await bench.Desk.FinishAsync(session);
        Assert.Equal(2, session.Segments.Count);
        Assert.Equal(-3_600_000_000_000, Assert.Single(session.Describe().ClockJumps).ByNs);
        Assert.Equal("-3600000000000", Metadata(session, "edgecloud.ledger")["clock_jump_ns"]);
        Assert.All(session.Segments, s => Assert.True(s.Manifest.Clock is { WallNs: > 0, MonotonicNs: > 0, BootId.Length: 36 }));
    }

    [Fact]
    public async Task A_clock_that_jumps_for_ever_does_not_make_a_session_grow_for_ever()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        session.Update(f => f with { Manifest = f.Manifest with { ClockJumps = [.. Enumerable.Range(1, 1000).Select(i => new ClockJump(i, i))] } });
        using (new FullDisk(Path.Combine(session.Folder, "session.json")))
            await bench.Desk.ClockJumpedAsync(5000);
        Assert.Equal(1000, session.File.Manifest.ClockJumps[^1].ByNs);
        await bench.Desk.ClockJumpedAsync(6000);
        var jumps = session.File.Manifest.ClockJumps;
        Assert.Equal((1000, 3, 5000, 6000), (jumps.Count, jumps[0].ByNs, jumps[^2].ByNs, jumps[^1].ByNs));
    }

    [Fact]
    public async Task Segments_carry_the_metadata_record_of_rosbag2()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        await bench.Desk.FinishAsync(session);
        var yaml = Metadata(session, "rosbag2")["serialized_metadata"];
        Assert.StartsWith("version: 8\nstorage_identifier: mcap\nduration:\n  nanoseconds: 2000000\n", yaml, StringComparison.Ordinal);
        Assert.Contains("message_count: 3\ntopics_with_message_count:\n  - topic_metadata:\n      name: \"/a\"\n      type: \"test/msg/Number\"\n", yaml, StringComparison.Ordinal);
        Assert.Contains("relative_file_paths:\n  - 000001.mcap\n", yaml, StringComparison.Ordinal);
        Assert.Equal("amr-01", Metadata(session, "foxglove")["deviceName"]);
    }

    /// <summary>A metadata record of a session's first segment.</summary>
    private static IReadOnlyDictionary<string, string> Metadata(Session session, string name, int segment = 0)
    {
        using var reader = new McapStreamReader(File.OpenRead(session.Segments[segment].MediaPath));
        while (reader.Read(out var record))
        {
            if (record.Opcode == EdgeCloud.Mcap.Opcode.Metadata && record.ToMetadata() is var metadata && metadata.Name == name)
                return metadata.Pairs;
        }
        throw new InvalidOperationException($"{session.Segments[segment].MediaPath} has no metadata record {name}.");
    }
}
