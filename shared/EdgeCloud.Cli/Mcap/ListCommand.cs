using System.CommandLine;
using System.Text.Json;
using EdgeCloud.Mcap.Reading;
using Spectre.Console;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap list channels|schemas|chunks|attachments|metadata</c>.</summary>
internal static class ListCommand
{
    /// <summary>One column: its heading for people, its name for JSON, and how a row fills it.</summary>
    private readonly record struct Column<T>(string Heading, string Name, Func<T, object> Value);

    public static Command Build() => new("list", "List channels, schemas, chunks, attachments or metadata records of a file")
    {
        Build("channels", "Every channel with its topic, encoding and metadata", reader => reader.Channels.Values.OrderBy(channel => channel.Id), [
            new("ID", "id", channel => (ulong)channel.Id),
            new("SCHEMA", "schema_id", channel => (ulong)channel.SchemaId),
            new("TOPIC", "topic", channel => channel.Topic),
            new("ENCODING", "message_encoding", channel => channel.MessageEncoding),
            new("METADATA", "metadata", channel => channel.Metadata),
        ]),
        Build("schemas", "Every schema with its text", reader => reader.Schemas.Values.OrderBy(schema => schema.Id), [
            new("ID", "id", schema => (ulong)schema.Id),
            new("NAME", "name", schema => schema.Name),
            new("ENCODING", "encoding", schema => schema.Encoding),
            new("DATA", "data", schema => System.Text.Encoding.UTF8.GetString(schema.Data.Span)),
        ]),
        Build("chunks", "Where each chunk lies, its times and sizes", reader => reader.Summary.ChunkIndexes, [
            new("OFFSET", "offset", chunk => chunk.ChunkStartOffset),
            new("LENGTH", "length", chunk => chunk.ChunkLength),
            new("START", "start_time", chunk => chunk.MessageStartTime),
            new("END", "end_time", chunk => chunk.MessageEndTime),
            new("COMPRESSION", "compression", chunk => chunk.Compression),
            new("COMPRESSED", "compressed_size", chunk => chunk.CompressedSize),
            new("UNCOMPRESSED", "uncompressed_size", chunk => chunk.UncompressedSize),
            new("INDEX LENGTH", "message_index_length", chunk => chunk.MessageIndexLength),
        ]),
        Build("attachments", "Every attachment with its type, size and times", reader => reader.Summary.AttachmentIndexes, [
            new("NAME", "name", attachment => attachment.Name),
            new("MEDIA TYPE", "media_type", attachment => attachment.MediaType),
            new("LOG TIME", "log_time", attachment => attachment.LogTime),
            new("CREATED", "create_time", attachment => attachment.CreateTime),
            new("SIZE", "data_size", attachment => attachment.DataSize),
            new("OFFSET", "offset", attachment => attachment.Offset),
            new("LENGTH", "length", attachment => attachment.Length),
        ]),
        BuildMetadata(),
    };

    private static Command BuildMetadata()
    {
        var (command, file, json) = Begin("metadata", "Every metadata record with its pairs");
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var reader = await McapFiles.OpenAsync(parsed.GetRequiredValue(file), cancellation, completeIndexes: true);
            var records = new List<(ulong Offset, EdgeCloud.Mcap.Metadata Record)>();
            foreach (var index in reader.Summary.MetadataIndexes)
                records.Add((index.Offset, await reader.ReadMetadataAsync(index, cancellation)));
            Write(records, [
                new("NAME", "name", record => record.Record.Name),
                new("OFFSET", "offset", record => record.Offset),
                new("METADATA", "metadata", record => record.Record.Pairs),
            ], parsed.GetValue(json));
        });
        return command;
    }

    private static Command Build<T>(string name, string description, Func<McapIndexedReader, IEnumerable<T>> rows, Column<T>[] columns)
    {
        var (command, file, json) = Begin(name, description);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var reader = await McapFiles.OpenAsync(
                parsed.GetRequiredValue(file), cancellation, completeIndexes: name == "attachments");
            Write(rows(reader), columns, parsed.GetValue(json));
        });
        return command;
    }

    private static (Command Command, Argument<string> File, Option<bool> Json) Begin(string name, string description)
    {
        var file = McapFiles.Argument();
        var json = new Option<bool>("--json") { Description = "Print a JSON array" };
        return (new Command(name, description) { file, json }, file, json);
    }

    private static void Write<T>(IEnumerable<T> rows, Column<T>[] columns, bool asJson)
    {
        if (asJson)
        {
            WriteJson(rows, columns);
            return;
        }
        var table = Output.NewTable(columns.Select(column => column.Heading).ToArray());
        foreach (var row in rows)
            table.Add(columns.Select(column => Cell(column.Value(row))).ToArray());
        Output.WriteTable(table);
    }

    private static void WriteJson<T>(IEnumerable<T> rows, Column<T>[] columns)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                foreach (var column in columns)
                {
                    json.WritePropertyName(column.Name);
                    WriteValue(json, column.Value(row));
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        output.WriteByte((byte)'\n');
    }

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case IReadOnlyDictionary<string, string> pairs:
                json.WriteStartObject();
                foreach (var (key, text) in pairs)
                    json.WriteString(key, text);
                json.WriteEndObject();
                break;
            default:
                json.WriteStringValue((string)value);
                break;
        }
    }

    // Definitions and QoS profiles span lines; a cell does not.
    private static string Cell(object value) => value switch
    {
        IReadOnlyDictionary<string, string> pairs => Cell(string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}"))),
        string text => text.ReplaceLineEndings(" ") is { Length: > 80 } line ? line[..79] + "…" : text.ReplaceLineEndings(" "),
        _ => value.ToString()!,
    };
}
