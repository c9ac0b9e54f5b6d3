using System.Security.Cryptography;
using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>A file whose bytes are in the bucket and that is not an object yet.</summary>
/// <param name="Path">Path in the export's folder.</param>
/// <param name="Key">Key in the bucket.</param>
/// <param name="UploadId">Id of the multipart upload.</param>
/// <param name="Etags">ETags of its parts, without quotes.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">SHA-256 of a file that was sent in one part; empty for a larger one, whose writer knows it.</param>
internal sealed record UploadedFile(string Path, string Key, string UploadId, IReadOnlyList<string> Etags, long Bytes, string Sha256);

/// <summary>
/// A file of an export as a multipart upload: one buffer fills while the one before is sent, so it holds two at most, which go from file to
/// file. It does not become an object here: <see cref="CompleteAsync"/> means that all bytes are in the bucket. The
/// export's assembly makes all its files visible together.
/// </summary>
internal sealed class UploadOutput : ExportOutput
{
    /// <summary>S3 takes parts of 5 MiB and more.</summary>
    private const int PartBytesMin = 8 << 20;
    /// <summary>S3 takes 10,000 parts; some are kept in reserve, since the size is an estimate.</summary>
    private const int PartsPlanned = 8_000;
    private const int PartBytesMax = 1 << 30;

    private readonly Bucket _bucket;
    private readonly UploadSink _sink;
    private readonly string _path;
    private readonly string _key;
    private readonly string _uploadId;
    private readonly int _partBytes;
    private readonly List<string> _etags = [];
    private byte[] _filling = [];
    private byte[] _spare = [];
    private int _filled;
    private long _bytes;
    private string _sha256 = "";
    private Task<string>? _sending;
    private bool _isWritten;

    internal UploadOutput(Bucket bucket, UploadSink sink, string path, string key, string uploadId, long estimatedBytes)
    {
        _bucket = bucket;
        _sink = sink;
        _path = path;
        _key = key;
        _uploadId = uploadId;
        _partBytes = (int)Math.Clamp(estimatedBytes / PartsPlanned, PartBytesMin, PartBytesMax);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (_filling.Length == 0)
                _filling = LargeBuffers.Pool.Rent(_partBytes);
            var length = Math.Min(buffer.Length, _partBytes - _filled);
            buffer[..length].CopyTo(_filling.AsMemory(_filled));
            _filled += length;
            buffer = buffer[length..];
            if (_filled == _partBytes)
                await SendAsync(cancellationToken);
        }
    }

    /// <exception cref="BucketUnavailableException">S3 did not take it.</exception>
    public override async Task CompleteAsync(CancellationToken cancellation)
    {
        if (_etags.Count == 0 && _sending is null)
            _sha256 = Convert.ToHexStringLower(SHA256.HashData(_filling.AsSpan(0, _filled)));
        if (_filled > 0 || (_etags.Count == 0 && _sending is null))
            await SendAsync(cancellation);
        await CollectAsync();
        _isWritten = true;
        ReturnBuffers();
        _sink.Add(new UploadedFile(_path, _key, _uploadId, _etags, _bytes, _sha256));
    }

    public override async ValueTask DisposeAsync()
    {
        if (_sending is not null)
            await ((Task)_sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ReturnBuffers();
        if (!_isWritten)
            await _bucket.AbortAsync(_key, _uploadId);
        await base.DisposeAsync();
    }

    /// <summary>Nothing is on its way any more.</summary>
    private void ReturnBuffers()
    {
        foreach (var buffer in (byte[][])[_filling, _spare])
        {
            if (buffer.Length > 0)
                LargeBuffers.Pool.Return(buffer);
        }
        _filling = _spare = [];
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        await CollectAsync();
        var (part, length) = (_filling, _filled);
        _filling = _spare;
        _spare = part;
        _filled = 0;
        _bytes += length;
        _sending = SendPartAsync(part, length, _etags.Count + 1, cancellation);
    }

    private async Task CollectAsync()
    {
        if (_sending is null)
            return;
        var sending = _sending;
        _sending = null;
        _etags.Add(await sending);
    }

    private Task<string> SendPartAsync(byte[] part, int length, int number, CancellationToken cancellation) =>
        S3Retry.DoAsync(_bucket, async () =>
        {
            using var stream = new MemoryStream(part, 0, length, writable: false);
            var response = await _bucket.Client.UploadPartAsync(
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
            return response.ETag.Trim('"');
        }, _sink.Clock, cancellation);
}
