namespace EdgeCloud.Mcap.Writing;

/// <summary>A chunk that <see cref="ChunkBuilder.Close"/> ended: its bytes and what the summary needs to know. Valid until the builder is reset.</summary>
public readonly struct ClosedChunk
{
    internal ClosedChunk(ChunkBuilder builder, ReadOnlyMemory<byte> bytes)
    {
        Builder = builder;
        Bytes = bytes;
    }

    /// <summary>The chunk record followed by its message index records.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Bytes of the chunk record alone, opcode and length included.</summary>
    public int ChunkLength { get; init; }

    /// <summary>Bytes of the message index records.</summary>
    public int MessageIndexLength => Bytes.Length - ChunkLength;

    /// <summary>Least log time, ns; 0 without messages.</summary>
    public ulong MessageStartTime { get; init; }

    /// <summary>Greatest log time, ns; 0 without messages.</summary>
    public ulong MessageEndTime { get; init; }

    /// <summary>Messages.</summary>
    public long MessageCount { get; init; }

    /// <summary>Compression of the records.</summary>
    public McapCompression Compression { get; init; }

    /// <summary>Bytes of the records as stored.</summary>
    public int CompressedSize { get; init; }

    /// <summary>Bytes of the records once decompressed.</summary>
    public int UncompressedSize { get; init; }

    /// <summary>CRC-32 of the decompressed records; 0 when it was not asked for.</summary>
    public uint UncompressedCrc { get; init; }

    /// <summary>Number of channels with messages in the chunk.</summary>
    public int ChannelCount => Builder.Touched.Length;

    internal ChunkBuilder Builder { get; }

    /// <summary>Channel and number of messages of the chunk's channel number <paramref name="index"/>.</summary>
    public (ushort ChannelId, long MessageCount) ChannelAt(int index)
    {
        var entries = Builder.Touched[index];
        return (entries.ChannelId, entries.Count);
    }

    /// <summary>The chunk index record for the chunk, once it is known where in the file the chunk lies.</summary>
    /// <param name="chunkStartOffset">Offset of the chunk's first byte in the file.</param>
    public ChunkIndex ToIndex(ulong chunkStartOffset)
    {
        var offsets = new List<KeyValuePair<ushort, ulong>>();
        if (Builder.HasMessageIndex)
        {
            foreach (var entries in Builder.Touched)
                offsets.Add(new(entries.ChannelId, chunkStartOffset + (ulong)entries.IndexOffset));
        }
        return new(
            MessageStartTime, MessageEndTime, chunkStartOffset, (ulong)ChunkLength, new ChannelMap(offsets),
            (ulong)MessageIndexLength, Compression.ToName(), (ulong)CompressedSize, (ulong)UncompressedSize);
    }
}
