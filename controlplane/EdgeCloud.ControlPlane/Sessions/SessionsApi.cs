using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
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
        sessions.MapGet("", ListAsync).WithName("listSessions").WithSummary("Search sessions").ProducesValidationProblem();
        sessions.MapGet("/{id:guid}", GetAsync).WithName("getSession").WithSummary("Show a session with its ledger, topics and pauses").ProducesProblem(404);
        sessions.MapGet("/{id:guid}/segments", ListSegmentsAsync).WithName("listSegments").WithSummary("List a session's segments in order; of an event those of its parent that hold it")
            .ProducesValidationProblem().ProducesProblem(404);
        sessions.MapDelete("/{id:guid}", DeleteAsync).WithName("deleteSession").WithSummary("Delete a session; it can be restored until purge_at")
            .RequireAuthorization(Policies.Delete).ProducesProblem(404).ProducesProblem(409);
        sessions.MapPost("/{id:guid}/restore", RestoreAsync).WithName("restoreSession").WithSummary("Bring a deleted session back")
            .RequireAuthorization(Policies.Delete).ProducesProblem(404);
        sessions.MapGet("/{id:guid}/verification", VerifyAsync).WithName("verifySession")
            .WithSummary("Hold a session's certificate against the bucket, object by object").ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
        sessions.MapPost("/{id:guid}/fetch", FetchAsync).WithName("fetchSession").WithSummary("Have the robot upload a time range of a session first")
            .RequireAuthorization(Policies.Command).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Ok<Page<SessionView>>> ListAsync(
        CatalogueDb db, [AsParameters] SessionQuery query, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var search = query.Read();
        var found = await search.QueryAsync(db, cancellation);
        if (cursor is not null)
            found = search.After(found, cursor);
        var rows = await found.Take(count + 1).ToListAsync(cancellation);
        var totals = await SessionTotals.OfAsync(db, rows, cancellation);
        var last = rows.ElementAtOrDefault(count - 1);
        return TypedResults.Ok(Paging.Of<SessionView>(
            [.. rows.Select(s => View(s, totals.GetValueOrDefault(s.Id, SessionTotals.None)))], count, _ => search.Cursor(last!)));
    }

    private static async Task<Ok<SessionView>> DeleteAsync(
        CatalogueDb db, SessionDeletion deletion, HttpContext context, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(await ViewAsync(db, await deletion.DeleteAsync(id, Actor.Of(context), cancellation), cancellation));

    private static async Task<Ok<SessionView>> RestoreAsync(
        CatalogueDb db, SessionDeletion deletion, HttpContext context, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(await ViewAsync(db, await deletion.RestoreAsync(id, Actor.Of(context), cancellation), cancellation));

    private static async Task<SessionView> ViewAsync(CatalogueDb db, Session session, CancellationToken cancellation)
    {
        var totals = await SessionTotals.OfAsync(db, [session], cancellation);
        return View(session, totals.GetValueOrDefault(session.Id, SessionTotals.None));
    }

    private static async Task<Ok<SessionView>> GetAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        var session = await FindAsync(db, id, cancellation);
        var totals = await SessionTotals.OfAsync(db, [session], cancellation);
        return TypedResults.Ok(View(session, totals.GetValueOrDefault(id, SessionTotals.None)) with
        {
            Ledger = await SessionTotals.LedgerAsync(db, session, cancellation),
            Topics = await SessionTotals.TopicsAsync(db, [session], cancellation),
            Pauses = session.Manifest?.Pauses ?? [],
            Events = await SessionSource.EventsOf(db, session).Select(e => e.Id).ToListAsync(cancellation),
        });
    }

    private static async Task<Ok<Page<SegmentView>>> ListSegmentsAsync(
        CatalogueDb db, Guid id, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? 0 : Paging.ReadNumber(cursor);
        var source = await SessionSource.OfAsync(db, await FindAsync(db, id, cancellation), cancellation);
        var rows = await source.Segments(db).AsNoTracking()
            .Where(s => s.Sequence > after)
            .OrderBy(s => s.Sequence)
            .Take(count + 1)
            .ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<SegmentView>(
            [.. rows.Select(View)], count, s => Paging.Cursor(s.Manifest.Sequence.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<Ok<VerificationView>> VerifyAsync(
        CatalogueDb db, CertificateCheck check, Guid id, string? cursor, int? limit, bool? full, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? 0 : Paging.ReadNumber(cursor);
        var session = await FindAsync(db, id, cancellation);
        SessionManifest certificate;
        try
        {
            certificate = await check.ReadAsync(session.ObjectPrefix, cancellation) ?? throw RequestException.Conflict(
                $"The bucket has no certificate of the session, which is {SnakeCaseNames.Of(session.State.ToString())}: it is written when everything of it is settled.");
        }
        catch (ContractException e)
        {
            throw RequestException.Conflict($"The session's certificate cannot be read: {e.Message}");
        }
        var lines = certificate.Segments?.Count ?? 0;
        var findings = new List<SegmentFinding>();
        for (var i = after; i < lines && findings.Count < count; i++)
            findings.Add(await check.CheckAsync(certificate, i, full ?? false, cancellation));
        return TypedResults.Ok(new VerificationView
        {
            Session = id,
            State = certificate.State,
            Segments = lines,
            Messages = certificate.Messages,
            Lost = certificate.Ledger.Sum(e => e.Lost()),
            Faults = CertificateCheck.FaultsOf(certificate),
            Items = findings,
            NextCursor = after + findings.Count < lines
                ? Paging.Cursor((after + findings.Count).ToString(CultureInfo.InvariantCulture)) : null,
        });
    }

    private static async Task<Accepted<CommandView>> FetchAsync(
        CatalogueDb db, CommandIssuer issuer, HttpContext context, Guid id, FetchRequest request, CancellationToken cancellation)
    {
        // The robot fetches from the session that has the segments.
        var source = await SessionSource.OfAsync(db, await FindAsync(db, id, cancellation), cancellation);
        var session = source.Holder;
        if (session.State is SessionState.Finished or SessionState.Cancelled)
            throw RequestException.Conflict($"The session is {SnakeCaseNames.Of(session.State.ToString())}: the robot holds nothing of it that is not in the bucket.");
        var command = await issuer.IssueAsync(session.Robot, new CommandRequest
        {
            Command = CommandKind.Fetch,
            Session = session.Id,
            Range = source.Within(request.FromNs, request.ToNs),
            ExpiresInSeconds = request.ExpiresInSeconds,
        }, Actor.Of(context), cancellation);
        return TypedResults.Accepted($"{Api.Root}/commands/{command.Id}", FleetApi.View(command));
    }

    private static async Task<Session> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        // One that was deleted can be looked at as long as it can be brought back.
        await db.Sessions.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(s => s.Id == id && s.PurgedAt == null, cancellation)
            ?? throw RequestException.NotFound($"There is no session {id}.");

    private static SessionView View(Session session, SessionTotals totals) => new()
    {
        Session = session.Id,
        Robot = session.Robot,
        Name = session.Name,
        State = session.State,
        Reason = session.Reason,
        StartedAt = session.StartedAt,
        EndedAt = session.EndedAt,
        Upload = session.Manifest?.Upload ?? UploadPolicy.Now,
        Priority = session.Manifest?.Priority ?? 0,
        Requested = session.Manifest?.Requested ?? [],
        Event = session.Manifest?.Event,
        Messages = totals.Messages,
        Bytes = totals.Bytes,
        Segments = totals.Segments,
        BytesByCustody = totals.BytesByCustody,
        Lost = Math.Max(session.Lost, totals.Lost),
        Tags = session.Tags,
        DeletedAt = session.DeletedAt,
        PurgeAt = session.PurgeAt,
    };

    private static SegmentView View(Segment segment) => new()
    {
        Custody = segment.Custody,
        Reason = segment.Reason,
        AcknowledgedAt = segment.AcknowledgedAt,
        Manifest = segment.Manifest,
    };
}
