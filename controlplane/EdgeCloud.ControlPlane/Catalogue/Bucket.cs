using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>The section <c>S3</c> of the configuration.</summary>
/// <param name="Endpoint">Address of an S3-compatible server; null for Amazon's.</param>
/// <param name="PublicEndpoint">Address under which browsers reach it; null when it is the same.</param>
/// <param name="Region">Region to sign for.</param>
/// <param name="Name">Bucket.</param>
/// <param name="Prefix">Folder of the recordings in the bucket; may be empty.</param>
/// <param name="AccessKey">Access key; null to take the credentials of the environment (a role, a profile).</param>
/// <param name="SecretKey">Its secret.</param>
public sealed record BucketSettings(
    Uri? Endpoint, Uri? PublicEndpoint, string Region, string Name, string Prefix, string? AccessKey, string? SecretKey)
{
    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A key is missing or wrong; the message names it.</exception>
    public static BucketSettings Read(IConfiguration configuration)
    {
        var (accessKey, secretKey) = (configuration["S3:AccessKey"], configuration["S3:SecretKey"]);
        if (string.IsNullOrEmpty(accessKey) != string.IsNullOrEmpty(secretKey))
            throw new ConfigurationException("S3:AccessKey and S3:SecretKey go together; one of them is missing.");
        return new BucketSettings(
            configuration.HttpAddress("S3:Endpoint"),
            configuration.HttpAddress("S3:PublicEndpoint"),
            configuration["S3:Region"] ?? "us-east-1",
            configuration.Require("S3:Bucket", "the bucket that holds recordings and exports"),
            configuration["S3:Prefix"] ?? "",
            accessKey,
            secretKey);
    }
}

/// <summary>What a HEAD tells about an object.</summary>
/// <param name="Bytes">Size.</param>
/// <param name="ETag">ETag without quotes.</param>
/// <param name="Sha256">The metadata <c>sha256</c>; empty when it was not set.</param>
/// <param name="Checksum">SHA-256 of the whole content as the server computed it, hexadecimal; empty where it computes none.</param>
public sealed record ObjectFacts(long Bytes, string ETag, string Sha256, string Checksum);

/// <summary>S3 could not be asked, or gave no usable answer: try again later. Says nothing about the object.</summary>
public sealed class BucketUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>The bucket that holds recordings and exports. Errors are classified here, once: not there, or unavailable.</summary>
public sealed class Bucket : IDisposable
{
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(60);

    private readonly AmazonS3Client _client;
    private readonly AmazonS3Client _publicClient;
    private readonly BucketSettings _settings;

    /// <summary>Connects to nothing yet.</summary>
    public Bucket(BucketSettings settings)
    {
        _settings = settings;
        _client = NewClient(settings.Endpoint);
        _publicClient = settings.PublicEndpoint is { } address ? NewClient(address) : _client;
    }

    /// <summary>Bucket name.</summary>
    public string Name => _settings.Name;

    /// <summary>Folder of the recordings; may be empty.</summary>
    public string Prefix => _settings.Prefix;

    /// <summary>The SDK's client, for streams and multipart uploads.</summary>
    public IAmazonS3 Client => _client;

    /// <summary>What is known of an object; null when it is not there.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not say.</exception>
    public async Task<ObjectFacts?> HeadAsync(string key, CancellationToken cancellation)
    {
        try
        {
            var head = await _client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = Name, Key = key, ChecksumMode = ChecksumMode.ENABLED }, cancellation);
            return new ObjectFacts(
                head.ContentLength, head.ETag.Trim('"'), head.Metadata["sha256"] ?? "",
                // Of an object in parts it is a checksum of checksums, with their number behind a dash.
                head.ChecksumSHA256 is { Length: > 0 } sum && !sum.Contains('-') ? Convert.ToHexStringLower(Convert.FromBase64String(sum)) : "");
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
        catch (Exception e) when (IsUnavailable(e, cancellation))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>The content of a small object; null when it is not there.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    /// <exception cref="Contracts.ContractException">It is larger than <paramref name="maxBytes"/>.</exception>
    public async Task<byte[]?> ReadAsync(string key, int maxBytes, CancellationToken cancellation)
    {
        using var answer = await OpenAsync(key, cancellation);
        if (answer is null)
            return null;
        if (answer.ContentLength > maxBytes)
            throw new Contracts.ContractException($"{key} has {answer.ContentLength} bytes; at most {maxBytes} are read");
        var content = new byte[answer.ContentLength];
        await TryAsync(async () =>
        {
            await answer.ResponseStream.ReadExactlyAsync(content, cancellation);
            return true;
        }, cancellation);
        return content;
    }

    /// <summary>SHA-256 of an object's content, which is read whole, hexadecimal; null when it is not there.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task<string?> ReadHashAsync(string key, CancellationToken cancellation)
    {
        using var answer = await OpenAsync(key, cancellation);
        return answer is null ? null
            : Convert.ToHexStringLower(await TryAsync(() => HashAsync(answer.ResponseStream, cancellation), cancellation));
    }

    // The SDK's own limit ends with the headers: a body that stands still would be waited for without end.
    private static async Task<byte[]> HashAsync(Stream content, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var buffer = new byte[128 << 10];
        while (true)
        {
            patience.CancelAfter(ReadPatience);
            var length = await content.ReadAsync(buffer, patience.Token);
            if (length == 0)
                return hash.GetHashAndReset();
            hash.AppendData(buffer.AsSpan(0, length));
        }
    }

