using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Agent.Configuration;
using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Agent.Upload;

/// <summary>What a HEAD tells about an object.</summary>
/// <param name="Bytes">Size.</param>
/// <param name="ETag">Without quotes.</param>
/// <param name="Sha256">The metadata field; empty when the object has none.</param>
/// <param name="Checksum">SHA-256 of the whole content as the server computed it, hexadecimal; empty where it computes none.</param>
internal sealed record StoredObject(long Bytes, string ETag, string Sha256, string Checksum);

/// <summary>An upload in parts that was begun and neither completed nor aborted.</summary>
internal sealed record OpenUpload(string Key, string UploadId);

/// <summary>
/// The bucket, as this robot's key sees it. Every body goes out with its MD5, and every refusal comes back as a <see cref="StoreException"/>
/// that says what it means: here is the only place that knows the SDK's errors.
/// </summary>
internal sealed class ObjectStore : IDisposable
{
    private const string Sha256Key = "sha256";
    private const int BufferBytes = 256 << 10;
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly TimeSpan _stallLimit;
    // Then TLS and the MD5 vouch for a body. Over plain HTTP the signature has to, and the SDK reads every body once more for it: a hash that is
    // given to it in a header is thrown away.
    private readonly bool _overTls;
    private volatile bool _serverRefusesConditions;

