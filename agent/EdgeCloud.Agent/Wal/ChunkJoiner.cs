using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>Copies a segment's chunks into fewer, larger ones, in the same order of messages. Holds one old and one new chunk in memory.</summary>
internal sealed class ChunkJoiner(SegmentLogOptions options, ChunkCodec codec)
{
    private byte[] _chunk = [];
    private byte[] _records = [];

    /// <summary>Reads every chunk of a segment and writes the joined ones.</summary>
    /// <param name="source">The segment.</param>
    /// <param name="before">Its contents.</param>
    /// <param name="writer">Where the new chunks go.</param>
    /// <param name="after">Gets the new chunks.</param>
    public void Join(IWalFile source, SegmentContents before, StagedWriter writer, SegmentContents after)
    {
        var channels = before.Channels.Keys.LastOrDefault();
        MessageChunk? joined = null;
        try
        {
            foreach (var place in before.Chunks)
            {
                var records = Read(source, place);
                if (joined is null || !joined.TryAppendRecords(records))
                {
                    if (joined is not null) Write(joined, writer, after);
                    var needed = MessageChunk.BytesForRecords(Math.Max(records.Length, options.ChunkBytes), channels);
                    if (joined is null || joined.Capacity < needed)
                    {
                        joined?.Dispose();
                        joined = new MessageChunk(checked((int)needed));
                    }

                    joined.Reset(channels);
                    joined.TryAppendRecords(records);
                }

                if (joined.RecordsBytes < options.ChunkBytes) continue;
                Write(joined, writer, after);
                joined.Reset(channels);
            }

            if (joined is { RecordsBytes: > 0 }) Write(joined, writer, after);
        }
        finally
        {
            joined?.Dispose();
        }
    }

    private void Write(MessageChunk chunk, StagedWriter writer, SegmentContents after)
    {
        if (chunk.RecordsBytes == 0) return;
        chunk.Encode(options.Compression, codec);
        after.Add(chunk, writer.Position);
        writer.Write(chunk.Body);
    }

    /// <summary>The uncompressed records of a chunk, whose CRC holds.</summary>
    public ReadOnlySpan<byte> Read(IWalFile source, in ChunkPlace place)
    {
        var chunk = Room(ref _chunk, place.ChunkBytes);
        if (source.Read(place.Offset, chunk.Span) < chunk.Length)
            throw WalIoException.Altered(source.Path, $"ends within the chunk at offset {place.Offset}");
        var records = chunk[(int)(place.ChunkBytes - place.StoredBytes)..];
        try
        {
            if (place.Compression != McapCompression.None)
            {
                var stored = records;
                records = Room(ref _records, place.RecordsBytes);
                codec.Decompress(place.Compression, stored.Span, records.Span, new RecordPosition(place.Offset));
            }
        }
        catch (McapException damage)
        {
            throw WalIoException.Altered(source.Path, $"cannot be decompressed any more ({damage.Message})");
        }

        if (Crc32.Compute(records.Span) != MessageChunk.RecordsCrc(chunk.Span))
            throw WalIoException.Altered(source.Path, $"has a chunk at offset {place.Offset} whose CRC32 does not hold");
        return records.Span;
    }

    private static Memory<byte> Room(ref byte[] buffer, long bytes)
    {
        if (buffer.Length < bytes) buffer = GC.AllocateUninitializedArray<byte>(checked((int)bytes));
        return buffer.AsMemory(0, (int)bytes);
    }
}
