using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>An export that this process works at, and how far it is.</summary>
internal sealed class ExportLease(ExportJob export) : IProgress<ExportProgress>
{
    private readonly Lock _gate = new();
    private ExportProgress _progress;

    public ExportJob Export => export;

    /// <summary>The fencing token: whoever writes with an older one is refused.</summary>
    public int Attempt => export.Attempt;

    public bool IsLastAttempt => Attempt >= ExportLeases.MaxAttempts;

    public ExportProgress Progress
    {
        get
        {
            lock (_gate)
                return _progress;
        }
    }

    public void Report(ExportProgress value)
    {
        lock (_gate)
            _progress = value;
    }
}

/// <summary>How an attempt ended.</summary>
internal readonly record struct ExportEnd(ExportState State, string Error, string ObjectKey, string FileName)
{
    public static readonly ExportEnd Cancelled = new(ExportState.Cancelled, "", "", "");

    public static ExportEnd Succeeded(string objectKey, string fileName) => new(ExportState.Succeeded, "", objectKey, fileName);

    public static ExportEnd Failed(string error) => new(ExportState.Failed, error, "", "");

    /// <summary>To be tried again by whoever is free, after a pause.</summary>
    public static ExportEnd Later(string error) => new(ExportState.Queued, error, "", "");

    /// <summary>To be taken up at once by whoever is free.</summary>
    public static readonly ExportEnd HandedOver = new(ExportState.Queued, "", "", "");
}

/// <summary>Claims, renews and ends export jobs in the catalogue. All times are the database's: workers' clocks may differ.</summary>
internal sealed class ExportLeases(IDbContextFactory<CatalogueDb> catalogue, string worker)
{
    /// <summary>How long a lease holds without being renewed.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);

    /// <summary>A job that so many attempts did not finish, by deaths of workers or for want of S3, has failed.</summary>
    public const int MaxAttempts = 5;

    /// <summary>The oldest job that waits or whose worker is gone; null when there is none.</summary>
    public async Task<ExportLease?> ClaimAsync(CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await db.Database.ExecuteSqlAsync(
            $"""
            update exports set
                state = case when cancel_requested then 'cancelled' else 'failed' end,
                error = case when cancel_requested then '' else 'Its workers ended ' || attempt || ' times before it was done. ' || error end,
                finished_at = now(), worker = '', lease_until = null
            where (cancel_requested or attempt >= {MaxAttempts})
              and (state = 'queued' or state = 'running') and (lease_until is null or lease_until < now())
            """,
            cancellation);
        var claimed = await db.Exports.FromSql(
            $"""
            update exports set
                state = 'running', worker = {worker}, attempt = attempt + 1, lease_until = now() + {Duration}, started_at = now(),
                input_bytes = 0, input_bytes_done = 0, messages = 0, bytes = 0
            where id = (
                select id from exports
                where (state = 'queued' or state = 'running') and (lease_until is null or lease_until < now())
                order by created_at, id limit 1 for update skip locked)
            returning *
            """).AsNoTracking().ToListAsync(cancellation);
        return claimed.Count == 0 ? null : new ExportLease(claimed[0]);
    }

    /// <summary>Stores what the plan promises and lacks.</summary>
    public async Task StorePlanAsync(ExportLease lease, ExportPlan plan, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await LockAsync(db, lease, cancellation) is not { } export)
            return;
        export.InputBytes = plan.InputBytes();
        export.Ledger = Contracts.LedgerEntry.Sum(plan.Sessions.SelectMany(s => s.Ledger));
        export.MissingSegments = [.. plan.Sessions.SelectMany(s => s.Missing)];
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Holds the job for another while and stores the progress. False when it is to be stopped: cancelled, or lost to another.</summary>
    public async Task<bool> RenewAsync(ExportLease lease, CancellationToken cancellation)
    {
        var progress = lease.Progress;
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var renewed = await db.Database.ExecuteSqlAsync(
            $"""
            update exports set lease_until = now() + {Duration}, input_bytes_done = {progress.InputBytesDone},
                               messages = {progress.Messages}, bytes = {progress.Bytes}
            where id = {lease.Export.Id} and attempt = {lease.Attempt} and state = 'running' and not cancel_requested
            """,
            cancellation);
        return renewed == 1;
    }

    /// <summary>Stores how the attempt ended. False when the job was lost to another worker meanwhile: then nothing is stored.</summary>
    public async Task<bool> EndAsync(ExportLease lease, ExportEnd end, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await LockAsync(db, lease, cancellation) is not { } export)
            return false;
        export.End(end, lease.Progress);
        await db.SaveChangesAsync(cancellation);
        // The database's clock, as for every other time of a job.
        if (end.State == ExportState.Queued && end.Error.Length > 0)
            await db.Database.ExecuteSqlAsync($"update exports set lease_until = now() + {Duration} where id = {export.Id}", cancellation);
        else if (end.State != ExportState.Queued)
            await db.Database.ExecuteSqlAsync($"update exports set finished_at = now() where id = {export.Id}", cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static Task<ExportJob?> LockAsync(CatalogueDb db, ExportLease lease, CancellationToken cancellation) =>
        db.Exports.FromSql(
            $"select * from exports where id = {lease.Export.Id} and attempt = {lease.Attempt} and state = 'running' for update")
            .SingleOrDefaultAsync(cancellation);
}