    public ObjectStore(S3Settings settings, TimeSpan stallLimit)
    {
        _bucket = settings.Bucket;
        _stallLimit = stallLimit;
        _overTls = settings.Endpoint.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
        Place = $"{settings.Endpoint.TrimEnd('/')}/{settings.Bucket}";
        _client = new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), new AmazonS3Config
        {
            ServiceURL = settings.Endpoint,
            AuthenticationRegion = settings.Region,
            ForcePathStyle = settings.ForcePathStyle,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // The upload loop retries, with its state on disk; a second loop inside would hide what is going on.
            MaxErrorRetry = 0,
            BufferSize = BufferBytes,
            // A stalled request is ended by its guard; a large body over a slow link may take its time.
            Timeout = TimeSpan.FromDays(1),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        });
    }

    /// <summary>Server and bucket, for messages.</summary>
    public string Place { get; }

    /// <summary>
    /// Asks about an object that may not be there; null when there is none. A key that may not list the bucket is told 403 then, which is
    /// taken for "none": if it means what it says, the next request is refused as well.
    /// </summary>
    public async Task<StoredObject?> FindAsync(string key, CancellationToken cancellation)
    {
        try
        {
            return await HeadAsync(key, cancellation);
        }
        catch (StoreException e) when (e.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden })
        {
            return null;
        }
    }

    /// <summary>Asks about an object that should be there; null when there is none.</summary>
    public Task<StoredObject?> HeadAsync(string key, CancellationToken cancellation) => Translate(key, cancellation, async stall =>
    {
        try
        {
            var head = await _client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = _bucket, Key = key, ChecksumMode = ChecksumMode.ENABLED }, stall.Token);
            // Of an object in parts it is a checksum of checksums, with their number behind a dash.
            var sha256 = head.ChecksumSHA256 is { Length: > 0 } sum && !sum.Contains('-') ? Convert.ToHexStringLower(Convert.FromBase64String(sum)) : "";
            return new StoredObject(head.ContentLength, head.ETag.Trim('"'), head.Metadata[Sha256Key] ?? "", sha256);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    });

    /// <summary>SHA-256 of an object's content as it is in the bucket, which is read whole.</summary>
    public Task<string> ReadHashAsync(string key, CancellationToken cancellation) => Translate(key, cancellation, async stall =>
    {
        using var answer = await _client.GetObjectAsync(_bucket, key, stall.Token);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        for (int read; (read = await answer.ResponseStream.ReadAsync(buffer, stall.Token)) > 0; stall.Moved())
            hash.AppendData(buffer.AsSpan(0, read));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    });

    /// <summary>Sends an object in one request, unless there is one already.</summary>
    /// <exception cref="StoreException"><see cref="StoreFault.AlreadyThere"/> and others.</exception>
    /// <exception cref="SegmentUnreadableException">The file cannot be read.</exception>
    public Task PutNewAsync(string key, SafeFileHandle file, long length, string md5Hex, string sha256, BandwidthCap cap, CancellationToken cancellation) =>
        Send(key, stall => new FileRange(file, 0, length, cap, stall), cancellation, async (body, stall) =>
        {
            var request = Put(key, body, Convert.ToBase64String(Convert.FromHexString(md5Hex)), "application/octet-stream");
            request.Metadata.Add(Sha256Key, sha256);
            // Known since the segment was sealed; servers without it ignore it.
            request.ChecksumSHA256 = Convert.ToBase64String(Convert.FromHexString(sha256));
            if (!_serverRefusesConditions)
                request.IfNoneMatch = "*";
            try
            {
                return await _client.PutObjectAsync(request, stall.Token);
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotImplemented && !_serverRefusesConditions)
            {
                // Who asks has looked for the object before: without conditions only the moment between is unguarded.
                _serverRefusesConditions = true;
                body.Position = 0;
                request.IfNoneMatch = null;
                return await _client.PutObjectAsync(request, stall.Token);
            }
        });

    /// <summary>Sends or replaces a small JSON object.</summary>
    public Task PutJsonAsync(string key, byte[] json, CancellationToken cancellation) => Translate(key, cancellation, async stall =>
    {
        using var body = new MemoryStream(json, writable: false);
        var md5 = Convert.ToBase64String(MD5.HashData(json));
        return await _client.PutObjectAsync(Put(key, body, md5, "application/json"), stall.Token);
    });

    /// <summary>Begins an upload in parts and answers its id.</summary>
    public Task<string> BeginPartsAsync(string key, string sha256, CancellationToken cancellation) => Translate(key, cancellation, async stall =>
    {
        var request = new InitiateMultipartUploadRequest { BucketName = _bucket, Key = key, ContentType = "application/octet-stream" };
        request.Metadata.Add(Sha256Key, sha256);
        return (await _client.InitiateMultipartUploadAsync(request, stall.Token)).UploadId;
    });

    /// <summary>Sends a part, whose MD5 is known, and answers its ETag.</summary>
    /// <exception cref="SegmentUnreadableException">The file cannot be read.</exception>
    public Task<string> PutPartAsync(
        string key, string uploadId, int number, SafeFileHandle file, long start, long length, string md5Hex, BandwidthCap cap,
        CancellationToken cancellation) => Send(key, stall => new FileRange(file, start, length, cap, stall), cancellation, async (body, stall) =>
        {
            var answer = await _client.UploadPartAsync(new UploadPartRequest
            {
                BucketName = _bucket,
                Key = key,
                UploadId = uploadId,
                PartNumber = number,
                PartSize = length,
                InputStream = body,
                MD5Digest = Convert.ToBase64String(Convert.FromHexString(md5Hex)),
                UseChunkEncoding = false,
                DisablePayloadSigning = _overTls,
            }, stall.Token);
            return answer.ETag.Trim('"');
        });

    /// <summary>Joins the parts, given by number with their ETags, into the object.</summary>
    public Task CompletePartsAsync(string key, string uploadId, IEnumerable<(int Number, string ETag)> parts, CancellationToken cancellation) =>
        Translate(key, cancellation, stall => _client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
        {
            BucketName = _bucket,
            Key = key,
            UploadId = uploadId,
            PartETags = [.. parts.Select(p => new PartETag(p.Number, p.ETag))],
        }, stall.Token));

    /// <summary>Gives up an upload in parts; one that is not known is none to give up.</summary>
    public async Task AbortPartsAsync(string key, string uploadId, CancellationToken cancellation)
    {
        try
        {
            await Translate(key, cancellation, stall => _client.AbortMultipartUploadAsync(_bucket, key, uploadId, stall.Token));
        }
        catch (StoreException e) when (e.Fault is StoreFault.NoSuchUpload)
        {
        }
    }

    /// <summary>Uploads in parts that somebody began below <paramref name="prefix"/> and left.</summary>
    public async Task<IReadOnlyList<OpenUpload>> ListOpenAsync(string prefix, CancellationToken cancellation)
    {
        List<OpenUpload> open = [];
        var request = new ListMultipartUploadsRequest { BucketName = _bucket, Prefix = prefix };
        while (true)
        {
            var page = await Translate(prefix, cancellation, stall => _client.ListMultipartUploadsAsync(request, stall.Token));
            // A server that ignores the prefix lists everybody's.
            open.AddRange((page.MultipartUploads ?? [])
                .Where(u => u.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(u => new OpenUpload(u.Key, u.UploadId)));
            if (page.IsTruncated is not true)
                return open;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    public void Dispose() => _client.Dispose();

    private PutObjectRequest Put(string key, Stream body, string md5Base64, string contentType) => new()
    {
        BucketName = _bucket,
        Key = key,
        InputStream = body,
        AutoCloseStream = false,
        MD5Digest = md5Base64,
        ContentType = contentType,
        UseChunkEncoding = false,
        DisablePayloadSigning = _overTls,
    };

    /// <summary>Sends a stretch of a file. That it cannot be read is no fault of the store.</summary>
    private Task<T> Send<T>(
        string key, Func<StallGuard, FileRange> open, CancellationToken cancellation, Func<FileRange, StallGuard, Task<T>> request) =>
        Translate(key, cancellation, async stall =>
        {
            await using var body = open(stall);
            try
            {
                return await request(body, stall);
            }
            catch (Exception) when (body.Fault is { } fault)
            {
                throw new SegmentUnreadableException(fault);
            }
        });

    private async Task<T> Translate<T>(string key, CancellationToken cancellation, Func<StallGuard, Task<T>> request)
    {
        using var stall = new StallGuard(_stallLimit, cancellation);
        try
        {
            return await request(stall);
        }
        catch (AmazonS3Exception e)
        {
            throw new StoreException(Classify(e), $"{Place}/{key}: {(int)e.StatusCode} {e.ErrorCode}: {e.Message}", e);
        }
        catch (Exception e) when (stall.HasStalled && e is not SegmentUnreadableException)
        {
            throw new StoreException(StoreFault.Unreachable, $"{Place} cannot be reached: nothing moved for {_stallLimit.TotalSeconds:0.#} s", e);
        }
        catch (Exception e) when (
            e is AmazonClientException or HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new StoreException(StoreFault.Unreachable, $"{Place} cannot be reached: {Innermost(e).Message}", e);
        }
    }

    private static StoreFault Classify(AmazonS3Exception e) => (e.ErrorCode, e.StatusCode) switch
    {
        // Parts that it does not know, or knows by another name, are as good as none.
        ("NoSuchUpload" or "InvalidPart" or "InvalidPartOrder", _) => StoreFault.NoSuchUpload,
        ("PreconditionFailed", _) or (_, HttpStatusCode.PreconditionFailed) => StoreFault.AlreadyThere,
        ("BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch", _) => StoreFault.BadDigest,
        // The clock is off, or the body did not come whole: both pass.
        ("RequestTimeTooSkewed" or "RequestTimeout" or "IncompleteBody", _) => StoreFault.Passing,
        (_, HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict) => StoreFault.Passing,
        (_, >= HttpStatusCode.InternalServerError) => StoreFault.Passing,
        _ when e.StatusCode is 0 => StoreFault.Unreachable,
        ("AccessDenied", _) => StoreFault.Denied,
        _ => StoreFault.Permanent,
    };

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
