using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Tags, notes and events in the API.</summary>
public static class AnnotationsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapAnnotationsApi(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("").WithTags("annotations").RequireAuthorization(Policies.Read);
        var writing = api.MapGroup("").WithTags("annotations").RequireAuthorization(Policies.Annotate).ProducesValidationProblem().ProducesProblem(404);
        group.MapGet("/tags", ListTagsAsync).WithName("listTags").WithSummary("List the tags that robots and sessions have");
        group.MapGet("/topics", ListTopicsAsync).WithName("listTopics").WithSummary("List the topics and types that any session holds").ProducesValidationProblem();
        writing.MapPut("/robots/{robot}/tags/{tag}", TagRobotAsync).WithName("tagRobot").WithSummary("Put a tag on a robot");
        writing.MapDelete("/robots/{robot}/tags/{tag}", UntagRobotAsync).WithName("untagRobot").WithSummary("Take a tag off a robot");
        writing.MapPut("/sessions/{id:guid}/tags/{tag}", TagSessionAsync).WithName("tagSession").WithSummary("Put a tag on a session");
        writing.MapDelete("/sessions/{id:guid}/tags/{tag}", UntagSessionAsync).WithName("untagSession").WithSummary("Take a tag off a session");
        group.MapGet("/sessions/{id:guid}/notes", ListNotesAsync).WithName("listNotes").WithSummary("List a session's notes, oldest first").ProducesValidationProblem();
        writing.MapPost("/sessions/{id:guid}/notes", AddNoteAsync).WithName("createNote").WithSummary("Write a note about a session");
        writing.MapPut("/sessions/{id:guid}/notes/{note:guid}", EditNoteAsync).WithName("updateNote").WithSummary("Change a note").ProducesProblem(412);
        writing.MapDelete("/sessions/{id:guid}/notes/{note:guid}", DeleteNoteAsync).WithName("deleteNote").WithSummary("Delete a note").ProducesProblem(412);
        group.MapGet("/events", ListEventsAsync).WithName("listEvents").WithSummary("List events in order of time").ProducesValidationProblem();
        group.MapGet("/events/{id:guid}", GetEventAsync).WithName("getEvent").WithSummary("Show an event").ProducesProblem(404);
        writing.MapPost("/events", AddEventAsync).WithName("createEvent").WithSummary("Mark an event in a robot's or session's time");
        writing.MapPut("/events/{id:guid}", EditEventAsync).WithName("updateEvent").WithSummary("Change an event").ProducesProblem(412);
        writing.MapDelete("/events/{id:guid}", DeleteEventAsync).WithName("deleteEvent").WithSummary("Delete an event").ProducesProblem(412);
    }

    private static async Task<Ok<TagsView>> ListTagsAsync(CatalogueDb db, CancellationToken cancellation) =>
        TypedResults.Ok(new TagsView(await TagsAsync(db, cancellation)));

    /// <summary>Every tag that a robot or a session has, in order.</summary>
    public static Task<List<string>> TagsAsync(CatalogueDb db, CancellationToken cancellation) =>
        db.Database.SqlQuery<string>(
            $"""
            select distinct tag as "Value" from (
                select unnest(tags) as tag from sessions where cardinality(tags) > 0
                union all select unnest(tags) from robots) t
            order by 1 limit 1000
            """).ToListAsync(cancellation);

    private static async Task<Ok<Page<TopicName>>> ListTopicsAsync(
        CatalogueDb db, string? q, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var topics = db.KnownTopics.AsNoTracking();
        if (!string.IsNullOrEmpty(q))
            topics = topics.Where(t => t.Name.Contains(q) || t.Type.Contains(q));
        if (cursor is not null)
        {
            var parts = Paging.ReadKey(cursor).Split('\n');
            var (name, type) = parts.Length == 2 ? (parts[0], parts[1]) : throw RequestException.Invalid("cursor", "a next_cursor that this list gave, as it was");
            topics = topics.Where(t => EF.Functions.GreaterThan(ValueTuple.Create(t.Name, t.Type), ValueTuple.Create(name, type)));
        }
        var rows = await topics.OrderBy(t => t.Name).ThenBy(t => t.Type).Take(count + 1).Select(t => new TopicName(t.Name, t.Type)).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of(rows, count, t => Paging.Cursor($"{t.Name}\n{t.Type}")));
    }

    private static async Task<Ok<TagsView>> TagRobotAsync(Tagging tagging, HttpContext context, string robot, string tag, CancellationToken cancellation) =>
        TypedResults.Ok(new TagsView(await tagging.TagRobotAsync(robot, [tag], [], Actor.Of(context), cancellation)));

    private static async Task<Ok<TagsView>> UntagRobotAsync(Tagging tagging, HttpContext context, string robot, string tag, CancellationToken cancellation) =>
        TypedResults.Ok(new TagsView(await tagging.TagRobotAsync(robot, [], [tag], Actor.Of(context), cancellation)));

    private static async Task<Ok<TagsView>> TagSessionAsync(Tagging tagging, HttpContext context, Guid id, string tag, CancellationToken cancellation) =>
        TypedResults.Ok(new TagsView(await tagging.TagSessionAsync(id, [tag], [], Actor.Of(context), cancellation)));

    private static async Task<Ok<TagsView>> UntagSessionAsync(Tagging tagging, HttpContext context, Guid id, string tag, CancellationToken cancellation) =>
        TypedResults.Ok(new TagsView(await tagging.TagSessionAsync(id, [], [tag], Actor.Of(context), cancellation)));

    private static async Task<Ok<Page<NoteView>>> ListNotesAsync(
        CatalogueDb db, Guid id, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var notes = db.SessionNotes.AsNoTracking().Where(n => n.SessionId == id);
        if (cursor is not null)
        {
            var (at, after) = Paging.ReadTimeAndId(cursor);
            notes = notes.Where(n => EF.Functions.GreaterThan(ValueTuple.Create(n.At, n.Id), ValueTuple.Create(at, after)));
        }
        var rows = await notes.OrderBy(n => n.At).ThenBy(n => n.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<NoteView>([.. rows.Select(View)], count, n => Paging.Cursor(n.At, n.Id)));
    }

    private static async Task<Created<NoteView>> AddNoteAsync(
        Notes notes, HttpContext context, Guid id, NoteRequest request, CancellationToken cancellation)
    {
        var note = await notes.AddAsync(id, request.Text, Actor.Of(context), cancellation);
        Versions.Show(context, note.Version);
        return TypedResults.Created($"{Api.Root}/sessions/{id}/notes/{note.Id}", View(note));
    }

    private static async Task<Ok<NoteView>> EditNoteAsync(
        Notes notes, HttpContext context, Guid id, Guid note, NoteRequest request, CancellationToken cancellation)
    {
        var changed = await notes.EditAsync(id, note, request.Text, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        Versions.Show(context, changed.Version);
        return TypedResults.Ok(View(changed));
    }

    private static async Task<NoContent> DeleteNoteAsync(Notes notes, HttpContext context, Guid id, Guid note, CancellationToken cancellation)
    {
        await notes.DeleteAsync(id, note, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<EventView>>> ListEventsAsync(
        CatalogueDb db, string? robot, Guid? session, string? kind, long? from_ns, long? to_ns, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var events = db.Events.AsNoTracking();
        if (session is { } id)
        {
            events = Events.Of(db, await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation)
                ?? throw RequestException.Invalid("session", $"there is no session {id}")).AsNoTracking();
        }
        if (robot is not null)
            events = events.Where(e => e.Robot == robot);
        if (kind is not null)
            events = events.Where(e => e.Kind == kind);
        if (from_ns is { } from)
            events = events.Where(e => (e.EndNs ?? e.TimeNs) >= from);
        if (to_ns is { } to)
            events = events.Where(e => e.TimeNs < to);
        if (cursor is not null)
        {
            var (ticks, after) = Paging.ReadNumberAndId(cursor);
            events = events.Where(e => EF.Functions.GreaterThan(ValueTuple.Create(e.TimeNs, e.Id), ValueTuple.Create(ticks, after)));
        }
        var rows = await events.OrderBy(e => e.TimeNs).ThenBy(e => e.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<EventView>([.. rows.Select(View)], count, e => Paging.Cursor(e.TimeNs, e.Id)));
    }

    private static async Task<Ok<EventView>> GetEventAsync(CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var found = await db.Events.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellation) ?? throw RequestException.NotFound($"There is no event {id}.");
        Versions.Show(context, found.Version);
        return TypedResults.Ok(View(found));
    }

    private static async Task<Created<EventView>> AddEventAsync(Events events, HttpContext context, EventRequest request, CancellationToken cancellation)
    {
        var made = await events.AddAsync(request, Actor.Of(context), cancellation);
        Versions.Show(context, made.Version);
        return TypedResults.Created($"{Api.Root}/events/{made.Id}", View(made));
    }

    private static async Task<Ok<EventView>> EditEventAsync(
        Events events, HttpContext context, Guid id, EventRequest request, CancellationToken cancellation)
    {
        var changed = await events.EditAsync(id, request, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        Versions.Show(context, changed.Version);
        return TypedResults.Ok(View(changed));
    }

    private static async Task<NoContent> DeleteEventAsync(Events events, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await events.DeleteAsync(id, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static NoteView View(SessionNote note) => new()
    {
        Id = note.Id,
        Session = note.SessionId,
        Author = note.Author,
        At = note.At,
        EditedAt = note.EditedAt,
        Text = note.Text,
    };

    private static EventView View(RobotEvent e) => new()
    {
        Id = e.Id,
        Robot = e.Robot,
        Session = e.Session,
        TimeNs = e.TimeNs,
        EndNs = e.EndNs,
        Kind = e.Kind,
        Text = e.Text,
        Author = e.Author,
        CreatedAt = e.CreatedAt,
    };
}
