using System.CommandLine;
using System.Globalization;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud tags list|add|remove</c>.</summary>
internal static class TagsCommand
{
    public static Command Create() => new("tags", "Tags on robots and sessions")
    {
        CreateList(),
        CreateChange("add", "Put tags on a robot or a session", (api, path, cancellation) => api.PutAsync(path, ApiJsonContext.Default.TagsView, cancellation)),
        CreateChange("remove", "Take tags off a robot or a session", (api, path, cancellation) => api.DeleteAsync(path, ApiJsonContext.Default.TagsView, cancellation)),
    };

    private static Command CreateList()
    {
        var command = new Command("list", "Every tag that is in use");
        command.SetAction(async (_, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            foreach (var tag in (await api.GetAsync("tags", ApiJsonContext.Default.TagsView, cancellation)).Tags)
                Console.WriteLine(tag);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateChange(string name, string description, Func<ApiClient, string, CancellationToken, Task<TagsView>> change)
    {
        var tags = new Argument<string[]>("tags") { Description = "Tags", Arity = ArgumentArity.OneOrMore };
        var robot = new Option<string?>("--robot") { Description = "Robot id" };
        var session = Ids.Option("--session", "Session id");
        var command = new Command(name, description) { tags, robot, session };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (id, run) = (parsed.GetValue(robot), parsed.GetValue(session));
            if ((id is null) == (run is null))
                throw new CliException("Say what is meant: --robot ID or --session ID.", ExitCodes.Usage);
            using var api = ApiClient.OfUser();
            var left = new TagsView([]);
            foreach (var tag in parsed.GetValue(tags)!)
                left = await change(api, $"{(run is null ? $"robots/{Uri.EscapeDataString(id!)}" : $"sessions/{run}")}/tags/{Uri.EscapeDataString(tag)}", cancellation);
            Console.WriteLine(string.Join(", ", left.Tags));
            return ExitCodes.Ok;
        });
        return command;
    }
}

/// <summary><c>edgecloud notes list|add|edit|delete</c>.</summary>
internal static class NotesCommand
{
    public static Command Create() => new("notes", "Notes about sessions") { CreateList(), CreateAdd(), CreateEdit(), CreateDelete() };

    private static Command CreateList()
    {
        var session = Ids.Argument("session", "Session id");
        return Lists.Create(
            "list", "A session's notes, oldest first", [session], parsed => $"sessions/{parsed.GetValue(session)}/notes",
            ApiJsonContext.Default.PageNoteView, Output.Json.NoteView, ["NOTE", "AT", "BY", "TEXT"],
            n => [n.Id.ToString(), Output.Time(n.At), n.Author, n.Text.ReplaceLineEndings(" ")]);
    }

