using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests;

public sealed class RoundTripTests
{
    [Theory]
    [InlineData("wbag_0"), InlineData("wbag_1"), InlineData("topics_and_services"), InlineData("chatter_0")]
    [InlineData("talker"), InlineData("strings"), InlineData("only_topics"), InlineData("basic_types_zstd")]
    public async Task A_recording_of_rosbag2_reads_the_same_streaming_and_by_index(string name)
    {
        var path = TestData.Path($"rosbag2/{name}.mcap");
        var streamed = new List<(ushort, uint, ulong, ulong, string)>();
        using (var reader = new McapStreamReader(File.OpenRead(path)))
        {
            while (reader.ReadMessage(out var message))
                streamed.Add(Copy(message));
        }
        var indexed = new List<(ushort, uint, ulong, ulong, string)>();
        await using var byIndex = await McapIndexedReader.OpenAsync(path);
        await foreach (var message in byIndex.ReadMessages())
            indexed.Add(Copy(message));
        Assert.NotEmpty(indexed);
        Assert.Equal(byIndex.Summary.Statistics!.MessageCount, (ulong)indexed.Count);
        Assert.Equal(streamed.OrderBy(message => message.Item3), indexed);
    }

    [Theory]
    [InlineData(McapCompression.None), InlineData(McapCompression.Lz4), InlineData(McapCompression.Zstd)]
    public async Task What_is_written_in_many_chunks_is_read_in_every_order(McapCompression compression)
    {
        var random = new Random(7);
        var stream = new MemoryStream();
        var written = new List<(ushort, uint, ulong, ulong, string)>();
        using (var writer = new McapWriter(stream, new() { Compression = compression, ChunkBytes = 1000 }, leaveOpen: true))
        {
            var schema = writer.AddSchema("demo", "ros2msg", "int32 a"u8.ToArray());
            var channels = Enumerable.Range(0, 5).Select(i => writer.AddChannel(schema.Id, $"/topic{i}", "cdr").Id).ToArray();
            for (uint i = 0; i < 2000; i++)
            {
                var data = new byte[random.Next(200)];
                random.NextBytes(data.AsSpan(data.Length / 2));
                var message = new Message(channels[random.Next(5)], i, i * 10 + (ulong)random.Next(400), i, data);
                writer.Write(message);
                written.Add(Copy(message));
            }
        }
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(stream.ToArray()));
        Assert.False(reader.Summary.Scanned);
        var byTime = written.OrderBy(message => message.Item3).ToList();
        Assert.Equal(byTime, await ReadAll(reader, new()));
        Assert.Equal(Enumerable.Reverse(byTime), await ReadAll(reader, new() { Order = MessageOrder.ReverseLogTime }));
        Assert.Equal(written, await ReadAll(reader, new() { Order = MessageOrder.File }));
        var window = new McapReadOptions { StartTime = 5000, EndTime = 9000, Topics = topic => topic is "/topic1" or "/topic3" };
        Assert.Equal(
            byTime.Where(message => message.Item3 is >= 5000 and < 9000 && reader.Channels[message.Item1].Topic is "/topic1" or "/topic3")
                .Where(message => message.Item3 is >= 5000 and < 9000),
            await ReadAll(reader, window));
        // borders that lie within chunks
        var (from, to) = (byTime[byTime.Count / 3].Item3, byTime[byTime.Count * 2 / 3].Item3);
        var third = byTime.Where(message => message.Item3 >= from && message.Item3 < to).ToList();
        Assert.Equal(third, await ReadAll(reader, new() { StartTime = from, EndTime = to }));
        Assert.Equal(written.Where(third.Contains), await ReadAll(reader, new() { StartTime = from, EndTime = to, Order = MessageOrder.File }));
    }

    [Theory]
    [InlineData(MessageOrder.File), InlineData(MessageOrder.LogTime), InlineData(MessageOrder.ReverseLogTime)]
    public async Task A_damaged_chunk_leaves_no_memory_behind(MessageOrder order)
    {
        var file = SampleFile.Write(new() { Compression = McapCompression.Lz4, ChunkBytes = 500 }, messages: 200, jitter: 300);
        using var folder = new TemporaryFolder();
        foreach (var isCrc in new[] { true, false })
        {
            var damaged = file.ToArray();
            await using (var whole = await McapIndexedReader.OpenAsync(new MemoryByteSource(file)))
            {
                var chunk = whole.Summary.ChunkIndexes[whole.Summary.ChunkIndexes.Count / 2];
                // The CRC that it states, or the size of its first block.
                damaged[(int)chunk.ChunkStartOffset + (isCrc ? McapFormat.RecordPrefixBytes + 24 : (int)(chunk.ChunkLength - chunk.CompressedSize) + 16)] ^= 0x41;
            }
            await File.WriteAllBytesAsync(folder["damaged.mcap"], damaged, TestContext.Current.CancellationToken);
            var pool = new CountingPool();
            await using var reader = await McapIndexedReader.OpenAsync(folder["damaged.mcap"], new() { Buffers = pool });
            await Assert.ThrowsAsync<McapException>(() => ReadAll(reader, new() { Order = order }));
            Assert.True(pool.Rented > 2);
            Assert.Equal(0, pool.Out);
        }
    }

    private static async Task<List<(ushort, uint, ulong, ulong, string)>> ReadAll(McapIndexedReader reader, McapReadOptions options)
    {
        var read = new List<(ushort, uint, ulong, ulong, string)>();
        await foreach (var message in reader.ReadMessages(options))
            read.Add(Copy(message));
        return read;
    }

    private static (ushort, uint, ulong, ulong, string) Copy(Message message) =>
        (message.ChannelId, message.Sequence, message.LogTime, message.PublishTime, Convert.ToHexString(message.Data.Span));
}
