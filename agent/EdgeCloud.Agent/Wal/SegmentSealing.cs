using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Turns a segment whose commits are durable into a sealed file: Metadata records, DataEnd, summary, footer and magic after the last commit,
/// the rest cut off, sync, read back, rename, sync of the folder. A segment of many small chunks, or one that recovery found damaged in the middle,
/// is written anew instead, into <c>.mcap.rewrite</c>, which takes the place of the open file by rename. Until the rename the open file is as good
/// as before, so a crash at any point leaves something that recovery brings to the same end.
/// </summary>
internal sealed class SegmentSealing(IWalFiles files, SegmentLogOptions options, CommitReport report) : IDisposable
{
    private const int ReadBytes = 1 << 20;

    private readonly ChunkCodec _codec = new();
    private readonly FileETagReader _etags = new(files, options.SinglePutBytes, options.PartBytes);
    private byte[] _buffer = [];

    /// <summary>Seals a segment.</summary>
    /// <param name="file">The open segment; closed here.</param>
    /// <param name="contents">What is durable in it.</param>
    /// <param name="facts">The same for the report.</param>
    /// <param name="endMetadata">Metadata records for its end.</param>
    /// <param name="digest">Digest of its bytes as far as it was kept; the rest is read here. Closed here.</param>
    public SealedSegment Seal(
        IWalFile file, SegmentContents contents, SegmentFacts facts, IReadOnlyList<SegmentMetadata> endMetadata, SegmentDigest digest)
    {
        var openPath = file.Path;
        var sealedPath = SegmentName.With(openPath, SegmentName.Sealed);
        using (file)
        using (digest)
        {
            if ((contents.HasGaps || IsFragmented(contents)) && TryRewrite(openPath, sealedPath, contents, facts, endMetadata) is { } rewritten) return rewritten;
            // An attempt before may have renamed the file and back without knowing what of that is durable. Its bytes stay as they are until
            // its name is the open one for sure: a power cut could otherwise leave a half-written end under the sealed name.
            files.SyncDirectory(Path.GetDirectoryName(openPath)!);
            Complete(digest, file.Path, contents.End);
            var crc = Write(file, contents.End, contents.Crc, digest, writer => WriteEnd(writer, contents, endMetadata));
            return Publish(openPath, sealedPath, contents, facts, crc, digest, rewritten: false);
        }
    }

    private bool IsFragmented(SegmentContents contents) =>
        contents.Chunks.Count > 1 && contents.Chunks.Sum(chunk => chunk.RecordsBytes) / contents.Chunks.Count < options.LeastMeanChunkBytes;

