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
/// <param name="ETagIsMd5">False where the server encrypts with keys of its own and its ETags say nothing about the content.</param>
internal sealed record StoredObject(long Bytes, string ETag, string Sha256, bool ETagIsMd5);

/// <summary>
/// The bucket, as this robot's key sees it. Every body goes out with its MD5, and every refusal comes back as a <see cref="StoreException"/>
/// that says what it means: here is the only place that knows the SDK's errors.
/// </summary>
internal sealed class ObjectStore : IDisposable
{
    private const string Sha256Key = "sha256";
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private volatile bool _serverRefusesConditions;

    public ObjectStore(S3Settings settings)
    {
        _bucket = settings.Bucket;
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
            Timeout = TimeSpan.FromMinutes(10),
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
    public Task<StoredObject?> HeadAsync(string key, CancellationToken cancellation) => Translate(key, async () =>
    {
        try
        {
            var head = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _bucket, Key = key }, cancellation);
            var md5 = head.ServerSideEncryptionMethod is null || head.ServerSideEncryptionMethod == ServerSideEncryptionMethod.None
                || head.ServerSideEncryptionMethod == ServerSideEncryptionMethod.AES256;
            return new StoredObject(head.ContentLength, head.ETag.Trim('"'), head.Metadata[Sha256Key] ?? "", md5);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    });

    /// <summary>Sends an object in one request, unless there is one already.</summary>
    /// <exception cref="StoreException"><see cref="StoreFault.AlreadyThere"/> and others.</exception>
    public Task PutNewAsync(string key, Stream body, string md5Hex, string sha256, CancellationToken cancellation) =>
        Translate(key, async () =>
        {
            var request = Put(key, body, Convert.ToBase64String(Convert.FromHexString(md5Hex)), "application/octet-stream");
            request.Metadata.Add(Sha256Key, sha256);
            if (!_serverRefusesConditions)
                request.IfNoneMatch = "*";
            try
            {
                return await _client.PutObjectAsync(request, cancellation);
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotImplemented && !_serverRefusesConditions)
            {
                // Who asks has looked for the object before: without conditions only the moment between is unguarded.
                _serverRefusesConditions = true;
                body.Position = 0;
                request.IfNoneMatch = null;
                return await _client.PutObjectAsync(request, cancellation);
            }
        });

    /// <summary>Sends or replaces a small JSON object.</summary>
    public Task PutJsonAsync(string key, byte[] json, CancellationToken cancellation) => Translate(key, async () =>
    {
        using var body = new MemoryStream(json, writable: false);
        var md5 = Convert.ToBase64String(MD5.HashData(json));
        return await _client.PutObjectAsync(Put(key, body, md5, "application/json"), cancellation);
    });

    /// <summary>Begins an upload in parts and answers its id.</summary>
    public Task<string> BeginPartsAsync(string key, string sha256, CancellationToken cancellation) => Translate(key, async () =>
    {
        var request = new InitiateMultipartUploadRequest { BucketName = _bucket, Key = key, ContentType = "application/octet-stream" };
        request.Metadata.Add(Sha256Key, sha256);
        return (await _client.InitiateMultipartUploadAsync(request, cancellation)).UploadId;
    });

    /// <summary>Sends a part and answers its ETag.</summary>
    public Task<string> PutPartAsync(
        string key, string uploadId, int number, SafeFileHandle file, long start, long length, BandwidthCap cap, CancellationToken cancellation) =>
        Translate(key, async () =>
        {
            await using var content = new FileRange(file, start, length);
            var md5 = await MD5.HashDataAsync(content, cancellation);
            await using var body = new FileRange(file, start, length, cap);
            var answer = await _client.UploadPartAsync(new UploadPartRequest
            {
                BucketName = _bucket,
                Key = key,
                UploadId = uploadId,
                PartNumber = number,
                PartSize = length,
                InputStream = body,
                MD5Digest = Convert.ToBase64String(md5),
                UseChunkEncoding = false,
            }, cancellation);
            return answer.ETag.Trim('"');
        });

    /// <summary>Joins the parts into the object.</summary>
    public Task CompletePartsAsync(string key, string uploadId, IReadOnlyDictionary<int, string> parts, CancellationToken cancellation) =>
        Translate(key, () => _client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
        {
            BucketName = _bucket,
            Key = key,
            UploadId = uploadId,
            PartETags = [.. parts.OrderBy(p => p.Key).Select(p => new PartETag(p.Key, p.Value))],
        }, cancellation));

    /// <summary>Gives up an upload in parts; one that is not known is none to give up.</summary>
    public async Task AbortPartsAsync(string key, string uploadId, CancellationToken cancellation)
    {
        try
        {
            await Translate(key, () => _client.AbortMultipartUploadAsync(_bucket, key, uploadId, cancellation));
        }
        catch (StoreException e) when (e.Fault is StoreFault.NoSuchUpload)
        {
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
    };

    private async Task<T> Translate<T>(string key, Func<Task<T>> request)
    {
        try
        {
            return await request();
        }
        catch (AmazonS3Exception e)
        {
            throw new StoreException(Classify(e), $"{Place}/{key}: {(int)e.StatusCode} {e.ErrorCode}: {e.Message}", e);
        }
        catch (Exception e) when (e is AmazonClientException or HttpRequestException or IOException or SocketException or TimeoutException
            || e is OperationCanceledException { InnerException: TimeoutException })
        {
            throw new StoreException(StoreFault.Passing, $"{Place} cannot be reached: {Innermost(e).Message}", e);
        }
    }

    private static StoreFault Classify(AmazonS3Exception e) => (e.ErrorCode, e.StatusCode) switch
    {
        ("NoSuchUpload", _) => StoreFault.NoSuchUpload,
        ("PreconditionFailed", _) or (_, HttpStatusCode.PreconditionFailed) => StoreFault.AlreadyThere,
        // The body was changed on its way, or the clock is off: both pass.
        ("BadDigest" or "RequestTimeTooSkewed" or "RequestTimeout" or "IncompleteBody", _) => StoreFault.Passing,
        (_, HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict) => StoreFault.Passing,
        (_, >= HttpStatusCode.InternalServerError) => StoreFault.Passing,
        _ when e.StatusCode is 0 => StoreFault.Passing,
        _ => StoreFault.Permanent,
    };

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
