using System.CommandLine;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap records</c>: every record of a file, as the public conformance suite writes them down.</summary>
internal static class RecordsCommand
{
    private const int FlushBytes = 1 << 16;

    public static Command Build()
    {
        var files = McapFiles.Arguments();
        var json = new Option<bool>("--json") { Description = "One line per file: an object as in the MCAP conformance suite" };
        var command = new Command("records", "Every record of each file, chunks opened, in file order") { files, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var output = new BufferedStream(Console.OpenStandardOutput(), FlushBytes);
            var failed = false;
            foreach (var file in parsed.GetRequiredValue(files))
            {
                cancellation.ThrowIfCancellationRequested();
                try
                {
                    Write(file, output, parsed.GetValue(json));
                }
                catch (Exception e) when (e is CliException or IOException or UnauthorizedAccessException)
                {
                    await output.FlushAsync(cancellation);
                    await Console.Error.WriteLineAsync($"edgecloud: {e.Message}");
                    failed = true; // and on with the next file
                }
            }
            return failed ? ExitCodes.Failed : ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(string file, Stream output, bool asJson)
    {
        using var reader = new McapStreamReader(McapFiles.OpenStream(file));
        if (asJson)
            WriteJson(reader, output);
        else
            WriteText(reader, output);
    }

    private static void WriteJson(McapStreamReader reader, Stream output)
    {
        try
        {
            using var json = new Utf8JsonWriter(output, new() { SkipValidation = true });
            json.WriteStartObject();
            json.WriteStartArray("records");
            while (reader.Read(out var record))
            {
                RecordJson.Write(json, record);
                if (json.BytesPending > FlushBytes)
                    json.Flush();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        finally
        {
            output.WriteByte((byte)'\n'); // so that the next file has a line of its own
        }
    }

    private static void WriteText(McapStreamReader reader, Stream output)
    {
        using var text = new StreamWriter(output, leaveOpen: true);
        while (reader.Read(out var record))
            text.WriteLine($"{record.Position}: {McapRecord.NameOf(record.Opcode)}, {record.Content.Length} bytes");
    }
}
