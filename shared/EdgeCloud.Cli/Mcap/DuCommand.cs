using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap du</c>: which records and topics a file's bytes go to.</summary>
internal static class DuCommand
{
    private sealed class Usage
    {
        public long Count;
        public long Bytes;
    }

    public static Command Build()
    {
        var file = new Argument<string>("file") { Description = "MCAP file" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("du", "Bytes by kind of record, and payload bytes by topic") { file, json };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            var (records, topics) = Measure(path);
            if (parsed.GetValue(json))
                WriteJson(path, records, topics);
            else
                WriteText(records, topics);
        });
        return command;
    }

    private static (Dictionary<string, Usage> Records, Dictionary<string, Usage> Topics) Measure(string path)
    {
        var (records, topics) = (new Dictionary<string, Usage>(), new Dictionary<string, Usage>());
        using (var reader = new McapStreamReader(McapFiles.OpenStream(path), new() { ExpandChunks = false }))
        {
            while (reader.Read(out var record))
                Add(records, McapRecord.NameOf(record.Opcode), record.Length);
        }
        using (var reader = new McapStreamReader(McapFiles.OpenStream(path)))
        {
            while (reader.ReadMessage(out var message))
                Add(topics, reader.Channels[message.ChannelId].Topic, message.Data.Length);
        }
        return (records, topics);
    }

    private static void Add(Dictionary<string, Usage> usages, string name, long bytes)
    {
        if (!usages.TryGetValue(name, out var usage))
            usages.Add(name, usage = new());
        usage.Count++;
        usage.Bytes += bytes;
    }

    private static void WriteText(Dictionary<string, Usage> records, Dictionary<string, Usage> topics)
    {
        foreach (var (heading, usages) in new[] { ("RECORD", records), ("TOPIC", topics) })
        {
            var table = Output.NewTable(heading, "COUNT", "BYTES", "SHARE");
            var all = usages.Values.Sum(usage => usage.Bytes);
            foreach (var (name, usage) in usages.OrderByDescending(pair => pair.Value.Bytes))
            {
                var share = all == 0 ? 0 : 100.0 * usage.Bytes / all;
                table.Add(name, Output.Count(usage.Count), Output.Count(usage.Bytes), $"{share.ToString("0.00", CultureInfo.InvariantCulture)}%");
            }
            Output.WriteTable(table);
        }
    }

    private static void WriteJson(string path, Dictionary<string, Usage> records, Dictionary<string, Usage> topics)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("file", path);
            foreach (var (list, key, usages) in new[] { ("records", "type", records), ("topics", "topic", topics) })
            {
                json.WriteStartArray(list);
                foreach (var (name, usage) in usages.OrderByDescending(pair => pair.Value.Bytes))
                {
                    json.WriteStartObject();
                    json.WriteString(key, name);
                    json.WriteNumber("count", usage.Count);
                    json.WriteNumber("bytes", usage.Bytes);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }
}
