using System.CommandLine;
using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud exports create</c>.</summary>
internal static class ExportsCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(300);

    public static Command Create() => new("exports", "Exports: datasets made of sessions") { CreateCreate() };

    private static Command CreateCreate()
    {
        var sessions = Ids.Options("--session", "Session to export; repeat for several");
        var format = new Option<string>("--format") { Description = "Output format", DefaultValueFactory = _ => "mcap" };
        var topics = new Option<string[]>("--topics") { Description = "Topics to export, * stands for anything (default: all)", AllowMultipleArgumentsPerToken = true };
        var exclude = new Option<string[]>("--exclude") { Description = "Topics to leave out", AllowMultipleArgumentsPerToken = true };
        var from = TimeOption("--from", "First log time, inclusive");
        var to = TimeOption("--to", "Last log time, exclusive");
        var wait = new Option<bool>("--wait") { Description = "Wait until the export is ready" };
        var output = new Option<string?>("--output", "-o") { Description = "Download it to this file; waits" };
        var json = Output.JsonOption();
        var command = new Command("create", "Export sessions as one file")
        {
            sessions, format, topics, exclude, from, to, wait, output, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var file = parsed.GetValue(output);
            if (file is not null)
                Download.CheckTarget(file);
            var include = parsed.GetValue(topics) ?? [];
            var without = parsed.GetValue(exclude) ?? [];
            var request = new ExportRequest
            {
                Sessions = parsed.GetValue(sessions)!,
                Format = parsed.GetValue(format)!,
                Selection = include.Length + without.Length == 0 ? null : new TopicSelection { Include = include, Exclude = without },
                FromNs = parsed.GetValue(from),
                ToNs = parsed.GetValue(to),
            };
            var export = await api.PostAsync(
                "exports", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView, cancellation);
            if (parsed.GetValue(wait) || file is not null)
                export = await WaitAsync(api, export, cancellation);
            if (file is not null)
                await Download.ToFileAsync(export.DownloadUrl ?? throw new CliException($"Export {export.Id} has no download link."), file, export.Bytes, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(export, Output.Json.ExportView);
            else
                Console.WriteLine(InWords(export, file));
            return ExitCodes.Ok;
        });
        return command;
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

    private static string InWords(ExportView export, string? file)
    {
        if (export.State != ExportState.Succeeded)
            return $"Export {export.Id} is {Output.Word(export.State)}.";
        var lost = export.Ledger.Sum(e => e.Lost());
        var lines = new List<string>
        {
            $"{Output.Count(export.Messages)} messages, {Output.Bytes(export.Bytes)}: {file ?? export.DownloadUrl}",
        };
        if (lost > 0)
            lines.Add($"{Output.Count(lost)} messages were lost before they could be recorded (see --json, ledger).");
        if (export.MissingSegments.Count > 0)
            lines.Add($"Not in the bucket, so not in the export: {string.Join(", ", export.MissingSegments)}");
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
