using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The segment that is being written: <c>{sequence}.mcap.open</c>. Commits are gathered, then written with one call and made durable with one sync;
/// only then they are part of its <see cref="Contents"/>. After a refusal by the disk nothing more is written, and the segment ends with its last
/// durable commit.
/// <para>The first commit holds magic, Header, the Metadata records and the channels known by then; the record <c>edgecloud.segment</c> has the
/// segment's number and clocks, and for earlier segments that a disk fault ended the number of their commits that count: a commit whose sync
/// failed may still be in the older file, and its messages are in this one.</para>
/// </summary>
internal sealed class OpenSegment : IDisposable
{
    /// <summary>Name of the Metadata record with the segment's own facts.</summary>
    public const string MetadataName = "edgecloud.segment";

    private readonly UInt128 _salt = BitConverter.ToUInt128(RandomNumberGenerator.GetBytes(16));
    private readonly List<MemoryPiece> _pieces = []; // to write at Contents.End
    private List<SegmentCommit> _unsynced = [];
    private List<SegmentCommit> _synced = [];
    private readonly List<ChannelHandle> _unsyncedChannels = [];
    private readonly HashSet<ushort> _written = []; // ids of channels whose definition is in the file
    private ulong _nextCommit;
    private ulong _nextMessages;
    private long _next;
    private long _overhead;

    public OpenSegment(IWalFile file, int sequence, SegmentClock clock, long startedAt)
    {
        File = file;
        Contents = new SegmentContents(sequence);
        Clock = clock;
        StartedAt = startedAt;
    }

    public IWalFile File { get; }

    public SegmentContents Contents { get; }

    public SegmentClock Clock { get; }

    /// <summary>When it was begun: a timestamp of the log's <see cref="TimeProvider"/>.</summary>
    public long StartedAt { get; }

    /// <summary>Bytes of all commits, durable or not.</summary>
    public long Bytes => _next;

    /// <summary>True when commits were added since the last sync.</summary>
    public bool IsUnsynced => _next != Contents.End;

    /// <summary>Digest of the durable bytes as far as the hasher got.</summary>
    public SegmentDigest Digest { get; } = new();

    /// <summary>Adds the first commit.</summary>
    /// <param name="options">For profile, library and metadata.</param>
    /// <param name="caps">Earlier segments that a disk fault ended, with the number of their commits that count.</param>
    /// <param name="channels">Channels known by now.</param>
    public void AddStart(SegmentLogOptions options, IEnumerable<KeyValuePair<int, ulong>> caps, IEnumerable<ChannelHandle> channels)
    {
        var buffer = new RecordBuffer(4096);
        buffer.AppendMagic();
        buffer.Append(Contents.Header = new Header(options.Profile, options.Library));
        foreach (var metadata in options.StartMetadata.Append(OwnMetadata(caps)))
        {
            var record = new Metadata(metadata.Name, metadata.Values);
            var start = buffer.Length;
            buffer.Append(record);
            Contents.Metadata.Add((record, new MetadataIndex((ulong)start, (ulong)(buffer.Length - start), record.Name)));
        }

        foreach (var channel in channels) AppendDefinition(buffer, channel);
        AddCommit(buffer.WrittenSpan);
    }

    /// <summary>Adds the definitions of those channels of a chunk that the file has not yet.</summary>
    public void AddDefinitions(MessageChunk chunk, IReadOnlyList<ChannelHandle?> byId)
    {
        RecordBuffer? buffer = null;
        foreach (ref readonly var tally in chunk.Tallies)
        {
            if (_written.Contains(tally.Channel)) continue;
            AppendDefinition(buffer ??= new RecordBuffer(1024), byId[tally.Channel]!);
        }

        if (buffer is not null) AddCommit(buffer.WrittenSpan);
    }

    /// <summary>Adds an encoded chunk.</summary>
    /// <param name="chunk">The chunk; it must stay as it is until <see cref="Sync"/>.</param>
    /// <param name="repeats">True for the chunk of repeats, whose messages do not count.</param>
    public void Add(MessageChunk chunk, bool repeats = false)
    {
        var messages = _nextMessages + (repeats ? 0 : (ulong)chunk.Messages);
        var bytes = chunk.Commit(new CommitRecord(_salt, _nextCommit, messages), out var crc);
        _nextMessages = messages;
        Add(new SegmentCommit(_next, bytes, crc, chunk, null), chunk.Body.Length);
    }

