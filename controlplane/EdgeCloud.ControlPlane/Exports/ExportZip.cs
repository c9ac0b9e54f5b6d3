using System.IO.Compression;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// All files of an export as one zip file, streamed from the bucket as it is read: nothing is compressed again, since data files are, and
/// no entry has a time but the first that zip knows, so that the same export gives the same bytes.
/// </summary>
internal sealed class ExportZip(CatalogueDb db, Bucket bucket, ExportJob export) : IResult
{
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var cancellation = httpContext.RequestAborted;
        // An entry's last few bytes are written synchronously by the runtime, however it is disposed of; the server refuses that unless asked.
        if (httpContext.Features.Get<IHttpBodyControlFeature>() is { } body)
            body.AllowSynchronousIO = true;
        httpContext.Response.ContentType = "application/zip";
        httpContext.Response.Headers.ContentDisposition = $"attachment; filename=\"{export.FileName}.zip\"";
        var zip = await ZipArchive.CreateAsync(
            httpContext.Response.Body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellation);
        var files = db.ExportFiles.AsNoTracking().Where(f => f.ExportId == export.Id).OrderBy(f => f.Path).AsAsyncEnumerable();
        await foreach (var file in files.WithCancellation(cancellation))
        {
            var entry = zip.CreateEntry($"{export.FileName}/{file.Path}", CompressionLevel.NoCompression);
            entry.LastWriteTime = NoTime;
            await using var target = await entry.OpenAsync(cancellation);
            using var source = await bucket.Client.GetObjectAsync(bucket.Name, file.ObjectKey, cancellation);
            await source.ResponseStream.CopyToAsync(target, cancellation);
        }
        // It writes the zip's directory, and only now: a response that broke off before is no zip file.
        await zip.DisposeAsync();
    }
}
