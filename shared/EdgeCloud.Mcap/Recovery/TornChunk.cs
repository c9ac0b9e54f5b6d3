using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Mcap.Recovery;

/// <summary>Gets at the start of a chunk whose end is missing.</summary>
internal static class TornChunk
{
    /// <summary>As many of the chunk's records as the bytes give, the last perhaps cut off.</summary>
    /// <param name="content">The chunk record's content, as far as it is there.</param>
    /// <param name="chunkBytesMax">The most bytes to decompress into.</param>
    /// <param name="records">The records; a slice at the end of <paramref name="content"/> when they are not compressed.</param>
    /// <param name="compressed">Whether they were compressed.</param>
    /// <returns>False when not even the chunk's header is there.</returns>
    public static bool TryOpen(ReadOnlyMemory<byte> content, long chunkBytesMax, out ReadOnlyMemory<byte> records, out bool compressed)
    {
        (records, compressed) = (default, false);
        var fields = new FieldReader(content, Opcode.Chunk, default);
        ulong uncompressedSize;
        McapCompression compression;
        try
        {
            _ = fields.UInt64("message_start_time");
            _ = fields.UInt64("message_end_time");
            uncompressedSize = fields.UInt64("uncompressed_size");
            _ = fields.UInt32("uncompressed_crc");
            if (!McapCompressionNames.TryParse(fields.String("compression"), out compression))
                return false;
            _ = fields.UInt64("records");
        }
        catch (McapException)
        {
            return false; // torn before its records begin
        }
        records = content[fields.Consumed..];
        compressed = compression != McapCompression.None;
        if (!compressed)
            return true;
        using var codec = new ChunkCodec();
        var most = Math.Min((ulong)Math.Min(chunkBytesMax, McapFormat.RecordBytesLimit), ChunkCodec.LargestContent(compression, records.Length));
        var target = new byte[Math.Min(uncompressedSize, most)];
        records = target.AsMemory(0, codec.DecompressPrefix(compression, records.Span, target));
        return true;
    }
}
