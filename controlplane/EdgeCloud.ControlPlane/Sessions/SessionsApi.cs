using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Sessions and segments in the API.</summary>
public static class SessionsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapSessionsApi(this IEndpointRouteBuilder api)
    {
        var sessions = api.MapGroup("/sessions").WithTags("sessions").RequireAuthorization(Policies.Read);
        sessions.MapGet("", ListAsync).WithName("listSessions").WithSummary("List sessions, newest first").ProducesValidationProblem();
        sessions.MapGet("/{id:guid}", GetAsync).WithName("getSession").WithSummary("Show a session with its ledger, topics and pauses").ProducesProblem(404);
        sessions.MapGet("/{id:guid}/segments", ListSegmentsAsync).WithName("listSegments").WithSummary("List a session's segments in order")
            .ProducesValidationProblem().ProducesProblem(404);
    }

    private static async Task<Ok<Page<SessionView>>> ListAsync(
        CatalogueDb db, string? robot, string? state, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var sessions = db.Sessions.AsNoTracking();
        if (robot is not null)
            sessions = sessions.Where(s => s.Robot == robot);
        if (state is not null)
        {
            var wanted = StateNamed(state);
            sessions = sessions.Where(s => s.State == wanted);
        }
        if (cursor is not null)
        {
            var (at, id) = Paging.ReadTimeAndId(cursor);
            sessions = sessions.Where(s => EF.Functions.LessThan(ValueTuple.Create(s.StartedAt, s.Id), ValueTuple.Create(at, id)));
        }
        var rows = await sessions.OrderByDescending(s => s.StartedAt).ThenByDescending(s => s.Id).Take(count + 1).ToListAsync(cancellation);
        var totals = await SessionTotals.OfAsync(db, rows, cancellation);
        return TypedResults.Ok(Paging.Of<SessionView>(
            [.. rows.Select(s => View(s, totals.GetValueOrDefault(s.Id, SessionTotals.None)))], count, s => Paging.Cursor(s.StartedAt, s.Session)));
    }

    private static async Task<Ok<SessionView>> GetAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        var session = await FindAsync(db, id, cancellation);
        var totals = await SessionTotals.OfAsync(db, [session], cancellation);
        return TypedResults.Ok(View(session, totals.GetValueOrDefault(id, SessionTotals.None)) with
        {
            Ledger = await SessionTotals.LedgerAsync(db, session, cancellation),
            Topics = await SessionTotals.TopicsAsync(db, session, cancellation),
            Pauses = session.Manifest?.Pauses ?? [],
        });
    }

    private static async Task<Ok<Page<SegmentView>>> ListSegmentsAsync(
        CatalogueDb db, Guid id, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? 0 : Paging.ReadNumber(cursor);
        var session = await FindAsync(db, id, cancellation);
        var rows = await db.Segments.AsNoTracking()
            .Where(s => s.SessionDate == session.Date && s.SessionId == id && s.Sequence > after)
            .OrderBy(s => s.Sequence)
            .Take(count + 1)
            .ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<SegmentView>(
            [.. rows.Select(View)], count, s => Paging.Cursor(s.Manifest.Sequence.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<Session> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no session {id}.");

    private static SessionState StateNamed(string word)
    {
        foreach (var state in Enum.GetValues<SessionState>())
        {
            if (SnakeCaseNames.Of(state.ToString()) == word)
                return state;
        }
        throw RequestException.Invalid("state", "one of " + string.Join(", ", Enum.GetNames<SessionState>().Select(SnakeCaseNames.Of)));
    }

    private static SessionView View(Session session, SessionTotals totals) => new()
    {
        Session = session.Id,
        Robot = session.Robot,
        Name = session.Name,
        State = session.State,
        Reason = session.Reason,
        StartedAt = session.StartedAt,
        EndedAt = session.EndedAt,
        Messages = totals.Messages,
        Bytes = totals.Bytes,
        Segments = totals.Segments,
        BytesByCustody = totals.BytesByCustody,
        Lost = Math.Max(session.Lost, totals.Lost),
    };

    private static SegmentView View(Segment segment) => new()
    {
        Custody = segment.Custody,
        Reason = segment.Reason,
        AcknowledgedAt = segment.AcknowledgedAt,
        Manifest = segment.Manifest,
    };
}
