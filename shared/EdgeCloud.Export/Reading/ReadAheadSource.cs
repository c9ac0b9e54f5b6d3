using System.Buffers;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export.Reading;

/// <summary>
/// Reads a segment in large requests, one ahead of its reader, since a request to S3 costs as much as a MiB. For one reader that goes
/// forward, with gaps where it needs nothing. Holds two windows at most, which go on to the next segment.
/// </summary>
internal sealed class ReadAheadSource(IByteSource inner, int windowBytes, ArrayPool<byte> buffers) : IByteSource
{
    private Window _current = new(0, [], 0);
    private byte[] _spare = [];
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
        await DropNextAsync().ConfigureAwait(false);
        Return(_current.Bytes);
        Return(_spare);
        (_next, _current, _spare) = (null, new Window(0, [], 0), []);
        await inner.DisposeAsync().ConfigureAwait(false);
    }

    private async Task MoveToAsync(long offset, CancellationToken cancellationToken)
    {
        var end = _current.End;
        var isNext = _next is not null && offset >= _nextOffset && offset < _nextOffset + windowBytes;
        if (isNext)
        {
            var next = await _next!.ConfigureAwait(false);
            _next = null;
            Return(_spare);
            (_spare, _current) = (_current.Bytes, next);
        }
        else
        {
            await DropNextAsync().ConfigureAwait(false);
            var buffer = _current.Bytes;
            _current = new Window(0, [], 0);
            _current = await FetchAsync(offset, buffer, cancellationToken).ConfigureAwait(false);
        }
        // After a jump the reader may jump again: only who went on is read ahead for.
        _nextOffset = _current.End;
        if (_nextOffset < Length && (isNext || offset <= windowBytes || offset == end))
            (_next, _spare) = (FetchAsync(_nextOffset, _spare, cancellationToken), []);
    }

    /// <summary>Waits for the window that is under way, which nobody wants, and keeps its memory.</summary>
    private async Task DropNextAsync()
    {
        if (_next is not { } next)
            return;
        _next = null;
        await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!next.IsCompletedSuccessfully)
            return;
        Return(_spare);
        _spare = (await next.ConfigureAwait(false)).Bytes;
    }

    private async Task<Window> FetchAsync(long offset, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min(windowBytes, Length - offset);
        if (buffer.Length < length)
        {
            Return(buffer);
            buffer = buffers.Rent(length);
        }
        try
        {
            await inner.ReadAsync(offset, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Return(buffer);
            throw;
        }
        return new Window(offset, buffer, length);
    }

    private void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
            buffers.Return(buffer);
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
