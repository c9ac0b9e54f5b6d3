using System.Buffers.Binary;

namespace EdgeCloud.Mcap.Reading;

/// <summary>Reads a file's summary from its end: one request for a small one, two otherwise.</summary>
internal static class SummaryReader
{
    private const int TailGuessBytes = 64 << 10;
    private const int LeastFileBytes = 8 + McapFormat.RecordPrefixBytes + 8 + McapFormat.TailBytes;

    public static async ValueTask<McapSummary> ReadAsync(
        IByteSource source, McapIndexedReaderOptions options, CancellationToken cancellationToken)
    {
        if (source.Length < LeastFileBytes)
            throw new McapTruncatedException("file", new(0), $"at least {LeastFileBytes} bytes", $"{source.Length} bytes");
        var tail = new byte[Math.Min(source.Length, TailGuessBytes)];
        var tailStart = source.Length - tail.Length;
        await source.ReadAsync(tailStart, tail, cancellationToken).ConfigureAwait(false);
        var footer = ReadFooter(tail, source.Length);

        var summary = new McapSummary { Footer = footer };
        var footerStart = source.Length - McapFormat.TailBytes;
        if (footer.SummaryStart != 0)
        {
            if (footer.SummaryStart > (ulong)footerStart)
                throw new McapException("Footer summary_start", new(footerStart), $"at most {footerStart}", $"{footer.SummaryStart}");
            var start = (long)footer.SummaryStart;
            if (footerStart - start > McapFormat.RecordBytesLimit)
                throw new McapException("Footer summary_start", new(footerStart), "a summary of at most 2 GiB", $"one of {footerStart - start} bytes");
            if (start < tailStart)
            {
                var whole = new byte[source.Length - start];
                tail.CopyTo(whole, whole.Length - tail.Length);
                await source.ReadAsync(start, whole.AsMemory(0, whole.Length - tail.Length), cancellationToken).ConfigureAwait(false);
                (tail, tailStart) = (whole, start);
            }
            ReadSection(summary, tail.AsMemory((int)(start - tailStart)), start, options);
        }
        if (NeedsScan(summary) || (options.CompleteIndexes && LacksIndexes(summary)))
        {
            if (!options.AllowScan)
                throw new McapException("summary", new(footerStart), "indexes of every chunk, and its channels and schemas", "a summary without");
            await new DataScan(source, summary, options).RunAsync(cancellationToken).ConfigureAwait(false);
        }
        return summary;
    }

    private static Footer ReadFooter(ReadOnlySpan<byte> tail, long length)
    {
        var magicAt = length - 8;
        if (!tail[^8..].SequenceEqual(McapFormat.Magic))
            throw new McapTruncatedException("trailing magic", new(magicAt), Convert.ToHexString(McapFormat.Magic), Convert.ToHexString(tail[^8..]));
        var record = tail[^McapFormat.TailBytes..];
        var position = new RecordPosition(length - McapFormat.TailBytes);
        if (record[0] != (byte)Opcode.Footer)
            throw new McapException("Footer", position, "opcode 0x02", $"opcode 0x{record[0]:x2}");
        var content = BinaryPrimitives.ReadUInt64LittleEndian(record[1..]);
        if (content != McapFormat.FooterContentBytes)
            throw new McapException("Footer length", position, $"{McapFormat.FooterContentBytes}", $"{content}");
        return new McapRecord(Opcode.Footer, record[McapFormat.RecordPrefixBytes..^8].ToArray(), position).ToFooter();
    }

    /// <param name="summary">What is known so far; taken further.</param>
    /// <param name="section">From the summary's first byte to the end of the file.</param>
    /// <param name="start">Where the section lies in the file.</param>
    /// <param name="options">What to check.</param>
    private static void ReadSection(McapSummary summary, ReadOnlyMemory<byte> section, long start, McapIndexedReaderOptions options)
    {
        var covered = section.Span[..^(4 + 8)];
        if (options.VerifySummaryCrc && summary.Footer.SummaryCrc != 0)
        {
            var crc = Crc32.Compute(covered);
            if (crc != summary.Footer.SummaryCrc)
                throw new McapException("Footer summary_crc", new(start), $"{summary.Footer.SummaryCrc:x8}", $"a summary with CRC-32 {crc:x8}");
        }
        var records = section[..^McapFormat.TailBytes];
        for (var at = 0; at < records.Length;)
        {
            var left = records.Span[at..];
            var position = new RecordPosition(start + at);
            if (left.Length < McapFormat.RecordPrefixBytes)
                throw new McapException("summary record", position, $"{McapFormat.RecordPrefixBytes} bytes of opcode and length", $"{left.Length} bytes before the footer");
            var opcode = (Opcode)left[0];
            var length = BinaryPrimitives.ReadUInt64LittleEndian(left[1..]);
            if (length > (ulong)(left.Length - McapFormat.RecordPrefixBytes))
                throw new McapException($"{McapRecord.NameOf(opcode)} length", position, $"at most {left.Length - McapFormat.RecordPrefixBytes}, the bytes before the footer", $"{length}");
            summary.Note(new(opcode, records.Slice(at + McapFormat.RecordPrefixBytes, (int)length), position));
            at += McapFormat.RecordPrefixBytes + (int)length;
        }
    }

    /// <summary>Whether attachments or metadata records may be in the file without an index.</summary>
    private static bool LacksIndexes(McapSummary summary) =>
        summary.RecordedStatistics is not { } statistics
        || statistics.AttachmentCount != summary.AttachmentList.Count || statistics.MetadataCount != summary.MetadataList.Count;

    /// <summary>Whether messages could be missed, or could not be named, with what the summary holds.</summary>
    private static bool NeedsScan(McapSummary summary)
    {
        var statistics = summary.RecordedStatistics;
        if (summary.Chunks.Count == 0)
            return statistics is not { MessageCount: 0 };
        if (statistics is not null && statistics.ChunkCount != summary.Chunks.Count)
            return true;
        if (summary.ChannelsById.Count == 0)
            return true;
        foreach (var chunk in summary.Chunks)
        {
            var channels = chunk.MessageIndexOffsets;
            for (var i = 0; i < channels.Count; i++)
            {
                if (!summary.ChannelsById.ContainsKey(channels[i].Key))
                    return true;
            }
        }
        foreach (var channel in summary.ChannelsById.Values)
        {
            if (channel.SchemaId != 0 && !summary.SchemasById.ContainsKey(channel.SchemaId))
                return true;
        }
        return false;
    }
}
