using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// A segment in the bucket, read by range. Every read demands the ETag that was checked when the segment was acknowledged: an object that
/// was replaced since is an error, never data. A read that breaks off is made again.
/// </summary>
internal sealed class S3ByteSource(Bucket bucket, PlannedSegment segment, TimeProvider clock) : IByteSource
{
    public long Length => segment.Bytes;

    public string Name => segment.Key;

    /// <exception cref="BucketUnavailableException">S3 did not give it in spite of several attempts.</exception>
    /// <exception cref="McapException">The object is gone or was replaced: as good as damaged.</exception>
    public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (target.Length == 0)
            return;
        var refusal = await S3Retry.DoAsync(bucket, () => ReadOnceAsync(offset, target, cancellationToken), clock, cancellationToken);
        if (refusal.Length > 0)
            throw new McapException("object", new RecordPosition(offset), $"the one that was acknowledged (ETag {segment.ETag})", refusal);
    }

    // Empty, or S3's word for why this is not the object.
    private async Task<string> ReadOnceAsync(long offset, Memory<byte> target, CancellationToken cancellation)
    {
        try
        {
            using var response = await bucket.Client.GetObjectAsync(
                new GetObjectRequest
                {
                    BucketName = bucket.Name,
                    Key = segment.Key,
                    EtagToMatch = $"\"{segment.ETag}\"",
                    ByteRange = new ByteRange(offset, offset + target.Length - 1),
                },
                cancellation);
            await response.ResponseStream.ReadExactlyAsync(target, cancellation);
            return "";
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchKey" or "PreconditionFailed")
        {
            return e.ErrorCode;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
