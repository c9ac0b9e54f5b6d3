using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Which lines of the logs are wanted.</summary>
/// <param name="Topic">Only this topic; null for all that are logs or diagnoses.</param>
/// <param name="Level">Least severity, 0 to 4: debug or ok, info, warn, error, fatal or stale.</param>
/// <param name="Text">Lines whose name or text contains this; empty for all.</param>
/// <param name="Limit">How many lines.</param>
internal sealed record LogFilter(string? Topic, int Level, string Text, int Limit);

/// <summary>Reads log messages and diagnoses, newest first, from the excerpts of a session's segments.</summary>
internal sealed class LogLines(PreviewFiles files, ExcerptMaker excerpts, PreviewGate gate, TimeProvider clock)
{
    /// <summary>Severities by their words.</summary>
    public static readonly string[] Levels = ["debug", "info", "warn", "error", "fatal"];

    private const int ValuesMax = 40;
    private const int TextMax = 2000;

    /// <summary>Reads them. What is not ready when <paramref name="patience"/> is over is left out, and said to be.</summary>
    public async Task<LogView> ReadAsync(PreviewSession session, LogFilter filter, TimeSpan patience, CancellationToken cancellation)
    {
        using var entered = await gate.EnterAsync(cancellation);
        var begun = clock.GetTimestamp();
        var holes = session.Absent().ToList();
        var lines = new List<LogLineView>();
        var complete = true;
        var here = session.Segments.Where(s => s.IsHere && s.Manifest.Topics.Any(t => IsWanted(t.Topic, t.Type, filter)))
            .OrderByDescending(s => s.Manifest.LogTimeEndNs).ToList();
        foreach (var segment in here)
        {
            // Lines of one moment stay together: the next page begins before it.
            if (lines.Count >= filter.Limit && segment.Manifest.LogTimeEndNs < lines[filter.Limit - 1].TimeNs)
                break;
            var making = excerpts.Want(segment);
            try
            {
                var left = patience - clock.GetElapsedTime(begun);
                var excerpt = await making.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, cancellation);
                if (excerpt.Error.Length > 0)
                    holes.Add(Hole(segment, excerpt.Error));
                else if (await TryOpenAsync(segment, excerpt, cancellation) is { } reader)
                    lines.AddRange(await ReadSegmentAsync(reader, segment, session, filter, cancellation));
                else
                    complete = false;
            }
            catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                // Others were wanted more, and this one is asked for again.
                complete = false;
                break;
            }
            catch (Exception e) when (e is ExportException or McapException or EndOfStreamException)
            {
                holes.Add(Hole(segment, e.Message));
            }
        }
        lines.Sort((a, b) => b.TimeNs.CompareTo(a.TimeNs));
        var shown = lines.Count <= filter.Limit ? lines : lines.TakeWhile((line, i) => i < filter.Limit || line.TimeNs == lines[filter.Limit - 1].TimeNs).ToList();
        return new LogView
        {
            Lines = shown,
            NextToNs = shown.Count < lines.Count ? shown[^1].TimeNs : null,
            Complete = complete,
            Holes = [.. holes.OrderBy(h => h.FromNs)],
        };
    }

    private static bool IsWanted(string topic, string type, LogFilter filter) =>
        PreviewFrame.KindOf(type) == "log" && (filter.Topic is null || filter.Topic == topic);

    private static PreviewHole Hole(PreviewSegment segment, string reason) =>
        new(segment.Manifest.LogTimeStartNs, segment.Manifest.LogTimeEndNs, $"segment {segment.Sequence} cannot be read: {reason}");

    /// <summary>Opens the excerpt; null when it has to be made anew, since derived data may be deleted by anybody at any time.</summary>
    private async Task<McapIndexedReader?> TryOpenAsync(PreviewSegment segment, SegmentExcerpt excerpt, CancellationToken cancellation)
    {
        try
        {
            return await files.OpenAsync(excerpt.File, cancellation);
        }
        catch (Exception e) when (e is ExportException or McapException)
        {
            await excerpts.ForgetAsync(excerpt, cancellation);
            _ = excerpts.Want(segment with { Excerpt = null });
            return null;
        }
    }

    private async Task<IReadOnlyList<LogLineView>> ReadSegmentAsync(
        McapIndexedReader reader, PreviewSegment segment, PreviewSession session, LogFilter filter, CancellationToken cancellation)
    {
        if (reader.Channels.Values.Any(c => IsBeginning(c) && IsWanted(c.Topic, TypeOf(reader, c), filter)))
            reader = await files.OpenAsync(segment.File, cancellation);
        var found = new List<LogLineView>();
        var json = new Dictionary<ushort, MessageJson>();
        var messages = reader.ReadMessages(new McapReadOptions
        {
            StartTime = (ulong)session.FromNs,
            EndTime = (ulong)session.ToNs,
            Channels = c => IsWanted(c.Topic, TypeOf(reader, c), filter) && !PreviewSession.IsRepeat(c),
            Order = MessageOrder.ReverseLogTime,
        }).GetAsyncEnumerator(cancellation);
        await using var _ = messages;
        while (await messages.MoveNextAsync())
        {
            var message = messages.Current;
            if (found.Count > filter.Limit && (long)message.LogTime < found[filter.Limit].TimeNs)
                break;
            var channel = reader.Channels[message.ChannelId];
            if (!json.TryGetValue(channel.Id, out var writer))
                json.Add(channel.Id, writer = PreviewMessages.JsonOf(channel, reader.Schemas.GetValueOrDefault(channel.SchemaId), JsonBytes.Base64).Json);
            found.AddRange(LinesOf(channel.Topic, TypeOf(reader, channel), (long)message.LogTime, writer, message.Data.Span).Where(l => Passes(l, filter)));
        }
        return found;
    }

    private static bool IsBeginning(Channel channel) => channel.MessageEncoding.StartsWith(ExcerptWriter.BeginningOf, StringComparison.Ordinal);

    private static string TypeOf(McapIndexedReader reader, Channel channel) => reader.Schemas.GetValueOrDefault(channel.SchemaId)?.Name ?? "";

    private static bool Passes(LogLineView line, LogFilter filter) =>
        Severity(line.Level) >= filter.Level
        && (filter.Text.Length == 0
            || line.Text.Contains(filter.Text, StringComparison.OrdinalIgnoreCase) || line.Name.Contains(filter.Text, StringComparison.OrdinalIgnoreCase));

    private static int Severity(string level) => level switch { "ok" => 0, "stale" => 4, _ => Array.IndexOf(Levels, level) };

    private static IReadOnlyList<LogLineView> LinesOf(string topic, string type, long atNs, MessageJson json, ReadOnlySpan<byte> payload)
    {
        try
        {
            using var document = JsonDocument.Parse(json.Write(payload).ToArray());
            var message = document.RootElement;
            return type switch
            {
                "diagnostic_msgs/msg/DiagnosticArray" => [.. message.GetProperty("status").EnumerateArray().Select(s => Line(
                    topic, atNs, Word(Integer(s, "level"), ["ok", "warn", "error", "stale"]), Text(s, "name"), Text(s, "message"),
                    [.. s.GetProperty("values").EnumerateArray().Take(ValuesMax).Select(v => $"{Text(v, "key")}={Text(v, "value")}")]))],
                "foxglove.Log" => [Line(topic, atNs, FoxgloveLevel(message), Text(message, "name"), Text(message, "message"), [])],
                _ => [Line(
                    topic, atNs, Word((Integer(message, "level") / 10) - 1, Levels), Text(message, "name"), Text(message, "msg"),
                    [$"{Text(message, "file")}:{Integer(message, "line")} {Text(message, "function")}"])],
            };
        }
        catch (Exception e) when (e is CdrException or FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return [Line(topic, atNs, "error", "EdgeCloud", $"This message does not fit its definition: {e.Message}", [])];
        }
    }

    private static string FoxgloveLevel(JsonElement message) => Text(message, "level").ToLowerInvariant() switch
    {
        "warning" => "warn",
        var level when Levels.Contains(level) => level,
        _ => "info",
    };

    private static string Word(long index, string[] words) => index >= 0 && index < words.Length ? words[index] : words[^1];

    private static LogLineView Line(string topic, long atNs, string level, string name, string text, IReadOnlyList<string> values) =>
        new() { Topic = topic, TimeNs = atNs, Level = level, Name = name, Text = text.Length > TextMax ? text[..TextMax] + "…" : text, Values = values };

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long Integer(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}
