using System.Security.Cryptography;
using EdgeCloud.Agent.Tests.Wal.Simulation;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Wal;

public sealed class SegmentLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(McapCompression.None, 0), InlineData(McapCompression.Lz4, 0), InlineData(McapCompression.Zstd, 0)]
    [InlineData(McapCompression.None, 1), InlineData(McapCompression.Lz4, 1), InlineData(McapCompression.Zstd, 2)]
    public async Task Every_message_of_several_producers_comes_back_once_from_segments_that_open_alone(McapCompression compression, int threads)
    {
        var options = new SegmentLogOptions
        {
            Compression = compression,
            CompressionThreads = threads,
            ChunkBytes = 64 << 10,
            SegmentBytes = 1 << 20,
            LeastMeanChunkBytes = 0,
        };
        await using var log = new SegmentLog(_folder.Path, 1, options);
        var expected = await Task.WhenAll(Enumerable.Range(0, 4).Select(producer => Task.Run(async () =>
        {
            var random = new Random(producer);
            var channel = log.AddChannel(Definition($"/topic{producer}"));
            var mine = new List<RecordedMessage>();
            for (uint i = 0; i < 5000; i++)
            {
                var data = new byte[random.Next(2000)];
                random.NextBytes(data.AsSpan(data.Length / 2));
                await log.WaitForRoomAsync(data.Length);
                Assert.True(log.TryAppend(channel, i, 1000 + i, 900 + i, data));
                mine.Add(RecordedMessage.Of($"/topic{producer}", i, 1000 + i, 900 + i, data));
            }

            return mine;
        })));
        await log.FinishAsync();

        var segments = await log.Sealed.ReadAllAsync().ToListAsync();
        Assert.Equal(Enumerable.Range(1, segments.Count), segments.Select(s => s.Facts.Sequence));
        Assert.True(segments.Count > 5);
        List<RecordedMessage> recorded = [];
        foreach (var segment in segments)
        {
            CheckFacts(segment);
            recorded.AddRange((await Segments.ReadAsync(segment.Path)).Recorded);
        }

        foreach (var mine in expected) Assert.Equal(mine, recorded.Where(m => m.Topic == mine[0].Topic));
        Assert.Equal(segments.Select(s => s.Path), Directory.GetFiles(_folder.Path).Order());
        Assert.Equal(20_000, log.DurableMessages);
    }

    [Fact]
    public async Task An_awaited_append_is_in_the_file_when_it_completes()
    {
        await using var log = new SegmentLog(_folder.Path, 1, new SegmentLogOptions { BoundMs = 10_000 });
        var channel = log.AddChannel(Definition("/a"));
        await log.AppendAsync(channel, 7, 70, 71, new byte[] { 1, 2, 3 });
        Assert.Equal(1, log.DurableMessages);

        using var elsewhere = new TemporaryFolder();
        File.Copy(_folder["000001.mcap.open"], elsewhere["000001.mcap.open"]);
        var recovered = Assert.IsType<RecoveryOutcome.Recovered>(new SegmentRecovery(new()).Recover(elsewhere["000001.mcap.open"]));
        var (recorded, _) = await Segments.ReadAsync(recovered.Segment.Path);
        Assert.Equal([RecordedMessage.Of("/a", 7, 70, 71, [1, 2, 3])], recorded);
        Assert.Equal(SealReason.Recovered, recovered.Segment.Facts.Reason);
        Assert.Equal(0, recovered.Segment.Facts.CutBytes);
        CheckFacts(recovered.Segment);
    }

    [Fact]
    public async Task Many_small_commits_are_joined_into_large_chunks_at_sealing()
    {
        await using var log = new SegmentLog(_folder.Path, 1, new SegmentLogOptions { BoundMs = 0, Compression = McapCompression.Lz4 });
        var channel = log.AddChannel(Definition("/a"));
        var expected = new List<RecordedMessage>();
        for (uint i = 0; i < 300; i++)
        {
            var data = new byte[10_000];
            new Random((int)i).NextBytes(data);
            await log.AppendAsync(channel, i, i, i, data);
            expected.Add(RecordedMessage.Of("/a", i, i, i, data));
        }

        await log.FinishAsync();
        var segment = Assert.Single(await log.Sealed.ReadAllAsync().ToListAsync());
        Assert.True(segment.Rewritten);
        Assert.Equal(3, segment.Chunks);
        Assert.Equal(0, segment.CommitOverheadBytes);
        Assert.Equal(expected, (await Segments.ReadAsync(segment.Path)).Recorded);
        CheckFacts(segment);
    }

    [Theory]
    [InlineData(McapCompression.None), InlineData(McapCompression.Zstd)]
    public async Task Large_and_small_messages_of_one_chunk_are_summed_as_they_lie_in_it(McapCompression compression)
    {
        int[] sizes = [100, 8191, 8192, 8193, 0, 10_239, 10_240, 10_241, 70_000, 1, 100_000, 12_000, 300];
        await using var log = new SegmentLog(_folder.Path, 1, new SegmentLogOptions { BoundMs = 10_000, Compression = compression, CompressionStepsDown = false });
        var channels = new[] { log.AddChannel(Definition("/a")), log.AddChannel(Definition("/b")) };
        var expected = new List<RecordedMessage>();
        for (uint i = 0; i < 20 * sizes.Length; i++)
        {
            var data = new byte[sizes[i % sizes.Length]];
            new Random((int)i).NextBytes(data.AsSpan(data.Length / 2));
            var channel = channels[i % 2];
            Assert.True(log.TryAppend(channel, i, i, i, data));
            expected.Add(RecordedMessage.Of(channel.Definition.Topic, i, i, i, data));
        }

        await log.FinishAsync();
        var segment = Assert.Single(await log.Sealed.ReadAllAsync().ToListAsync());
        Assert.Equal(expected, (await Segments.ReadAsync(segment.Path)).Recorded); // whose reader verifies the CRCs
        await using var reader = await McapIndexedReader.OpenAsync(segment.Path);
        Assert.True(reader.Summary.ChunkIndexes.Count > 2);
    }

    [Theory]
    [InlineData(4096), InlineData(1 << 20), InlineData(2 << 20), InlineData((4 << 20) + 4096)]
    public unsafe void Memory_for_the_disk_is_whole_pages_of_zeros_also_when_it_turns_to_huge_ones(int bytes)
    {
        var memory = PageMemory.Allocate((nuint)bytes);
        var span = new Span<byte>(memory, bytes);
        Assert.Equal(0, (long)memory % (bytes >= 2 << 20 ? 2 << 20 : 4096));
        Assert.False(span.ContainsAnyExcept((byte)0));
        span.Fill(1);
        PageMemory.UseHugePages(memory, (nuint)bytes);
        Assert.Equal(bytes < 2 << 20, span.ContainsAnyExcept((byte)0));
        span.Fill(2);
        Assert.False(span.ContainsAnyExcept((byte)2));
        PageMemory.Free(memory, (nuint)bytes);
    }

    [Fact]
    public async Task What_is_hashed_while_it_is_in_memory_is_read_once_to_seal_it()
    {
        var (disk, time, workers) = (new SimulatedDisk(), new ManualTime(), WalWorkers.Stepped());
        using var codec = new ChunkCodec();
        await using var log = new SegmentLog(SimulatedDisk.Folder, 1, new SegmentLogOptions { Compression = McapCompression.None }, disk, time, workers);
        var channel = log.AddChannel(Definition("/camera"));
        var image = new byte[1_000_000];
        for (uint i = 0; i < 48; i++)
        {
            Assert.True(log.TryAppend(channel, i, i, i, image));
            if (i % 6 < 5) continue;
            // Six at once take three chunks: far from what the memory holds.
            time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.True(log.Committer.Step());
            while (workers.Step(codec)) { }
        }

        var finish = log.FinishAsync();
        while (log.Committer.Step() || workers.Step(codec)) { }
        await finish;
        var segment = Assert.Single(await log.Sealed.ReadAllAsync().ToListAsync());
        Assert.False(segment.Rewritten);
        Assert.EndsWith("-6", segment.ETag, StringComparison.Ordinal); // six parts of 8 MiB
        Assert.Equal(segment.Bytes, disk.BytesRead);
    }

    [Fact]
    public async Task What_is_compressed_is_made_durable_while_the_next_chunk_waits_to_be()
    {
        var (disk, time, workers) = (new SimulatedDisk(), new ManualTime(), WalWorkers.Stepped());
        using var codec = new ChunkCodec();
        var options = new SegmentLogOptions { Compression = McapCompression.Zstd, CompressionStepsDown = false };
        await using var log = new SegmentLog(SimulatedDisk.Folder, 1, options, disk, time, workers);
        var channel = log.AddChannel(Definition("/camera"));
        for (uint i = 0; i < 4; i++) Assert.True(log.TryAppend(channel, i, i, i, new byte[600_000])); // two make a chunk
        workers.Step(codec);
        log.Committer.Step();
        var durable = log.DurableMessages;

        var finish = log.FinishAsync();
        while (log.Committer.Step() || workers.Step(codec)) { }
        await finish;
        Assert.Equal((2, 4), (durable, log.DurableMessages));
    }

    [Theory]
    [InlineData(McapCompression.None, 0, 0, "reads back with CRC32")]
    [InlineData(McapCompression.None, long.MaxValue, 0, "reads back with CRC32")]
    [InlineData(McapCompression.None, 0, int.MaxValue, "has a chunk at offset")] // its chunks are to be joined
    [InlineData(McapCompression.Zstd, 0, int.MaxValue, "")]
    [InlineData(McapCompression.Lz4, 0, int.MaxValue, "")]
    public async Task A_disk_that_loses_what_it_said_is_durable_is_found_out_at_sealing(
        McapCompression compression, long singlePutBytes, int leastMeanChunkBytes, string found)
    {
        var (disk, time, workers) = (new SimulatedDisk(), new ManualTime(), WalWorkers.Stepped());
        using var codec = new ChunkCodec();
        var options = new SegmentLogOptions
        {
            Compression = compression,
            CompressionStepsDown = false,
            SinglePutBytes = singlePutBytes,
            LeastMeanChunkBytes = leastMeanChunkBytes,
        };
        await using var log = new SegmentLog(SimulatedDisk.Folder, 1, options, disk, time, workers);
        var channel = log.AddChannel(Definition("/camera"));
        for (uint i = 0; i < 3; i++)
        {
            var noise = new byte[1_000_000];
            new Random((int)i).NextBytes(noise.AsSpan(0, 900_000));
            Assert.True(log.TryAppend(channel, i, i, i, noise));
            time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.True(log.Committer.Step());
        }

        var open = Path.Combine(SimulatedDisk.Folder, "000001.mcap.open");
        disk.Damage(open, 1_500_000);
        var finish = log.FinishAsync();
        while (log.Committer.Step() || workers.Step(codec)) { }
        await finish;

        Assert.Empty(await log.Sealed.ReadAllAsync().ToListAsync());
        var givenUp = Assert.Single(await log.Unsealable.ReadAllAsync().ToListAsync());
        Assert.Contains($"{open} {found}", givenUp.Reason, StringComparison.Ordinal);
        Assert.Equal((1, 3L, open), (givenUp.Facts.Sequence, givenUp.Facts.Messages, givenUp.Path));
        var recovered = Assert.IsType<RecoveryOutcome.Recovered>(new SegmentRecovery(options, disk).Recover(open));
        Assert.Equal(2, recovered.Segment.Facts.Messages);
    }

    [Fact]
    public async Task A_segment_that_the_disk_does_not_give_back_is_tried_again_and_given_up_while_others_are_sealed()
    {
        var (disk, time, workers) = (new SimulatedDisk(), new ManualTime(), WalWorkers.Stepped());
        using var codec = new ChunkCodec();
        var options = new SegmentLogOptions { DiskRetry = TimeSpan.FromSeconds(1), LeastMeanChunkBytes = 0, Compression = McapCompression.None };
        await using var log = new SegmentLog(SimulatedDisk.Folder, 1, options, disk, time, workers);
        var channel = log.AddChannel(Definition("/camera"));
        Segment(1);
        disk.Damage(Path.Combine(SimulatedDisk.Folder, "000001.mcap.open"), 50_000);
        var told = new List<(int Retry, int Sealed, int Unsealable)>();
        for (var retry = 0; retry < 7; retry++)
        {
            if (retry == 2) Segment(2);
            StepAll();
            told.Add((retry, log.Sealed.Count, log.Unsealable.Count));
            time.Advance(options.DiskRetry);
        }

        var fault = log.Fault;
        Segment(3);
        var finish = log.FinishAsync();
        StepAll();
        await finish;
        // Tried when it ended, and at each retry; once more because the second segment came.
        Assert.Equal([(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 1, 1), (5, 1, 1), (6, 1, 1)], told);
        Assert.NotNull(fault);
        Assert.Null(log.Fault);
        Assert.Equal([2, 3], (await log.Sealed.ReadAllAsync().ToListAsync()).Select(s => s.Facts.Sequence));

        void Segment(uint number)
        {
            Assert.True(log.TryAppend(channel, number, number, number, new byte[100_000]));
            log.RotateAsync(SealReason.Sync);
            log.Committer.Step();
        }

        void StepAll()
        {
            while (log.Committer.Step() || workers.Step(codec)) { }
        }
    }

    [Fact]
    public async Task The_latest_latched_message_is_repeated_in_every_later_segment_and_not_counted()
    {
        await using var log = new SegmentLog(_folder.Path, 1, new SegmentLogOptions());
        var map = log.AddChannel(Definition("/map") with { Latched = true });
        var other = log.AddChannel(Definition("/other"));
        log.TryAppend(map, 1, 10, 9, "old"u8);
        log.TryAppend(map, 2, 20, 19, "new"u8);
        await log.RotateAsync(SealReason.Pause);
        log.TryAppend(other, 1, 30, 29, "x"u8);
        await log.RotateAsync(SealReason.Sync);
        log.TryAppend(map, 3, 40, 39, "newest"u8);
        await log.FinishAsync();

        var segments = await log.Sealed.ReadAllAsync().ToListAsync();
        Assert.Equal([SealReason.Pause, SealReason.Sync, SealReason.Finish], segments.Select(s => s.Facts.Reason));
        Assert.Equal([2, 1, 1], segments.Select(s => s.Facts.Messages));
        var repeats = new List<RecordedMessage[]>();
        foreach (var segment in segments)
        {
            CheckFacts(segment);
            repeats.Add([.. (await Segments.ReadAsync(segment.Path)).Repeated]);
        }

        Assert.Empty(repeats[0]);
        Assert.Equal([RecordedMessage.Of("/map", 2, 30, 19, "new"u8)], repeats[1]);
        Assert.Equal([RecordedMessage.Of("/map", 2, 40, 19, "new"u8)], repeats[2]);
    }

    [Fact]
    public async Task Metadata_of_start_and_end_travels_in_the_segment()
    {
        var options = new SegmentLogOptions
        {
            StartMetadata = [new SegmentMetadata("foxglove", new Dictionary<string, string> { ["deviceName"] = "amr-01" })],
            EndMetadata = facts => [new SegmentMetadata("ledger", new Dictionary<string, string> { ["messages"] = $"{facts.Messages}" })],
        };
        await using var log = new SegmentLog(_folder.Path, 1, options);
        log.TryAppend(log.AddChannel(Definition("/a")), 1, 1, 1, "x"u8);
        await log.FinishAsync();
        var segment = await log.Sealed.ReadAsync();
        await using var reader = await McapIndexedReader.OpenAsync(segment.Path);
        var metadata = new Dictionary<string, IReadOnlyDictionary<string, string>>();
        foreach (var index in reader.Summary.MetadataIndexes) metadata.Add(index.Name, (await reader.ReadMetadataAsync(index)).Pairs);
        Assert.Equal("amr-01", metadata["foxglove"]["deviceName"]);
        Assert.Equal("1", metadata["ledger"]["messages"]);
        Assert.Equal("1", metadata["edgecloud.segment"]["sequence"]);
        Assert.Equal("ros2", (await reader.ReadHeaderAsync()).Profile);
    }

    [Fact]
    public async Task When_memory_is_full_channels_with_the_least_share_are_dropped_first_and_every_drop_is_counted()
    {
        using var stuck = new ManualResetEventSlim();
        var options = new SegmentLogOptions
        {
            ChunkBytes = 64 << 10,
            MemoryBytes = 8 << 20,
            BoundMs = 1,
            Committed = _ => stuck.Wait(),
        };
        await using var log = new SegmentLog(_folder.Path, 1, options);
        var bulk = log.AddChannel(Definition("/image") with { MemoryShare = 0.5 });
        var normal = log.AddChannel(Definition("/odom") with { MemoryShare = 0.75 });
        var critical = log.AddChannel(Definition("/estop") with { MemoryShare = 1 });
        var order = new List<string>();
        var data = new byte[10_000];
        for (uint i = 0; critical.DroppedByQueue == 0; i++)
        {
            foreach (var channel in new[] { critical, normal, bulk })
            {
                if (!log.TryAppend(channel, i, i, i, data) && channel.DroppedByQueue == 1) order.Add(channel.Definition.Topic);
            }
        }

        Assert.Equal(["/image", "/odom", "/estop"], order);
        stuck.Set();
        await log.FinishAsync();
        var segments = await log.Sealed.ReadAllAsync().ToListAsync();
        foreach (var channel in log.Channels)
        {
            var facts = segments.SelectMany(s => s.Facts.Channels).Where(c => c.Definition.Topic == channel.Definition.Topic).ToList();
            Assert.Equal(channel.Accepted, facts.Sum(c => c.Messages));
            Assert.Equal(channel.DroppedByQueue, facts.Sum(c => c.DroppedByQueue));
        }
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task When_chunks_pile_up_they_are_compressed_less_before_anything_is_dropped(bool stepsDown)
    {
        using var stuck = new ManualResetEventSlim();
        var options = new SegmentLogOptions
        {
            Compression = McapCompression.Zstd,
            CompressionStepsDown = stepsDown,
            ChunkBytes = 64 << 10,
            MemoryBytes = 8 << 20,
            LeastMeanChunkBytes = 0,
            Committed = _ => stuck.Wait(),
        };
        await using var log = new SegmentLog(_folder.Path, 1, options);
        var channel = log.AddChannel(Definition("/scan"));
        var data = new byte[10_000];
        // More than half of the memory, and not all of it.
        for (uint i = 0; i < 180; i++) log.TryAppend(channel, i, i, i, data);
        stuck.Set();
        await log.FinishAsync();

        Assert.Equal((180, 0), (channel.Accepted, channel.DroppedByQueue));
        var segment = Assert.Single(await log.Sealed.ReadAllAsync().ToListAsync());
        await using var reader = await McapIndexedReader.OpenAsync(segment.Path);
        var compressions = reader.Summary.ChunkIndexes.OrderBy(c => c.ChunkStartOffset).Select(c => c.Compression).ToList();
        string[] steps = stepsDown ? ["zstd", "lz4", ""] : ["zstd"];
        Assert.Equal(steps, compressions.Distinct());
        Assert.Equal(compressions.OrderBy(c => Array.IndexOf(steps, c)), compressions);
        Assert.Equal(180, (await Segments.ReadAsync(segment.Path)).Recorded.Count);
    }

    [Fact]
    public async Task A_segment_is_sealed_at_its_age_even_when_nothing_more_comes()
    {
        await using var log = new SegmentLog(_folder.Path, 5, new SegmentLogOptions { SegmentTime = TimeSpan.FromMilliseconds(300) });
        log.TryAppend(log.AddChannel(Definition("/a")), 1, 1, 1, "x"u8);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var segment = await log.Sealed.ReadAsync(deadline.Token);
        Assert.Equal((5, SealReason.Time, 1L), (segment.Facts.Sequence, segment.Facts.Reason, segment.Facts.Messages));
    }

    private static ChannelDefinition Definition(string topic) => new()
    {
        Topic = topic,
        MessageEncoding = "cdr",
        SchemaName = "demo/msg/Bytes",
        SchemaEncoding = "ros2msg",
        SchemaData = "uint8[] data\n"u8.ToArray(),
    };

    /// <summary>Recomputes what a sealed segment says of itself.</summary>
    private static void CheckFacts(SealedSegment segment)
    {
        var bytes = File.ReadAllBytes(segment.Path);
        Assert.Equal(bytes.Length, segment.Bytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), segment.Sha256);
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(bytes)), segment.ETag);
        Assert.Equal(segment.Facts.Messages, segment.Facts.Channels.Sum(c => c.Messages));
    }
}
