using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// A stretch of a file as a stream that can be read again, at the pace of a <see cref="BandwidthCap"/>; every read tells
/// <paramref name="stall"/> that the body is under way. Does not own the file. What the disk refuses is kept in <see cref="Fault"/>, because who
/// sends the stream wraps it into errors of the connection.
/// </summary>
internal sealed class FileRange(SafeFileHandle file, long start, long length, BandwidthCap? cap = null, StallGuard? stall = null) : Stream
{
    private long _position;

    /// <summary>Why the file could not be read; null when it could.</summary>
    public Exception? Fault { get; private set; }

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            var read = RandomAccess.Read(file, buffer[..(int)Math.Clamp(length - _position, 0, buffer.Length)], start + _position);
            _position += read;
            return read;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fault = e;
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = (int)Math.Clamp(length - _position, 0, buffer.Length);
        if (cap is not null && wanted > 0)
            wanted = await cap.TakeAsync(wanted, cancellationToken);
        stall?.Moved();
        // What was sealed a moment ago is in the page cache: a hop to another thread would cost more than the copy.
        return Read(buffer.Span[..wanted]);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
