using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Writes an object of unknown size as a multipart upload: one part fills while the one before is sent, so it holds two parts at most.
/// The object appears only with <see cref="CompleteAsync"/>; disposed without that, it leaves nothing behind.
/// </summary>
internal sealed class MultipartStream : ExportOutput
{
    private const int PartBytesMin = 16 << 20;
    /// <summary>S3 takes 10,000 parts; some are kept in reserve, since the size is an estimate.</summary>
    private const int PartsPlanned = 5_000;
    private const int PartBytesMax = 1 << 30;

    private readonly Bucket _bucket;
    private readonly string _key;
    private readonly string _uploadId;
    private readonly List<PartETag> _parts = [];
    private byte[] _filling;
    private byte[] _spare = [];
    private int _filled;
    private Task<PartETag>? _sending;
    private bool _completed;

    private MultipartStream(Bucket bucket, string key, string uploadId, int partBytes)
    {
        _bucket = bucket;
        _key = key;
        _uploadId = uploadId;
        _filling = GC.AllocateUninitializedArray<byte>(partBytes);
    }

    /// <summary>Begins an upload.</summary>
    /// <param name="bucket">Where to.</param>
    /// <param name="key">Object key.</param>
    /// <param name="contentType">Media type.</param>
    /// <param name="estimatedBytes">About how large it will be; chooses the size of the parts.</param>
    /// <param name="cancellation">Stops the request.</param>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public static async Task<MultipartStream> BeginAsync(
        Bucket bucket, string key, string contentType, long estimatedBytes, CancellationToken cancellation)
    {
        var partBytes = (int)Math.Clamp(estimatedBytes / PartsPlanned, PartBytesMin, PartBytesMax);
        var begun = await bucket.TryAsync(() => bucket.Client.InitiateMultipartUploadAsync(
            new InitiateMultipartUploadRequest { BucketName = bucket.Name, Key = key, ContentType = contentType }, cancellation), cancellation);
        return new MultipartStream(bucket, key, begun.UploadId, partBytes);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var length = Math.Min(buffer.Length, _filling.Length - _filled);
            buffer[..length].CopyTo(_filling.AsMemory(_filled));
            _filled += length;
            buffer = buffer[length..];
            if (_filled == _filling.Length)
                await SendAsync(cancellationToken);
        }
    }

    /// <summary>Sends what is left and makes the object visible.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public override async Task CompleteAsync(CancellationToken cancellation)
    {
        if (_filled > 0 || _parts.Count == 0)
            await SendAsync(cancellation);
        await CollectAsync();
        await _bucket.TryAsync(() => _bucket.Client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = _bucket.Name, Key = _key, UploadId = _uploadId, PartETags = _parts }, cancellation),
            cancellation);
        _completed = true;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_sending is not null)
            await ((Task)_sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_completed)
            await _bucket.AbortAsync(_key, _uploadId);
        await base.DisposeAsync();
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        await CollectAsync();
        var (part, length) = (_filling, _filled);
        _filling = _spare.Length > 0 ? _spare : GC.AllocateUninitializedArray<byte>(part.Length);
        _spare = part;
        _filled = 0;
        _sending = SendPartAsync(part, length, _parts.Count + 1, cancellation);
    }

    private async Task CollectAsync()
    {
        if (_sending is null)
            return;
        var sending = _sending;
        _sending = null;
        _parts.Add(await sending);
    }

    private async Task<PartETag> SendPartAsync(byte[] part, int length, int number, CancellationToken cancellation)
    {
        var response = await _bucket.TryAsync(async () =>
        {
            using var stream = new MemoryStream(part, 0, length, writable: false);
            return await _bucket.Client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = _bucket.Name,
                    Key = _key,
                    UploadId = _uploadId,
                    PartNumber = number,
                    PartSize = length,
                    InputStream = stream,
                },
                cancellation);
        }, cancellation);
        return new PartETag(number, response.ETag);
    }
}
