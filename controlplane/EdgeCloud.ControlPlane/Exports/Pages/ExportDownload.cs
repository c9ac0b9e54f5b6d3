using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports.Pages;

/// <summary>
/// <c>GET /exports/{id}/file</c>: sends the browser on to a presigned link that is made now, so that a page may stay open longer than any
/// link works.
/// </summary>
public static class ExportDownload
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapExportDownload(this IEndpointRouteBuilder app) =>
        app.MapGet("/exports/{id:guid}/file", FollowAsync).RequireAuthorization(Policies.Read).ExcludeFromDescription();

    private static async Task<IResult> FollowAsync(Guid id, CatalogueDb db, ExportQueue queue, CancellationToken cancellation)
    {
        var export = await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellation);
        // Back to the page, which says why there is no file.
        return TypedResults.Redirect(export is not null && queue.DownloadUrl(export) is { } url ? url : $"/exports/{id}");
    }
}
