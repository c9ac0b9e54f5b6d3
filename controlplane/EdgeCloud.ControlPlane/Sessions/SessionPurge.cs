using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions.Preview;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Deletes for good what was deleted and whose time of grace is over: first the objects, then what the catalogue knows of them. The
/// session's row stays, out of sight: a robot that still has segments of it announces and uploads them as ever, is acknowledged as ever,
/// and what it uploaded is deleted in a later round, as is an excerpt that was just being made. A session that holds the data of an event
/// waits until the event is deleted too.
/// </summary>
internal sealed partial class SessionPurge(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, IConfiguration configuration, TimeProvider clock, ILogger<SessionPurge> log)
    : BackgroundService
{
    private const int AtOnce = 20;
    private static readonly Actor Self = new("purge");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = TimeSpan.FromSeconds(configuration.Number("Sessions:PurgeIntervalSeconds", 60, 1, 86_400));
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            do
            {
                try
                {
                    await PurgeAsync(stoppingToken);
                }
                catch (Exception e) when (e is BucketUnavailableException || Postgres.IsTransient(e))
                {
                    PutOff(log, e is BucketUnavailableException ? e.Message : e.GetBaseException().Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task PurgeAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var due = await db.Sessions.IgnoreQueryFilters().AsNoTracking()
            .Where(s => s.PurgeAt <= now
                && (s.PurgedAt == null
                    || db.Segments.Any(g => g.SessionDate == s.Date && g.SessionId == s.Id)
                    || db.SegmentExcerpts.Any(e => e.SessionDate == s.Date && e.SessionId == s.Id))
                && !db.Sessions.Any(e => e.Parent == s.Id && e.Robot == s.Robot && e.DeletedAt == null))
            .OrderBy(s => s.PurgeAt).Take(AtOnce)
            .Select(s => s.Id)
            .ToListAsync(cancellation);
        foreach (var session in due)
        {
            if (await PurgeAsync(session, now, cancellation) is { } objects)
                Purged(log, session, objects);
        }
    }

    // Objects first: an end in between leaves a session that is found again. Under the lock: nobody restores what is half gone.
    private async Task<int?> PurgeAsync(Guid id, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await db.Sessions.FromSql($"select * from sessions where id = {id} for update skip locked").IgnoreQueryFilters()
            .SingleOrDefaultAsync(cancellation);
        if (session is null || !(session.PurgeAt <= now) || await SessionSource.EventsOf(db, session).AnyAsync(cancellation))
            return null;
        var objects = await bucket.DeleteFolderAsync(session.ObjectPrefix, cancellation)
            + await bucket.DeleteFolderAsync(SegmentExcerpt.Folder(id), cancellation);
        await db.SegmentExcerpts.Where(e => e.SessionDate == session.Date && e.SessionId == id).ExecuteDeleteAsync(cancellation);
        await db.Segments.Where(s => s.SessionDate == session.Date && s.SessionId == id).ExecuteDeleteAsync(cancellation);
        await db.SessionNotes.Where(n => n.SessionId == id).ExecuteDeleteAsync(cancellation);
        await db.Events.Where(e => e.Session == id).ExecuteDeleteAsync(cancellation);
        if (session.PurgedAt is null)
            db.Record(Self, "session.purge", $"session:{id}", session.ObjectPrefix, now);
        session.PurgedAt = now;
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return objects;
    }

    [LoggerMessage(EventId = 5320, Level = LogLevel.Information, Message = "Session {Session} was deleted for good with {Objects} objects")]
    private static partial void Purged(ILogger log, Guid session, int objects);

    [LoggerMessage(EventId = 5321, Level = LogLevel.Warning, Message = "Deleted sessions are purged later: {Reason}")]
    private static partial void PutOff(ILogger log, string reason);
}
