using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EdgeCloud.Agent.Sources.Simulated;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Testing;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace EdgeCloud.Agent.Tests.Sources;

public sealed class SimulatedRobotTests
{
    private const long StampNs = 1_700_000_000_123_456_789;

    public static TheoryData<string> RosTopics => [.. new SimulatedRobot(1).Topics.Where(t => t.Topic.MessageEncoding == "cdr").Select(t => t.Topic.Topic)];

    [Theory, MemberData(nameof(RosTopics))]
    public void Every_cdr_message_decodes_by_its_own_schema(string topic)
    {
        var simulated = new SimulatedRobot(3).Topics.Single(t => t.Topic.Topic == topic);
        var schema = simulated.Topic.Schema!;
        var decode = MessageJson.Create(schema.Name, schema.Encoding, schema.Data.Span, simulated.Topic.MessageEncoding);
        for (uint i = 0; i < 50; i++)
        {
            var json = JsonDocument.Parse(decode.Write(simulated.Write(i * 0.1, StampNs + i, i)).ToArray());
            var header = topic is "/tf" or "/tf_static" ? json.RootElement.GetProperty("transforms")[0] : json.RootElement;
            Assert.Equal(1_700_000_000, header.GetProperty("header").GetProperty("stamp").GetProperty("sec").GetInt32());
        }
    }

    [Theory, MemberData(nameof(RosTopics))]
    public void Its_definitions_have_the_fields_of_the_public_ones_in_their_order(string topic)
    {
        var schema = new SimulatedRobot(1).Topics.Single(t => t.Topic.Topic == topic).Topic.Schema!;
        var sections = Encoding.UTF8.GetString(schema.Data.Span).Split("\n" + new string('=', 80) + "\nMSG: ");
        foreach (var (name, text) in sections.Select((s, i) => i == 0
            ? (schema.Name.Replace("/msg", "", StringComparison.Ordinal), s) : (s[..s.IndexOf('\n')], s[(s.IndexOf('\n') + 1)..])))
        {
            var published = TestData.Path($"ros2-msgs/{name.Replace("/", "/msg/", StringComparison.Ordinal)}.msg");
            Assert.Equal(Fields(File.ReadAllText(published)), Fields(text));
        }
    }

    [Fact]
    public void The_camera_sends_png_images_that_are_whole()
    {
        var camera = new Camera(1);
        for (uint i = 0; i < Camera.Frames; i++)
        {
            var pixels = DecodePng(camera.Frame(i));
            Assert.Equal(Camera.Height * (1 + Camera.Width * 3), pixels.Length);
        }
        Assert.NotEqual(camera.Frame(0).ToArray(), camera.Frame(1).ToArray());
    }

