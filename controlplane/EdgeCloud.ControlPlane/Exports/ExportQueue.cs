using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Takes requests for exports, for the API and the portal alike. Whoever calls has checked <see cref="Policies.Export"/>.</summary>
public sealed class ExportQueue(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, ExportEstimates estimates, TimeProvider clock)
{
    private const int MaxSessions = 1000;
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    /// <summary>Stores an export, queued.</summary>
    /// <exception cref="RequestException">The request cannot be met.</exception>
    public async Task<ExportJob> AddAsync(ExportRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var wanted = request.Sessions.Distinct().ToList();
        var known = await db.Sessions.Where(s => wanted.Contains(s.Id)).Select(s => s.Id).ToListAsync(cancellation);
        if (wanted.Except(known).FirstOrDefault() is var unknown && unknown != Guid.Empty)
            throw RequestException.Invalid("sessions", $"there is no session {unknown}");
        var asked = request with { Sessions = wanted };
        var estimate = await estimates.OfAsync(asked, actor, cancellation);
        if (estimate.Refusal.Length > 0)
            throw RequestException.Conflict(estimate.Refusal);
        var now = clock.GetUtcNow();
        var export = new ExportJob { Id = Guid.CreateVersion7(now), Request = asked, Owner = actor.Name, CreatedAt = now, InputBytes = estimate.InputBytes };
        db.Exports.Add(export);
        db.ExportParts.Add(new ExportPartJob { ExportId = export.Id, Number = 0, Kind = PartKind.Plan, Name = "plan", DueAt = now });
        db.Record(actor, "export.create", $"export:{export.Id}", $"{request.Format} of {wanted.Count} session(s) and {request.Robots.Count} robot(s)", now);
        await db.SaveChangesAsync(cancellation);
        return export;
    }

    /// <summary>What an export would be, and why it would be refused.</summary>
    /// <exception cref="RequestException">The request makes no sense.</exception>
    public Task<ExportEstimate> EstimateAsync(ExportRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        return estimates.OfAsync(request, actor, cancellation);
    }

    /// <summary>Gives an export up, at once: what its workers still make is refused.</summary>
    /// <exception cref="RequestException">There is no such export, it is over, or it is somebody else's.</exception>
    public Task<ExportJob> CancelAsync(Guid id, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(id, actor, "cancel", async (db, export, now) =>
        {
            if (export.IsOver)
                throw RequestException.Conflict($"Export {id} is over already.");
            export.End(ExportState.Cancelled, "", now, now);
            await StopPartsAsync(db, id, now, cancellation);
        }, cancellation);

    /// <summary>Makes the parts of a failed export again that are not done; all of them once what was done is deleted.</summary>
    /// <exception cref="RequestException">There is no such export, it did not fail, or it is somebody else's.</exception>
    public Task<ExportJob> RetryAsync(Guid id, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(id, actor, "retry", async (db, export, now) =>
        {
            if (export.State != ExportState.Failed)
                throw RequestException.Conflict($"Export {id} did not fail; only a failed export is tried again.");
            export.State = ExportState.Queued;
            export.Error = "";
            (export.FinishedAt, export.ExpiresAt) = (null, null);
            if (export.SweptAt is not null)
            {
                await db.ExportParts.Where(p => p.ExportId == id && p.Number > 0).ExecuteDeleteAsync(cancellation);
                (export.SweptAt, export.PartsTotal) = (null, 0);
            }
            await db.ExportParts
                .Where(p => p.ExportId == id && (p.State != ExportPartState.Succeeded || (p.Number == 0 && export.PartsTotal == 0)))
                .ExecuteUpdateAsync(set => set.SetProperty(p => p.State, ExportPartState.Queued).SetProperty(p => p.Attempts, 0)
                    .SetProperty(p => p.DueAt, now).SetProperty(p => p.Error, "").SetProperty(p => p.FinishedAt, (DateTimeOffset?)null), cancellation);
            var done = await db.ExportParts
                .Where(p => p.ExportId == id && p.Kind == PartKind.Data && p.State == ExportPartState.Succeeded).Select(p => p.Number).ToListAsync(cancellation);
            export.KeepParts(done);
        }, cancellation);

    /// <summary>Has the files of an export deleted before their time.</summary>
    /// <exception cref="RequestException">There is no such export, it has none, or it is somebody else's.</exception>
    public Task<ExportJob> ExpireAsync(Guid id, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(id, actor, "expire", async (db, export, now) =>
        {
            if (export.State is not (ExportState.Succeeded or ExportState.Failed))
                throw RequestException.Conflict($"Export {id} is {SnakeCaseNames.Of(export.State.ToString())}; there are no files to delete.");
            export.State = export.State == ExportState.Succeeded ? ExportState.Expired : export.State;
            export.ExpiresAt = now;
            // Of a failed export other parts may still be made.
            await StopPartsAsync(db, id, now, cancellation);
        }, cancellation);

    /// <summary>A link to a file of an export that a browser can open. It is made without asking S3.</summary>
    public string Link(ExportFile file, string fileName) => bucket.Presign(file.ObjectKey, fileName, LinkLifetime, clock.GetUtcNow());

    private static Task StopPartsAsync(CatalogueDb db, Guid export, DateTimeOffset now, CancellationToken cancellation) =>
        db.ExportParts.Where(p => p.ExportId == export && (p.State == ExportPartState.Queued || p.State == ExportPartState.Running))
            .ExecuteUpdateAsync(set => set.SetProperty(p => p.State, ExportPartState.Cancelled)
                .SetProperty(p => p.Fence, p => p.Fence + 1).SetProperty(p => p.FinishedAt, now), cancellation);

    private async Task<ExportJob> ChangeAsync(
        Guid id, Actor actor, string deed, Func<CatalogueDb, ExportJob, DateTimeOffset, Task> change, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var export = await db.Exports.FromSql($"select * from exports where id = {id} for update").SingleOrDefaultAsync(cancellation)
            ?? throw RequestException.NotFound($"There is no export {id}.");
        if (!actor.IsAdministrator && !actor.IsSameUserAs(export.Owner))
            throw RequestException.Conflict($"Export {id} belongs to {export.Owner}; only an administrator changes the exports of others.");
        await change(db, export, now);
        db.Record(actor, $"export.{deed}", $"export:{id}", "", now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return export;
    }

    private static void Check(ExportRequest request)
    {
        if (request.Problems().FirstOrDefault() is ({ Length: > 0 } setting, var problem))
            throw RequestException.Invalid(setting, problem);
        if (request.Sessions.Count + request.Robots.Count is 0 or > MaxSessions)
            throw RequestException.Invalid("sessions", $"1 to {MaxSessions} sessions and robots together");
        if (request.Robots.Count > 0 && request.FromNs is null && request.ToNs is null)
            throw RequestException.Invalid("robots", "goes with from_ns or to_ns: without a range it would be all that the robots ever recorded");
        if (request.FromNs < 0 || request.ToNs < 0)
            throw RequestException.Invalid(request.FromNs < 0 ? "from_ns" : "to_ns", "nanoseconds since the Unix epoch, not negative");
    }
}
