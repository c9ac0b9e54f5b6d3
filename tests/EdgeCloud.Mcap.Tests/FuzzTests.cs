using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;
using EdgeCloud.Mcap.Tests.Conformance;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Tests;

/// <summary>
/// Damaged files make readers throw <see cref="McapException"/> or read on, and nothing else: no other exception, no hang, no memory
/// beyond the limits. <c>EDGECLOUD_FUZZ_FILES</c> sets how many mutated files are tried; a failure names its seed.
/// </summary>
public sealed class FuzzTests
{
    private const int FilesByDefault = 20_000;
    private const int ChunkBytesMax = 1 << 20;

    // What one mutated file may cost: twice its own bytes, a chunk at its limit for each of the readers, and small change.
    private const long AllocationMax = 16 << 20;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Mutated_files_are_read_or_refused()
    {
        var corpus = Corpus();
        var files = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_FUZZ_FILES") ?? $"{FilesByDefault}", CultureInfo.InvariantCulture);
        for (var seed = 0; seed < files; seed++)
        {
            var file = Mutate(corpus[seed % corpus.Count], new Random(seed));
            var clock = Stopwatch.StartNew();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                await ReadEverywayAsync(file);
            }
            catch (Exception e) when (e is not McapException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(allocated < AllocationMax, $"seed {seed} allocated {allocated} bytes");
            Assert.True(clock.Elapsed < Deadline, $"seed {seed} took {clock.Elapsed}");
        }
    }

    [Theory]
    [InlineData("chunks"), InlineData("zstd"), InlineData("no chunks")]
    public async Task A_length_of_2_to_the_60_is_an_error_that_names_offset_and_record(string layout)
    {
        var file = SampleFile.Write(DoctorTests.Options(layout));
        var positions = new List<McapRecord>();
        using (var parser = new RecordParser(new() { ExpandChunks = false }))
        {
            parser.Append(file);
            while (parser.Read(out var record) == ParseResult.Record)
                positions.Add(new(record.Opcode, default, record.Position));
        }
        foreach (var record in positions)
        {
            var damaged = file.ToArray();
            BinaryPrimitives.WriteUInt64LittleEndian(damaged.AsSpan((int)record.Position.Offset + 1), 1UL << 60);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var e = Assert.Throws<McapException>(() => SampleFile.Stream(damaged));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
            Assert.Equal($"{McapRecord.NameOf(record.Opcode)} length at offset {record.Position.Offset}: expected at most {McapFormat.RecordBytesLimit} bytes, found {1UL << 60}", e.Message);
            await SampleFile.RecoverAsync(damaged);
        }
    }

    [Fact]
    public void Fed_byte_by_byte_the_parser_gives_the_same_records()
    {
        var file = SampleFile.Write(DoctorTests.Options("lz4"));
        Assert.Equal(Records(file, file.Length), Records(file, 1));
        Assert.Equal(Records(file, file.Length), Records(file, 7));

        static List<(Opcode, RecordPosition, string)> Records(byte[] file, int step)
        {
            using var parser = new RecordParser();
            var records = new List<(Opcode, RecordPosition, string)>();
            for (var at = 0; ;)
            {
                var result = parser.Read(out var record);
                if (result == ParseResult.End)
                    return records;
                if (result == ParseResult.Record)
                {
                    records.Add((record.Opcode, record.Position, Convert.ToHexString(record.Content.Span)));
                    continue;
                }
                var length = Math.Min(step, file.Length - at);
                parser.Append(file.AsSpan(at, length));
                at += length;
            }
        }
    }

    private static List<byte[]> Corpus()
    {
        var corpus = new List<byte[]>();
        foreach (var layout in DoctorTests.Layouts)
            corpus.Add(SampleFile.Write(DoctorTests.Options((string)layout.Data), messages: 20));
        corpus.AddRange(ConformanceCase.All.Where((_, i) => i % 10 == 0).Select(one => one.Write()));
        return corpus;
    }