    /// <summary>Writes what was added and makes it durable; returns it in the order of the file, valid until the next sync.</summary>
    public IReadOnlyList<SegmentCommit> Sync()
    {
        File.Write(Contents.End, CollectionsMarshal.AsSpan(_pieces));
        File.Sync();
        foreach (var channel in _unsyncedChannels)
        {
            if (channel.Schema is { } schema) Contents.Add(schema);
            Contents.Add(channel.Channel);
            if (channel.RepeatChannel is { } repeat) Contents.Add(repeat);
        }

        foreach (var commit in _unsynced)
        {
            Contents.Crc = Crc32.Combine(Contents.Crc, commit.Crc, commit.Bytes.Length);
            if (commit.Chunk is { } chunk) Contents.Add(chunk, commit.Offset);
        }

        _unsyncedChannels.Clear();
        _pieces.Clear();
        Contents.End = _next;
        Contents.Commits = _nextCommit;
        Contents.OverheadBytes = _overhead;
        (_synced, _unsynced) = (_unsynced, _synced);
        _unsynced.Clear();
        return _synced;
    }

    private SegmentMetadata OwnMetadata(IEnumerable<KeyValuePair<int, ulong>> caps) => new(MetadataName, new Dictionary<string, string>
    {
        ["sequence"] = Contents.Sequence.ToString(CultureInfo.InvariantCulture),
        ["wall_ns"] = Clock.WallNs.ToString(CultureInfo.InvariantCulture),
        ["monotonic_ns"] = Clock.MonotonicNs.ToString(CultureInfo.InvariantCulture),
        ["boot_id"] = Clock.BootId,
        ["caps"] = string.Join(' ', caps.Select(cap => string.Create(CultureInfo.InvariantCulture, $"{cap.Key}:{cap.Value}"))),
    });

    private void AppendDefinition(RecordBuffer buffer, ChannelHandle channel)
    {
        if (!_written.Add(channel.Id)) return;
        // A schema is written again with each channel that uses it: cheap, and each definition stands for itself.
        if (channel.Schema is { } schema) buffer.Append(schema);
        buffer.Append(channel.Channel);
        if (channel.RepeatChannel is { } repeat)
        {
            _written.Add(repeat.Id);
            buffer.Append(repeat);
        }

        _unsyncedChannels.Add(channel);
    }

    private unsafe void AddCommit(ReadOnlySpan<byte> body)
    {
        // Pinned for good, so that its address holds; an aligned window of it is used.
        var bytes = CommitRecord.PaddedBytes(body.Length, LinuxFiles.BlockBytes);
        var memory = GC.AllocateUninitializedArray<byte>(bytes + LinuxFiles.BlockBytes, pinned: true);
        var address = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0);
        address += -(nint)address & (LinuxFiles.BlockBytes - 1);
        var window = new Span<byte>(address, bytes);
        body.CopyTo(window);
        new CommitRecord(_salt, _nextCommit, _nextMessages).Write(window[body.Length..], Crc32.Compute(body));
        Add(new SegmentCommit(_next, new MemoryPiece(address, bytes), Crc32.Compute(window), null, memory), body.Length);
    }

    private void Add(SegmentCommit commit, int bodyBytes)
    {
        _unsynced.Add(commit);
        _pieces.Add(commit.Bytes);
        _next += commit.Bytes.Length;
        _nextCommit++;
        _overhead += commit.Bytes.Length - bodyBytes;
    }

    public void Dispose()
    {
        File.Dispose();
        Digest.Dispose();
    }
}

/// <summary>One commit in a segment.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="Crc">Their CRC32.</param>
/// <param name="Chunk">The chunk that holds the bytes; null for a commit of definitions.</param>
/// <param name="Memory">Else what keeps the bytes alive.</param>
internal readonly record struct SegmentCommit(long Offset, MemoryPiece Bytes, uint Crc, MessageChunk? Chunk, byte[]? Memory);
