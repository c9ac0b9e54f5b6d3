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
    /// <summary>For how long a deleted session can be brought back: <c>Sessions:DeleteGraceHours</c>, a week unless it is set.</summary>
    public TimeSpan Grace { get; } = TimeSpan.FromHours(configuration.Number("Sessions:DeleteGraceHours", 168, 0, 87_600));

    /// <summary>Hides a session that is over.</summary>
    /// <exception cref="RequestException">There is no such session, or it still records.</exception>
    public Task<Session> DeleteAsync(Guid id, Actor actor, CancellationToken cancellation) => ChangeAsync(id, actor, "session.delete", session =>
    {
        if (session.DeletedAt is not null)
            return;
        if (!session.IsOver)
            throw RequestException.Conflict($"Session {id} is {SnakeCaseNames.Of(session.State.ToString())}; finish or cancel it first.");
        var now = clock.GetUtcNow();
        session.Delete(actor.Name, now, now + Grace);
    }, cancellation);

    /// <summary>Brings a deleted session back.</summary>
    /// <exception cref="RequestException">There is no such session, or its data is gone.</exception>
    public Task<Session> RestoreAsync(Guid id, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(id, actor, "session.restore", session =>
        {
            // What is being deleted for good may be half gone.
            if (session.PurgeAt <= clock.GetUtcNow())
                throw RequestException.NotFound($"Session {id} is being deleted for good; its time of grace is over.");
            session.Restore();
        }, cancellation);

    private async Task<Session> ChangeAsync(Guid id, Actor actor, string action, Action<Session> change, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await db.Sessions.FromSql($"select * from sessions where id = {id} for update").IgnoreQueryFilters().SingleOrDefaultAsync(cancellation);
        if (session is not { PurgedAt: null })
            throw RequestException.NotFound($"There is no session {id}{(session is null ? "" : "; its data was deleted for good")}.");
        change(session);
        db.Record(actor, action, $"session:{id}", session.PurgeAt is { } at ? $"for good at {at:u}" : "", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return session;
    }
}