    /// <summary>Keys below <paramref name="prefix"/>, in order.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ListObjectsV2Request { BucketName = Name, Prefix = prefix };
        while (true)
        {
            var page = await TryAsync(() => _client.ListObjectsV2Async(request, cancellation), cancellation);
            foreach (var found in page.S3Objects ?? [])
                yield return found.Key;
            if (page.IsTruncated is not true)
                yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    private async Task<GetObjectResponse?> OpenAsync(string key, CancellationToken cancellation)
    {
        try
        {
            return await _client.GetObjectAsync(Name, key, cancellation);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
        catch (Exception e) when (IsUnavailable(e, cancellation))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>Returns when the bucket answers.</summary>
    /// <exception cref="BucketUnavailableException">It does not.</exception>
    public async Task ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Name, MaxKeys = 1 }, cancellation);
        }
        catch (Exception e) when (IsUnavailable(e, cancellation))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>Makes a request and classifies what goes wrong.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer, or not with success.</exception>
    public async Task<T> TryAsync<T>(Func<Task<T>> request, CancellationToken cancellation)
    {
        try
        {
            return await request();
        }
        catch (Exception e) when (IsUnavailable(e, cancellation))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>Deletes an object; one that is not there is success.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public Task DeleteAsync(string key, CancellationToken cancellation) =>
        TryAsync(() => _client.DeleteObjectAsync(Name, key, cancellation), cancellation);

    /// <summary>The unfinished multipart uploads below <paramref name="prefix"/>.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task<IReadOnlyList<MultipartUpload>> ListUploadsAsync(string prefix, CancellationToken cancellation)
    {
        var request = new ListMultipartUploadsRequest { BucketName = Name, Prefix = prefix };
        var uploads = new List<MultipartUpload>();
        while (true)
        {
            var page = await TryAsync(() => _client.ListMultipartUploadsAsync(request, cancellation), cancellation);
            uploads.AddRange(page.MultipartUploads ?? []);
            if (page.IsTruncated != true)
                return uploads;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    /// <summary>Gives up the multipart uploads below <paramref name="prefix"/> that somebody left unfinished.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task AbortUploadsAsync(string prefix, CancellationToken cancellation)
    {
        foreach (var upload in await ListUploadsAsync(prefix, cancellation))
            await AbortAsync(upload.Key, upload.UploadId);
    }

    /// <summary>Deletes every object below <paramref name="prefix"/> and tells how many there were.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task<int> DeleteFolderAsync(string prefix, CancellationToken cancellation)
    {
        var deleted = 0;
        while (true)
        {
            // From the start each time: what was listed is gone.
            var page = await TryAsync(
                () => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Name, Prefix = prefix }, cancellation), cancellation);
            if (page.S3Objects is not { Count: > 0 } objects)
                return deleted;
            await TryAsync(
                () => _client.DeleteObjectsAsync(
                    new DeleteObjectsRequest { BucketName = Name, Objects = [.. objects.Select(o => new KeyVersion { Key = o.Key })], Quiet = true },
                    cancellation),
                cancellation);
            deleted += objects.Count;
        }
    }

    /// <summary>Gives up a multipart upload as well as it goes in a moment: what S3 does not hear now, it is told at the next sweep.</summary>
    public async Task AbortAsync(string key, string uploadId)
    {
        using var patience = new CancellationTokenSource(AbortPatience);
        try
        {
            await _client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = Name, Key = key, UploadId = uploadId }, patience.Token);
        }
        catch (Exception e) when (IsUnavailable(e, CancellationToken.None))
        {
        }
    }

    /// <summary>A link with which a browser downloads an object as <paramref name="fileName"/> for <paramref name="lifetime"/>.</summary>
    public string Presign(string key, string fileName, TimeSpan lifetime, DateTimeOffset now)
    {
        var request = new GetPreSignedUrlRequest
        {
            BucketName = Name,
            Key = key,
            Verb = HttpVerb.GET,
            Expires = (now + lifetime).UtcDateTime,
            Protocol = (_settings.PublicEndpoint ?? _settings.Endpoint)?.Scheme == "http" ? Protocol.HTTP : Protocol.HTTPS,
        };
        request.ResponseHeaderOverrides.ContentDisposition = $"attachment; filename=\"{fileName}\"";
        return _publicClient.GetPreSignedURL(request);
    }

    /// <summary>True for what the SDK throws when a server cannot be reached, refuses the credentials, is overloaded or answers nonsense.</summary>
    public static bool IsUnavailable(Exception e, CancellationToken cancellation) =>
        !cancellation.IsCancellationRequested
        && e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or SocketException or OperationCanceledException;

    /// <summary>The classified form of such an error.</summary>
    public BucketUnavailableException Unavailable(Exception e) =>
        new($"the bucket '{Name}' at {_settings.Endpoint?.ToString() ?? "Amazon S3"} is not available: {Words(e)}", e);

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        if (!ReferenceEquals(_client, _publicClient))
            _publicClient.Dispose();
    }

    private static string Words(Exception e) => e is AmazonServiceException { StatusCode: > 0 } service
        ? $"{(int)service.StatusCode} {service.ErrorCode}"
        : e.Message;

    private AmazonS3Client NewClient(Uri? endpoint)
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = _settings.Region,
            // S3-compatible servers of some age know neither virtual hosts nor trailing checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 3,
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (endpoint is null)
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(_settings.Region);
        else
            (config.ServiceURL, config.ForcePathStyle) = (endpoint.ToString(), true);
        return _settings.AccessKey is { Length: > 0 } key ? new AmazonS3Client(key, _settings.SecretKey, config) : new AmazonS3Client(config);
    }
}
