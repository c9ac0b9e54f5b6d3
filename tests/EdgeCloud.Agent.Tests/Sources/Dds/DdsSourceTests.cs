using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;
using EdgeCloud.Testing.Ros;

namespace EdgeCloud.Agent.Tests.Sources.Dds;

/// <summary>The source dds hears publishers of two vendors that know nothing of ROS but its conventions.</summary>
public sealed class DdsSourceTests
{
    /// <summary>The hash that every ROS 2 node announces for std_msgs/msg/String.</summary>
    private const string StringHash = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18";

    [Theory]
    [InlineData(DdsVendor.Cyclone, "string", "std_msgs/msg/String", 33, 200)]
    [InlineData(DdsVendor.Cyclone, "imu", "sensor_msgs/msg/Imu", 0, 100)]
    [InlineData(DdsVendor.Cyclone, "tf", "tf2_msgs/msg/TFMessage", 0, 100)]
    [InlineData(DdsVendor.Cyclone, "diagnostics", "diagnostic_msgs/msg/DiagnosticArray", 0, 100)]
    [InlineData(DdsVendor.Cyclone, "cloud", "sensor_msgs/msg/PointCloud2", 1_300_001, 12)]
    [InlineData(DdsVendor.Fast, "string", "std_msgs/msg/String", 33, 200)]
    [InlineData(DdsVendor.Fast, "imu", "sensor_msgs/msg/Imu", 0, 100)]
    [InlineData(DdsVendor.Fast, "tf", "tf2_msgs/msg/TFMessage", 0, 100)]
    [InlineData(DdsVendor.Fast, "diagnostics", "diagnostic_msgs/msg/DiagnosticArray", 0, 100)]
    [InlineData(DdsVendor.Fast, "wide", "edge_msgs/msg/Wide", 5, 100)]
    [InlineData(DdsVendor.Fast, "cloud", "sensor_msgs/msg/PointCloud2", 1_300_001, 12)]
    public async Task Payloads_are_the_published_bytes(DdsVendor vendor, string kind, string type, int size, int count)
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(
            vendor, $"type={kind}", "topic=rt/robot/data", $"size={size}", $"count={count}", "rate=100", $"dump={bench.Dump()}");
        await publisher.DoneAsync();
        await bench.Until("/robot/data", t => t.Payloads.Count + t.Lost >= count, $"{count} messages");

