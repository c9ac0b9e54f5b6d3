using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export;

/// <summary>A segment that is open for reading.</summary>
internal sealed class OpenSegment(int index, PlannedSegment segment, McapIndexedReader reader, MessageCursor cursor) : IAsyncDisposable
{
    /// <summary>Place in the plan: decides between messages of one log time.</summary>
    public int Index => index;

    public PlannedSegment Segment => segment;

    public McapIndexedReader Reader => reader;

    public MessageCursor Cursor => cursor;

    /// <summary>Where its messages go; set by whoever takes them.</summary>
    public Routes? Routes { get; set; }

    public async ValueTask DisposeAsync()
    {
        await cursor.DisposeAsync().ConfigureAwait(false);
        await reader.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>
/// Reads the segments of a plan as one, ordered by (log time, place in the plan, offset). A segment is opened when the order reaches its
/// start and closed when it is read, so only segments whose times overlap are open together, however many there are.
/// </summary>
internal sealed class SegmentMerge(
    IReadOnlyList<PlannedSegment> segments, McapReadOptions options, Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> open,
    int windowBytes) : IAsyncDisposable
{
    private readonly Queue<(int Index, PlannedSegment Segment)> _waiting =
        new(segments.Select((segment, index) => (index, segment)).OrderBy(s => s.segment.StartNs).ThenBy(s => s.index));
    private readonly PriorityQueue<OpenSegment, (ulong LogTime, int Index)> _open = new();
    private OpenSegment? _current;

    /// <summary>The segment of the message that the merge is at; its cursor is at that message.</summary>
    public OpenSegment Current => _current!;

    /// <summary>Bytes of the segments that are read to their end, and of the part of the others that is.</summary>
    public long BytesDone { get; private set; }

    /// <summary>Moves to the next message; false after the last.</summary>
    /// <exception cref="ExportException">A segment cannot be read.</exception>
    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        if (_current is { } read)
        {
            _current = null;
            await AdvanceAsync(read, cancellation).ConfigureAwait(false);
        }
        while (_waiting.TryPeek(out var next) && (!_open.TryPeek(out _, out var least) || (ulong)next.Segment.StartNs <= least.LogTime))
        {
            _waiting.Dequeue();
            var opened = await OpenAsync(next.Index, next.Segment, cancellation).ConfigureAwait(false);
            await AdvanceAsync(opened, cancellation).ConfigureAwait(false);
        }
        return _open.TryDequeue(out _current, out _);
    }

    public async ValueTask DisposeAsync()
    {
        if (_current is not null)
            await _current.DisposeAsync().ConfigureAwait(false);
        while (_open.TryDequeue(out var segment, out _))
            await segment.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Opens a segment for reading what the options select.</summary>
    /// <exception cref="ExportException">It cannot be read.</exception>
    public static async Task<OpenSegment> OpenAsync(
        int index, PlannedSegment segment, McapReadOptions options, Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> open,
        int windowBytes, CancellationToken cancellation)
    {
        ReadAheadSource? source = null;
        try
        {
            source = new ReadAheadSource(await open(segment, cancellation).ConfigureAwait(false), windowBytes);
            var reader = await McapIndexedReader.OpenAsync(source, cancellationToken: cancellation).ConfigureAwait(false);
            source.ReadsAhead = true;
            return new OpenSegment(index, segment, reader, reader.ReadMessages(options).GetAsyncEnumerator(cancellation));
        }
        catch (Exception e)
        {
            if (source is not null)
                await source.DisposeAsync().ConfigureAwait(false);
            if (e is McapException or EndOfStreamException)
                throw Unreadable(segment, e);
            throw;
        }
    }

    private Task<OpenSegment> OpenAsync(int index, PlannedSegment segment, CancellationToken cancellation) =>
        OpenAsync(index, segment, options, open, windowBytes, cancellation);

    private async ValueTask AdvanceAsync(OpenSegment segment, CancellationToken cancellation)
    {
        bool hasMessage;
        try
        {
            hasMessage = await segment.Cursor.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is McapException or EndOfStreamException)
        {
            await segment.DisposeAsync().ConfigureAwait(false);
            throw Unreadable(segment.Segment, e);
        }
        catch
        {
            await segment.DisposeAsync().ConfigureAwait(false);
            throw;
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

    private static ExportException Unreadable(PlannedSegment segment, Exception e) =>
        new($"Segment {segment.Name} ({segment.Key}) cannot be read: {e.Message}", e);
}
