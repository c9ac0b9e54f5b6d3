using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using EdgeCloud.Cli.Export;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud exports create|estimate|list|show|cancel|retry|expire|download|zip</c>.</summary>
internal static class ExportsCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(300);

    public static Command Create() => new("exports", "Exports: datasets made of sessions")
    {
        CreateCreate(), CreateEstimate(), CreateList(), CreateShow(), CreateDownload(), CreateZip(),
        CreateChange("cancel", "Give an export up"),
        CreateChange("retry", "Make the parts of a failed export again that are not done"),
        CreateChange("expire", "Delete the files of an export before their time"),
    };

    private static Command CreateCreate()
    {
        var (sessions, robots) = SourceOptions();
        var settings = new SettingOptions(ExportFormats.Mcap);
        var wait = new Option<bool>("--wait") { Description = "Wait until the export is ready" };
        var output = new Option<string?>("--output", "-o") { Description = "Download it into this folder, or to this file that ends in .mcap; waits" };
        var json = Output.JsonOption();
        var command = new Command("create", "Export sessions") { sessions, robots, wait, output, json };
        command.Validators.Add(NamesSomething);
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var target = parsed.GetValue(output);
            if (target is not null)
                ExportDownloads.Check(target);
            var request = new ExportRequest(settings.Of(parsed)) { Sessions = parsed.GetValue(sessions) ?? [], Robots = parsed.GetValue(robots) ?? [] };
            // A file and not a folder: one part, however large.
            if (target is not null && ExportDownloads.IsFile(target))
                request = request with { PartBytes = long.MaxValue };
            var export = await api.PostAsync(
                "exports", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView, cancellation);
            if (parsed.GetValue(wait) || target is not null)
                export = await WaitAsync(api, export, cancellation);
            if (target is not null)
                await ExportDownloads.FetchAsync(api, export.Id, target, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(export, Output.Json.ExportView);
            else
                Console.WriteLine(InWords(export, target));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateEstimate()
    {
        var (sessions, robots) = SourceOptions();
        var settings = new SettingOptions(ExportFormats.Mcap);
        var json = Output.JsonOption();
        var command = new Command("estimate", "Tell what an export would be: bytes, messages, time, seconds missing") { sessions, robots, json };
        command.Validators.Add(NamesSomething);
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new ExportRequest(settings.Of(parsed)) { Sessions = parsed.GetValue(sessions) ?? [], Robots = parsed.GetValue(robots) ?? [] };
            var estimate = await api.PostAsync(
                "exports/estimate", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportEstimate, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(estimate, Output.Json.ExportEstimate);
            else
                ExportTables.Write(estimate);
            return estimate.Refusal.Length == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static Command CreateList()
    {
        var owner = new Option<string?>("--owner") { Description = "Only this user's" };
        var state = new Option<string?>("--state") { Description = "Only those in this state" };
        state.AcceptOnlyFromAmong([.. Enum.GetValues<ExportState>().Select(Output.Word)]);
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first", DefaultValueFactory = _ => 100 };
        var json = Output.JsonOption();
        var command = new Command("list", "Exports, newest first") { owner, state, limit, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var rows = parsed.GetValue(limit);
            var query = $"exports?limit={Math.Clamp(rows, 1, 100)}";
            if (parsed.GetValue(owner) is { } user)
                query += $"&owner={Uri.EscapeDataString(user)}";
            if (parsed.GetValue(state) is { } word)
                query += $"&state={word}";
            var exports = api.ListAsync(query, ApiJsonContext.Default.PageExportView, rows, cancellation);
            if (parsed.GetValue(json))
                await Output.WriteJsonAsync(exports, ApiJsonContext.Default.ExportView, cancellation);
            else
                await ExportTables.WriteAsync(exports, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var id = Ids.Argument("export", "Export id");
        var json = Output.JsonOption();
        var command = new Command("show", "One export: parts, problems, what is missing") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var export = await api.GetAsync($"exports/{parsed.GetValue(id)}", ApiJsonContext.Default.ExportView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(export, Output.Json.ExportView);
            else
                ExportTables.Write(export);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDownload()
    {
        var id = Ids.Argument("export", "Export id");
        var output = new Option<string>("--output", "-o") { Description = "Folder, or file that ends in .mcap", Required = true };
        var command = new Command("download", "Fetch the files of an export; what is there already is not fetched again") { id, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var target = parsed.GetValue(output)!;
            ExportDownloads.Check(target);
            var fetched = await ExportDownloads.FetchAsync(api, parsed.GetValue(id), target, cancellation);
            Console.WriteLine($"{target}: {Output.Count(fetched)} file(s) fetched.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateZip()
    {
        var id = Ids.Argument("export", "Export id");
        var output = new Option<string>("--output", "-o") { Description = "File to write", Required = true };
        var command = new Command("zip", "Fetch all files of an export as one zip file") { id, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.SaveAsync($"exports/{parsed.GetValue(id)}/zip", parsed.GetValue(output)!, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateChange(string deed, string description)
    {
        var id = Ids.Argument("export", "Export id");
        var json = Output.JsonOption();
        var command = new Command(deed, description) { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var export = await api.PostAsync($"exports/{parsed.GetValue(id)}/{deed}", ApiJsonContext.Default.ExportView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(export, Output.Json.ExportView);
            else
                Console.WriteLine($"Export {export.Id} is {Output.Word(export.State)}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static (Option<Guid[]> Sessions, Option<string[]> Robots) SourceOptions()
    {
        var sessions = Ids.Options("--session", "Session to export; repeat for several");
        sessions.Required = false;
        var robots = new Option<string[]>("--robot")
        {
            Description = "Robot of which every session in the range is exported; needs --from or --to",
            AllowMultipleArgumentsPerToken = true,
        };
        return (sessions, robots);
    }

    private static void NamesSomething(CommandResult command)
    {
        if (command.GetResult("--session") is null && command.GetResult("--robot") is null)
            command.AddError("Say what to export: --session SESSION, or --robot ROBOT with --from or --to.");
    }

    private static async Task<ExportView> WaitAsync(ApiClient api, ExportView export, CancellationToken cancellation)
    {
        var shows = !Console.IsErrorRedirected;
        while (export.State is ExportState.Queued or ExportState.Running)
        {
            if (shows)
                Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\rexport {export.Id}: {Output.Word(export.State)}, {export.Percent:0}% "));
            await Task.Delay(PollInterval, cancellation);
            export = await api.GetAsync($"exports/{export.Id}", ApiJsonContext.Default.ExportView, cancellation);
        }
        if (shows)
            Console.Error.Write("\r\u001b[K");
        return export.State == ExportState.Succeeded
            ? export
            : throw new CliException($"Export {export.Id} {Output.Word(export.State)}{(export.Error.Length > 0 ? $": {export.Error}" : "")}.");
    }

    private static string InWords(ExportView export, string? target)
    {
        if (export.State != ExportState.Succeeded)
            return $"Export {export.Id} is {Output.Word(export.State)}.";
        var lost = export.Ledger.Sum(e => e.Lost());
        var lines = new List<string>
        {
            $"{Output.Count(export.Messages)} messages, {Output.Bytes(export.Bytes)}: {target ?? export.DownloadUrl ?? $"edgecloud exports download {export.Id} --output DIR"}",
        };
        if (lost > 0)
            lines.Add($"{Output.Count(lost)} messages were lost before they could be recorded (see --json, ledger).");
        if (export.MissingSegments.Count > 0)
            lines.Add($"Not in the bucket, so not in the export: {string.Join(", ", export.MissingSegments)}");
        lines.AddRange(export.Problems.Select(p => $"Not in the export: {p}"));
        return string.Join(Environment.NewLine, lines);
    }

    // ns since the Unix epoch, or an ISO 8601 time, UTC when it names no zone.
    internal static Option<long?> TimeOption(string name, string description) => new(name)
    {
        Description = $"{description}: ISO 8601, or ns since the Unix epoch",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ns))
                return ns;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                return (time - DateTimeOffset.UnixEpoch).Ticks * 100;
            result.AddError($"{name}: '{text}' is neither a time such as 2026-11-21T22:00:00Z nor ns since the Unix epoch.");
            return null;
        },
    };
}
