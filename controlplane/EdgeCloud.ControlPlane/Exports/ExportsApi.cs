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
            .RequireAuthorization(Policies.Export).ProducesValidationProblem().ProducesProblem(409);
        exports.MapPost("/estimate", EstimateAsync).WithName("estimateExport")
            .WithSummary("Tell what an export would be: bytes, messages, time, seconds missing, and whether a limit refuses it")
            .RequireAuthorization(Policies.Export).ProducesValidationProblem();
        exports.MapGet("", ListAsync).WithName("listExports").WithSummary("List exports, newest first").ProducesValidationProblem();
        exports.MapGet("/{id:guid}", GetAsync).WithName("getExport").WithSummary("Show an export with its parts")
            .ProducesProblem(404);
        exports.MapGet("/{id:guid}/files", ListFilesAsync).WithName("listExportFiles")
            .WithSummary("List the files of a succeeded export, with a download link each").ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
        exports.MapGet("/{id:guid}/zip", ZipAsync).WithName("zipExport").WithSummary("Download all files of a succeeded export as one zip file")
            .Produces(200, contentType: "application/zip").ProducesProblem(404).ProducesProblem(409);
        MapChange("cancel", "cancelExport", "Give an export up");
        MapChange("retry", "retryExport", "Make the parts of a failed export again that are not done");
        MapChange("expire", "expireExport", "Delete the files of an export before their time");

        void MapChange(string deed, string operation, string summary) =>
            exports.MapPost($"/{{id:guid}}/{deed}", (ExportQueue queue, CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation) =>
                    ChangeAsync(deed, queue, db, context, id, cancellation))
                .WithName(operation).WithSummary(summary).RequireAuthorization(Policies.Export).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Accepted<ExportView>> CreateAsync(
        ExportQueue queue, HttpContext context, ExportRequest request, CancellationToken cancellation)
    {
        var export = await queue.AddAsync(request, Actor.Of(context), cancellation);
        return TypedResults.Accepted($"{Api.Root}/exports/{export.Id}", View(export));
    }

    private static async Task<Ok<ExportEstimate>> EstimateAsync(
        ExportQueue queue, HttpContext context, ExportRequest request, CancellationToken cancellation) =>
        TypedResults.Ok(await queue.EstimateAsync(request, Actor.Of(context), cancellation));

    private static async Task<Ok<Page<ExportView>>> ListAsync(
        CatalogueDb db, string? owner, string? state, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var exports = db.Exports.AsNoTracking();
        if (owner is not null)
            exports = exports.Where(e => e.Owner == $"user:{owner}" || e.Owner.StartsWith($"key:{owner}/"));
        if (state is not null)
        {
            if (!Enum.TryParse<ExportState>(state, ignoreCase: true, out var wanted))
                throw RequestException.Invalid("state", string.Join(", ", Enum.GetNames<ExportState>().Select(SnakeCaseNames.Of)));
            exports = exports.Where(e => e.State == wanted);
        }
        if (cursor is not null)
        {
            var (at, id) = Paging.ReadTimeAndId(cursor);
            exports = exports.Where(e => EF.Functions.LessThan(ValueTuple.Create(e.CreatedAt, e.Id), ValueTuple.Create(at, id)));
        }
        var rows = await exports.OrderByDescending(e => e.CreatedAt).ThenByDescending(e => e.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<ExportView>([.. rows.Select(View)], count, e => Paging.Cursor(e.CreatedAt, e.Id)));
    }

    // Whoever may read recordings may read what was made of them.
    private static async Task<Ok<ExportView>> GetAsync(CatalogueDb db, ExportQueue queue, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(await WholeViewAsync(db, queue, await FindAsync(db, id, cancellation), cancellation));

    private static async Task<Ok<ExportView>> ChangeAsync(
        string deed, ExportQueue queue, CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var actor = Actor.Of(context);
        var export = await (deed switch
        {
            "cancel" => queue.CancelAsync(id, actor, cancellation),
            "retry" => queue.RetryAsync(id, actor, cancellation),
            _ => queue.ExpireAsync(id, actor, cancellation),
        });
        return TypedResults.Ok(await WholeViewAsync(db, queue, export, cancellation));
    }

    private static async Task<Ok<Page<ExportFileView>>> ListFilesAsync(
        CatalogueDb db, ExportQueue queue, Guid id, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        await FindWithFilesAsync(db, id, cancellation);
        var files = db.ExportFiles.AsNoTracking().Where(f => f.ExportId == id);
        if (cursor is not null)
        {
            var after = Paging.ReadKey(cursor);
            files = files.Where(f => string.Compare(f.Path, after) > 0);
        }
        var rows = await files.OrderBy(f => f.Path).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<ExportFileView>(
            [.. rows.Select(f => new ExportFileView { Path = f.Path, Bytes = f.Bytes, Sha256 = f.Sha256, Url = queue.Link(f, f.Path.Split('/')[^1]) })],
            count, f => Paging.Cursor(f.Path)));
    }

    private static async Task<IResult> ZipAsync(CatalogueDb db, Bucket bucket, Guid id, CancellationToken cancellation)
    {
        var export = await FindWithFilesAsync(db, id, cancellation);
        return new ExportZip(db, bucket, export);
    }

    private static async Task<ExportJob> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellation)
        ?? throw RequestException.NotFound($"There is no export {id}.");

    private static async Task<ExportJob> FindWithFilesAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        var export = await FindAsync(db, id, cancellation);
        return export.State == ExportState.Succeeded
            ? export
            : throw RequestException.Conflict($"Export {id} is {SnakeCaseNames.Of(export.State.ToString())}; it has no files.");
    }

    private static async Task<ExportView> WholeViewAsync(CatalogueDb db, ExportQueue queue, ExportJob export, CancellationToken cancellation)
    {
        var file = await ExportResult.SingleFileAsync(db, export, cancellation);
        return View(export) with
        {
            DownloadUrl = file is null ? null : queue.Link(file, ExportResult.FileName(export, file)),
            FileName = file is null ? export.FileName : ExportResult.FileName(export, file),
            Parts = await db.ExportParts.AsNoTracking().Where(p => p.ExportId == export.Id && p.Kind == PartKind.Data).OrderBy(p => p.Number)
                .Select(p => new ExportPartView
                {
                    Number = p.Number,
                    Name = p.Name,
                    State = p.State,
                    InputBytes = p.InputBytes,
                    InputBytesDone = p.InputBytesDone,
                    Messages = p.Messages,
                    Bytes = p.Bytes,
                    Attempts = p.Attempts,
                    Worker = p.Worker,
                    Error = p.Error,
                }).ToListAsync(cancellation),
        };
    }

    private static ExportView View(ExportJob export) => new()
    {
        Id = export.Id,
        Request = export.Request,
        State = export.State,
        Percent = Math.Round(export.Percent, 1),
        InputBytes = export.InputBytes,
        Messages = export.Messages,
        Bytes = export.Bytes,
        Files = export.Files,
        PartsDone = export.PartsDone,
        PartsTotal = export.PartsTotal,
        Error = export.Error,
        IsIncomplete = export.IsIncomplete,
        Problems = export.Problems,
        Ledger = export.Ledger,
        MissingSegments = export.MissingSegments,
        PlanHash = export.PlanHash,
        Owner = export.Owner,
        CreatedAt = export.CreatedAt,
        StartedAt = export.StartedAt,
        FinishedAt = export.FinishedAt,
        ExpiresAt = export.ExpiresAt,
        FileName = export.FileName,
    };
}
