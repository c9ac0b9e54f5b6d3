using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Quartz;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Deletes from the bucket what is over: results whose time has come, what cancelled and failed exports left, and uploads below
/// <c>exports/</c> that nobody will complete. One worker at a time does it, now and then.
/// </summary>
[DisallowConcurrentExecution]
internal sealed partial class ExportSweep(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, WorkerSettings settings, TimeProvider clock, ILogger<ExportSweep> log) : IJob
{
    /// <summary>The job in the scheduler.</summary>
    public static readonly JobKey Key = new("sweep", "exports-sweep");

    private const string Root = "exports/";
    private const int ExportsAtOnce = 100;
    /// <summary>A worker of a cancelled or failed export stops within seconds; until then it may still write.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var db = await catalogue.CreateDbContextAsync(cancellationToken);
            await ExpireAsync(db, cancellationToken);
            await AbortAbandonedAsync(db, cancellationToken);
        }
        catch (Exception e) when (e is BucketUnavailableException || Postgres.IsTransient(e))
        {
            PutOff(log, e.GetBaseException().Message);
        }
    }

    private async Task ExpireAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await db.Exports.Where(e => e.State == ExportState.Succeeded && e.ExpiresAt < now)
            .ExecuteUpdateAsync(set => set.SetProperty(e => e.State, ExportState.Expired), cancellation);
        var over = await Over(db.Exports.AsNoTracking(), now)
            .OrderBy(e => e.ExpiresAt).Select(e => e.Id).Take(ExportsAtOnce).ToListAsync(cancellation);
        foreach (var export in over)
        {
            if (await DeleteAsync(export, now, cancellation))
                Swept(log, export);
        }
    }

    private static IQueryable<ExportJob> Over(IQueryable<ExportJob> exports, DateTimeOffset now)
    {
        var before = now - Grace;
        return exports.Where(e => e.SweptAt == null && (e.State == ExportState.Expired
            || (e.State == ExportState.Cancelled && e.FinishedAt < before)
            || (e.State == ExportState.Failed && e.ExpiresAt < before)));
    }

    /// <summary>Under the lock of the export's row: a retry comes before all of it, and is let alone, or after it, and makes everything anew.</summary>
    private async Task<bool> DeleteAsync(Guid export, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var locked = db.Exports.FromSql($"select * from exports where id = {export} for update skip locked");
        if (await Over(locked, now).SingleOrDefaultAsync(cancellation) is not { } over)
            return false;
        var uploads = await db.ExportFiles.AsNoTracking().Where(f => f.ExportId == export && f.State != FileState.Complete)
            .Select(f => new { f.ObjectKey, f.UploadId }).ToListAsync(cancellation);
        foreach (var upload in uploads)
            await bucket.AbortAsync(upload.ObjectKey, upload.UploadId);
        await bucket.AbortUploadsAsync(ObjectKeys.Export(export), cancellation);
        await bucket.DeleteFolderAsync(ObjectKeys.Export(export), cancellation);
        await db.ExportFiles.Where(f => f.ExportId == export).ExecuteDeleteAsync(cancellation);
        over.SweptAt = clock.GetUtcNow();
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>Uploads that no row knows: of a worker that died between beginning one and saying so, or of a catalogue that was restored.</summary>
    private async Task AbortAbandonedAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var before = (clock.GetUtcNow() - settings.Abandoned).UtcDateTime;
        foreach (var upload in await bucket.ListUploadsAsync(Root, cancellation))
        {
            if (upload.Initiated?.ToUniversalTime() > before || await db.ExportFiles.AnyAsync(f => f.UploadId == upload.UploadId, cancellation))
                continue;
            await bucket.AbortAsync(upload.Key, upload.UploadId);
            Abandoned(log, upload.Key, upload.Initiated);
        }
    }

    [LoggerMessage(EventId = 5420, Level = LogLevel.Information, Message = "The files of export {Export} are deleted")]
    private static partial void Swept(ILogger log, Guid export);

    [LoggerMessage(EventId = 5421, Level = LogLevel.Information, Message = "The unfinished upload of {Key}, begun {At}, belongs to no export and is given up")]
    private static partial void Abandoned(ILogger log, string key, DateTime? at);

    [LoggerMessage(EventId = 5422, Level = LogLevel.Warning, Message = "Deleting what expired is put off: {Reason}")]
    private static partial void PutOff(ILogger log, string reason);
}