    /// <summary>Reads what a digest does not cover yet.</summary>
    private void Complete(SegmentDigest digest, string path, long end)
    {
        if (digest.Bytes == end) return;
        if (_buffer.Length == 0) _buffer = GC.AllocateUninitializedArray<byte>(ReadBytes);
        using var reader = files.OpenRead(path);
        for (var offset = digest.Bytes; offset < end;)
        {
            var piece = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, end - offset));
            if (reader.Read(offset, piece) < piece.Length)
                throw WalIoException.Altered(path, $"ends before byte {end}, up to which it is durable");
            digest.Add(offset, piece);
            offset += piece.Length;
        }
    }

    /// <summary>Writes all that follows the last chunk. Leaves <paramref name="contents"/> as they are: it may have to be done again.</summary>
    private static void WriteEnd(StagedWriter writer, SegmentContents contents, IReadOnlyList<SegmentMetadata> endMetadata)
    {
        var buffer = new RecordBuffer(4096);
        var summary = contents.ToSummary();
        foreach (var metadata in endMetadata)
        {
            var at = buffer.Length;
            buffer.Append(new Metadata(metadata.Name, metadata.Values));
            summary.Add(new MetadataIndex((ulong)(writer.Position + at), (ulong)(buffer.Length - at), metadata.Name));
        }

        writer.Write(buffer.WrittenSpan);
        writer.Write(summary.Build((ulong)writer.Position, writer.Crc).Span);
    }

    /// <summary>Writes the segment anew; null when there is no space for that, and no need.</summary>
    private SealedSegment? TryRewrite(
        string openPath, string sealedPath, SegmentContents contents, SegmentFacts facts, IReadOnlyList<SegmentMetadata> endMetadata)
    {
        var path = SegmentName.With(sealedPath, SegmentName.Rewrite);
        files.Delete(path);
        var after = new SegmentContents(contents.Sequence) { Header = contents.Header };
        using var digest = new SegmentDigest();
        uint crc;
        try
        {
            using var source = files.OpenRead(openPath);
            using var file = files.Create(path, contents.End);
            crc = Write(file, 0, 0, digest, writer =>
            {
                WriteStart(writer, contents, after);
                new ChunkJoiner(options, _codec).Join(source, contents, writer, after);
                WriteEnd(writer, after, endMetadata);
            });
        }
        catch (WalIoException fault) when (fault.Fault == WalFault.NoSpace && !contents.HasGaps)
        {
            files.Delete(path);
            return null;
        }

        var segment = Publish(path, sealedPath, after, facts, crc, digest, rewritten: true);
        files.Delete(openPath);
        return segment;
    }

    private static void WriteStart(StagedWriter writer, SegmentContents before, SegmentContents after)
    {
        var buffer = new RecordBuffer(4096);
        buffer.AppendMagic();
        buffer.Append(before.Header);
        foreach (var (record, _) in before.Metadata)
        {
            var at = buffer.Length;
            buffer.Append(record);
            after.Metadata.Add((record, new MetadataIndex((ulong)at, (ulong)(buffer.Length - at), record.Name)));
        }

        foreach (var schema in before.Schemas.Values)
        {
            buffer.Append(schema);
            after.Add(schema);
        }

        foreach (var channel in before.Channels.Values)
        {
            buffer.Append(channel);
            after.Add(channel);
        }

        writer.Write(buffer.WrittenSpan);
    }

    /// <summary>Writes from an offset to the end of the file, which is durable then; answers the CRC32 of all of it.</summary>
    private uint Write(IWalFile file, long offset, uint crc, SegmentDigest digest, Action<StagedWriter> write)
    {
        report.BeginSealing();
        try
        {
            using var writer = new StagedWriter(file, offset, crc, digest);
            write(writer);
            writer.Finish();
            file.Truncate(writer.Position);
            file.Sync();
            return writer.Crc;
        }
        finally
        {
            report.EndSealing();
        }
    }

    /// <summary>Reads the complete file back, and gives it its name if that is what was written.</summary>
    private SealedSegment Publish(
        string path, string sealedPath, SegmentContents contents, SegmentFacts facts, uint crc, SegmentDigest digest, bool rewritten)
    {
        var tag = _etags.Read(path, digest.Bytes);
        if (tag.Crc != crc) throw WalIoException.Altered(path, $"reads back with CRC32 {tag.Crc:x8} and not {crc:x8}");
        files.Rename(path, sealedPath);
        try
        {
            files.SyncDirectory(Path.GetDirectoryName(sealedPath)!);
        }
        catch (WalIoException)
        {
            files.Rename(sealedPath, path); // not sealed before the name is durable: it will be tried again
            throw;
        }

        return new SealedSegment
        {
            Path = sealedPath,
            Bytes = digest.Bytes,
            Sha256 = digest.Finish(),
            ETag = tag.ETag,
            PartMd5s = tag.PartMd5s,
            Facts = facts,
            Chunks = contents.Chunks.Count,
            CommitOverheadBytes = contents.OverheadBytes,
            Rewritten = rewritten,
        };
    }

    public void Dispose()
    {
        _codec.Dispose();
        _etags.Dispose();
    }
}
