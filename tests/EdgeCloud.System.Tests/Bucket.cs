using Amazon.Runtime;
using Amazon.S3;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>The bucket of a system, as its owner sees it.</summary>
public sealed class Bucket(EdgeCloudSystem system) : IDisposable
{
    private readonly AmazonS3Client _s3 = new(
        new BasicAWSCredentials(system.S3.Owner.AccessKey, system.S3.Owner.SecretKey), new AmazonS3Config
        {
            ServiceURL = system.S3.Endpoint,
            AuthenticationRegion = system.S3.Region,
            ForcePathStyle = true,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });

    private string Name => system.ControlPlane.Bucket;

    /// <summary>Every message of a session's segments, in order of segments, as the catalogue lists them.</summary>
    public async Task<IReadOnlyList<RecordedMessage>> MessagesAsync(Guid session)
    {
        var messages = new List<RecordedMessage>();
        foreach (var segment in await system.Api.SegmentsAsync(session))
        {
            Assert.True(segment.Custody is Custody.Acknowledged or Custody.Released, $"segment {segment.Manifest.Sequence} is {segment.Custody}: {segment.Reason}");
            messages.AddRange(Recording.Read(await ReadAsync(segment.Manifest.ObjectKey)));
        }
        return messages;
    }

    public async Task<byte[]> ReadAsync(string key)
    {
        using var answer = await _s3.GetObjectAsync(Name, key);
        using var file = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(file);
        return file.ToArray();
    }

    public async Task<List<string>> KeysAsync(string part)
    {
        List<string> keys = [];
        await foreach (var found in _s3.Paginators.ListObjectsV2(new() { BucketName = Name }).S3Objects)
        {
            if (found.Key.Contains(part, StringComparison.Ordinal))
                keys.Add(found.Key);
        }
        return keys;
    }

    public async Task<int> OpenUploadsAsync() => ((await _s3.ListMultipartUploadsAsync(new Amazon.S3.Model.ListMultipartUploadsRequest { BucketName = Name })).MultipartUploads ?? []).Count;

    /// <summary>Puts other content in place of an object, and leaves what its metadata says.</summary>
    public async Task OverwriteAsync(string key, byte[] content)
    {
        var before = await _s3.GetObjectMetadataAsync(Name, key);
        var request = new Amazon.S3.Model.PutObjectRequest { BucketName = Name, Key = key, InputStream = new MemoryStream(content) };
        request.Metadata["sha256"] = before.Metadata["sha256"];
        await _s3.PutObjectAsync(request);
    }

    /// <summary>Robots may look and not write, until the answer is disposed.</summary>
    public async Task<IAsyncDisposable> MakeReadOnlyAsync()
    {
        var policy = (await _s3.GetBucketPolicyAsync(Name)).Policy;
        await _s3.PutBucketPolicyAsync(Name, policy.Replace("\"s3:PutObject\",", "", StringComparison.Ordinal));
        return new Restored(async () => await _s3.PutBucketPolicyAsync(Name, policy));
    }

    public void Dispose() => _s3.Dispose();

    private sealed class Restored(Func<Task> restore) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await restore();
    }
}
