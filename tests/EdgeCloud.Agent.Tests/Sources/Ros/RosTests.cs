using System.Text;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Dds;
using EdgeCloud.Agent.Sources.Ros;
using EdgeCloud.Ros2;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sources.Ros;

public sealed class RosTests
{
    [Theory]
    [InlineData("rt/chatter", "/chatter", "Topic")]
    [InlineData("rt/robot/scan", "/robot/scan", "Topic")]
    [InlineData("rq/add_two_intsRequest", "/add_two_ints", "Request")]
    [InlineData("rr/robot/add_two_intsReply", "/robot/add_two_ints", "Reply")]
    [InlineData("rt/fib/_action/feedback", "/fib/_action/feedback", "Topic")]
    [InlineData("rq/chatter", "rq/chatter", "Other")]
    [InlineData("rtx", "rtx", "Other")]
    [InlineData("Square", "Square", "Other")]
    public void Topics_have_a_name_in_ROS(string dds, string name, string kind)
    {
        Assert.Equal((name, kind), RosNames.FromDds(dds) is var (n, k) ? (n, k.ToString()) : default);
        if (kind == "Topic")
            Assert.Equal(dds, RosNames.ToDds(name));
    }

    [Theory]
    [InlineData("std_msgs::msg::dds_::String_", "std_msgs/msg/String")]
    [InlineData("example_interfaces::srv::dds_::AddTwoInts_Request_", "example_interfaces/srv/AddTwoInts_Request")]
    [InlineData("example_interfaces::action::dds_::Fibonacci_FeedbackMessage_", "example_interfaces/action/Fibonacci_FeedbackMessage")]
    public void Types_have_a_name_in_ROS(string dds, string name)
    {
        Assert.Equal(name, RosNames.TypeFromDds(dds));
        Assert.Equal(dds, RosNames.TypeToDds(name));
    }

    [Theory]
    [InlineData("ShapeType")]
    [InlineData("dds_::_")]
    [InlineData("a::dds_::B")]
    public void Other_types_keep_theirs(string dds) => Assert.Equal(dds, RosNames.TypeFromDds(dds));

    [Fact]
    public void The_type_hash_stands_in_the_user_data()
    {
        var hash = "RIHS01_" + new string('a', 64);
        Assert.Equal(hash, RosNames.TypeHash(Encoding.UTF8.GetBytes($"enclave=/;typehash={hash};")));
        Assert.Equal(hash, RosNames.TypeHash(Encoding.UTF8.GetBytes($"typehash={hash}")));
        Assert.Null(RosNames.TypeHash("typehash=RIHS01_12;"u8));
        Assert.Null(RosNames.TypeHash("enclave=/;"u8));
        Assert.Null(RosNames.TypeHash([]));
    }

    [Theory]
    [InlineData("/a", "Topic", true, true)]
    [InlineData("/_a", "Topic", false, true)]
    [InlineData("/a/_b/c", "Topic", false, true)]
    [InlineData("/rosout", "Topic", true, true)]
    [InlineData("/parameter_events", "Topic", true, true)]
    [InlineData("/add/_service_event", "Topic", false, true)]
    [InlineData("/fib/_action/status", "Topic", false, true)]
    [InlineData("/add", "Request", false, true)]
    [InlineData("/node/get_parameters", "Reply", false, true)]
    [InlineData("/fib/_action/send_goal", "Request", false, true)]
    [InlineData("plain", "Other", false, true)]
    [InlineData("ros_discovery_info", "Other", false, false)]
    public void Rules_admit_what_they_say(string name, string kind, bool byDefault, bool withEverything)
    {
        var parsed = Enum.Parse<RosTopicKind>(kind);
        var everything = new RosTopicRules { Hidden = true, Services = true, ServiceEvents = true, Actions = true, Plain = true };
        Assert.Equal((byDefault, withEverything), (new RosTopicRules().Admits(name, parsed), everything.Admits(name, parsed)));
    }

