using System.Text.Json.Nodes;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Host;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources.Dds;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Testing;
using EdgeCloud.Testing.Ros;

namespace EdgeCloud.Agent.Tests.Sources.Dds;

/// <summary>From publishers through the source and the write-ahead log to files that the tools of others open.</summary>
public sealed class RecordedRosTests : IDisposable
{
    private static readonly string[] Packages =
        ["@mcap/core@2.2.2", "@foxglove/rosmsg@5.0.5", "@foxglove/ros2idl-parser@0.3.5", "@foxglove/rosmsg2-serialization@3.1.0"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Recordings_are_decoded_by_the_tools_of_others()
    {
        await NodePackages.InstallAsync(Packages);
        await using var bench = new DdsBench();
        var configuration = new AgentConfiguration
        {
            Robot = "amr-01",
            DataDir = _folder["data"],
            Source = new SourceSettings
            {
                Kind = SourceKind.Dds,
                Dds = new DdsSettings { Domain = bench.Domain },
                Ros = new RosSettings { Definitions = [RosPublisher.Definitions] },
            },
            Recording = new RecordingSettings { Compression = ChunkCompression.None },
            Disk = new DiskSettings { MinimumFreeBytes = 1 << 20 },
        };
        using var stop = new CancellationTokenSource();
        var recording = RecordOnce.RunAsync(
            configuration, new DdsSource(configuration.Source.Dds, configuration.Source.Ros, bench), null, _ => bench, stop.Token);
        (DdsVendor Vendor, string Kind, int Count, string More)[] published =
        [
            (DdsVendor.Cyclone, "string", 50, "size=20"), (DdsVendor.Fast, "wide", 20, "size=3"), (DdsVendor.Cyclone, "tf", 30, "transient=1"),
            (DdsVendor.Fast, "cloud", 5, "size=1200000"), (DdsVendor.Cyclone, "imu", 40, "node=driver"), (DdsVendor.Fast, "diagnostics", 25, "node=monitor"),
        ];
        foreach (var (vendor, kind, count, more) in published)
        {
            await using var publisher = await bench.PublishAsync(vendor, $"type={kind}", $"topic=rt/{kind}", $"count={count}", "rate=100", more);
            await publisher.DoneAsync();
        }
        await stop.CancelAsync();
        var session = await recording.WaitAsync(DdsBench.Deadline);
        Assert.All(session.Describe().Ledger, e => Assert.Equal((e.Recorded, 0), (e.Received, e.Lost())));

        var input = string.Join('\n', session.Segments.Select(s => s.MediaPath));
        var script = Repository.PathTo("tests", "EdgeCloud.Agent.Tests", "Sources", "Dds", "decode.mjs");
        var topics = JsonNode.Parse(await NodePackages.RunAsync(script, Packages, input))!;
        foreach (var (_, kind, count, _) in published)
        {
            Assert.Equal(count, topics["/" + kind]!["marks"]!.AsArray().Count);
            Assert.NotNull(topics["/" + kind]!["metadata"]!["offered_qos_profiles"]);
        }
        Assert.Equal("abcdefghijklmnopqrst", (string?)topics["/string"]!["marks"]![0]);
        Assert.StartsWith("grüße 你好 ", WideText(session), StringComparison.Ordinal);
        Assert.Equal("ros2idl", (string?)topics["/wide"]!["encoding"]);
        Assert.Equal(1_200_000, (int?)topics["/cloud"]!["marks"]![4]);
        Assert.Equal(Enumerable.Range(0, 40), topics["/imu"]!["marks"]!.AsArray().Select(m => (int)m!));
        Assert.Equal("diagnostic_msgs/msg/DiagnosticArray", (string?)topics["/diagnostics"]!["type"]);
    }

    /// <summary>The text of the first message of wide text, as our own decoder has it.</summary>
    private static string WideText(Session session)
    {
        foreach (var segment in session.Segments) // more than one when the publishers took a minute to start
        {
            using var reader = new McapStreamReader(File.OpenRead(segment.MediaPath));
            while (reader.ReadMessage(out var message))
            {
                var channel = reader.Channels[message.ChannelId];
                if (channel.Topic != "/wide")
                    continue;
                var schema = reader.Schemas[channel.SchemaId];
                var json = MessageJson.Create(schema.Name, schema.Encoding, schema.Data.Span, channel.MessageEncoding).Write(message.Data.Span);
                return (string)JsonNode.Parse(json.ToArray())!["text"]!;
            }
        }
        throw new InvalidOperationException($"{session.Folder} has no message on /wide.");
    }
}
