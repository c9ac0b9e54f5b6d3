using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;

namespace EdgeCloud.Mcap.Tests;

public sealed class RecoveryTests
{
    [Theory]
    [InlineData("chunks"), InlineData("zstd"), InlineData("lz4"), InlineData("no chunks"), InlineData("no summary")]
    public async Task Truncation_at_every_byte_recovers_exactly_the_intact_prefix(string layout)
    {
        var file = SampleFile.Write(DoctorTests.Options(layout), messages: 25);
        var whole = SampleFile.Stream(file);
        var ends = MessageEnds(file);
        for (var length = 0; length < file.Length; length++)
        {
            var (recovered, report) = await SampleFile.RecoverAsync(file[..length]);
            var expected = whole[..ends.Count(end => end <= length)];
            Assert.Equal(expected, SampleFile.Stream(recovered));
            Assert.Equal(expected.Count, report.MessageCount);
            await SampleFile.AssertSoundAsync(recovered, $"recovered from the first {length} bytes");
            Assert.All(report.Cuts, cut => Assert.True(cut.Length > 0 && cut.Offset + cut.Length <= length, $"{cut} of {length}"));
        }
    }

    [Theory]
    [InlineData("chunks"), InlineData("zstd"), InlineData("lz4")]
    public async Task A_damaged_chunk_costs_its_own_messages_and_no_others(string layout)
    {
        var file = SampleFile.Write(DoctorTests.Options(layout), messages: 60);
        var chunks = await ChunksAsync(file);
        var victim = chunks[chunks.Count / 2];
        var lost = (await MessagesOfAsync(file, victim)).ToHashSet();
        Assert.NotEmpty(lost);
        file[(int)victim.ChunkStartOffset + (int)victim.ChunkLength - 3] ^= 0x40;
        var (recovered, report) = await SampleFile.RecoverAsync(file);
        var cut = Assert.Single(report.Cuts);
        Assert.Equal(((long)victim.ChunkStartOffset, (long)victim.ChunkLength), (cut.Offset, cut.Length));
        var kept = SampleFile.Stream(recovered);
        Assert.Equal(60 - lost.Count, kept.Count);
        Assert.DoesNotContain(kept, lost.Contains);
        await SampleFile.AssertSoundAsync(recovered);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(3), InlineData(7)]
    public async Task A_damaged_length_does_not_hide_the_chunks_behind_it(int lengthByte)
    {
        var file = SampleFile.Write(DoctorTests.Options("zstd"), messages: 60);
        var chunks = await ChunksAsync(file);
        var victim = chunks[1];
        file[(int)victim.ChunkStartOffset + 1 + lengthByte] ^= 0x20;
        var (recovered, report) = await SampleFile.RecoverAsync(file);
        var lost = (await MessagesOfAsync(SampleFile.Write(DoctorTests.Options("zstd"), messages: 60), victim)).Count;
        Assert.InRange(report.ChunkCount, chunks.Count - 1, chunks.Count); // a length that is a little too long may still hold the chunk
        Assert.InRange(report.MessageCount, 60 - lost, 60);
        await SampleFile.AssertSoundAsync(recovered);
    }

    [Fact]
    public async Task A_recovery_that_fails_leaves_nothing_that_looks_like_a_whole_file()
    {
        var file = SampleFile.Write(DoctorTests.Options("zstd"), messages: 60);
        var output = new MemoryStream();
        var source = new FailingSource(file, reads: 1);

        await Assert.ThrowsAsync<IOException>(() => McapRecovery.RecoverAsync(source, output).AsTask());

        await Assert.ThrowsAnyAsync<McapException>(
            () => McapIndexedReader.OpenAsync(new MemoryByteSource(output.ToArray()), new() { AllowScan = false }).AsTask());
    }