    [Fact]
    public void Parameters_actions_and_events_have_switches_of_their_own()
    {
        Assert.False(new RosTopicRules { Parameters = false }.Admits("/parameter_events", RosTopicKind.Topic));
        Assert.False(new RosTopicRules { Parameters = false, Services = true }.Admits("/n/list_parameters", RosTopicKind.Request));
        Assert.True(new RosTopicRules { Parameters = false, Services = true }.Admits("/n/add", RosTopicKind.Request));
        Assert.False(new RosTopicRules { Services = true }.Admits("/f/_action/cancel_goal", RosTopicKind.Request));
        Assert.True(new RosTopicRules { ServiceEvents = true }.Admits("/n/add/_service_event", RosTopicKind.Topic));
        Assert.False(new RosTopicRules { Hidden = true }.Admits("/n/add/_service_event", RosTopicKind.Topic));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    public void Nodes_are_known_by_their_writers(int gidBytes)
    {
        var graph = new RosGraph();
        Assert.True(graph.Apply(DiscoveryInfo(gidBytes, 1, ("/", "talker", [5]), ("/arm", "driver", [6, 7]))));
        Assert.Equal("/talker", graph.NodeOf(Gid(5)));
        Assert.Equal("/arm/driver", graph.NodeOf(Gid(7)));
        // The participant's next message replaces its last one.
        Assert.True(graph.Apply(DiscoveryInfo(gidBytes, 1, ("/arm", "driver", [7]))));
        Assert.Null(graph.NodeOf(Gid(5)));
        Assert.Equal("/arm/driver", graph.NodeOf(Gid(7)));
        Assert.True(graph.Apply(DiscoveryInfo(gidBytes, 1)));
        Assert.Null(graph.NodeOf(Gid(7)));
        // A participant that went without a word goes with any of its entities: they have its first twelve bytes.
        Assert.True(graph.Apply(DiscoveryInfo(gidBytes, 1, ("/", "talker", [5]))));
        Assert.True(graph.Apply(DiscoveryInfo(gidBytes, 2, ("/", "listener", [6]))));
        graph.ForgetParticipantOf(Gid(1) ^ 0x3c4);
        Assert.Null(graph.NodeOf(Gid(5)));
        Assert.Equal("/listener", graph.NodeOf(Gid(6)));
    }

    [Fact]
    public void Damaged_discovery_messages_change_nothing()
    {
        var graph = new RosGraph();
        var good = DiscoveryInfo(16, 1, ("/", "talker", [5]));
        Assert.True(graph.Apply(good));
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var bad = good.AsSpan(0, random.Next(good.Length)).ToArray();
            if (bad.Length > 8)
                bad[random.Next(4, bad.Length)] ^= (byte)(1 << random.Next(8));
            graph.Apply(bad);
        }
        Assert.False(graph.Apply(good.AsSpan(0, good.Length - 8)));
        Assert.False(graph.Apply([]));
    }

