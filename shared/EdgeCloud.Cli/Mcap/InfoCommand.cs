using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using Spectre.Console;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap info</c>: what is in a file.</summary>
internal static class InfoCommand
{
    public static Command Build()
    {
        var file = McapFiles.Argument();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("info", "What a file holds: times, topics, types, counts, chunks") { file, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            await using var reader = await McapFiles.OpenAsync(path, cancellation);
            var header = await reader.ReadHeaderAsync(cancellation);
            if (parsed.GetValue(json))
                WriteJson(path, header, reader);
            else
                WriteText(header, reader);
        });
        return command;
    }

    private static void WriteJson(string path, Header header, McapIndexedReader reader)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
        {
            var summary = reader.Summary;
            var counts = Counts(summary);
            json.WriteStartObject();
            json.WriteString("file", path);
            json.WriteNumber("bytes", reader.Source.Length);
            json.WriteString("profile", header.Profile);
            json.WriteString("library", header.Library);
            json.WriteNumber("message_count", counts.MessageCount);
            json.WriteNumber("schema_count", counts.SchemaCount);
            json.WriteNumber("channel_count", counts.ChannelCount);
            json.WriteNumber("attachment_count", counts.AttachmentCount);
            json.WriteNumber("metadata_count", counts.MetadataCount);
            json.WriteNumber("chunk_count", counts.ChunkCount);
            json.WriteNumber("start_time", counts.MessageStartTime);
            json.WriteNumber("end_time", counts.MessageEndTime);
            json.WriteString("start", Times.Text(counts.MessageStartTime));
            json.WriteString("end", Times.Text(counts.MessageEndTime));
            json.WriteBoolean("scanned", summary.Scanned);
            WriteChunks(json, summary);
            WriteTopics(json, summary, counts);
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }

    private static void WriteChunks(Utf8JsonWriter json, McapSummary summary)
    {
        json.WriteStartArray("compressions");
        foreach (var group in summary.ChunkIndexes.GroupBy(chunk => chunk.Compression).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("compression", group.Key);
            json.WriteNumber("chunk_count", group.Count());
            json.WriteNumber("compressed_bytes", Sum(group, chunk => chunk.CompressedSize));
            json.WriteNumber("uncompressed_bytes", Sum(group, chunk => chunk.UncompressedSize));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTopics(Utf8JsonWriter json, McapSummary summary, Statistics counts)
    {
        json.WriteStartArray("topics");
        foreach (var topic in summary.Channels.Values.GroupBy(channel => channel.Topic).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var first = topic.First();
            var schema = summary.Schemas.GetValueOrDefault(first.SchemaId);
            json.WriteStartObject();
            json.WriteString("topic", topic.Key);
            json.WriteNumber("message_count", Sum(topic, channel => counts.ChannelMessageCounts.TryGetValue(channel.Id, out var count) ? count : 0));
            json.WriteString("type", schema?.Name ?? "");
            json.WriteString("schema_encoding", schema?.Encoding ?? "");
            json.WriteString("message_encoding", first.MessageEncoding);
            json.WriteStartArray("channels");
            foreach (var channel in topic.OrderBy(channel => channel.Id))
                json.WriteNumberValue(channel.Id);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteText(Header header, McapIndexedReader reader)
    {
        var summary = reader.Summary;
        var counts = Counts(summary);
        var seconds = (counts.MessageEndTime - counts.MessageStartTime) / 1e9;
        var facts = Output.NewTable("", "").HideHeaders();
        facts.Add("library:", header.Library);
        facts.Add("profile:", header.Profile);
        facts.Add("messages:", Number(counts.MessageCount));
        facts.Add("duration:", $"{seconds.ToString("0.000", CultureInfo.InvariantCulture)} s");
        facts.Add("start:", Times.Text(counts.MessageStartTime));
        facts.Add("end:", Times.Text(counts.MessageEndTime));
        foreach (var group in summary.ChunkIndexes.GroupBy(chunk => chunk.Compression))
        {
            var (stored, whole) = (Sum(group, chunk => chunk.CompressedSize), Sum(group, chunk => chunk.UncompressedSize));
            var saved = whole == 0 ? 0 : 100.0 * (1 - (double)stored / whole);
            facts.Add(
                "compression:",
                $"{(group.Key.Length == 0 ? "none" : group.Key)}: {group.Count()}/{summary.ChunkIndexes.Count} chunks, {Output.Bytes((long)whole)} in {Output.Bytes((long)stored)} ({saved.ToString("0.00", CultureInfo.InvariantCulture)}% saved)");
        }
        facts.Add("channels:", Number(counts.ChannelCount));
        facts.Add("attachments:", Number(counts.AttachmentCount));
        facts.Add("metadata:", Number(counts.MetadataCount));
        if (summary.Scanned)
            facts.Add("note:", "the file has no complete index; it was read from start to end");
        Output.WriteTable(facts);

        var table = Output.NewTable("CHANNEL", "TOPIC", "MESSAGES", "RATE", "TYPE", "ENCODING");
        foreach (var channel in summary.Channels.Values.OrderBy(channel => channel.Topic, StringComparer.Ordinal).ThenBy(channel => channel.Id))
        {
            var schema = summary.Schemas.GetValueOrDefault(channel.SchemaId);
            var messages = counts.ChannelMessageCounts.TryGetValue(channel.Id, out var count) ? count : 0;
            var rate = messages > 1 && seconds > 0 ? $"{(messages / seconds).ToString("0.##", CultureInfo.InvariantCulture)} Hz" : "-";
            table.Add(
                $"{channel.Id}", channel.Topic, Number(messages), rate, schema?.Name ?? "-",
                schema is null ? channel.MessageEncoding : $"{channel.MessageEncoding} ({schema.Encoding})");
        }
        Output.WriteTable(table);
    }

    /// <summary>The file's statistics or, where it has none, what its indexes say.</summary>
    private static Statistics Counts(McapSummary summary)
    {
        if (summary.Statistics is { } known)
            return known;
        var (start, end) = (ulong.MaxValue, 0UL);
        foreach (var chunk in summary.ChunkIndexes)
            (start, end) = (Math.Min(start, chunk.MessageStartTime), Math.Max(end, chunk.MessageEndTime));
        return new(
            0, (ushort)summary.Schemas.Count, (uint)summary.Channels.Count, (uint)summary.AttachmentIndexes.Count,
            (uint)summary.MetadataIndexes.Count, (uint)summary.ChunkIndexes.Count, summary.ChunkIndexes.Count == 0 ? 0 : start, end, default);
    }

    private static string Number(ulong value) => Output.Count((long)value);

    private static ulong Sum<T>(IEnumerable<T> items, Func<T, ulong> value) => items.Aggregate(0UL, (sum, item) => sum + value(item));
}
