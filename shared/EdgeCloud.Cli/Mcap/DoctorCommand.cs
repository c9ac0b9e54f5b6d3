using System.CommandLine;
using System.Text.Json;
using EdgeCloud.Mcap.Recovery;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap doctor</c>: whether files are sound.</summary>
internal static class DoctorCommand
{
    public static Command Build()
    {
        var files = McapFiles.Arguments();
        var strict = new Option<bool>("--strict-message-order") { Description = "Take log times that descend for errors" };
        var json = new Option<bool>("--json") { Description = "One JSON object a file" };
        var command = new Command("doctor", "Check files against the specification: every CRC, index, count and offset. Exit code 0 only when all are sound")
        {
            files, strict, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var sound = true;
            foreach (var file in parsed.GetRequiredValue(files))
            {
                await using var source = await McapFiles.OpenSourceAsync(file, cancellation);
                var report = await McapDoctor.ExamineAsync(source, parsed.GetValue(strict), cancellationToken: cancellation);
                sound &= report.IsSound;
                if (parsed.GetValue(json))
                    WriteJson(file, report);
                else
                    WriteText(file, report);
            }
            return sound ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static void WriteText(string file, DoctorReport report)
    {
        foreach (var finding in report.Findings)
            Console.WriteLine($"{file}: {finding}");
        var omitted = report.ErrorCount + report.WarningCount - report.Findings.Count;
        if (omitted > 0)
            Console.WriteLine($"{file}: {omitted} more findings");
        Console.WriteLine(report.IsSound
            ? $"{file}: sound, {report.MessageCount} messages, {report.WarningCount} warnings"
            : $"{file}: not sound, {report.ErrorCount} errors, {report.WarningCount} warnings");
    }

    private static void WriteJson(string file, DoctorReport report)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("file", file);
            json.WriteBoolean("sound", report.IsSound);
            json.WriteNumber("errors", report.ErrorCount);
            json.WriteNumber("warnings", report.WarningCount);
            json.WriteNumber("message_count", report.MessageCount);
            json.WriteStartArray("findings");
            foreach (var finding in report.Findings)
            {
                json.WriteStartObject();
                json.WriteString("severity", finding.Severity == FindingSeverity.Error ? "error" : "warning");
                json.WriteNumber("offset", finding.Position.Offset);
                if (finding.Position.InChunk >= 0)
                    json.WriteNumber("offset_in_chunk", finding.Position.InChunk);
                json.WriteString("text", finding.Text);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }
}
