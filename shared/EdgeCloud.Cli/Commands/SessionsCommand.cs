using System.CommandLine;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using Spectre.Console;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud sessions list|show|fetch|delete|restore|verify</c>.</summary>
internal static class SessionsCommand
{
    public static Command Create() => new("sessions", "Sessions: what was recorded") { CreateList(), CreateShow(), CreateFetch(), CreateDelete(), CreateRestore(), SessionVerifyCommand.Create() };

    private static Command CreateList()
    {
        var robot = new Option<string?>("--robot") { Description = "Only this robot's" };
        var from = new Option<string?>("--from") { Description = "Only those that went on at or after this time, ISO 8601" };
        var to = new Option<string?>("--to") { Description = "Only those that began before this time, ISO 8601" };
        var tags = new Option<string[]>("--tag") { Description = "Only those with this tag; repeat for several, all are demanded" };
        var topic = new Option<string?>("--topic") { Description = "Only those that hold this topic, * stands for anything" };
        var type = new Option<string?>("--type") { Description = "Only those that hold this type, * stands for anything" };
        var text = new Option<string?>("--text") { Description = "Only those with these words in id, robot, name, tags or notes" };
        var lossy = new Option<bool>("--lost") { Description = "Only those that lost messages" };
        var deleted = new Option<bool>("--deleted") { Description = "Those that were deleted and can be restored" };
        var sort = new Option<string?>("--sort") { Description = "In what order (default: newest)" };
        sort.AcceptOnlyFromAmong("newest", "oldest", "most_lost");
        var state = new Option<string?>("--state") { Description = "Only those in this state" };
        state.AcceptOnlyFromAmong([.. Enum.GetValues<SessionState>().Select(Output.Word)]);
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 100 };
        var json = Output.JsonOption();
        var command = new Command("list", "Search sessions")
        {
            robot, from, to, tags, topic, type, state, lossy, text, deleted, sort, limit, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var rows = parsed.GetValue(limit);
            var query = $"sessions?limit={Math.Clamp(rows, 1, 100)}";
            if (parsed.GetValue(robot) is { } id)
                query += $"&robot={Uri.EscapeDataString(id)}";
            if (parsed.GetValue(state) is { } word)
                query += $"&state={word}";
            foreach (var (name, option) in new[] { ("from", from), ("to", to), ("topic", topic), ("type", type), ("q", text), ("sort", sort) })
            {
                if (parsed.GetValue(option) is { Length: > 0 } value)
                    query += $"&{name}={Uri.EscapeDataString(value)}";
            }
            foreach (var tag in parsed.GetValue(tags) ?? [])
                query += $"&tag={Uri.EscapeDataString(tag)}";
            if (parsed.GetValue(lossy))
                query += "&loss=1";
            if (parsed.GetValue(deleted))
                query += "&deleted=1";
            var sessions = api.ListAsync(query, ApiJsonContext.Default.PageSessionView, rows, cancellation);
            if (parsed.GetValue(json))
            {
                await Output.WriteJsonAsync(sessions, ApiJsonContext.Default.SessionView, cancellation);
                return ExitCodes.Ok;
            }
            var table = Output.NewTable("SESSION", "ROBOT", "NAME", "STATE", "STARTED", "ENDED", "MESSAGES", "SIZE", "LOST");
            await foreach (var s in sessions)
            {
                table.Add(
                    s.Session.ToString(), s.Robot, s.Name, Output.Word(s.State), Output.Time(s.StartedAt), Output.Time(s.EndedAt),
                    Output.Count(s.Messages), Output.Bytes(s.Bytes), Output.Count(s.Lost));
            }
            Output.WriteTable(table);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var session = Ids.Argument("session", "Session id");
        var json = Output.JsonOption();
        var command = new Command("delete", "Delete a session that is over; it can be restored for a while") { session, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await api.DeleteAsync($"sessions/{parsed.GetValue(session)}", ApiJsonContext.Default.SessionView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(view, Output.Json.SessionView);
            else
                Console.WriteLine($"Session {view.Session} is deleted; until {Output.Time(view.PurgeAt)} edgecloud sessions restore brings it back.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateRestore()
    {
        var session = Ids.Argument("session", "Session id");
        var command = new Command("restore", "Bring a deleted session back") { session };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await api.PostAsync($"sessions/{parsed.GetValue(session)}/restore", ApiJsonContext.Default.SessionView, cancellation);
            Console.WriteLine($"Session {view.Session} is back.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var session = Ids.Argument("session", "Session id");
        var json = Output.JsonOption();
        var command = new Command("show", "One session: custody, topics, losses, pauses") { session, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await api.GetAsync($"sessions/{parsed.GetValue(session)}", ApiJsonContext.Default.SessionView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(view, Output.Json.SessionView);
            else
                Write(view);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateFetch()
    {
        var session = Ids.Argument("session", "Session id");
        var from = ExportsCommand.TimeOption("--from", "First log time, inclusive");
        var to = ExportsCommand.TimeOption("--to", "Last log time, exclusive");
        var expires = new Option<int>("--expires-in") { Description = "Seconds after which the robot is no longer to begin", DefaultValueFactory = _ => 86_400 };
        var timeout = new Option<double>("--timeout") { Description = "Seconds to wait until it is delivered, 0 to not wait", DefaultValueFactory = _ => 30 };
        var json = Output.JsonOption();
        var command = new Command("fetch", "Have the robot upload a time range of a session, before everything else") { session, from, to, expires, timeout, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new FetchRequest
            {
                FromNs = parsed.GetValue(from),
                ToNs = parsed.GetValue(to),
                ExpiresInSeconds = parsed.GetValue(expires),
            };
            var issued = await api.PostAsync(
                $"sessions/{parsed.GetValue(session)}/fetch", request, ApiJsonContext.Default.FetchRequest, ApiJsonContext.Default.CommandView, cancellation);
            return await RobotsCommand.FollowAsync(api, issued, TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static void Write(SessionView view)
    {
        var facts = Output.NewTable("", "");
        facts.HideHeaders();
        facts.Add("session", view.Session.ToString());
        facts.Add("robot", view.Robot);
        facts.Add("name", view.Name);
        facts.Add("state", Output.Word(view.State) + (view.Reason.Length > 0 ? $": {view.Reason}" : ""));
        facts.Add("started", Output.Time(view.StartedAt));
        facts.Add("ended", Output.Time(view.EndedAt));
        if (view.Upload != UploadPolicy.Now)
            facts.Add("upload", view.Upload);
        foreach (var range in view.Requested)
            facts.Add("fetched", $"{(range.FromNs is { } from ? Output.Time(from) : "start")} to {(range.ToNs is { } to ? Output.Time(to) : "end")}");
        if (view.Event is { } clip)
        {
            facts.Add("event of", $"{clip.Parent}, {Output.Time(clip.FromNs)} to {Output.Time(clip.ToNs)}");
            foreach (var trigger in clip.Triggers)
                facts.Add("triggered", $"{Output.Time(trigger.AtNs)} by {trigger.Issuer}{(trigger.Reason.Length > 0 ? $": {trigger.Reason}" : "")}");
        }
        foreach (var id in view.Events ?? [])
            facts.Add("event", id.ToString());
        facts.Add("messages", Output.Count(view.Messages));
        facts.Add("segments", $"{Output.Count(view.Segments)}, {Output.Bytes(view.Bytes)}");
        foreach (var (custody, bytes) in view.BytesByCustody.OrderBy(p => p.Key))
            facts.Add($"  {Output.Word(custody)}", Output.Bytes(bytes));
        facts.Add("lost", Output.Count(view.Lost));
        facts.Add("tags", string.Join(", ", view.Tags));
        if (view.DeletedAt is not null)
            facts.Add("deleted", $"{Output.Time(view.DeletedAt)}, for good at {Output.Time(view.PurgeAt)}");
        foreach (var pause in view.Pauses ?? [])
            facts.Add("paused", $"{Output.Time(pause.FromNs)} to {(pause.ToNs is { } end ? Output.Time(end) : "now")}");
        Output.WriteTable(facts);
        WriteTopics(view);
    }

    private static void WriteTopics(SessionView view)
    {
        var ledger = (view.Ledger ?? []).ToDictionary(e => e.Topic);
        var topics = (view.Topics ?? []).ToDictionary(t => t.Topic);
        var table = Output.NewTable("TOPIC", "TYPE", "RECORDED", "SIZE", "DROPPED", "LOST IN TRANSPORT", "WHILE PAUSED");
        foreach (var name in topics.Keys.Union(ledger.Keys).Order(StringComparer.Ordinal))
        {
            var topic = topics.GetValueOrDefault(name);
            var entry = ledger.GetValueOrDefault(name);
            table.Add(
                name, topic?.Type ?? "", Output.Count(topic?.Messages ?? 0), Output.Bytes(topic?.Bytes ?? 0),
                Output.Count((entry?.DroppedQueue ?? 0) + (entry?.DroppedDisk ?? 0)),
                Output.Count(entry?.LostTransport ?? 0), Output.Count(entry?.Paused ?? 0));
        }
        if (table.Rows.Count == 0)
            return;
        AnsiConsole.WriteLine();
        Output.WriteTable(table);
    }
}
