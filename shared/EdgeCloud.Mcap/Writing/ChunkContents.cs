using System.Buffers.Binary;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Mcap.Writing;

/// <summary>What a chunk's records hold, found by walking them: definitions, times, and where the messages of each channel lie.</summary>
internal sealed class ChunkContents
{
    /// <summary>Schemas that the chunk defines, id 0 left out.</summary>
    public List<Schema> Schemas { get; } = [];

    /// <summary>Channels that the chunk defines.</summary>
    public List<Channel> Channels { get; } = [];

    /// <summary>Log time and offset of each message, by channel.</summary>
    public SortedDictionary<ushort, List<MessageIndexEntry>> Entries { get; } = [];

    /// <summary>Messages.</summary>
    public ulong MessageCount { get; private set; }

    /// <summary>Least log time, ns; 0 without messages.</summary>
    public ulong StartTime { get; private set; }

    /// <summary>Greatest log time, ns; 0 without messages.</summary>
    public ulong EndTime { get; private set; }

    /// <summary>Messages by channel.</summary>
    public IReadOnlyCollection<KeyValuePair<ushort, ulong>> Counts =>
        Entries.Select(pair => KeyValuePair.Create(pair.Key, (ulong)pair.Value.Count)).ToList();

    /// <summary>Walks whole records, as a chunk's or at the start of a torn one's.</summary>
    /// <exception cref="McapException">A record is not valid; positions are bytes of <paramref name="records"/>.</exception>
    public static ChunkContents Of(ReadOnlyMemory<byte> records, long chunkOffset = 0)
    {
        var contents = new ChunkContents();
        var at = 0;
        while (ChunkRecords.TryTake(records, ref at, chunkOffset, out var record))
            contents.Note(record);
        return contents;
    }

    /// <summary>Takes in a record of the chunk.</summary>
    public void Note(McapRecord record)
    {
        switch (record.Opcode)
        {
            case Opcode.Schema:
                var schema = record.ToSchema();
                if (schema.Id != 0)
                    Schemas.Add(schema);
                break;
            case Opcode.Channel:
                Channels.Add(record.ToChannel());
                break;
            case Opcode.Message:
                var message = record.ToMessage();
                if (!Entries.TryGetValue(message.ChannelId, out var entries))
                    Entries.Add(message.ChannelId, entries = []);
                entries.Add(new(message.LogTime, (ulong)record.Position.InChunk));
                StartTime = MessageCount == 0 ? message.LogTime : Math.Min(StartTime, message.LogTime);
                EndTime = Math.Max(EndTime, message.LogTime);
                MessageCount++;
                break;
        }
    }

    /// <summary>Appends the chunk with a fresh header, and its message indexes; returns its chunk index.</summary>
    /// <param name="output">Where to, empty.</param>
    /// <param name="chunk">The chunk whose stored records are kept.</param>
    /// <param name="position">Offset in the file of the output's first byte.</param>
    public ChunkIndex Append(RecordBuffer output, Chunk chunk, ulong position)
    {
        var content = output.Begin(Opcode.Chunk);
        output.UInt64(StartTime);
        output.UInt64(EndTime);
        output.UInt64(chunk.UncompressedSize);
        output.UInt32(chunk.UncompressedCrc);
        output.String(chunk.Compression);
        output.UInt64((ulong)chunk.Records.Length);
        output.Append(chunk.Records.Span);
        BinaryPrimitives.WriteInt64LittleEndian(output.Slice(content - 8, 8), output.Length - content); // a chunk is never padded
        var chunkLength = output.Length;
        var offsets = new List<KeyValuePair<ushort, ulong>>();
        foreach (var (channel, entries) in Entries)
        {
            offsets.Add(new(channel, position + (ulong)output.Length));
            output.Append(new MessageIndex(channel, new MessageIndexEntries(entries)));
        }
        return new(
            StartTime, EndTime, position, (ulong)chunkLength, new ChannelMap(offsets), (ulong)(output.Length - chunkLength), chunk.Compression,
            (ulong)chunk.Records.Length, chunk.UncompressedSize);
    }
}
