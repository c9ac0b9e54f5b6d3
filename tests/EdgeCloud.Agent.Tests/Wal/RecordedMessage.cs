using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;

namespace EdgeCloud.Agent.Tests.Wal;

/// <summary>One message as a test compares it.</summary>
internal readonly record struct RecordedMessage(string Topic, uint Sequence, ulong LogTime, ulong PublishTime, int Length, uint Hash)
{
    public static RecordedMessage Of(string topic, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data) =>
        new(topic, sequence, logTime, publishTime, data.Length, Crc32.Compute(data));
}

/// <summary>Reads segments back, checking that streaming and indexed reads agree.</summary>
internal static class Segments
{
    /// <summary>Messages of a sealed segment in the order of the file: those recorded in it, and the repeats of latched ones.</summary>
    public static async Task<(List<RecordedMessage> Recorded, List<RecordedMessage> Repeated)> ReadAsync(string path) =>
        await ReadAsync(await File.ReadAllBytesAsync(path));

    /// <summary>The same of its bytes.</summary>
    public static async Task<(List<RecordedMessage> Recorded, List<RecordedMessage> Repeated)> ReadAsync(byte[] file)
    {
        List<RecordedMessage> recorded = [], repeated = [];
        using (var reader = new McapStreamReader(new MemoryStream(file)))
        {
            while (reader.ReadMessage(out var message))
            {
                var channel = reader.Channels[message.ChannelId];
                var list = channel.Metadata.ContainsKey("edgecloud.repeat") ? repeated : recorded;
                list.Add(Describe(channel, message));
            }
        }

        var report = await McapDoctor.ExamineAsync(new MemoryByteSource(file));
        Assert.Empty(report.Findings);

        List<RecordedMessage> indexed = [];
        await using var byIndex = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
        Assert.False(byIndex.Summary.Scanned);
        await foreach (var message in byIndex.ReadMessages(new McapReadOptions { Order = MessageOrder.File }))
            indexed.Add(Describe(byIndex.Channels[message.ChannelId], message));
        Assert.Equal(recorded.Concat(repeated).OrderBy(Order), indexed.OrderBy(Order));
        Assert.Equal((ulong)indexed.Count, byIndex.Summary.Statistics!.MessageCount);
        return (recorded, repeated);
    }

    private static (string, uint, ulong) Order(RecordedMessage message) => (message.Topic, message.Sequence, message.LogTime);

    private static RecordedMessage Describe(Channel channel, in Message message) =>
        RecordedMessage.Of(channel.Topic, message.Sequence, message.LogTime, message.PublishTime, message.Data.Span);
}
