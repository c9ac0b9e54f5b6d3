using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>The bucket as a part of an export writes to it: each file is an upload that the catalogue knows before its first byte.</summary>
internal sealed class UploadSink(Bucket bucket, PartClaim claim, PartClaims claims, long estimatedBytes, TimeProvider clock) : IExportSink
{
    private readonly List<UploadedFile> _files = [];

    /// <summary>Files whose bytes are all there.</summary>
    public IReadOnlyList<UploadedFile> Files => _files;

    internal TimeProvider Clock => clock;

    /// <inheritdoc/>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    /// <exception cref="PartLostException">Another worker has the part.</exception>
    public async ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation)
    {
        var key = ObjectKeys.Export(claim.Export.Id) + name;
        var begun = await S3Retry.DoAsync(bucket, () => bucket.Client.InitiateMultipartUploadAsync(
            new InitiateMultipartUploadRequest { BucketName = bucket.Name, Key = key, ContentType = contentType }, cancellation), clock, cancellation);
        var file = new UploadOutput(bucket, this, name, key, begun.UploadId, estimatedBytes);
        try
        {
            await claims.BeginFileAsync(claim, name, key, begun.UploadId, cancellation);
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    internal void Add(UploadedFile file)
    {
        lock (_files)
            _files.Add(file);
    }
}
