using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Deletes sessions for the API and the portal alike: at once out of sight, for good only after a time of grace. Whoever calls has
/// checked <see cref="Policies.Delete"/>.
/// </summary>
public sealed class SessionDeletion(IDbContextFactory<CatalogueDb> catalogue, IConfiguration configuration, TimeProvider clock)
{
    private const int EventsNamed = 10;

    /// <summary>For how long a deleted session can be brought back: <c>Sessions:DeleteGraceHours</c>, a week unless it is set.</summary>
    public TimeSpan Grace { get; } = TimeSpan.FromHours(configuration.Number("Sessions:DeleteGraceHours", 168, 0, 87_600));

    /// <summary>Hides a session that is over.</summary>
    /// <exception cref="RequestException">There is no such session, it still records, or events are stretches of it.</exception>
    public Task<Session> DeleteAsync(Guid id, Actor actor, CancellationToken cancellation) => ChangeAsync(id, actor, "session.delete", async (db, session) =>
    {
        if (session.DeletedAt is not null)
            return;
        if (!session.IsOver)
            throw RequestException.Conflict($"Session {id} is {SnakeCaseNames.Of(session.State.ToString())}; finish or cancel it first.");
        var events = await SessionSource.EventsOf(db, session).Select(e => e.Id).ToListAsync(cancellation);
        if (events.Count > 0)
        {
            throw RequestException.Conflict(
                $"The data of {events.Count} event(s) lies in session {id}; delete them first: {string.Join(", ", events.Take(EventsNamed))}{(events.Count > EventsNamed ? ", …" : "")}");
        }
        var now = clock.GetUtcNow();
        session.Delete(actor.Name, now, now + Grace);
    }, cancellation);

    /// <summary>Brings a deleted session back.</summary>
    /// <exception cref="RequestException">There is no such session, its data is gone, or it lies in a session that is deleted.</exception>
    public Task<Session> RestoreAsync(Guid id, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(id, actor, "session.restore", async (db, session) =>
        {
            // What is being deleted for good may be half gone.
            if (session.PurgeAt <= clock.GetUtcNow())
                throw RequestException.NotFound($"Session {id} is being deleted for good; its time of grace is over.");
            // Locked, so that no purge of it begins meanwhile.
            if (session.Parent is { } parent && await db.Sessions.FromSql($"select * from sessions where id = {parent} for update").IgnoreQueryFilters()
                .AnyAsync(p => p.DeletedAt != null, cancellation))
            {
                throw RequestException.Conflict($"Session {id} is an event, and its data lies in session {parent}, which is deleted; restore that first.");
            }
            session.Restore();
        }, cancellation);

    private async Task<Session> ChangeAsync(
        Guid id, Actor actor, string action, Func<CatalogueDb, Session, Task> change, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await db.Sessions.FromSql($"select * from sessions where id = {id} for update").IgnoreQueryFilters().SingleOrDefaultAsync(cancellation);
        if (session is not { PurgedAt: null })
            throw RequestException.NotFound($"There is no session {id}{(session is null ? "" : "; its data was deleted for good")}.");
        await change(db, session);
        db.Record(actor, action, $"session:{id}", session.PurgeAt is { } at ? $"for good at {at:u}" : "", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return session;
    }
}
