using System.CommandLine;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Recovery;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap recover</c>: makes a sound file of a damaged one.</summary>
internal static class RecoverCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("file") { Description = "Damaged MCAP file; it stays as it is" };
        var output = new Option<string>("--output", "-o") { Description = "Recovered file", Required = true };
        var compression = new Option<McapCompression>("--compression")
        {
            Description = "Compression of messages that lie in no whole chunk; whole chunks are copied as they are",
            DefaultValueFactory = _ => McapCompression.Zstd,
        };
        var json = new Option<bool>("--json") { Description = "Print what was kept and cut as a JSON object" };
        var command = new Command("recover", "Keep every message of every chunk whose CRC holds and the whole messages of a torn tail; say what was cut")
        {
            file, output, compression, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            await using var source = await McapFiles.OpenSourceAsync(path, cancellation);
            await using var target = OutputFile.Open(parsed.GetRequiredValue(output), path);
            var options = new McapRecoveryOptions { Compression = parsed.GetValue(compression) };
            var report = await McapRecovery.RecoverAsync(source, target.Stream, options, cancellation);
            await target.CompleteAsync(cancellation);
            if (parsed.GetValue(json))
                WriteJson(path, report);
            else
                await WriteTextAsync(path, report);
        });
        return command;
    }

    private static async Task WriteTextAsync(string path, McapRecoveryReport report)
    {
        foreach (var cut in report.Cuts)
            await Console.Error.WriteLineAsync($"{path}: cut {cut.Length} bytes at offset {cut.Offset}: {cut.Reason}");
        foreach (var channel in report.LostChannels)
            await Console.Error.WriteLineAsync($"{path}: channel {channel} is defined nowhere; its messages are on topic lost/channel_{channel}");
        await Console.Error.WriteLineAsync(
            $"{path}: kept {report.MessageCount} messages ({report.ChunkCount} whole chunks, {report.LooseMessageCount} single messages), {report.AttachmentCount} attachments, {report.MetadataCount} metadata records; cut {report.CutBytes} bytes");
    }

    private static void WriteJson(string path, McapRecoveryReport report)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("file", path);
            json.WriteBoolean("complete", report.IsComplete);
            json.WriteNumber("message_count", report.MessageCount);
            json.WriteNumber("chunk_count", report.ChunkCount);
            json.WriteNumber("loose_message_count", report.LooseMessageCount);
            json.WriteNumber("attachment_count", report.AttachmentCount);
            json.WriteNumber("metadata_count", report.MetadataCount);
            json.WriteNumber("cut_bytes", report.CutBytes);
            json.WriteStartArray("cuts");
            foreach (var cut in report.Cuts)
            {
                json.WriteStartObject();
                json.WriteNumber("offset", cut.Offset);
                json.WriteNumber("length", cut.Length);
                json.WriteString("reason", cut.Reason);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("lost_channels");
            foreach (var channel in report.LostChannels)
                json.WriteNumberValue(channel);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }
}
