using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Takes requests for exports, for the API and the portal alike.</summary>
public sealed class ExportQueue(IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, ExportSignal signal, TimeProvider clock)
{
    private const int MaxSessions = 1000;
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    /// <summary>Stores an export, queued. Whoever calls has checked <see cref="Policies.Export"/>.</summary>
    /// <exception cref="RequestException">The request cannot be met.</exception>
    public async Task<ExportJob> AddAsync(ExportRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var wanted = request.Sessions.Distinct().ToList();
        var known = await db.Sessions.Where(s => wanted.Contains(s.Id)).Select(s => s.Id).ToListAsync(cancellation);
        if (wanted.Except(known).FirstOrDefault() is var unknown && unknown != Guid.Empty)
            throw RequestException.Invalid("sessions", $"there is no session {unknown}");
        var now = clock.GetUtcNow();
        var export = new ExportJob { Id = Guid.CreateVersion7(now), Request = request with { Sessions = wanted }, Owner = actor.Name, CreatedAt = now };
        db.Exports.Add(export);
        db.Record(actor, "export.create", $"export:{export.Id}", $"{request.Format} of {wanted.Count} session(s)", now);
        await db.SaveChangesAsync(cancellation);
        signal.Wake();
        return export;
    }

    /// <summary>Ends an export that waits; asks the worker of a running one to stop.</summary>
    /// <exception cref="RequestException">There is no such export, it is over, or it is somebody else's.</exception>
    public async Task<ExportJob> CancelAsync(Guid id, Actor actor, bool isAdministrator, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var export = await db.Exports.FromSql($"select * from exports where id = {id} for update").SingleOrDefaultAsync(cancellation)
            ?? throw RequestException.NotFound($"There is no export {id}.");
        if (!isAdministrator && !actor.IsSameUserAs(export.Owner))
            throw RequestException.Conflict($"Export {id} belongs to {export.Owner}; only an administrator cancels the exports of others.");
        if (export.IsOver)
            throw RequestException.Conflict($"Export {id} is over already.");
        export.Cancel(now);
        db.Record(actor, "export.cancel", $"export:{id}", "", now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return export;
    }

    /// <summary>A link to the result that a browser can open; null unless the export succeeded. It is made without asking S3.</summary>
    public string? DownloadUrl(ExportJob export) => export.State == ExportState.Succeeded
        ? bucket.Presign(export.ObjectKey, export.FileName, LinkLifetime, clock.GetUtcNow())
        : null;

    private static void Check(ExportRequest request)
    {
        if (request.Format != "mcap")
            throw RequestException.Invalid("format", "mcap");
        if (request.Sessions.Count is 0 or > MaxSessions)
            throw RequestException.Invalid("sessions", $"1 to {MaxSessions} sessions");
        if (request.FromNs < 0 || request.ToNs < 0)
            throw RequestException.Invalid(request.FromNs < 0 ? "from_ns" : "to_ns", "nanoseconds since the Unix epoch, not negative");
        if (request.FromNs >= request.ToNs)
            throw RequestException.Invalid("to_ns", "later than from_ns");
    }
}
