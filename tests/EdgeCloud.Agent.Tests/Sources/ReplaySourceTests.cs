using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Replay;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sources;

public sealed class ReplaySourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("rosbag2/basic_types_zstd.mcap"), InlineData("rosbag2/topics_and_services.mcap"), InlineData("rosbag2/wbag_0.mcap")]
    public Task Original_times_pass_every_message_channel_and_schema_byte_for_byte(string relative) => ComparesAsync(TestData.Path(relative));

    [Theory, InlineData(true), InlineData(false)]
    public async Task Channels_without_schema_and_several_channels_of_one_topic_pass_too(bool chunked)
    {
        var input = _folder["odd.mcap"];
        using (var writer = new Mcap.Writing.McapWriter(File.Create(input), Unindexed(chunked)))
        {
            writer.Write(new Schema(7, "a/msg/A", "ros2msg", "int32 a\n"u8.ToArray()));
            writer.Write(new Schema(9, "a/msg/A", "ros2msg", "int64 a\n"u8.ToArray()));
            writer.Write(new Schema(11, "a/msg/Unknown", "", ReadOnlyMemory<byte>.Empty));
            writer.Write(new Channel(1, 0, "/raw", "json", new Dictionary<string, string> { ["z"] = "1", ["a"] = "2" }));
            writer.Write(new Channel(2, 7, "/a", "cdr", new Dictionary<string, string>()));
            writer.Write(new Channel(3, 9, "/a", "cdr", new Dictionary<string, string>()));
            writer.Write(new Channel(4, 11, "/unknown", "cdr", new Dictionary<string, string>()));
            for (uint i = 0; i < 40; i++)
                writer.WriteMessage((ushort)(i % 4 + 1), i, 1000 - i, i, new byte[i]);
        }
        await ComparesAsync(input);
    }

    private static async Task ComparesAsync(string input)
    {
        var sink = new CollectingSink();
        await new ReplaySource(Settings(input), TimeProvider.System).RunAsync(sink, CancellationToken.None);
        using var reader = new McapStreamReader(File.OpenRead(input));
        var delivered = sink.Messages.GetEnumerator();
        while (reader.ReadMessage(out var message))
        {
            Assert.True(delivered.MoveNext());
            var (channel, got) = (reader.Channels[message.ChannelId], delivered.Current);
            Assert.Equal((message.LogTime, message.PublishTime, message.Sequence),
                (got.Times.LogTimeNs, got.Times.PublishTimeNs, got.Times.Sequence));
            Assert.Equal(message.Data.ToArray(), got.Payload);
            Assert.Equal((channel.Topic, channel.MessageEncoding), (got.Topic.Topic, got.Topic.MessageEncoding));
            Assert.Equal(channel.Metadata, got.Topic.Metadata);
            var schema = reader.Schemas.GetValueOrDefault(channel.SchemaId);
            Assert.Equal((schema?.Name, schema?.Encoding), (got.Topic.Schema?.Name, got.Topic.Schema?.Encoding));
            Assert.Equal(schema?.Data.ToArray(), got.Topic.Schema?.Data.ToArray());
        }
        Assert.False(delivered.MoveNext());
        Assert.Equal(reader.Channels.Count, sink.Topics.Count);
    }

    [Fact]
    public async Task A_loop_starts_each_pass_now_and_keeps_the_way_from_publisher_to_recorder()
    {
        var input = TestData.Path("rosbag2/talker.mcap");
        var clock = new ManualClock();
        var one = new CollectingSink();
        await new ReplaySource(Settings(input), clock).RunAsync(one, CancellationToken.None);
        var twice = new CollectingSink(2 * one.Messages.Count);
        var settings = Settings(input) with { Times = ReplayTimes.Rebased, Loop = true, Rate = 10 };
        var playing = new ReplaySource(settings, clock).RunAsync(twice, twice.Full);
        while (!playing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => playing);
        var start = twice.Messages[0].Times.LogTimeNs;
        var second = twice.Messages[one.Messages.Count].Times.LogTimeNs;
        Assert.InRange(start, (ulong)new ManualClock().NowNs(), second);
        Assert.True(second > twice.Messages[one.Messages.Count - 1].Times.LogTimeNs);
        for (var i = 0; i < one.Messages.Count; i++)
        {
            var (original, rebased) = (one.Messages[i].Times, twice.Messages[i].Times);
            Assert.Equal((original.LogTimeNs - one.Messages[0].Times.LogTimeNs) / 10, rebased.LogTimeNs - start);
            Assert.Equal(original.LogTimeNs - original.PublishTimeNs, rebased.LogTimeNs - rebased.PublishTimeNs);
            Assert.Equal(original.Sequence, rebased.Sequence);
        }
    }

    [Fact]
    public async Task A_recording_without_duration_plays_once_a_second_in_a_loop()
    {
        var input = TestData.Path("rosbag2/wbag_0.mcap");
        var clock = new ManualClock();
        var one = new CollectingSink();
        await new ReplaySource(Settings(input), clock).RunAsync(one, CancellationToken.None);
        var thrice = new CollectingSink(3 * one.Messages.Count);
        var playing = new ReplaySource(Settings(input) with { Times = ReplayTimes.Rebased, Loop = true, Rate = 1 }, clock)
            .RunAsync(thrice, thrice.Full);
        while (!playing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => playing);
        var between = thrice.Messages[2 * one.Messages.Count].Times.LogTimeNs - thrice.Messages[0].Times.LogTimeNs;
        Assert.True(between >= 2_000_000_000, $"Two passes took {between} ns.");
    }

    [Fact]
    public async Task A_transient_local_topic_is_latched_and_a_volatile_one_is_not_nor_one_that_keeps_its_messages_for_a_while()
    {
        var sink = new CollectingSink();
        await new ReplaySource(Settings(TestData.Path("rosbag2/topics_and_services.mcap")), TimeProvider.System).RunAsync(sink, CancellationToken.None);
        Assert.True(sink.Topics.Single(t => t.Topic == "/add_two_ints/_service_event").Latched);
        Assert.False(sink.Topics.Single(t => t.Topic == "/parameter_events").Latched);
        Assert.False(sink.Topics.Single(t => t.Topic == "/rosout").Latched);
    }

    [Fact]
    public async Task Publishers_of_a_latched_topic_stay_apart_as_the_file_has_them()
    {
        var input = _folder["latched.mcap"];
        using (var writer = new Mcap.Writing.McapWriter(File.Create(input)))
        {
            var latched = new Dictionary<string, string> { ["offered_qos_profiles"] = "- durability: 1" };
            writer.Write(new Channel(1, 0, "/tf_static", "cdr", latched));
            writer.Write(new Channel(2, 0, "/tf_static", "cdr", latched));
            writer.Write(new Channel(3, 0, "/map", "cdr", latched));
            for (ushort i = 1; i <= 3; i++)
                writer.WriteMessage(i, i, i, i, [1]);
        }
        var sink = new CollectingSink();
        await new ReplaySource(Settings(input), TimeProvider.System).RunAsync(sink, CancellationToken.None);
        Assert.Equal([("/tf_static", 0), ("/tf_static", 1), ("/map", 0)], sink.Messages.Select(m => (m.Topic.Topic, m.Topic.Publisher)));
    }

    [Fact]
    public async Task Repeats_in_a_segment_are_not_played()
    {
        var input = _folder["segment.mcap"];
        using (var writer = new Mcap.Writing.McapWriter(File.Create(input)))
        {
            var topic = new Channel(1, 0, "/tf_static", "cdr", new Dictionary<string, string>());
            var repeat = new Channel(2, 0, "/tf_static", "cdr", new Dictionary<string, string> { ["edgecloud.repeat"] = "true" });
            writer.Write(topic);
            writer.Write(repeat);
            writer.WriteMessage(repeat.Id, 1, 100, 50, [1]);
            writer.WriteMessage(topic.Id, 2, 200, 150, [2]);
        }
        var sink = new CollectingSink();
        await new ReplaySource(Settings(input), TimeProvider.System).RunAsync(sink, CancellationToken.None);
        Assert.Equal(2u, Assert.Single(sink.Messages).Times.Sequence);
        Assert.Single(sink.Topics);
    }

    [Fact]
    public async Task A_file_that_ends_early_delivers_what_is_whole_and_says_where_it_broke()
    {
        var whole = File.ReadAllBytes(TestData.Path("rosbag2/wbag_0.mcap"));
        File.WriteAllBytes(_folder["cut.mcap"], whole[..(whole.Length / 2)]);
        var sink = new CollectingSink();
        var error = await Assert.ThrowsAsync<SourceException>(
            () => new ReplaySource(Settings(_folder["cut.mcap"]), TimeProvider.System).RunAsync(sink, CancellationToken.None));
        Assert.Contains("cut.mcap is broken after", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("nowhere.mcap", "cannot be opened"), InlineData("noise.mcap", "is broken after 0 messages")]
    public async Task A_file_that_is_no_recording_is_one_line(string name, string expected)
    {
        File.WriteAllText(_folder["noise.mcap"], "this is no recording at all, and long enough to look like one");
        var error = await Assert.ThrowsAsync<SourceException>(
            () => new ReplaySource(Settings(_folder[name]), TimeProvider.System).RunAsync(new CollectingSink(), CancellationToken.None));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static Mcap.Writing.McapWriterOptions Unindexed(bool chunked) => new() { Chunked = chunked, Summary = Mcap.Writing.SummaryOptions.None };

    private static SourceSettings Settings(string input) => new()
    {
        Kind = SourceKind.Replay,
        Input = input,
        Times = ReplayTimes.Original,
        Loop = false,
        Rate = 0,
    };
}
