using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>Reads the records of commits whose CRC held. Holds one record at a time.</summary>
internal sealed class CommitReader(IWalFile file, ChunkCodec codec)
{
    private const int StartBytes = 1 << 20;

    private readonly List<ChannelTally> _tallies = [];
    private readonly Dictionary<ushort, int> _tallyOf = [];
    private byte[] _content = [];
    private byte[] _records = [];

    /// <summary>Adds the records between two offsets to a segment's contents; false when they hold messages of a channel that is not known,
    /// because a commit before was lost: those are left out.</summary>
    public bool TryRead(long start, long end, SegmentContents contents)
    {
        ChunkPlace? chunk = null;
        for (var at = start == 0 ? McapFormat.Magic.Length : start; at < end;)
        {
            var record = Record(at);
            switch (record.Opcode)
            {
                case Opcode.Header:
                    contents.Header = record.ToHeader();
                    break;
                case Opcode.Schema:
                    contents.Add(record.ToSchema());
                    break;
                case Opcode.Channel:
                    contents.Add(record.ToChannel());
                    break;
                case Opcode.Metadata:
                    var metadata = record.ToMetadata();
                    contents.Metadata.Add((metadata, new MetadataIndex((ulong)at, (ulong)record.Length, metadata.Name)));
                    break;
                case Opcode.Chunk:
                    chunk = Tally(record.ToChunk(), record);
                    break;
                case Opcode.MessageIndex:
                    var channel = BinaryPrimitives.ReadUInt16LittleEndian(record.Content.Span);
                    TallyOf(channel).IndexOffset = at - chunk!.Value.Offset;
                    break;
            }

            at += record.Length;
        }

        if (chunk is not { } place) return true;
        if (!_tallies.TrueForAll(tally => contents.Channels.ContainsKey(tally.Channel))) return false;
        contents.Add(place with { IndexBytes = end - place.Offset - place.ChunkBytes }, CollectionsMarshal.AsSpan(_tallies));
        return true;
    }

    /// <summary>A Metadata record of a file's start, in a sealed as in an open segment; null when there is none.</summary>
    public static IReadOnlyDictionary<string, string>? StartMetadata(IWalFile file, string name)
    {
        var start = new byte[Math.Min(file.Length, StartBytes)];
        var bytes = start.AsMemory(0, file.Read(0, start));
        if (bytes.Length < McapFormat.Magic.Length || !bytes.Span.StartsWith(McapFormat.Magic)) return null;
        for (var at = McapFormat.Magic.Length; RecordFraming.TryReadPrefix(bytes.Span[at..], out var opcode, out var length);)
        {
            at += RecordFraming.PrefixBytes;
            if (opcode is not (Opcode.Header or Opcode.Metadata) || length > (ulong)(bytes.Length - at)) return null;
            var record = new McapRecord(opcode, bytes.Slice(at, (int)length), new RecordPosition(at - RecordFraming.PrefixBytes));
            if (opcode == Opcode.Metadata && record.ToMetadata() is var metadata && metadata.Name == name) return metadata.Pairs;
            at += (int)length;
        }

        return null;
    }

    private McapRecord Record(long at)
    {
        Span<byte> prefix = stackalloc byte[RecordFraming.PrefixBytes];
        file.Read(at, prefix);
        RecordFraming.TryReadPrefix(prefix, out var opcode, out var length);
        var content = Room(ref _content, (long)length);
        file.Read(at + prefix.Length, content.Span);
        return new McapRecord(opcode, content, new RecordPosition(at));
    }

    /// <summary>Counts a chunk's messages by channel.</summary>
    private ChunkPlace Tally(Chunk chunk, McapRecord record)
    {
        _tallies.Clear();
        _tallyOf.Clear();
        if (!McapCompressionNames.TryParse(chunk.Compression, out var compression))
            throw new McapException("Chunk compression", record.Position, "zstd, lz4 or none", chunk.Compression);
        var records = chunk.Records;
        if (compression != McapCompression.None)
        {
            records = Room(ref _records, (long)chunk.UncompressedSize);
            codec.Decompress(compression, chunk.Records.Span, MemoryMarshal.AsMemory(records).Span, record.Position);
        }

        for (var at = 0; at < records.Length;)
        {
            var message = records.Span[at..];
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(message[1..]);
            var logTime = BinaryPrimitives.ReadUInt64LittleEndian(message[15..]);
            ref var tally = ref TallyOf(BinaryPrimitives.ReadUInt16LittleEndian(message[9..]));
            tally.FirstLogTime = tally.Messages == 0 ? logTime : Math.Min(tally.FirstLogTime, logTime);
            tally.LastLogTime = Math.Max(tally.LastLogTime, logTime);
            tally.PayloadBytes += RecordFraming.PrefixBytes + length - MessageChunk.MessageHeadBytes;
            tally.Messages++;
            at += RecordFraming.PrefixBytes + length;
        }

        return new ChunkPlace(
            chunk.MessageStartTime, chunk.MessageEndTime, record.Position.Offset, record.Length, 0, compression, chunk.Records.Length,
            records.Length, 0, 0);
    }

    private ref ChannelTally TallyOf(ushort channel)
    {
        if (!_tallyOf.TryGetValue(channel, out var index))
        {
            index = _tallyOf[channel] = _tallies.Count;
            _tallies.Add(new ChannelTally { Channel = channel });
        }

        return ref CollectionsMarshal.AsSpan(_tallies)[index];
    }

    private static Memory<byte> Room(ref byte[] buffer, long bytes)
    {
        if (buffer.Length < bytes) buffer = GC.AllocateUninitializedArray<byte>(checked((int)bytes));
        return buffer.AsMemory(0, (int)bytes);
    }
}
