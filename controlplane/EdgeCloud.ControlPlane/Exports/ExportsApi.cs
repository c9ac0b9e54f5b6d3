using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Exports in the API.</summary>
public static class ExportsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapExportsApi(this IEndpointRouteBuilder api)
    {
        var exports = api.MapGroup("/exports").WithTags("exports").RequireAuthorization(Policies.Read);
        exports.MapPost("", CreateAsync).WithName("createExport").WithSummary("Export sessions")
            .RequireAuthorization(Policies.Export).ProducesValidationProblem();
        exports.MapGet("", ListAsync).WithName("listExports").WithSummary("List exports, newest first").ProducesValidationProblem();
        exports.MapGet("/{id:guid}", GetAsync).WithName("getExport").WithSummary("Show an export, with a download link when it is ready")
            .ProducesProblem(404);
        exports.MapPost("/{id:guid}/cancel", CancelAsync).WithName("cancelExport").WithSummary("Cancel an export")
            .RequireAuthorization(Policies.Export).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Accepted<ExportView>> CreateAsync(
        ExportQueue queue, HttpContext context, ExportRequest request, CancellationToken cancellation)
    {
        var export = await queue.AddAsync(request, Actor.Of(context), cancellation);
        return TypedResults.Accepted($"{Api.Root}/exports/{export.Id}", View(export, null));
    }

    private static async Task<Ok<Page<ExportView>>> ListAsync(CatalogueDb db, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var exports = db.Exports.AsNoTracking();
        if (cursor is not null)
        {
            var (at, id) = Paging.ReadTimeAndId(cursor);
            exports = exports.Where(e => EF.Functions.LessThan(ValueTuple.Create(e.CreatedAt, e.Id), ValueTuple.Create(at, id)));
        }
        var rows = await exports.OrderByDescending(e => e.CreatedAt).ThenByDescending(e => e.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<ExportView>([.. rows.Select(e => View(e, null))], count, e => Paging.Cursor(e.CreatedAt, e.Id)));
    }

    // Whoever may read recordings may read what was made of them.
    private static async Task<Ok<ExportView>> GetAsync(CatalogueDb db, ExportQueue queue, Guid id, CancellationToken cancellation)
    {
        var export = await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no export {id}.");
        return TypedResults.Ok(View(export, queue.DownloadUrl(export)));
    }

    private static async Task<Ok<ExportView>> CancelAsync(ExportQueue queue, HttpContext context, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(View(await queue.CancelAsync(id, Actor.Of(context), context.User.IsInRole(Roles.Administrator), cancellation), null));

    private static ExportView View(ExportJob export, string? downloadUrl) => new()
    {
        Id = export.Id,
        Request = export.Request,
        State = export.State,
        Percent = Math.Round(export.Percent, 1),
        Messages = export.Messages,
        Bytes = export.Bytes,
        Error = export.Error,
        Ledger = export.Ledger,
        MissingSegments = export.MissingSegments,
        Owner = export.Owner,
        CreatedAt = export.CreatedAt,
        FinishedAt = export.FinishedAt,
        DownloadUrl = downloadUrl,
        FileName = export.FileName,
    };
}