    [Fact]
    public void Overrides_have_the_form_of_rosbag2()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["qos.yaml"], """
            /camera:
              reliability: best_effort
              history: keep_last
              depth: 5
              durability: system_default
              deadline: {sec: 2147483647, nsec: 4}
              lifespan: {sec: 1, nsec: 0}
              liveliness: automatic
              liveliness_lease_duration: {sec: 3, nsec: 500000000}
              avoid_ros_namespace_conventions: false
            /map: {durability: transient_local, history: keep_all}
            """);
        var overrides = QosOverrides.Read(folder["qos.yaml"]);
        var suitable = new ReaderQos { IsReliable = true };
        Assert.Equal(suitable, overrides.Apply("/other", suitable));
        var camera = overrides.Apply("/camera", suitable);
        Assert.Equal((false, false, 5, 3_500_000_000), (camera.IsReliable, camera.IsTransientLocal, camera.Depth, camera.LeaseNs));
        Assert.Equal((true, true, true), overrides.Apply("/map", suitable) is var map ? (map.IsReliable, map.IsTransientLocal, map.KeepAll) : default);
    }

    [Theory]
    [InlineData("/a: {reliability: fast}", "qos.yaml:1: /a: reliability is 'fast'; allowed is reliable, best_effort or system_default")]
    [InlineData("/a:\n  depht: 5", "qos.yaml:2: /a: depht is '5'; allowed is reliability, durability")]
    [InlineData("/a: {deadline: 5}", "deadline is '5'; allowed is {sec: ..., nsec: ...}")]
    [InlineData("a: {depth: 5}", "qos.yaml:1: 'a' must be a topic name beginning with '/'")]
    [InlineData("[1, 2]", "allowed is a mapping of topic names")]
    public void Overrides_that_are_wrong_say_where(string yaml, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["qos.yaml"], yaml);
        var error = Assert.Throws<ConfigurationException>(() => QosOverrides.Read(folder["qos.yaml"]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_overrides_file_is_named() =>
        Assert.Contains("/nowhere.yaml", Assert.Throws<ConfigurationException>(() => QosOverrides.Read("/nowhere.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void Cyclone_is_told_only_what_was_asked_for()
    {
        const string Buffers = "<CycloneDDS><Domain><Internal><SocketReceiveBufferSize max=\"8388608B\"/></Internal></Domain></CycloneDDS>";
        Assert.Equal(Buffers, CycloneConfiguration.Compose(new DdsSettings(), null));
        Assert.Equal(
            Buffers + ",file:///etc/cyclone.xml,<CycloneDDS><Domain><General><Interfaces><NetworkInterface name=\"eth&lt;0\"/>" +
                "<NetworkInterface address=\"10.0.0.1\"/></Interfaces><AllowMulticast>false</AllowMulticast></General><Discovery>" +
                "<ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>119</MaxAutoParticipantIndex><Peers><Peer address=\"robot\"/></Peers>" +
                "</Discovery></Domain></CycloneDDS>",
            CycloneConfiguration.Compose(
                new DdsSettings { Interfaces = ["eth<0", "10.0.0.1"], Peers = ["robot"], Multicast = DdsMulticast.Off }, "file:///etc/cyclone.xml"));
        Assert.Contains(
            "<NetworkInterface name=\"lo\" multicast=\"true\"/><NetworkInterface address=\"127.0.0.1\" multicast=\"true\"/>",
            CycloneConfiguration.Compose(new DdsSettings { Interfaces = ["lo", "127.0.0.1"] }, null), StringComparison.Ordinal);
    }

    [Fact]
    public void Profiles_are_written_as_rosbag2_writes_them()
    {
        var text = QosProfile.Write([new QosProfile(true, true) { LifespanNs = 10_000_000_001 }, new QosProfile(false, false)]);
        Assert.StartsWith("- history: 3\n  depth: 0\n  reliability: 1\n  durability: 1\n  deadline:\n    sec: 9223372036\n    nsec: 854775807\n" +
            "  lifespan:\n    sec: 10\n    nsec: 1\n  liveliness: 1\n", text, StringComparison.Ordinal);
        Assert.EndsWith("avoid_ros_namespace_conventions: false", text, StringComparison.Ordinal);
        Assert.Equal([false, false], OfferedQos.AreLatching(text));
        Assert.Equal([true], OfferedQos.AreLatching(QosProfile.Latched));
        Assert.True(new QosProfile(true, true).IsLatching);
        Assert.False(new QosProfile(true, true) { LifespanNs = 10_000_000_000 }.IsLatching);
    }

    private static UInt128 Gid(byte number) => ((UInt128)number << 120) | number;

    private static byte[] DiscoveryInfo(int gidBytes, byte participant, params (string Space, string Name, byte[] Writers)[] nodes)
    {
        var bytes = new List<byte> { 0, 1, 0, 0 };
        void Align()
        {
            while (bytes.Count % 4 != 0)
                bytes.Add(0);
        }
        void Count(int count)
        {
            Align();
            bytes.AddRange(BitConverter.GetBytes(count));
        }
        void AddGid(byte number)
        {
            var gid = new byte[gidBytes];
            gid[0] = gid[15] = number;
            bytes.AddRange(gid);
        }
        void Text(string text)
        {
            Count(text.Length + 1);
            bytes.AddRange(Encoding.UTF8.GetBytes(text));
            bytes.Add(0);
        }
        AddGid(participant);
        Count(nodes.Length);
        foreach (var (space, name, writers) in nodes)
        {
            Text(space);
            Text(name);
            Count(1);
            AddGid(99);
            Count(writers.Length);
            foreach (var writer in writers)
                AddGid(writer);
        }
        return [.. bytes];
    }
}
