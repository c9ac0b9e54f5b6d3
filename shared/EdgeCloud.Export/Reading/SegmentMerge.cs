using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export.Reading;

/// <summary>A segment that is open for reading.</summary>
internal sealed class OpenSegment(int index, PlannedSegment segment, McapIndexedReader reader, MessageCursor cursor) : IAsyncDisposable
{
    /// <summary>Place in the plan: decides between messages of one log time.</summary>
    public int Index => index;

    public PlannedSegment Segment => segment;

    public McapIndexedReader Reader => reader;

    public MessageCursor Cursor => cursor;

    /// <summary>What is known of its channels, by id; filled by whoever takes the messages.</summary>
    public Dictionary<ushort, Route> Routes { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await cursor.DisposeAsync().ConfigureAwait(false);
        await reader.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>How segments are opened.</summary>
/// <param name="Open">Opens the bytes of one; whoever reads disposes them.</param>
/// <param name="WindowBytes">How much is fetched with one request.</param>
/// <param name="Unreadable">Takes what is wrong with a segment that cannot be read, whose rest is then left out; null: it is an error.</param>
internal sealed record SegmentAccess(
    Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> Open, int WindowBytes, Action<string>? Unreadable)
{
    private static readonly McapIndexedReaderOptions ReaderOptions = new() { Buffers = LargeBuffers.Pool };

    /// <summary>Opens a segment for reading what the options select; null when it cannot be read and may be left out.</summary>
    /// <exception cref="ExportException">It cannot be read.</exception>
    public async Task<OpenSegment?> OpenAsync(int index, PlannedSegment segment, McapReadOptions options, CancellationToken cancellation)
    {
        ReadAheadSource? source = null;
        try
        {
            source = new ReadAheadSource(await Open(segment, cancellation).ConfigureAwait(false), WindowBytes, LargeBuffers.Pool);
            var reader = await McapIndexedReader.OpenAsync(source, ReaderOptions, cancellationToken: cancellation).ConfigureAwait(false);
            source.ReadsAhead = true;
            return new OpenSegment(index, segment, reader, reader.ReadMessages(options).GetAsyncEnumerator(cancellation));
        }
        catch (Exception e)
        {
            if (source is not null)
                await source.DisposeAsync().ConfigureAwait(false);
            if (!IsDamage(e))
                throw;
            Refuse(segment, e);
            return null;
        }
    }

    /// <summary>Whether it is the segment that is at fault, and not the way to it.</summary>
    public static bool IsDamage(Exception e) => e is McapException or EndOfStreamException;

    /// <summary>Notes that a segment cannot be read, or throws.</summary>
    public void Refuse(PlannedSegment segment, Exception e)
    {
        var problem = $"Segment {segment.Name} ({segment.Key}) cannot be read: {e.Message}";
        if (Unreadable is null)
            throw new ExportException(problem, e);
        Unreadable(problem);
    }
}

/// <summary>
/// Reads the segments of a part as one, ordered by (log time, place in the plan, offset). A segment is opened when the order reaches its
/// start and closed when it is read, so only segments whose times overlap are open together, however many there are.
/// </summary>
internal sealed class SegmentMerge(IReadOnlyList<(PlannedSegment Segment, McapReadOptions Options)> segments, SegmentAccess access) : IAsyncDisposable
{
    private static readonly ValueTask<bool> Moved = new(true); // copied whole: see MessageCursor

    private readonly Queue<(int Index, PlannedSegment Segment)> _waiting =
        new(segments.Select((s, index) => (index, s.Segment)).OrderBy(s => s.Segment.StartNs).ThenBy(s => s.index));
    private readonly PriorityQueue<OpenSegment, (ulong LogTime, int Index)> _open = new();
    private OpenSegment? _current;
    private ulong _barrier; // below it no other segment has a message
    private bool _alone; // no other segment has one at all

    /// <summary>The segment of the message that the merge is at; its cursor is at that message.</summary>
    public OpenSegment Current => _current!;

    /// <summary>Bytes of the segments that are read to their end.</summary>
    public long BytesDone { get; private set; }

    /// <summary>Moves to the next message; false after the last. Completes at once unless a segment must be read.</summary>
    /// <exception cref="ExportException">A segment cannot be read.</exception>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        if (_current is not { } read)
            return TakeNextAsync(cancellation);
        var moved = read.Cursor.MoveNextAsync();
        if (!moved.IsCompletedSuccessfully)
            return AdvanceAsync(read, moved, cancellation);
        var hasMessage = moved.Result;
        return hasMessage && (_alone || read.Cursor.Current.LogTime < _barrier)
            ? Moved
            : AdvanceAsync(read, new ValueTask<bool>(hasMessage), cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_current is not null)
            await _current.DisposeAsync().ConfigureAwait(false);
        while (_open.TryDequeue(out var segment, out _))
            await segment.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> AdvanceAsync(OpenSegment read, ValueTask<bool> moved, CancellationToken cancellation)
    {
        _current = null;
        await SettleAsync(read, moved, cancellation).ConfigureAwait(false);
        return await TakeNextAsync(cancellation).ConfigureAwait(false);
    }

    private async ValueTask<bool> TakeNextAsync(CancellationToken cancellation)
    {
        while (_waiting.TryPeek(out var next) && (!_open.TryPeek(out _, out var least) || (ulong)next.Segment.StartNs <= least.LogTime))
        {
            _waiting.Dequeue();
            if (await access.OpenAsync(next.Index, next.Segment, segments[next.Index].Options, cancellation).ConfigureAwait(false) is { } opened)
                await SettleAsync(opened, opened.Cursor.MoveNextAsync(), cancellation).ConfigureAwait(false);
            else
                BytesDone += next.Segment.Bytes;
        }
        if (!_open.TryDequeue(out _current, out _))
            return false;
        _alone = _open.Count == 0 && _waiting.Count == 0;
        _barrier = _open.TryPeek(out _, out var other) ? other.LogTime : ulong.MaxValue;
        if (_waiting.TryPeek(out var waiting))
            _barrier = Math.Min(_barrier, (ulong)Math.Max(0, waiting.Segment.StartNs));
        return true;
    }

    /// <summary>Puts a segment back in line with its next message, or closes it.</summary>
    private async ValueTask SettleAsync(OpenSegment segment, ValueTask<bool> moved, CancellationToken cancellation)
    {
        var hasMessage = false;
        try
        {
            hasMessage = await moved.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await segment.DisposeAsync().ConfigureAwait(false);
            if (!SegmentAccess.IsDamage(e))
                throw;
            access.Refuse(segment.Segment, e);
        }
        if (hasMessage)
        {
            _open.Enqueue(segment, (segment.Cursor.Current.LogTime, segment.Index));
            return;
        }
        BytesDone += segment.Segment.Bytes;
        await segment.DisposeAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
    }
}
