using EdgeCloud.Agent.Tests.Wal.Simulation;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Agent.Tests.Wal;

/// <summary>Open segments of which the disk altered something, or does not give it back, long after it was durable.</summary>
public sealed class SegmentRecoveryTests
{
    private const int Block = LinuxFiles.BlockBytes;
    private const int Commits = 8;
    private static readonly string Open = Path.Combine(SimulatedDisk.Folder, "000001.mcap.open");

    private readonly SimulatedDisk _disk = new();
    private readonly List<RecordedMessage> _sent = [];
    private readonly List<(long Start, long End)> _commits = []; // of the messages, in order

    [Theory]
    [InlineData(McapCompression.None, 0), InlineData(McapCompression.Zstd, 0)]
    [InlineData(McapCompression.None, 3), InlineData(McapCompression.Lz4, 3), InlineData(McapCompression.Zstd, 3)]
    [InlineData(McapCompression.None, Commits - 2), InlineData(McapCompression.None, Commits - 1)]
    public async Task What_lies_behind_a_damaged_commit_is_kept(McapCompression compression, int damaged)
    {
        Record(new SegmentLogOptions { Compression = compression });
        var (start, end) = _commits[damaged];
        _disk.Damage(Open, start + 200);
        var segment = Recovered();

        Assert.Equal(_sent.Where((_, i) => i != damaged), await ReadAsync(segment));
        Assert.Equal(Commits - 1, segment.Facts.Messages);
        // The last one of all is cut with the zeros behind it left alone: nobody can tell its padding from them.
        Assert.InRange(segment.Facts.CutBytes, damaged == Commits - 1 ? end - start - Block : end - start, end - start);
        Assert.Equal(damaged == Commits - 1 ? 0 : 1, segment.Facts.LostMessages);
        var note = await NoteAsync(segment);
        Assert.Equal(damaged == Commits - 1 ? "0" : "1", note["lost_messages"]);
        Assert.Contains($"bytes from {start}: ", note["cuts"], StringComparison.Ordinal);
        Assert.Equal([segment.Path], _disk.List(SimulatedDisk.Folder));
    }

    [Theory]
    [InlineData(3, 1), InlineData(3, 3 * Block), InlineData(5, 1 << 30), InlineData(1, 100)]
    public async Task What_cannot_be_read_costs_no_more_than_itself(int from, int bytes)
    {
        Record(new SegmentLogOptions { Compression = McapCompression.None });
        var start = _commits[from].Start + Block; // in the commit, not at its begin
        _disk.Unreadable = (Open, start, bytes);
        var segment = Recovered();
        var failed = _disk.FailedReads;

        var lost = _commits.Count(c => c.End > start && c.Start < start + bytes);
        Assert.Equal(_sent.Where((_, i) => i < from || i >= from + lost), await ReadAsync(segment));
        Assert.True(failed < 200, $"The device was asked {failed} times for what it cannot give.");
    }

    [Fact]
    public async Task Without_the_definition_of_a_channel_only_its_messages_are_lost()
    {
        Record(new SegmentLogOptions { Compression = McapCompression.None }, lateFrom: 3);
        // Its definition is a commit of its own before the first chunk that needs it.
        _disk.Damage(Open, _commits[3].Start - Block + 20);
        var segment = Recovered();

        Assert.Equal(_sent.Where(message => message.Topic != "/late"), await ReadAsync(segment));
        Assert.Equal($"{_sent.Count(message => message.Topic == "/late")}", (await NoteAsync(segment))["lost_messages"]);
    }

    [Fact]
    public async Task Without_space_for_a_new_file_a_damaged_one_waits()
    {
        Record(new SegmentLogOptions { Compression = McapCompression.None });
        _disk.Damage(Open, _commits[2].Start + 200);
        _disk.Fault = (operation, path) => operation == "pwrite" && path.EndsWith(".rewrite", StringComparison.Ordinal) ? 28 : 0;
        using (var recovery = new SegmentRecovery(new(), _disk))
            Assert.Equal(WalFault.NoSpace, Assert.Throws<WalIoException>(() => recovery.Recover(Open)).Fault);
        _disk.Fault = (_, _) => 0;

        Assert.Equal(Commits - 1, (await ReadAsync(Recovered())).Count);
    }

