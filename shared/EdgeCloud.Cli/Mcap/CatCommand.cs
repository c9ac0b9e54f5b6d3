using System.CommandLine;
using System.Globalization;
using System.Text;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap cat</c>: messages in log-time order, one a line.</summary>
internal static class CatCommand
{
    private const int PreviewBytes = 10;

    public static Command Build()
    {
        var files = McapFiles.Arguments();
        var topics = new Option<string>("--topics", "--topic") { Description = "Topics to print, separated by commas (default: all)", DefaultValueFactory = _ => "" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line, messages decoded; what cannot be decoded in base64" };
        var base64 = new Option<bool>("--base64") { Description = "With --json: arrays of bytes as base64 instead of numbers" };
        var range = new Times.RangeOptions();
        var command = new Command("cat", "The messages of one or more files, one file after the other, each by log time") { files, topics, json, base64 };
        range.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var wanted = parsed.GetValue(topics)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet();
            var options = range.Of(parsed) with { Topics = wanted.Count == 0 ? null : wanted.Contains };
            await using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
            using var lines = parsed.GetValue(json) ? new MessageLines(output, parsed.GetValue(base64) ? JsonBytes.Base64 : JsonBytes.Numbers) : null;
            foreach (var file in parsed.GetRequiredValue(files))
            {
                await using var reader = await McapFiles.OpenAsync(file, cancellation);
                var printer = new Printer(reader, output, lines);
                await foreach (var message in reader.ReadMessages(options).WithCancellation(cancellation))
                    printer.Print(message);
            }
            if (lines is { Errors: > 0 })
                Console.Error.WriteLine($"{lines.Errors} messages could not be decoded; their lines hold the bytes in base64 and an error.");
        });
        return command;
    }

    private sealed class Printer(McapIndexedReader reader, Stream output, MessageLines? lines)
    {
        private readonly StringBuilder _line = new();

        public void Print(Message message)
        {
            var channel = reader.Channels[message.ChannelId];
            if (lines is not null)
                lines.Write(reader.Schemas.GetValueOrDefault(channel.SchemaId), channel, message);
            else
                PrintText(message, channel);
        }

        private void PrintText(Message message, Channel channel)
        {
            var data = message.Data.Span;
            _line.Clear().Append(CultureInfo.InvariantCulture, $"{Times.Text(message.LogTime)} {channel.Topic} [{reader.Schemas.GetValueOrDefault(channel.SchemaId)?.Name ?? "no schema"}] [");
            for (var i = 0; i < Math.Min(PreviewBytes, data.Length); i++)
                _line.Append(i == 0 ? "" : " ").Append(data[i]);
            _line.Append(data.Length > PreviewBytes ? "]..." : "]");
            output.Write(Encoding.UTF8.GetBytes(_line.Append('\n').ToString()));
        }
    }
}