    private static async Task ReadEverywayAsync(byte[] file)
    {
        await RefusedOrNot(() =>
        {
            using var reader = new McapStreamReader(new MemoryStream(file), new() { ChunkBytesMax = ChunkBytesMax });
            while (reader.Read(out var record))
                Decode(record);
            return default;
        });
        await RefusedOrNot(async () =>
        {
            var options = new McapIndexedReaderOptions { ChunkBytesMax = ChunkBytesMax, OpenBytesMax = 1 << 16 };
            await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file), options);
            await foreach (var _ in reader.ReadMessages(new() { Order = (MessageOrder)(file.Length % 3) }))
            {
            }
        });
        await McapDoctor.ExamineAsync(new MemoryByteSource(file), chunkBytesMax: ChunkBytesMax);
        await RefusedOrNot(async () =>
        {
            var output = new MemoryStream();
            await McapRecovery.RecoverAsync(new MemoryByteSource(file), output, new() { ChunkBytesMax = ChunkBytesMax, Compression = McapCompression.None });
            await SampleFile.AssertSoundAsync(output.ToArray(), "what was recovered");
        });
    }

    private static async Task RefusedOrNot(Func<ValueTask> read)
    {
        try
        {
            await read();
        }
        catch (McapException)
        {
            // refused, as it may be
        }
    }

    private static object? Decode(McapRecord record) => record.Opcode switch
    {
        Opcode.Header => record.ToHeader(),
        Opcode.Footer => record.ToFooter(),
        Opcode.Schema => record.ToSchema(),
        Opcode.Channel => record.ToChannel(),
        Opcode.Message => record.ToMessage(),
        Opcode.MessageIndex => record.ToMessageIndex(),
        Opcode.ChunkIndex => record.ToChunkIndex(),
        Opcode.Attachment => record.ToAttachment(),
        Opcode.AttachmentIndex => record.ToAttachmentIndex(),
        Opcode.Statistics => record.ToStatistics(),
        Opcode.Metadata => record.ToMetadata(),
        Opcode.MetadataIndex => record.ToMetadataIndex(),
        Opcode.SummaryOffset => record.ToSummaryOffset(),
        Opcode.DataEnd => record.ToDataEnd(),
        _ => null,
    };

    private static byte[] Mutate(byte[] original, Random random)
    {
        var file = original.ToArray();
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            var at = random.Next(file.Length);
            switch (random.Next(7))
            {
                case 0:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[at] = (byte)random.Next(256);
                    break;
                case 2:
                    file = file[..Math.Max(at, 1)];
                    break;
                case 3: // a number that is large, or just off
                    ulong[] numbers = [ulong.MaxValue, 1UL << 60, int.MaxValue, 0, (ulong)file.Length, (ulong)random.Next(256)];
                    if (file.Length - at >= 8)
                        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), numbers[random.Next(numbers.Length)]);
                    break;
                case 4: // a stretch that is there twice
                    var length = random.Next(Math.Min(200, file.Length - at));
                    file = [.. file[..(at + length)], .. file[at..(at + length)], .. file[(at + length)..]];
                    break;
                case 5: // a stretch that is missing
                    file = [.. file[..at], .. file[Math.Min(file.Length, at + random.Next(100))..], 0];
                    break;
                default:
                    file.AsSpan(at, random.Next(Math.Min(50, file.Length - at))).Clear();
                    break;
            }
        }
        return file;
    }

    [Fact]
    public async Task A_chunk_that_ends_within_a_record_is_an_error_however_many_bytes_are_left()
    {
        const int payload = 40;
        var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new() { Compression = McapCompression.None, ChunkCrc = false }, leaveOpen: true))
        {
            var channel = writer.AddChannel(0, "/a", "cdr");
            for (var i = 0; i < 3; i++)
                writer.WriteMessage(channel.Id, 0, 1, 1, Enumerable.Repeat((byte)Opcode.Message, payload).ToArray());
        }
        for (var left = 1; left <= payload; left++)
        {
            var file = stream.ToArray();
            await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
            var chunk = reader.Summary.ChunkIndexes.Single();
            var last = (int)(chunk.ChunkStartOffset + chunk.ChunkLength) - McapFormat.MessagePrefixBytes - payload;
            BitConverter.TryWriteBytes(file.AsSpan(last + 1), (long)McapFormat.MessageHeaderBytes + payload - left);
            await Assert.ThrowsAsync<McapException>(async () => await reader.ReadMessages().GetAsyncEnumerator().MoveNextAsync());
        }
    }
}
