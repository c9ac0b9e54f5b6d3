using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports.Pages;

/// <summary>
/// <c>GET /exports/{id}/file</c>: sends the browser on to a presigned link that is made now, so that a page may stay open longer than any
/// link works. An export of several files comes as <c>GET /exports/{id}/zip</c>.
/// </summary>
public static class ExportDownload
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapExportDownload(this IEndpointRouteBuilder app)
    {
        app.MapGet("/exports/{id:guid}/file", FollowAsync).RequireAuthorization(Policies.Read).ExcludeFromDescription();
        app.MapGet("/exports/{id:guid}/zip", ZipAsync).RequireAuthorization(Policies.Read).ExcludeFromDescription();
    }

    private static async Task<IResult> FollowAsync(Guid id, CatalogueDb db, ExportQueue queue, CancellationToken cancellation)
    {
        // Back to the page, which says why there is no file.
        if (await FindAsync(db, id, cancellation) is not { } export)
            return TypedResults.Redirect($"/exports/{id}");
        return TypedResults.Redirect(await ExportResult.SingleFileAsync(db, export, cancellation) is { } file
            ? queue.Link(file, ExportResult.FileName(export, file))
            : $"/exports/{id}/zip");
    }

    private static async Task<IResult> ZipAsync(Guid id, CatalogueDb db, Bucket bucket, CancellationToken cancellation) =>
        await FindAsync(db, id, cancellation) is { } export ? new ExportZip(db, bucket, export) : TypedResults.Redirect($"/exports/{id}");

    private static Task<ExportJob?> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id && e.State == ExportState.Succeeded, cancellation);
}
