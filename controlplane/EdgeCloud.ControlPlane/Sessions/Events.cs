using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Events of robots, for the API, the portal and the robots themselves. Only its author, by whatever key, and administrators change an
/// event; a robot's can be changed by everybody who may annotate. Whoever calls has checked <see cref="Policies.Annotate"/>.
/// </summary>
public sealed class Events(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    private const int MaxKindLength = 40;

    /// <summary>Events that show on a session's timeline: its own, and those of its robot, or of the session that it is a stretch of, in its time.</summary>
    public static IQueryable<RobotEvent> Of(CatalogueDb db, Session session)
    {
        var from = UnixTime.ToNanoseconds(session.StartedAt);
        var to = session.EndedAt is { } ended ? UnixTime.ToNanoseconds(ended) : long.MaxValue;
        return db.Events.Where(e => e.Robot == session.Robot
            && (e.Session == session.Id || ((e.Session == null || e.Session == session.Parent) && e.TimeNs <= to && (e.EndNs ?? e.TimeNs) >= from)));
    }

    /// <summary>Marks an event.</summary>
    /// <exception cref="RequestException">There is no such robot or session, or a field is not allowed.</exception>
    public async Task<RobotEvent> AddAsync(EventRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var robot = request.Robot;
        if (request.Session is { } id)
        {
            var recorder = await db.Sessions.Where(s => s.Id == id).Select(s => s.Robot).SingleOrDefaultAsync(cancellation)
                ?? throw RequestException.Invalid("session", $"there is no session {id}");
            if (robot.Length > 0 && robot != recorder)
                throw RequestException.Invalid("robot", $"session {id} is of robot '{recorder}'");
            robot = recorder;
        }
        else if (!await db.Robots.AnyAsync(r => r.Id == robot, cancellation))
        {
            throw RequestException.Invalid("robot", $"there is no robot '{robot}'; name one, or a session");
        }
        var now = clock.GetUtcNow();
        var made = new RobotEvent { Id = Guid.CreateVersion7(now), Robot = robot, Session = request.Session, Author = actor.Name, CreatedAt = now };
        db.Events.Add(made.Describe(request.TimeNs, request.EndNs, request.Kind.Trim(), request.Text.Trim()));
        db.Record(actor, "event.create", $"robot:{robot}", $"{request.Kind} {made.Id}", now);
        await db.SaveChangesAsync(cancellation);
        return made;
    }

    /// <summary>Changes time and words of an event; robot and session stay.</summary>
    /// <exception cref="RequestException">There is no such event, it is somebody else's, or a field is not allowed.</exception>
    public async Task<RobotEvent> EditAsync(Guid id, EventRequest request, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var found = await FindAsync(db, id, actor, cancellation);
        check?.Invoke(found.Version);
        found.Describe(request.TimeNs, request.EndNs, request.Kind.Trim(), request.Text.Trim());
        db.Record(actor, "event.change", $"robot:{found.Robot}", id.ToString(), clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        return found;
    }

    /// <summary>Deletes an event.</summary>
    /// <exception cref="RequestException">There is no such event, or it is somebody else's.</exception>
    public async Task DeleteAsync(Guid id, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var found = await FindAsync(db, id, actor, cancellation);
        check?.Invoke(found.Version);
        db.Events.Remove(found);
        db.Record(actor, "event.delete", $"robot:{found.Robot}", $"{found.Kind} {id}", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
    }

    /// <summary>Takes over what a robot tells, once, and answers it each time.</summary>
    internal async Task<EventAck> ApplyAsync(EventMessage message, CancellationToken cancellation)
    {
        message.Check();
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await Ingestion.RegisterAsync(db, message.Robot, now, cancellation);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into events (id, robot, session, time_ns, end_ns, kind, text, author, created_at, version)
            values ({message.Id}, {message.Robot}, {message.Session}, {message.TimeNs}, {message.EndNs}, {message.Kind}, {message.Text},
                    {"robot:" + message.Robot}, {now}, 1)
            on conflict (id) do nothing
            """,
            cancellation);
        return new EventAck { Robot = message.Robot, Id = message.Id };
    }

    private static async Task<RobotEvent> FindAsync(CatalogueDb db, Guid id, Actor actor, CancellationToken cancellation)
    {
        var found = await db.Events.SingleOrDefaultAsync(e => e.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no event {id}.");
        return actor.IsAdministrator || actor.IsSameUserAs(found.Author) || found.Author.StartsWith("robot:", StringComparison.Ordinal)
            ? found
            : throw RequestException.Forbidden($"The event is {found.Author}'s; only they and administrators change it.");
    }

    private static void Check(EventRequest request)
    {
        if (request.TimeNs < 0)
            throw RequestException.Invalid("time_ns", "nanoseconds since the Unix epoch, not negative");
        if (request.EndNs < request.TimeNs)
            throw RequestException.Invalid("end_ns", "not before time_ns");
        if (TextRules.Name("kind", request.Kind).Length > MaxKindLength)
            throw RequestException.Invalid("kind", $"1 to {MaxKindLength} characters on one line");
        TextRules.Text("text", request.Text);
    }
}
