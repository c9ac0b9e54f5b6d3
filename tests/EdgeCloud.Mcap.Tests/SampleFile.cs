using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Tests;

/// <summary>A message with a copy of its data, comparable.</summary>
public readonly record struct Copied(ushort ChannelId, uint Sequence, ulong LogTime, ulong PublishTime, string Data)
{
    public static Copied Of(Message message) =>
        new(message.ChannelId, message.Sequence, message.LogTime, message.PublishTime, Convert.ToHexString(message.Data.Span));
}

/// <summary>Files made for tests, and ways to read them whole.</summary>
public static class SampleFile
{
    /// <summary>A file with two schemas, five channels (two of one topic, one without a schema), an attachment, metadata and an application record.</summary>
    /// <param name="options">How it is laid out.</param>
    /// <param name="messages">How many messages.</param>
    /// <param name="seed">Decides channels, sizes, times and contents.</param>
    /// <param name="jitter">How far, in ns, log times stray from ascending.</param>
    public static byte[] Write(McapWriterOptions options, int messages = 40, int seed = 1, int jitter = 0)
    {
        var random = new Random(seed);
        var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, options, leaveOpen: true))
        {
            var first = writer.AddSchema("demo_msgs/msg/First", "ros2msg", "int32 a\nint32 b"u8.ToArray());
            var second = writer.AddSchema("demo_msgs/msg/Second", "ros2msg", "string text"u8.ToArray());
            writer.AddChannel(first.Id, "/first", "cdr", new Dictionary<string, string> { ["offered_qos_profiles"] = "- history: 3" });
            writer.AddChannel(first.Id, "/first", "cdr");
            writer.AddChannel(second.Id, "/second", "cdr");
            writer.AddChannel(0, "/plain", "json");
            writer.AddChannel(second.Id, "/silent", "cdr");
            writer.Write(new Metadata("rosbag2", new Dictionary<string, string> { ["a"] = "1", ["b"] = "zwei" }));
            for (var i = 0; i < messages; i++)
            {
                var data = new byte[random.Next(60)];
                random.NextBytes(data.AsSpan(data.Length / 3));
                var time = 1_000_000 + (ulong)(i * 10 + random.Next(jitter + 1));
                writer.WriteMessage((ushort)(1 + random.Next(4)), (uint)i, time, time - 5, data);
                if (i == messages / 2)
                {
                    writer.Write(new Attachment(time, 7, "notes.txt", "text/plain", "some notes"u8.ToArray()));
                    writer.WriteApplicationRecord((Opcode)0x80, [1, 2, 3]);
                }
            }
        }
        return stream.ToArray();
    }

    public static List<Copied> Stream(byte[] file)
    {
        using var reader = new McapStreamReader(new MemoryStream(file));
        var messages = new List<Copied>();
        while (reader.ReadMessage(out var message))
            messages.Add(Copied.Of(message));
        return messages;
    }

    public static async Task<List<Copied>> ByIndexAsync(
        byte[] file, McapReadOptions? options = null, McapIndexedReaderOptions? readerOptions = null)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file), readerOptions);
        return await ReadAsync(reader, options);
    }

    public static async Task<List<Copied>> ReadAsync(McapIndexedReader reader, McapReadOptions? options = null)
    {
        var messages = new List<Copied>();
        await foreach (var message in reader.ReadMessages(options))
            messages.Add(Copied.Of(message));
        return messages;
    }

    public static async Task<(byte[] File, McapRecoveryReport Report)> RecoverAsync(byte[] damaged)
    {
        var output = new MemoryStream();
        var report = await McapRecovery.RecoverAsync(new MemoryByteSource(damaged), output);
        return (output.ToArray(), report);
    }

    public static async Task AssertSoundAsync(byte[] file, string name = "the file")
    {
        var report = await McapDoctor.ExamineAsync(new MemoryByteSource(file));
        Assert.True(report.IsSound, $"{name}: {string.Join("; ", report.Findings)}");
    }
}
