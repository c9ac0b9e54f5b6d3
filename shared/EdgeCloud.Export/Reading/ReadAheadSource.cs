using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export.Reading;

/// <summary>
/// Reads a segment in large requests, one ahead of its reader, since a request to S3 costs as much as a MiB. For one reader that goes
/// forward, with gaps where it needs nothing. Holds two windows at most.
/// </summary>
internal sealed class ReadAheadSource(IByteSource inner, int windowBytes) : IByteSource
{
    private Window _current = new(0, [], 0);
    private Task<Window>? _next;
    private long _nextOffset;

    /// <summary>False while the summary is read, at the end of the file; true once the reader goes through the data.</summary>
    public bool ReadsAhead { get; set; }

    public long Length => inner.Length;

    public string Name => inner.Name;

    public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (!ReadsAhead)
        {
            await inner.ReadAsync(offset, target, cancellationToken).ConfigureAwait(false);
            return;
        }
        while (true)
        {
            var copied = _current.CopyTo(offset, target);
            (offset, target) = (offset + copied, target[copied..]);
            if (target.Length == 0)
                return;
            if (offset >= Length)
                throw new EndOfStreamException($"{Name} has {Length} bytes; byte {offset} was asked for.");
            await MoveToAsync(offset, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_next is not null)
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await inner.DisposeAsync().ConfigureAwait(false);
    }

    private async Task MoveToAsync(long offset, CancellationToken cancellationToken)
    {
        var (spare, end) = (_current.Bytes, _current.End);
        var isNext = _next is not null && offset >= _nextOffset && offset < _nextOffset + windowBytes;
        if (isNext)
        {
            _current = await _next!.ConfigureAwait(false);
        }
        else
        {
            if (_next is not null)
                await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _current = await FetchAsync(offset, spare, cancellationToken).ConfigureAwait(false);
            spare = [];
        }
        // After a jump the reader may jump again: only who went on is read ahead for.
        _nextOffset = _current.End;
        _next = _nextOffset < Length && (isNext || offset <= windowBytes || offset == end) ? FetchAsync(_nextOffset, spare, cancellationToken) : null;
    }

    private async Task<Window> FetchAsync(long offset, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min(windowBytes, Length - offset);
        if (buffer.Length < length)
            buffer = GC.AllocateUninitializedArray<byte>(length);
        await inner.ReadAsync(offset, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        return new Window(offset, buffer, length);
    }

    private readonly record struct Window(long Offset, byte[] Bytes, int Length)
    {
        public long End => Offset + Length;

        public int CopyTo(long offset, Memory<byte> target)
        {
            if (offset < Offset || offset >= End)
                return 0;
            var length = (int)Math.Min(target.Length, End - offset);
            Bytes.AsMemory((int)(offset - Offset), length).CopyTo(target);
            return length;
        }
    }
}
