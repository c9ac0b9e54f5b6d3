using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// A segment in the bucket, read by range. Every read demands the ETag that was checked when the segment was acknowledged: an object that
/// was replaced since is an error, never data. A read that breaks off is made again.
/// </summary>
internal sealed class S3ByteSource(Bucket bucket, PlannedSegment segment, TimeProvider clock) : IByteSource
{
    private const int Attempts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    public long Length => segment.Bytes;

    public string Name => segment.Key;

    /// <exception cref="BucketUnavailableException">S3 did not give it in spite of several attempts.</exception>
    /// <exception cref="ExportException">The object is gone or was replaced.</exception>
    public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (target.Length == 0)
            return;
        for (var attempt = 1; ; attempt++)
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
                    cancellationToken);
                await response.ResponseStream.ReadExactlyAsync(target, cancellationToken);
                return;
            }
            catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchKey" or "PreconditionFailed")
            {
                throw new ExportException($"Segment {segment.Name}: the object {segment.Key} is not the one that was acknowledged ({e.ErrorCode}).", e);
            }
            catch (Exception e) when (Bucket.IsUnavailable(e, cancellationToken))
            {
                if (attempt == Attempts)
                    throw bucket.Unavailable(e);
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1) * (0.5 + Random.Shared.NextDouble() / 2), clock, cancellationToken);
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