        var published = RosPublisher.ReadDump(bench.Dump());
        var (payloads, times) = bench.On("/robot/data", t => (t.Payloads, t.Times));
        Assert.Equal(published.Count, payloads.Count);
        for (var i = 0; i < count; i++)
            Assert.True(published[i].AsSpan().SequenceEqual(payloads[i]), $"message {i}: {published[i].Length} bytes were published, {payloads[i].Length} came");
        Assert.Equal(Enumerable.Range(1, count).Select(n => (uint)n), times.Select(t => t.Sequence));
        Assert.All(times, t => Assert.InRange((long)(t.LogTimeNs - t.PublishTimeNs), 0, 60_000_000_000));
        var topic = Assert.Single(bench.On("/robot/data", t => t.Appearances));
        Assert.Equal((type, "cdr"), (topic.Type, topic.MessageEncoding));
        Assert.False(topic.Latched || topic.Schema!.Data.IsEmpty);
        Assert.Contains("reliability: 1", topic.Metadata["offered_qos_profiles"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DdsVendor.Cyclone, "depth=7", "- history: 1\n  depth: 7\n")]
    [InlineData(DdsVendor.Cyclone, "keepall=1", "- history: 2\n  depth: 0\n")]
    [InlineData(DdsVendor.Fast, "depth=7", "- history: 3\n  depth: 0\n")]
    public async Task The_offered_history_is_what_the_publisher_tells_of_it(DdsVendor vendor, string option, string expected)
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(vendor, "topic=rt/chatter", option, "count=1", "match=0");
        await bench.Until("/chatter", t => t.Appearances.Count > 0, "the topic");
        Assert.StartsWith(expected, bench.On("/chatter", t => t.Appearances)[^1].Metadata["offered_qos_profiles"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DdsVendor.Cyclone)]
    [InlineData(DdsVendor.Fast)]
    public async Task Hash_and_nodes_of_a_topic_are_known(DdsVendor vendor)
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(vendor, "topic=rt/chatter", $"hash={StringHash}", "node=talker", "count=1", "match=0");
        await bench.Until("/chatter", t => t.Nodes.Count > 0, "a node");
        Assert.Equal(["/test/talker"], bench.On("/chatter", t => t.Nodes));
        var topic = Assert.Single(bench.On("/chatter", t => t.Appearances));
        Assert.Equal(StringHash, topic.Metadata["topic_type_hash"]);
        Assert.DoesNotContain(bench.Log, l => l.Contains("RIHS01", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_definition_that_differs_from_the_announced_one_is_a_warning_with_both_hashes()
    {
        var other = "RIHS01_" + new string('0', 64);
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/chatter", $"hash={other}", "count=1", "match=0");
        await bench.Until("/chatter", t => t.Appearances.Count > 0, "the topic");
        var warning = Assert.Single(bench.Log, l => l.Contains(other, StringComparison.Ordinal));
        Assert.Contains(StringHash, warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_type_without_definition_is_recorded_under_its_name_with_an_empty_schema()
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/plain/chatter", "count=20", "rate=100", $"dump={bench.Dump()}");
        await publisher.DoneAsync();
        await bench.Until("/plain/chatter", t => t.Payloads.Count == 20, "20 messages");
        Assert.Equal("std_msgs/msg/String", Assert.Single(bench.On("/plain/chatter", t => t.Appearances)).Type);

        // The same without any folder of definitions.
        var definitions = new MessageDefinitions([], bench);
        var schema = definitions.Find("std_msgs/msg/String", null, "/plain/chatter");
        Assert.Equal(("std_msgs/msg/String", "", 0), (schema.Name, schema.Encoding, schema.Data.Length));
    }

    [Theory]
    [InlineData(DdsVendor.Cyclone)]
    [InlineData(DdsVendor.Fast)]
    public async Task Late_recorders_get_what_transient_local_publishers_kept(DdsVendor vendor)
    {
        await using var bench = new DdsBench();
        await using var publisher = await bench.PublishAsync(
            vendor, "type=tf", "topic=rt/tf_static", "transient=1", "depth=5", "count=8", "match=0", $"dump={bench.Dump()}");
        await publisher.DoneAsync();
        bench.Listen();
        await bench.Until("/tf_static", t => t.Payloads.Count == 5, "the last five");
        Assert.Equal([4u, 5u, 6u, 7u, 8u], bench.On("/tf_static", t => t.Times.Select(x => x.Sequence)));
        Assert.Equal(RosPublisher.ReadDump(bench.Dump()).Skip(3), bench.On("/tf_static", t => t.Payloads));
        Assert.True(Assert.Single(bench.On("/tf_static", t => t.Appearances)).Latched);
        Assert.Equal(0, bench.On("/tf_static", t => t.Lost));
    }

    [Fact]
    public async Task Each_publisher_of_a_latched_topic_is_kept_apart_and_its_successor_takes_its_place()
    {
        await using var bench = DdsBench.Start();
        Task<RosPublisher> PublishAsync(string node) =>
            bench.PublishAsync(DdsVendor.Cyclone, "type=tf", "topic=rt/tf_static", "transient=1", "count=1", $"node={node}");
        var first = await PublishAsync("first");
        await bench.Until("/tf_static", t => t.Payloads.Count == 1, "the first publisher's message");
        await using var second = await PublishAsync("second");
        await bench.Until("/tf_static", t => t.Payloads.Count == 2, "the second publisher's message");
        await first.DisposeAsync();
        await bench.Until("/tf_static", t => t.Nodes is ["/test/second"], "one publisher less");
        await using var again = await PublishAsync("again");
        await bench.Until("/tf_static", t => t.Payloads.Count == 3, "the message of who takes the first one's place");
        Assert.Equal([0, 1, 0], bench.On("/tf_static", t => t.Publishers));
    }

    [Fact]
    public async Task Writers_of_mixed_quality_are_all_heard_and_none_twice()
    {
        await using var bench = DdsBench.Start();
        // Each tells its own numbers by its payloads: 0 to 399 and 1000 to 1199.
        await using var reliable = await bench.PublishAsync(
            DdsVendor.Cyclone, "type=imu", "topic=rt/mixed", "transient=1", "count=400", "rate=100", "depth=1000", $"dump={bench.Dump("a")}");
        await bench.Until("/mixed", t => t.Payloads.Count > 20, "the first writer's messages");
        await using var loose = await bench.PublishAsync(
            DdsVendor.Fast, "type=imu", "topic=rt/mixed", "reliable=0", "count=200", "rate=100", "first=1000", "settle=1500", $"dump={bench.Dump("b")}");
        await reliable.DoneAsync();
        await loose.DoneAsync();
        await bench.Until("/mixed", t => t.Payloads.Count + t.Lost >= 600, "600 messages");

        Assert.Equal((600, 0), bench.On("/mixed", t => (t.Payloads.Count, t.Lost)));
        var published = RosPublisher.ReadDump(bench.Dump("a")).Concat(RosPublisher.ReadDump(bench.Dump("b")));
        Assert.Equal(published.Select(Convert.ToHexString).Order(StringComparer.Ordinal), bench.On("/mixed", t => t.Payloads.Select(Convert.ToHexString)).Order(StringComparer.Ordinal));
        Assert.Contains(bench.Log, l => l.StartsWith("/mixed: subscribed as best effort, volatile instead of reliable, transient local", StringComparison.Ordinal));
        Assert.Contains("reliability: 2", bench.On("/mixed", t => t.Appearances)[^1].Metadata["offered_qos_profiles"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writers_come_die_and_come_again()
    {
        await using var bench = DdsBench.Start();
        await using (var first = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/life", "count=50", "rate=200"))
        {
            await first.DoneAsync();
            await bench.Until("/life", t => t.Payloads.Count == 50, "50 messages");
        }
        await bench.Until("/life", t => t.IsGone, "a farewell");
        await using var second = await bench.PublishAsync(DdsVendor.Fast, "topic=rt/life", "count=50", "rate=200");
        await second.DoneAsync();
        await bench.Until("/life", t => t.Payloads.Count == 100, "50 more");
        second.Kill();
        await using var third = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/life", "count=50", "rate=200");
        await third.DoneAsync();
        await bench.Until("/life", t => t.Payloads.Count == 150, "50 of the third");
        Assert.Equal(0, bench.On("/life", t => t.Lost));
    }

    [Fact]
    public async Task A_killed_writers_topic_goes_when_its_lease_ends()
    {
        await using var bench = DdsBench.Start();
        var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/short", "count=5");
        await publisher.DoneAsync();
        await bench.Until("/short", t => t.Payloads.Count == 5, "5 messages");
        publisher.Kill();
        await bench.Until("/short", t => t.IsGone, "the end of the lease");
        Assert.Equal((5, 0), bench.On("/short", t => (t.Payloads.Count, t.Lost)));
    }

    [Fact]
    public async Task A_domain_hears_nothing_of_another()
    {
        await using var bench = DdsBench.Start();
        await using var other = DdsBench.Start();
        await using var here = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/here", "count=20", "rate=100");
        await using var there = await other.PublishAsync(DdsVendor.Fast, "topic=rt/there", "count=30", "rate=100");
        await here.DoneAsync();
        await there.DoneAsync();
        await bench.Until("/here", t => t.Payloads.Count == 20, "20 messages");
        await other.Until("/there", t => t.Payloads.Count == 30, "30 messages");
        Assert.Equal(["/here"], bench.Topics);
        Assert.Equal(["/there"], other.Topics);
    }

    [Theory]
    [InlineData(DdsVendor.Cyclone)]
    [InlineData(DdsVendor.Fast)]
    public async Task On_the_loopback_alone_publishers_are_heard_as_ROS_LOCALHOST_ONLY_wants_it(DdsVendor vendor)
    {
        await using var bench = DdsBench.Start(dds: new DdsSettings { Interfaces = ["lo"], Peers = ["localhost"], Multicast = DdsMulticast.Discovery });
        await using var publisher = await bench.PublishAsync(vendor, "local=1", "topic=rt/near", "count=40", "rate=100", $"dump={bench.Dump()}");
        await publisher.DoneAsync();
        await bench.Until("/near", t => t.Payloads.Count == 40, "40 messages");
        Assert.Equal(RosPublisher.ReadDump(bench.Dump()), bench.On("/near", t => t.Payloads));
    }

    [Fact]
    public async Task What_the_network_loses_is_counted()
    {
        await using var bench = DdsBench.Start();
        const string Lossy = "<CycloneDDS><Domain><Internal><Test><XmitLossiness>150</XmitLossiness></Test></Internal></Domain></CycloneDDS>";
        await using var publisher = await bench.PublishAsync(
            DdsVendor.Cyclone, "type=imu", "topic=rt/lossy", "reliable=0", "count=1000", "rate=500", $"config={Lossy}");
        await publisher.DoneAsync();
        // Which of the last messages arrives is chance; whichever it is, all before it are accounted for.
        await bench.Until("/lossy", t => t.Times.Count > 0 && t.Times[^1].Sequence > 980, "the end");
        var (received, lost, first, last) = bench.On("/lossy", t => (t.Times.Count, t.Lost, t.Times[0].Sequence, t.Times[^1].Sequence));
        Assert.Equal(last - first + 1, received + lost);
        Assert.InRange(lost, 20, 600);
    }

    [Fact]
    public async Task Without_memory_messages_are_counted_as_lost_and_memory_stays_bounded()
    {
        using var gate = new ManualResetEventSlim();
        var heard = 0;
        await using var bench = new DdsBench
        {
            OnMessage = () =>
            {
                if (++heard > 3)
                    gate.Wait();
            },
        };
        bench.Listen(dds: new DdsSettings { WaitingBytes = 1 << 20 });
        await using var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "type=cloud", "size=100000", "topic=rt/much", "count=60", "rate=60");
        await bench.Until("/much", t => t.Payloads.Count > 3, "the first messages");
        await publisher.DoneAsync();
        gate.Set();
        await bench.Until("/much", t => t.Payloads.Count + t.Lost >= 60, "an account of all");
        Assert.InRange(bench.On("/much", t => t.Lost), 1, 59);
        Assert.Equal(60, bench.On("/much", t => t.Payloads.Count + t.Lost));
    }

    [Fact]
    public async Task Rules_say_which_kinds_of_topics_are_heard()
    {
        string[] topics = ["rt/seen", "rt/_hidden", "rt/a/_action/feedback", "rq/addRequest", "rr/addReply", "rt/add/_service_event", "rt/parameter_events", "plain"];
        async Task<IReadOnlyList<string>> Heard(RosTopicRules rules, int count)
        {
            await using var bench = DdsBench.Start(new RosSettings { Rules = rules });
            var publishers = new List<RosPublisher>();
            foreach (var topic in topics)
                publishers.Add(await bench.PublishAsync(DdsVendor.Cyclone, $"topic={topic}", "match=0"));
            await Testing.Eventually.Holds(() => bench.Topics.Count >= count, DdsBench.Deadline, $"{count} topics, not {string.Join(' ', bench.Topics)}");
            foreach (var publisher in publishers)
                await publisher.DisposeAsync();
            return bench.Topics;
        }
        Assert.Equal(["/parameter_events", "/seen"], await Heard(new RosTopicRules(), 2));
        var all = new RosTopicRules { Hidden = true, Services = true, ServiceEvents = true, Actions = true, Plain = true };
        Assert.Equal(
            ["/_hidden", "/a/_action/feedback", "/add/_service_event", "/parameter_events", "/seen", "plain", "rq/addRequest", "rr/addReply"],
            await Heard(all, 8));
    }

    [Fact]
    public async Task Publishers_in_partitions_are_heard()
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/apart", "partition=left", "count=10");
        await publisher.DoneAsync();
        await bench.Until("/apart", t => t.Payloads.Count == 10, "10 messages");
    }

    [Fact]
    public async Task Five_hundred_topics_are_found()
    {
        await using var bench = DdsBench.Start();
        await using var publisher = await bench.PublishAsync(DdsVendor.Cyclone, "topic=rt/many", "topics=500", "count=500");
        await publisher.DoneAsync();
        await bench.Until("/many_499", t => t.Payloads.Count == 1, "the last topic's message");
        Assert.Equal(500, bench.Topics.Count);
        Assert.All(bench.Topics, t => Assert.Equal(1, bench.On(t, h => h.Payloads.Count)));
    }
}
