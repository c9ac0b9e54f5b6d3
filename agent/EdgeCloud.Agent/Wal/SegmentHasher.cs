namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Hashes what became durable while it is still in memory, gives the memory back, and hands ended segments on to be sealed. When it cannot keep
/// up, the rest of the segment is read once more at sealing instead: memory is for messages first, those of the least class too.
/// </summary>
internal sealed class SegmentHasher(
    SegmentLogOptions options, ChunkQueue queue, SegmentSealer sealer, WalWorkers workers, Action<Exception> onUnexpected)
    : Strand<SegmentHasher.Work>(workers, WalWorkers.Urgency.Chunk, onUnexpected), IDisposable
{
    /// <summary>Hands over what is durable, in the order of the file.</summary>
    public void Hash(OpenSegment segment, in SegmentCommit commit)
    {
        if (sealer.WillRewrite || queue.DurableBytes > options.MemoryBytes / 4)
        {
            if (commit.Chunk is { } chunk) queue.Return(chunk);
            return;
        }

        Post(new Work(segment, commit, null));
    }

    /// <summary>Hands over a segment that ended.</summary>
    public void Seal(OpenSegment segment, SegmentFacts facts) => Post(new Work(segment, default, facts));

    /// <summary>Says that nothing more will come.</summary>
    public void End() => Post(default);

    /// <inheritdoc/>
    protected override void Handle(in Work work)
    {
        if (work.Segment is not { } segment)
        {
            sealer.End();
        }
        else if (work.Facts is { } facts)
        {
            sealer.Seal(segment, facts);
        }
        else
        {
            segment.Digest.Add(work.Commit.Offset, work.Commit.Bytes.Bytes);
            if (work.Commit.Chunk is { } chunk) queue.Return(chunk);
        }
    }

    public void Dispose()
    {
        foreach (var work in Left)
        {
            work.Segment?.Dispose();
            work.Commit.Chunk?.Dispose();
        }
    }

    /// <summary>Bytes to hash, or with facts a segment that ended; without segment: the end.</summary>
    internal readonly record struct Work(OpenSegment? Segment, SegmentCommit Commit, SegmentFacts? Facts);
}
