using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Makes uploads objects. Repeated it changes nothing, so whoever takes up an assembly goes on where it was left.</summary>
internal sealed class UploadCompletion(Bucket bucket, TimeProvider clock)
{
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    /// <exception cref="ExportException">The upload is gone and there is no such object: the part has to be made again.</exception>
    public async Task CompleteAsync(UploadedFile file, CancellationToken cancellation)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = bucket.Name,
            Key = file.Key,
            UploadId = file.UploadId,
            PartETags = [.. file.Etags.Select((etag, index) => new PartETag(index + 1, etag))],
        };
        var isDone = await S3Retry.DoAsync(bucket, async () =>
        {
            try
            {
                await bucket.Client.CompleteMultipartUploadAsync(request, cancellation);
                return true;
            }
            catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchUpload" or "NoSuchKey")
            {
                // Completed before, by this worker or the one before it; or gone.
                return false;
            }
        }, clock, cancellation);
        if (!isDone && (await bucket.HeadAsync(file.Key, cancellation))?.Bytes != file.Bytes)
            throw new ExportException($"The upload of {file.Path} is no longer in the bucket; retry the export.");
    }
}