    [Fact]
    public void The_protobuf_topic_has_a_descriptor_set_that_protobuf_itself_accepts_and_messages_that_fit_it()
    {
        var topic = new SimulatedRobot(1).Topics.Single(t => t.Topic.MessageEncoding == "protobuf");
        var set = FileDescriptorSet.Parser.ParseFrom(topic.Topic.Schema!.Data.Span);
        var files = FileDescriptor.BuildFromByteStrings(set.File.Select(f => f.ToByteString()));
        var type = files[^1].MessageTypes.Single();
        Assert.Equal(topic.Topic.Schema.Name, type.FullName);
        Assert.Equal("google.protobuf.Timestamp", type.FindFieldByName("stamp").MessageType.FullName);

        var input = new CodedInputStream(topic.Write(10, StampNs, 0).ToArray());
        List<int> fields = [];
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            var field = type.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            fields.Add(field.FieldNumber);
            switch (field.FieldType)
            {
                case FieldType.Message:
                    var stamp = Google.Protobuf.WellKnownTypes.Timestamp.Parser.ParseFrom(input.ReadBytes());
                    Assert.Equal((StampNs / 1_000_000_000, (int)(StampNs % 1_000_000_000)), (stamp.Seconds, stamp.Nanos));
                    break;
                case FieldType.Double:
                    Assert.True(double.IsFinite(input.ReadDouble()));
                    break;
                default:
                    Assert.Equal("ok", input.ReadString());
                    break;
            }
        }
        Assert.Equal([1, 2, 3, 4, 5], fields);
    }

    [Fact]
    public async Task Robots_of_one_seed_send_the_same_and_robots_of_two_do_not()
    {
        var (first, again, other) = (await PlayAsync(7), await PlayAsync(7), await PlayAsync(8));
        Assert.Equal(first.Messages.Select(m => m.Payload), again.Messages.Select(m => m.Payload));
        Assert.NotEqual(first.On("/lidar/points").Select(m => m.Payload), other.On("/lidar/points").Select(m => m.Payload));
        Assert.NotEqual(first.On("/odom").Select(m => m.Payload), other.On("/odom").Select(m => m.Payload));
    }

    [Fact]
    public async Task It_sends_at_its_rates_with_stamps_on_schedule_and_numbers_without_gaps()
    {
        var sink = await PlayAsync(1);
        foreach (var topic in new SimulatedRobot(1).Topics)
        {
            var messages = sink.On(topic.Topic.Topic).ToList();
            Assert.InRange(messages.Count, topic.Hz == 0 ? 1 : topic.Hz * 2, topic.Hz == 0 ? 1 : topic.Hz * 2 + 1);
            Assert.Equal(Enumerable.Range(0, messages.Count).Select(i => (uint)i), messages.Select(m => m.Times.Sequence));
            Assert.All(messages.Zip(messages.Skip(1)), pair =>
                Assert.InRange(pair.Second.Times.PublishTimeNs - pair.First.Times.PublishTimeNs, 1e9 / topic.Hz - 2, 1e9 / topic.Hz + 2));
            Assert.All(messages, m => Assert.True(m.Times.LogTimeNs >= m.Times.PublishTimeNs));
        }
        Assert.InRange(sink.Messages.Sum(m => m.Payload.Length) / 2.0, 1e6, 2e6);
    }

    /// <summary>Two seconds of a robot on a clock that the test turns.</summary>
    private static async Task<CollectingSink> PlayAsync(int seed)
    {
        var (clock, sink) = (new ManualClock(), new CollectingSink());
        using var end = new CancellationTokenSource();
        var playing = new SimulatedSource(seed, 1, clock).RunAsync(sink, end.Token);
        for (var i = 0; i < 200; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            // The tick is delivered by the thread pool: the 100 Hz topic tells when.
            await Eventually.Holds(() => sink.On("/imu/data").Count() >= i + 2, TimeSpan.FromSeconds(60), "the tick's messages");
        }
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => playing);
        return sink;
    }

    private static List<string> Fields(string definition) =>
        [.. definition.Split('\n').Select(l => l.Split('#')[0].Trim()).Where(l => l.Length > 0)
            .Select(l => l.Contains('=', StringComparison.Ordinal)
                ? string.Concat(l.Where(c => c != ' ')) : string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    private static byte[] DecodePng(ReadOnlySpan<byte> file)
    {
        Assert.Equal("89504E470D0A1A0A", Convert.ToHexString(file[..8]));
        var packed = new MemoryStream();
        List<string> chunks = [];
        for (var at = 8; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
            var body = file.Slice(at + 4, 4 + length);
            Assert.Equal(Crc32.Compute(body), BinaryPrimitives.ReadUInt32BigEndian(file[(at + 8 + length)..]));
            chunks.Add(Encoding.ASCII.GetString(body[..4]));
            if (chunks[^1] == "IDAT")
                packed.Write(body[4..]);
            at += 12 + length;
        }
        Assert.Equal(["IHDR", "IDAT", "IEND"], chunks);
        packed.Position = 0;
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        var pixels = new MemoryStream();
        zlib.CopyTo(pixels);
        return pixels.ToArray();
    }
}
