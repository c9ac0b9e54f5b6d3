using System.Buffers;

namespace EdgeCloud.Mcap.Reading;

/// <summary>Bytes of the file in a rented buffer, shared by the blocks that lie in them; returned when the last block lets go.</summary>
internal sealed class FetchedSpan(long offset, int length, ArrayPool<byte> buffers)
{
    private byte[] _buffer = buffers.Rent(length);
    private int _users;

    public int Length => length;

    public Memory<byte> Bytes => _buffer.AsMemory(0, length);

    public void Use() => _users++;

    /// <summary>The bytes at <paramref name="block"/>.</summary>
    public ReadOnlyMemory<byte> Of(Block block) => _buffer.AsMemory((int)(block.Offset - offset), (int)block.Length);

    public void LetGo()
    {
        if (--_users > 0 || _buffer.Length == 0)
            return;
        buffers.Return(_buffer);
        _buffer = [];
    }
}

/// <summary>
/// Reads the blocks of a plan. Where requests are dear, blocks that lie near each other and follow in the plan come with one request, and
/// the next request is under way while the blocks of the last are read. Owned by one cursor; disposing ends the request under way.
/// </summary>
internal sealed class BlockFetcher(
    IByteSource source, List<Block> plan, ArrayPool<byte> buffers, CancellationToken cancellationToken) : IAsyncDisposable
{
    // Bytes between two blocks that are read and thrown away rather than asked for around: message indexes, commit records, a skipped chunk.
    private const int GapDivisor = 8;

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Queue<(int Index, FetchedSpan Span)> _ready = new();
    private Task<Fetch>? _ahead;

    private readonly record struct Fetch(FetchedSpan Span, int First, int Count);

    /// <summary>The bytes of block number <paramref name="index"/>, asked for in ascending order; the caller lets go of the span. Null when the source has the bytes in memory.</summary>
    public async ValueTask<FetchedSpan?> FetchAsync(int index)
    {
        if (IsInMemory(plan[index]))
            return null;
        if (source.RequestBytes == 0)
            return await FetchAloneAsync(plan[index]).ConfigureAwait(false);
        if (_ready.Count == 0)
        {
            var fetch = await (_ahead ?? FetchFromAsync(index)).ConfigureAwait(false);
            _ahead = null;
            for (var i = fetch.First; i < fetch.First + fetch.Count; i++)
                _ready.Enqueue((i, fetch.Span));
            var next = fetch.First + fetch.Count;
            if (next < plan.Count && !IsInMemory(plan[next]))
                _ahead = FetchFromAsync(next);
        }
        var (found, span) = _ready.Dequeue();
        if (found != index)
            throw new InvalidOperationException($"Block {index} was asked for where block {found} is due.");
        return span;
    }

    /// <summary>The bytes of one block, by a request of its own.</summary>
    public async ValueTask<FetchedSpan?> FetchAloneAsync(Block block)
    {
        if (IsInMemory(block))
            return null;
        var span = new FetchedSpan(block.Offset, (int)block.Length, buffers);
        span.Use();
        try
        {
            await source.ReadAsync(block.Offset, span.Bytes, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            span.LetGo();
            throw;
        }
        return span;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_ready.TryDequeue(out var one))
            one.Span.LetGo();
        if (_ahead is { } ahead)
        {
            _ahead = null;
            await _stop.CancelAsync().ConfigureAwait(false);
            await ((Task)ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ahead.IsCompletedSuccessfully)
            {
                var fetch = await ahead.ConfigureAwait(false);
                for (var i = 0; i < fetch.Count; i++)
                    fetch.Span.LetGo();
            }
        }
        _stop.Dispose();
    }

    private bool IsInMemory(Block block) => source.TryGetMemory(block.Offset, (int)block.Length, out _);

    private async Task<Fetch> FetchFromAsync(int first)
    {
        var (start, end) = (plan[first].Offset, plan[first].Offset + plan[first].Length);
        var next = first + 1;
        for (; next < plan.Count; next++)
        {
            var block = plan[next];
            var gap = Math.Max(block.Offset - end, start - (block.Offset + block.Length));
            var (newStart, newEnd) = (Math.Min(start, block.Offset), Math.Max(end, block.Offset + block.Length));
            if (gap > source.RequestBytes / GapDivisor || newEnd - newStart > source.RequestBytes || IsInMemory(block))
                break;
            (start, end) = (newStart, newEnd);
        }
        var span = new FetchedSpan(start, (int)(end - start), buffers);
        for (var i = first; i < next; i++)
            span.Use();
        try
        {
            await source.ReadAsync(start, span.Bytes, _stop.Token).ConfigureAwait(false);
        }
        catch
        {
            for (var i = first; i < next; i++)
                span.LetGo();
            throw;
        }
        return new(span, first, next - first);
    }
}
