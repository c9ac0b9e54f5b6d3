using System.Globalization;
using EdgeCloud.Contracts.Api;
using Spectre.Console;

namespace EdgeCloud.Cli.Commands;

/// <summary>Exports as tables for people.</summary>
internal static class ExportTables
{
    public static async Task WriteAsync(IAsyncEnumerable<ExportView> exports, CancellationToken cancellation)
    {
        var table = Output.NewTable("EXPORT", "FORMAT", "STATE", "DONE", "PARTS", "MESSAGES", "SIZE", "FILES", "OWNER", "CREATED", "EXPIRES");
        await foreach (var e in exports.WithCancellation(cancellation))
        {
            table.Add(
                e.Id.ToString(), e.Request.Format, StateOf(e), Percent(e.Percent), $"{e.PartsDone}/{e.PartsTotal}", Output.Count(e.Messages),
                Output.Bytes(e.Bytes), Output.Count(e.Files), e.Owner, Output.Time(e.CreatedAt), Output.Time(e.ExpiresAt));
        }
        Output.WriteTable(table);
    }

    public static void Write(ExportView export)
    {
        var facts = NewFacts();
        facts.Add("export", export.Id.ToString());
        facts.Add("state", StateOf(export) + (export.Error.Length > 0 ? $": {export.Error}" : ""));
        facts.Add("format", export.Request.Format);
        facts.Add("sessions", string.Join(", ", export.Request.Sessions));
        facts.Add("done", $"{Percent(export.Percent)} of {Output.Bytes(export.InputBytes)} read");
        facts.Add("messages", Output.Count(export.Messages));
        facts.Add("files", $"{Output.Count(export.Files)}, {Output.Bytes(export.Bytes)}");
        facts.Add("plan", export.PlanHash);
        facts.Add("owner", export.Owner);
        facts.Add("created", Output.Time(export.CreatedAt));
        facts.Add("finished", Output.Time(export.FinishedAt));
        facts.Add("expires", Output.Time(export.ExpiresAt));
        foreach (var segment in export.MissingSegments)
            facts.Add("missing", segment);
        foreach (var problem in export.Problems)
            facts.Add("problem", problem);
        Output.WriteTable(facts);
        if (export.Parts is not { Count: > 0 } parts)
            return;
        var table = Output.NewTable("PART", "STATE", "DONE", "MESSAGES", "SIZE", "ATTEMPTS", "WORKER", "WHAT", "ERROR");
        foreach (var part in parts)
        {
            table.Add(
                part.Number.ToString(CultureInfo.InvariantCulture), Output.Word(part.State),
                Percent(part.InputBytes == 0 ? 0 : 100.0 * part.InputBytesDone / part.InputBytes), Output.Count(part.Messages), Output.Bytes(part.Bytes),
                part.Attempts.ToString(CultureInfo.InvariantCulture), part.Worker, part.Name, part.Error);
        }
        AnsiConsole.WriteLine();
        Output.WriteTable(table);
    }

    public static void Write(ExportEstimate estimate)
    {
        var facts = NewFacts();
        facts.Add("sessions", Output.Count(estimate.Sessions));
        facts.Add("segments", $"{Output.Count(estimate.Segments)}, {Output.Bytes(estimate.InputBytes)}");
        facts.Add("messages", $"{Output.Count(estimate.Messages)}, {Output.Bytes(estimate.PayloadBytes)}");
        facts.Add("recorded", Seconds(estimate.Seconds));
        facts.Add("missing", Seconds(estimate.SecondsMissing));
        facts.Add("work", Seconds(estimate.WorkSeconds));
        if (estimate.Refusal.Length > 0)
            facts.Add("refused", estimate.Refusal);
        Output.WriteTable(facts);
        var table = Output.NewTable("TOPIC", "TYPE", "MESSAGES", "SIZE");
        foreach (var topic in estimate.Topics)
            table.Add(topic.Topic, topic.Type, Output.Count(topic.Messages), Output.Bytes(topic.Bytes));
        if (table.Rows.Count == 0)
            return;
        AnsiConsole.WriteLine();
        Output.WriteTable(table);
    }

    private static Table NewFacts()
    {
        var facts = Output.NewTable("", "");
        facts.HideHeaders();
        return facts;
    }

    private static string StateOf(ExportView export) =>
        Output.Word(export.State) + (export.IsIncomplete && export.State == ExportState.Succeeded ? " (incomplete)" : "");

    private static string Percent(double percent) => string.Create(CultureInfo.InvariantCulture, $"{percent:0}%");

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s");
}
