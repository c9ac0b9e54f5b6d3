using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The loop of a log's own thread: takes chunks from the queue, writes as many as are ready, syncs once, and only then tells that they are durable. When the disk refuses, the segment ends with its last durable commit, and everything after that is written to a new one; what was
/// written and not synced is never counted on.
/// </summary>
internal sealed class CommitLoop(
    SegmentLogOptions options, TimeProvider time, ChunkQueue queue, SegmentFiles files, SegmentHasher hasher, SegmentSealer sealer,
    CommitReport report, ChannelTable channels, int firstSequence) : IDisposable
{
    private const int MaxGroupBytes = 8 << 20;

    private readonly List<CommitWork> _hands = []; // in order; the first _added of them are added to the segment and not durable
    private readonly LatchedMessages _latched = new();
    private readonly ChunkCodec _codec = new();
    private readonly long _segmentTicks = (long)(options.SegmentTime.TotalSeconds * time.TimestampFrequency);
    private OpenSegment? _segment;
    private int _added;
    private int _lastEnded;
    private int _sequence = firstSequence - 1;
    private bool _prepared;
    private long _retryAt = long.MinValue;
    private long _stepBegan;

    /// <summary>Age of the oldest message of each sync when it returned.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>The last segment that ended; 0 when none has.</summary>
    public int LastEnded => Volatile.Read(ref _lastEnded);

    /// <summary>Durable messages.</summary>
    public long Messages { get; private set; }

    /// <summary>The refusal by the disk that lasts; null when all is well.</summary>
    public WalIoException? Fault { get; private set; }

    /// <summary>True when the last request for the end has been answered.</summary>
    public bool Ended { get; private set; }

    /// <summary>See <see cref="SegmentLog.Prime"/>.</summary>
    public void Prime(ChannelHandle channel, uint sequence, ulong publishTime, ReadOnlySpan<byte> data) =>
        _latched.Prime(channel, sequence, publishTime, data);

    /// <summary>Commits until the end.</summary>
    public void Run()
    {
        while (!Ended)
        {
            if (!Step()) queue.Wait(TicksUntilNext());
        }
    }

    /// <summary>Commits what is ready; false when there is nothing to do yet.</summary>
    public bool Step()
    {
        queue.Take(_hands);
        var now = _stepBegan = time.GetTimestamp();
        if (now >= sealer.RetryAt) sealer.Retry();
        if (_hands.Count == 0)
        {
            if (_segment is null || TicksUntilRotation(now) > 0) return false;
            SealSegment(SealReason.Time);
            return true;
        }

        if (now < _retryAt && !IsEnding) return false;
        try
        {
            Commit();
            _retryAt = long.MinValue;
            Fault = null;
            queue.DiskDown = false;
        }
        catch (WalIoException fault)
        {
            EndByFault(fault);
        }

        return true;
    }

    private bool IsEnding => _hands[^1].Request?.Reason == SealReason.Finish;

    /// <summary>Adds chunks up to the next request to the segment, writes and syncs, and answers the request if that is what comes next.</summary>
    private void Commit()
    {
        var group = 0;
        while (_added < _hands.Count && _hands[_added].Chunk is { } chunk && group < MaxGroupBytes)
        {
            // The disk is not to wait while chunks are compressed, nor they while it syncs.
            if (_added > 0 && chunk.IsBeingCompressed) break;
            chunk.EnsureEncoded(_codec);
            if (_segment is { } full && IsDue(full, chunk))
            {
                if (full.IsUnsynced) break;
                SealSegment(full.Bytes + chunk.CommitBytes > options.SegmentBytes ? SealReason.Size : SealReason.Time);
            }

            Add(chunk);
            group += chunk.CommitBytes;
        }

        if (_added > 0) SyncAdded();
        if (_hands.Count == 0 || _hands[0].Request is not { } request) return;
        if (_segment is not null) SealSegment(request.Reason);
        _hands.RemoveAt(0);
        if (request.Reason == SealReason.Finish) End();
        request.Done.SetResult();
    }

    private bool IsDue(OpenSegment segment, MessageChunk chunk) =>
        segment.Contents.Messages + (ulong)_added > 0
        && (segment.Bytes + chunk.CommitBytes > options.SegmentBytes || TicksUntilRotation(time.GetTimestamp()) <= 0);

    private void Add(MessageChunk chunk)
    {
        var segment = _segment ?? Begin(chunk.StartTime);
        segment.AddDefinitions(chunk, channels.ById);
        segment.Add(chunk);
        _added++;
        if (_prepared || segment.Bytes < options.SegmentBytes / 2 && TicksUntilRotation(time.GetTimestamp()) > _segmentTicks / 2) return;
        _prepared = true;
        files.Prepare(_sequence + 1);
    }

    private OpenSegment Begin(ulong logTime)
    {
        var file = files.Take(_sequence + 1);
        _segment = new OpenSegment(
            file, ++_sequence, options.Clock(), time.GetTimestamp());
        _prepared = false;
        _segment.AddStart(options, sealer.Caps(), channels.All);
        if (_latched.IsEmpty) return _segment;
        var repeats = _latched.ToChunk(logTime, channels.Ids);
        repeats.Encode(options.Compression, _codec);
        _segment.Add(repeats, repeats: true);
        return _segment;
    }

    private void SyncAdded()
    {
        var segment = _segment!;
        IReadOnlyList<SegmentCommit> synced;
        report.BeginCommit();
        try
        {
            synced = segment.Sync();
        }
        finally
        {
            report.EndCommit();
        }

        var now = time.GetTimestamp();
        queue.Allow(now - _stepBegan);
        var oldest = long.MaxValue;
        for (var i = 0; i < _added; i++)
        {
            var chunk = _hands[i].Chunk!;
            Messages += chunk.Messages;
            oldest = Math.Min(oldest, chunk.FirstAppend);
            _latched.Take(chunk, channels.ById);
            queue.SetDurable(chunk);
        }

        var latency = (long)time.GetElapsedTime(oldest, now).TotalNanoseconds;
        Latency.Add(latency);
        report.Tell(new DurableCommit(Messages, SegmentClock.WallNowNs(), latency));
        for (var i = 0; i < _added; i++)
            DurableWaiter.Complete(Interlocked.Exchange(ref _hands[i].Chunk!.Waiters, null), null);
        _hands.RemoveRange(0, _added);
        _added = 0;
        for (var i = 0; i < synced.Count; i++) hasher.Hash(segment, synced[i]); // from here on the chunks are the hasher's
    }

    private void SealSegment(SealReason reason)
    {
        var segment = _segment!;
        _segment = null;
        Volatile.Write(ref _lastEnded, segment.Contents.Sequence);
        hasher.Seal(segment, channels.Facts(segment.Contents, segment.Clock, reason));
    }

    /// <summary>Ends the segment at its last durable commit. What is in hand is written to a new one: at once the first time, then now and then.</summary>
    private void EndByFault(WalIoException fault)
    {
        var again = Fault is not null;
        Fault = fault;
        queue.DiskDown = true;
        _added = 0;
        if (_segment is { } segment)
        {
            if (segment.Contents.Commits > 0)
            {
                sealer.Cap(_sequence, segment.Contents.Commits);
                SealSegment(SealReason.DiskFault);
            }
            else
            {
                Abandon(segment);
                _segment = null;
            }
        }

        if (!again) return;
        _retryAt = time.GetTimestamp() + (long)(options.DiskRetry.TotalSeconds * time.TimestampFrequency);
        if (IsEnding) GiveUp(fault);
    }

    /// <summary>Removes a segment of which nothing became durable; its number is free again, unless the file cannot be removed.</summary>
    private void Abandon(OpenSegment segment)
    {
        segment.Dispose();
        try
        {
            files.Remove(segment.File.Path);
            _sequence--;
        }
        catch (WalIoException)
        {
            sealer.Cap(_sequence, 0); // the file stays, and nothing in it counts
        }
    }

    /// <summary>The log ends and the disk takes nothing: counts what is lost and tells those who wait for it.</summary>
    private void GiveUp(WalIoException fault)
    {
        foreach (var (chunk, request) in _hands)
        {
            request?.Done.SetResult();
            if (chunk is null) continue;
            chunk.EnsureEncoded(_codec);
            queue.GiveUp(chunk, channels.ById);
            DurableWaiter.Complete(chunk.Waiters, fault);
            chunk.Waiters = null;
            queue.Return(chunk, wasDurable: false);
        }

        _hands.Clear();
        End();
    }

    private void End()
    {
        Ended = true;
        hasher.End();
    }

    private long TicksUntilRotation(long now) => _segment is null ? long.MaxValue : _segment.StartedAt + _segmentTicks - now;

    private long TicksUntilNext()
    {
        var now = time.GetTimestamp();
        var next = Math.Min(sealer.RetryAt - now, _hands.Count > 0 ? _retryAt - now : TicksUntilRotation(now));
        return Math.Max(0, next);
    }

    public void Dispose()
    {
        foreach (var work in _hands) work.Chunk?.Dispose();
        _segment?.Dispose();
        _codec.Dispose();
    }
}