    [Fact]
    public async Task Definitions_lost_with_their_chunk_are_borrowed_from_the_summary()
    {
        var file = SampleFile.Write(DoctorTests.Options("zstd"), messages: 60);
        var first = (await ChunksAsync(file))[0];
        file[(int)first.ChunkStartOffset + 60] ^= 1;
        var (recovered, report) = await SampleFile.RecoverAsync(file);
        Assert.Empty(report.LostChannels);
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(recovered));
        Assert.Contains(reader.Channels.Values, channel => channel.Topic == "/second" && reader.Schemas[channel.SchemaId].Name == "demo_msgs/msg/Second");
        await SampleFile.AssertSoundAsync(recovered);
    }

    [Fact]
    public async Task Messages_of_a_channel_that_is_defined_nowhere_are_kept_under_a_made_up_topic()
    {
        var file = SampleFile.Write(DoctorTests.Options("no summary"), messages: 60);
        var first = file.AsSpan().IndexOf("int32 a\nint32 b"u8);
        file[first] ^= 1;
        var (recovered, report) = await SampleFile.RecoverAsync(file);
        Assert.NotEmpty(report.LostChannels);
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(recovered));
        Assert.Contains(reader.Channels.Values, channel => channel.Topic.StartsWith("lost/channel_", StringComparison.Ordinal));
        Assert.Equal(report.MessageCount, SampleFile.Stream(recovered).Count);
        await SampleFile.AssertSoundAsync(recovered);
    }

    [Fact]
    public async Task A_preallocated_tail_of_zeros_is_cut()
    {
        var file = SampleFile.Write(DoctorTests.Options("chunks"), messages: 30);
        var chunks = await ChunksAsync(file);
        var end = (int)(chunks[2].ChunkStartOffset + chunks[2].ChunkLength + chunks[2].MessageIndexLength);
        var preallocated = new byte[1 << 16];
        file.AsSpan(0, end).CopyTo(preallocated);
        var (recovered, report) = await SampleFile.RecoverAsync(preallocated);
        var cut = Assert.Single(report.Cuts);
        Assert.Equal((end, preallocated.Length - end), (cut.Offset, cut.Length));
        Assert.Equal(3, report.ChunkCount);
        await SampleFile.AssertSoundAsync(recovered);
    }

    [Fact]
    public async Task A_sound_file_comes_back_with_every_message_attachment_and_metadata_record()
    {
        var file = SampleFile.Write(DoctorTests.Options("lz4"));
        var (recovered, report) = await SampleFile.RecoverAsync(file);
        Assert.True(report.IsComplete);
        Assert.Empty(report.Cuts);
        Assert.Equal((1, 1), (report.AttachmentCount, report.MetadataCount));
        Assert.Equal(SampleFile.Stream(file), SampleFile.Stream(recovered));
    }

    [Fact]
    public async Task A_file_that_is_not_MCAP_is_refused()
    {
        var e = await Assert.ThrowsAsync<McapException>(() => SampleFile.RecoverAsync(new byte[5000]));
        Assert.Contains("leading magic at offset 0", e.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// The byte of the file after which each message is whole: its own end, or that of the compressed block it lies in, which is the chunk's
    /// end, less the four bytes of an LZ4 frame's end mark.
    /// </summary>
    private static List<long> MessageEnds(byte[] file)
    {
        var ends = new List<long>();
        using var parser = new RecordParser(new() { ExpandChunks = false });
        using var chunks = new ChunkReader(verifyCrc: true, 1 << 20);
        parser.Append(file);
        byte[] buffer = [];
        while (parser.Read(out var record) == ParseResult.Record)
        {
            if (record.Opcode == Opcode.Message)
                ends.Add(record.Position.Offset + record.Length);
            if (record.Opcode != Opcode.Chunk)
                continue;
            var chunk = record.ToChunk();
            var records = chunks.Open(chunk, record.Position, ref buffer);
            var at = 0;
            while (ChunkRecords.TryTake(records, ref at, 0, out var inner))
            {
                var early = chunk.Compression switch { "" => chunk.Records.Length - at, "lz4" => 4, _ => 0 };
                if (inner.Opcode == Opcode.Message)
                    ends.Add(record.Position.Offset + record.Length - early);
            }
        }
        return ends;
    }

    private static async Task<IReadOnlyList<ChunkIndex>> ChunksAsync(byte[] file)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
        return reader.Summary.ChunkIndexes;
    }

    private static async Task<List<Copied>> MessagesOfAsync(byte[] file, ChunkIndex chunk)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file));
        return await SampleFile.ReadAsync(reader, new() { StartTime = chunk.MessageStartTime, EndTime = chunk.MessageEndTime + 1 });
    }

    /// <summary>A disk that fails after some reads.</summary>
    private sealed class FailingSource(byte[] file, int reads) : IByteSource
    {
        private int _left = reads;

        public long Length => file.Length;

        public string Name => "failing disk";

        public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
        {
            if (--_left < 0)
                throw new IOException("Input/output error");
            file.AsMemory((int)offset, target.Length).CopyTo(target);
            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
}
