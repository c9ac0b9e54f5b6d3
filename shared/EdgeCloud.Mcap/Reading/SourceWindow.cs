namespace EdgeCloud.Mcap.Reading;

/// <summary>Reads a source mostly forward through one growing buffer.</summary>
internal sealed class SourceWindow(IByteSource source)
{
    private const int ReadBytes = 1 << 20;

    private byte[] _buffer = [];
    private long _start;
    private int _length;

    /// <summary>
    /// Up to <paramref name="count"/> bytes from <paramref name="offset"/> on, fewer only at the source's end. Valid until the next call.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long offset, long count, CancellationToken cancellationToken)
    {
        var there = (int)Math.Clamp(Math.Min(count, source.Length - offset), 0, McapFormat.RecordBytesLimit);
        if (offset < _start || offset + there > _start + _length)
            await MoveToAsync(offset, there, cancellationToken).ConfigureAwait(false);
        return _buffer.AsMemory((int)(offset - _start), there);
    }

    private async ValueTask MoveToAsync(long offset, int count, CancellationToken cancellationToken)
    {
        var wanted = (int)Math.Min(Math.Max(count, ReadBytes), source.Length - offset);
        var kept = offset >= _start && offset < _start + _length ? (int)(_start + _length - offset) : 0;
        var target = _buffer.Length >= wanted ? _buffer : new byte[Math.Max(wanted, Math.Min(2L * _buffer.Length, Array.MaxLength))];
        _buffer.AsSpan(_length - kept, kept).CopyTo(target);
        (_buffer, _start, _length) = (target, offset, kept);
        await source.ReadAsync(offset + kept, target.AsMemory(kept, wanted - kept), cancellationToken).ConfigureAwait(false);
        _length = wanted;
    }
}