    [Fact]
    public void The_first_commit_is_needed()
    {
        Record(new SegmentLogOptions());
        _disk.Damage(Open, 20);
        using var recovery = new SegmentRecovery(new(), _disk);
        Assert.Contains("first commit", Assert.IsType<RecoveryOutcome.Unrepairable>(recovery.Recover(Open)).Reason, StringComparison.Ordinal);
        Assert.Equal([Open], _disk.List(SimulatedDisk.Folder));
    }

    [Fact]
    public void A_file_of_misleading_lengths_is_searched_in_bounded_time()
    {
        // Every block says that a record begins there which reaches to the end of the file.
        Record(new SegmentLogOptions { Compression = McapCompression.None, SegmentBytes = 8 << 20 });
        using (var file = _disk.OpenWrite(Open))
        {
            for (var at = _commits[^1].End; at + 64 * Block < file.Length; at += Block) Mislead(file, at);
        }

        var before = _disk.BytesRead;
        Assert.Equal(Commits, Recovered().Facts.Messages);
        Assert.InRange(_disk.BytesRead - before, 0, 12L * (8 << 20));
    }

    /// <summary>Records messages into a commit each, and stops as a process that dies.</summary>
    private void Record(SegmentLogOptions options, int lateFrom = int.MaxValue)
    {
        var (time, workers) = (new ManualTime(), WalWorkers.Stepped());
        var log = new SegmentLog(SimulatedDisk.Folder, 1, options with { CompressionStepsDown = false }, _disk, time, workers);
        var early = log.AddChannel(Definition("/early"));
        ChannelHandle? late = null;
        using var codec = new ChunkCodec();
        for (var i = 0; i < Commits; i++)
        {
            if (i == lateFrom) late = log.AddChannel(Definition("/late"));
            var channel = late is not null && i % 2 == 1 ? late : early;
            var data = new byte[3 * Block];
            new Random(i).NextBytes(data);
            var start = End();
            Assert.True(log.TryAppend(channel, (uint)i, (ulong)i + 10, (ulong)i, data));
            time.Advance(TimeSpan.FromMilliseconds(100));
            Assert.True(log.Committer.Step());
            _sent.Add(RecordedMessage.Of(channel.Definition.Topic, (uint)i, (ulong)i + 10, (ulong)i, data));
            _commits.Add((i == 0 || i == lateFrom ? start + Block : start, End()));
        }

        log.Free();

        long End() => _disk.Exists(Open) ? (_disk.ReadAll(Open).AsSpan().LastIndexOfAnyExcept((byte)0) + Block) / Block * Block : 0;
    }

    private SealedSegment Recovered()
    {
        using var recovery = new SegmentRecovery(new() { LeastMeanChunkBytes = 0 }, _disk);
        return Assert.IsType<RecoveryOutcome.Recovered>(recovery.Recover(Open)).Segment;
    }

    private async Task<List<RecordedMessage>> ReadAsync(SealedSegment segment) => (await Segments.ReadAsync(_disk.ReadAll(segment.Path))).Recorded;

    private async Task<IReadOnlyDictionary<string, string>> NoteAsync(SealedSegment segment)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(_disk.ReadAll(segment.Path)));
        var index = reader.Summary.MetadataIndexes.Single(m => m.Name == SegmentRecovery.MetadataName);
        return (await reader.ReadMetadataAsync(index)).Pairs;
    }

    private static unsafe void Mislead(IWalFile file, long at)
    {
        var memory = PageMemory.Allocate(Block);
        var block = new Span<byte>(memory, Block);
        block.Clear();
        block[0] = (byte)Opcode.Chunk;
        BitConverter.TryWriteBytes(block[1..], file.Length - at - 9);
        file.Write(at, [new MemoryPiece(memory, Block)]);
        PageMemory.Free(memory, Block);
    }

    private static ChannelDefinition Definition(string topic) => new() { Topic = topic, MessageEncoding = "cdr" };
}
