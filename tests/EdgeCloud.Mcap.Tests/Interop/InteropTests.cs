using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests.Interop;

/// <summary>Random files go both ways between this library and the TypeScript implementation. The seed is in the file's name.</summary>
public sealed class InteropTests : IDisposable
{
    private const int Files = 60;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_TypeScript_readers_read_every_file_that_the_writer_makes()
    {
        var files = new List<(string Path, byte[] Bytes)>();
        for (var seed = 0; seed < Files; seed++)
        {
            var options = RandomOptions(new Random(seed));
            var indexed = options is { Chunked: true, MessageIndex: true, Summary: { Channels: true, Schemas: true, ChunkIndexes: true } };
            var path = Path.Combine(_folder.Path, $"seed{seed}{(indexed ? ".indexed" : "")}.mcap");
            var bytes = SampleFile.Write(options, messages: new Random(seed).Next(200), seed, jitter: seed % 3 * 100);
            await File.WriteAllBytesAsync(path, bytes);
            files.Add((path, bytes));
        }
        var lines = (await TypeScriptMcap.RunAsync(["read", .. files.Select(file => file.Path)])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Files, lines.Length);
        foreach (var ((path, bytes), line) in files.Zip(lines))
        {
            var read = JsonNode.Parse(line)!;
            var written = SampleFile.Stream(bytes);
            Assert.Equal(written, Messages(read["messages"]!));
            if (read["indexed"] is JsonArray indexed)
                Assert.Equal(written.OrderBy(message => message.LogTime), Messages(indexed));
            Assert.True(read["attachments"]!.AsArray().Count == 1 && read["metadata"]!.AsArray().Count == 1, path);
        }
    }

    // Their soundness is not asked for: without chunks @mcap/core 2.2 writes wrong attachment offsets, and at times a channel count too low.
    [Fact]
    public async Task The_readers_read_every_file_that_the_TypeScript_writer_makes()
    {
        var cases = new List<(string Path, List<Copied> Messages)>();
        var arguments = new List<string> { "write" };
        for (var seed = 0; seed < Files; seed++)
        {
            var random = new Random(seed);
            var (spec, path) = (Path.Combine(_folder.Path, $"seed{seed}.json"), Path.Combine(_folder.Path, $"ts-seed{seed}.mcap"));
            var messages = Enumerable.Range(0, random.Next(200)).Select(i => RandomMessage(random, i)).ToList();
            await File.WriteAllTextAsync(spec, JsonSerializer.Serialize(new
            {
                options = new
                {
                    useChunks = random.Next(4) > 0,
                    chunkSize = random.Next(100, 3000),
                    useMessageIndex = random.Next(4) > 0,
                    useStatistics = random.Next(4) > 0,
                    useSummaryOffsets = random.Next(4) > 0,
                    repeatSchemas = random.Next(4) > 0,
                    repeatChannels = random.Next(4) > 0,
                    useChunkIndex = random.Next(4) > 0,
                },
                channels = new[] { "/a", "/b", "/c" },
                messages = messages.Select(m => new object[] { m.ChannelId, m.Sequence, m.LogTime.ToString(), m.PublishTime.ToString(), m.Data }),
            }));
            arguments.AddRange([spec, path]);
            cases.Add((path, messages));
        }
        await TypeScriptMcap.RunAsync(arguments);
        foreach (var (path, messages) in cases)
        {
            var bytes = await File.ReadAllBytesAsync(path);
            Assert.Equal(messages, SampleFile.Stream(bytes));
            Assert.Equal(messages.OrderBy(message => message.LogTime), await SampleFile.ByIndexAsync(bytes));
        }
    }

    private static Copied RandomMessage(Random random, int sequence)
    {
        var data = new byte[random.Next(80)];
        random.NextBytes(data);
        var time = (ulong)(sequence * 10 + random.Next(100));
        return new((ushort)random.Next(3), (uint)sequence, time, time + 3, Convert.ToHexString(data));
    }

    private static McapWriterOptions RandomOptions(Random random)
    {
        bool Mostly() => random.Next(4) > 0;
        return new()
        {
            Profile = "ros2",
            Chunked = Mostly(),
            ChunkBytes = random.Next(1, 3000),
            Compression = (McapCompression)random.Next(3),
            CompressionLevel = random.Next(1, 4),
            ChunkCrc = Mostly(),
            MessageIndex = Mostly(),
            DataSectionCrc = Mostly(),
            Summary = new()
            {
                Schemas = Mostly(),
                Channels = Mostly(),
                Statistics = Mostly(),
                ChunkIndexes = Mostly(),
                AttachmentIndexes = Mostly(),
                MetadataIndexes = Mostly(),
                SummaryOffsets = Mostly(),
                SummaryCrc = Mostly(),
            },
        };
    }

    private static IEnumerable<Copied> Messages(JsonNode messages) => messages.AsArray().Select(message => new Copied(
        (ushort)(int)message![0]!, (uint)message[1]!, ulong.Parse((string)message[2]!), ulong.Parse((string)message[3]!), (string)message[4]!));
}
