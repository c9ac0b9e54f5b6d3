namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Seals the segments of a log one after the other. What the disk refuses to seal is tried again, and meanwhile later segments tell how much of
/// it counts (see <see cref="OpenSegment"/>). A segment that a failing device does not give back is given up after a while: its owner recovers
/// what is left of it, and later segments need not wait.
/// </summary>
internal sealed class SegmentSealer(
    IWalFiles files, SegmentLogOptions options, TimeProvider time, ChunkQueue queue, CommitReport report, WalWorkers workers, Action<SealedSegment> onSealed,
    Action<UnsealableSegment> onGivenUp, Action onEnd, Action<Exception> onUnexpected)
    : Strand<SegmentSealer.Work>(workers, WalWorkers.Urgency.Seal, onUnexpected), IDisposable
{
    private const int LeastReadBytes = 4 << 20;
    private const int MaxWaiting = 16;
    private const int MaxDeviceFaults = 5;
    private static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(100);

    private readonly SegmentSealing _sealing = new(files, options, report);
    private readonly List<Unsealed> _unsealed = []; // in order; the strand's own
    private readonly SortedDictionary<int, ulong> _caps = []; // locked
    private long _retryAt = long.MaxValue;

    /// <summary>The last refusal by the disk while sealing; the segment stays an open file until it is tried again, or for recovery.</summary>
    public WalIoException? LastFault { get; private set; }

    /// <summary>True when the last segment was rewritten: the next one will be, too, and hashing it before is of no use.</summary>
    public bool WillRewrite { get; private set; }

    /// <summary>When to call <see cref="Retry"/>: a timestamp of the log's <see cref="TimeProvider"/>.</summary>
    public long RetryAt => Volatile.Read(ref _retryAt);

    /// <summary>Seals a segment that ended.</summary>
    public void Seal(OpenSegment segment, SegmentFacts facts) => Post(new Work(segment, facts));

    /// <summary>Tries again what could not be sealed.</summary>
    public void Retry()
    {
        Volatile.Write(ref _retryAt, long.MaxValue);
        Post(default);
    }

    /// <summary>Tries again a last time, and tells that nothing more comes.</summary>
    public void End() => Post(new Work(null, null, IsEnd: true));

    /// <summary>Says how many commits of a segment that a disk fault ended count.</summary>
    public void Cap(int sequence, ulong commits)
    {
        lock (_caps) _caps[sequence] = commits;
    }

    /// <summary>Segments that a disk fault ended and that are not sealed, with the number of their commits that count.</summary>
    public KeyValuePair<int, ulong>[] Caps()
    {
        lock (_caps) return [.. _caps];
    }

    /// <inheritdoc/>
    protected override void Handle(in Work work)
    {
        if (work.Segment is { } segment)
        {
            var end = options.EndMetadata?.Invoke(work.Facts!).ToArray() ?? [];
            segment.File.Dispose();
            _unsealed.Add(new Unsealed(segment.File.Path, segment.Contents, work.Facts!, end, segment.Digest));
        }

        foreach (var unsealed in _unsealed.ToArray())
        {
            if (!work.IsEnd && ShouldWait(unsealed)) SetRetry(BusyWait);
            else TrySeal(unsealed, isLast: work.IsEnd);
        }

        if (work.IsEnd) onEnd();
    }

    /// <summary>While messages wait for the disk, it is not read for hashes that can be had later: unless too many segments wait for them.</summary>
    private bool ShouldWait(Unsealed segment) =>
        segment.Contents.End > LeastReadBytes && queue.IsBusy && _unsealed.Count < MaxWaiting && !WillRewrite;

    private void TrySeal(Unsealed segment, bool isLast)
    {
        try
        {
            var digest = Interlocked.Exchange(ref segment.Digest, null) ?? new SegmentDigest();
            var done = _sealing.Seal(files.OpenWrite(segment.Path), segment.Contents, segment.Facts, segment.EndMetadata, digest);
            _unsealed.Remove(segment);
            if (_unsealed.Count == 0) LastFault = null;
            WillRewrite = done.Rewritten;
            lock (_caps) _caps.Remove(segment.Facts.Sequence);
            onSealed(done);
        }
        catch (WalIoException fault)
        {
            LastFault = fault;
            Cap(segment.Facts.Sequence, segment.Contents.Commits); // also of one that is given up: its file stays until it is recovered
            if (fault.Fault is WalFault.Device && (isLast || ++segment.DeviceFaults == MaxDeviceFaults))
            {
                _unsealed.Remove(segment);
                onGivenUp(new UnsealableSegment(segment.Facts, segment.Path, fault.Message));
            }
            else
            {
                SetRetry(options.DiskRetry);
            }
        }
    }

    private void SetRetry(TimeSpan wait)
    {
        Volatile.Write(ref _retryAt, time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency));
        queue.Wake(); // the committer, which keeps the time, may wait for messages that do not come
    }

    public void Dispose()
    {
        foreach (var work in Left) work.Segment?.Dispose();
        foreach (var unsealed in _unsealed) unsealed.Digest?.Dispose();
        _sealing.Dispose();
    }

    /// <summary>A segment to seal, or none: those that could not be sealed before.</summary>
    internal readonly record struct Work(OpenSegment? Segment, SegmentFacts? Facts, bool IsEnd = false);

    /// <summary>A segment that waits to be sealed.</summary>
    private sealed class Unsealed(
        string path, SegmentContents contents, SegmentFacts facts, IReadOnlyList<SegmentMetadata> endMetadata, SegmentDigest digest)
    {
        public SegmentDigest? Digest = digest; // null once it was used
        public int DeviceFaults;

        public string Path => path;
        public SegmentContents Contents => contents;
        public SegmentFacts Facts => facts;
        public IReadOnlyList<SegmentMetadata> EndMetadata => endMetadata;
    }
}
