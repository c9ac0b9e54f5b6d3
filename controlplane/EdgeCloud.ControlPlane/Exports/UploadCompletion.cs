using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Makes uploads objects. Repeated it changes nothing, so whoever takes up an assembly goes on where it was left.</summary>
internal sealed class UploadCompletion(Bucket bucket, TimeProvider clock)
{
    /// <summary>False when the upload is gone and there is no such object: whoever wrote it has to make it again.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task<bool> CompleteAsync(UploadedFile file, CancellationToken cancellation)
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
            catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchUpload" or "NoSuchKey" || e.StatusCode == HttpStatusCode.InternalServerError)
            {
                // Completed before, by this worker or the one before it; or gone, of which radosgw says that it is being completed.
                if (e.StatusCode != HttpStatusCode.InternalServerError || !await IsThereAsync(file, cancellation))
                    return false;
                throw;
            }
        }, clock, cancellation);
        return isDone || (await bucket.HeadAsync(file.Key, cancellation))?.Bytes == file.Bytes;
    }

    private async Task<bool> IsThereAsync(UploadedFile file, CancellationToken cancellation)
    {
        try
        {
            await bucket.Client.ListPartsAsync(
                new ListPartsRequest { BucketName = bucket.Name, Key = file.Key, UploadId = file.UploadId, MaxParts = 1 }, cancellation);
            return true;
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchUpload" or "NoSuchKey")
        {
            return false;
        }
    }
}