    private static Command CreateAdd()
    {
        var session = Ids.Argument("session", "Session id");
        var text = new Argument<string>("text") { Description = "The note" };
        var command = new Command("add", "Write a note about a session") { session, text };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var note = await api.PostAsync(
                $"sessions/{parsed.GetValue(session)}/notes", new NoteRequest { Text = parsed.GetValue(text)! },
                ApiJsonContext.Default.NoteRequest, ApiJsonContext.Default.NoteView, cancellation);
            Console.WriteLine(note.Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateEdit()
    {
        var session = Ids.Argument("session", "Session id");
        var note = Ids.Argument("note", "Note id");
        var text = new Argument<string>("text") { Description = "The note as it is to be" };
        var command = new Command("edit", "Change a note of yours") { session, note, text };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.ChangeAsync(
                HttpMethod.Put, $"sessions/{parsed.GetValue(session)}/notes/{parsed.GetValue(note)}", new NoteRequest { Text = parsed.GetValue(text)! },
                ApiJsonContext.Default.NoteRequest, ApiJsonContext.Default.NoteView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var session = Ids.Argument("session", "Session id");
        var note = Ids.Argument("note", "Note id");
        var command = new Command("delete", "Delete a note of yours") { session, note };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"sessions/{parsed.GetValue(session)}/notes/{parsed.GetValue(note)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }
}

/// <summary><c>edgecloud events list|show|add|edit|delete</c>.</summary>
internal static class EventsCommand
{
    public static Command Create() => new("events", "Events: marks in the time of robots and sessions") { CreateList(), CreateShow(), CreateAdd(), CreateEdit(), CreateDelete() };

    private static Command CreateList()
    {
        var robot = new Option<string?>("--robot") { Description = "Only this robot's" };
        var session = Ids.Option("--session", "Only those on this session's timeline");
        var kind = new Option<string?>("--kind") { Description = "Only those of this kind" };
        return Lists.Create(
            "list", "Events in order of time", [robot, session, kind],
            parsed => "events" + Lists.Query(("robot", parsed.GetValue(robot)), ("session", parsed.GetValue(session)?.ToString()), ("kind", parsed.GetValue(kind))),
            ApiJsonContext.Default.PageEventView, Output.Json.EventView, ["EVENT", "ROBOT", "TIME", "KIND", "TEXT", "BY"],
            e => [e.Id.ToString(), e.Robot, Output.Time(e.TimeNs), e.Kind, e.Text.ReplaceLineEndings(" "), e.Author]);
    }

    private static Command CreateAdd()
    {
        var kind = new Argument<string>("kind") { Description = "A short word that marks are grouped by" };
        var text = new Argument<string>("text") { Description = "What happened", Arity = ArgumentArity.ZeroOrOne };
        var robot = new Option<string>("--robot") { Description = "Robot id", DefaultValueFactory = _ => "" };
        var session = Ids.Option("--session", "The only session that it belongs to");
        var at = ExportsCommand.TimeOption("--at", "When");
        at.Required = true;
        var until = ExportsCommand.TimeOption("--until", "End, for a stretch of time");
        var command = new Command("add", "Mark an event") { kind, text, robot, session, at, until };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new EventRequest
            {
                Robot = parsed.GetValue(robot)!,
                Session = parsed.GetValue(session),
                TimeNs = parsed.GetValue(at)!.Value,
                EndNs = parsed.GetValue(until),
                Kind = parsed.GetValue(kind)!,
                Text = parsed.GetValue(text) ?? "",
            };
            var made = await api.PostAsync("events", request, ApiJsonContext.Default.EventRequest, ApiJsonContext.Default.EventView, cancellation);
            Console.WriteLine(made.Id.ToString("D", CultureInfo.InvariantCulture));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var id = Ids.Argument("event", "Event id");
        return Lists.CreateShow("show", "One event", [id], parsed => $"events/{parsed.GetValue(id)}", Output.Json.EventView, e =>
        [
            ("event", e.Id.ToString()), ("robot", e.Robot), ("session", e.Session?.ToString() ?? "every one of its moment"), ("time", Output.Time(e.TimeNs)),
            ("until", e.EndNs is { } end ? Output.Time(end) : "-"), ("kind", e.Kind), ("text", e.Text), ("by", e.Author),
        ]);
    }

    private static Command CreateEdit()
    {
        var id = Ids.Argument("event", "Event id");
        var kind = new Option<string?>("--kind") { Description = "Another kind" };
        var text = new Option<string?>("--text") { Description = "What happened" };
        var at = ExportsCommand.TimeOption("--at", "When");
        var until = ExportsCommand.TimeOption("--until", "End, for a stretch of time");
        var command = new Command("edit", "Change an event of yours; what is left out stays") { id, kind, text, at, until };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var path = $"events/{parsed.GetValue(id)}";
            var known = await api.GetAsync(path, ApiJsonContext.Default.EventView, cancellation);
            var request = new EventRequest
            {
                Robot = known.Robot,
                Session = known.Session,
                TimeNs = parsed.GetValue(at) ?? known.TimeNs,
                EndNs = parsed.GetValue(until) ?? known.EndNs,
                Kind = parsed.GetValue(kind) ?? known.Kind,
                Text = parsed.GetValue(text) ?? known.Text,
            };
            await api.ChangeAsync(HttpMethod.Put, path, request, ApiJsonContext.Default.EventRequest, ApiJsonContext.Default.EventView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var id = Ids.Argument("event", "Event id");
        var command = new Command("delete", "Delete an event of yours") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"events/{parsed.GetValue(id)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }
}
