using System.CommandLine;
using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud preview topics|fields|series|frame|message|log|open</c>: what the portal shows of a recording without an export.</summary>
internal static class PreviewCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    public static Command Create() => new("preview", "Look into a recording without exporting it")
    {
        CreateTopics(), CreateFields(), CreateSeries(), CreateFrame(), CreateMessage(), CreateLog(), CreateOpen(),
    };

    private static Argument<Guid> Session() => Ids.Argument("session", "Session id");

    private static Argument<string> Topic() => new("topic") { Description = "Topic name" };

    private static (Option<long?> From, Option<long?> To) Range() =>
        (ExportsCommand.TimeOption("--from", "First log time, inclusive"), ExportsCommand.TimeOption("--to", "Last log time, exclusive"));

    private static string? Text(long? ns) => ns?.ToString(CultureInfo.InvariantCulture);

    private static Command CreateTopics()
    {
        var session = Session();
        var (from, to) = Range();
        return Lists.CreateTable(
            "topics", "What of a session can be looked at", [session, from, to],
            parsed => $"sessions/{parsed.GetValue(session)}/preview/topics" + Lists.Query(("from_ns", Text(parsed.GetValue(from))), ("to_ns", Text(parsed.GetValue(to)))),
            Output.Json.PreviewTopicsView, ["TOPIC", "TYPE", "MESSAGES", "FIRST", "LAST", "ALSO AS"],
            v => v.Topics.Select(t => (string[])[t.Topic, t.Type, Output.Count(t.Messages), Output.Time(t.FirstNs), Output.Time(t.LastNs), t.Kind]));
    }

    private static Command CreateFields()
    {
        var (session, topic) = (Session(), Topic());
        return Lists.CreateTable(
            "fields", "What of a topic can be plotted", [session, topic],
            parsed => $"sessions/{parsed.GetValue(session)}/preview/fields" + Lists.Query(("topic", parsed.GetValue(topic))),
            Output.Json.PreviewFieldsView, ["FIELD", "TYPE", "UNIT"], v => v.Fields.Select(f => (string[])[f.Field, f.Type, f.Unit]));
    }

    private static Command CreateSeries()
    {
        var session = Session();
        var fields = new Argument<string[]>("fields") { Description = "Up to six times a topic and a field, as /imu/data:linear_acceleration.x", Arity = ArgumentArity.OneOrMore };
        var (from, to) = Range();
        var columns = new Option<int?>("--columns") { Description = "Into how many columns the range is cut; of each the least and the greatest value are given" };
        return Lists.CreateTable(
            "series", "Fields over time; --json has the points", [session, fields, from, to, columns],
            parsed => $"sessions/{parsed.GetValue(session)}/preview/series" + Lists.Query(
            [
                .. parsed.GetValue(fields)!.Select(f => ("field", (string?)f)), ("from_ns", Text(parsed.GetValue(from))), ("to_ns", Text(parsed.GetValue(to))),
                ("columns", parsed.GetValue(columns)?.ToString(CultureInfo.InvariantCulture)),
            ]),
            Output.Json.SeriesView, ["TOPIC", "FIELD", "UNIT", "VALUES", "LEAST", "GREATEST", "LOST"],
            v => v.Series.Select(s => (string[])[s.Topic, s.Field, s.Unit, Output.Count(s.Count), Number(s.Min), Number(s.Max), Output.Count(s.Losses.Sum(l => l.Messages))]));
    }

    private static Command CreateFrame()
    {
        var (session, topic, at) = (Session(), Topic(), ExportsCommand.TimeOption("--at", "The last one up to this moment (default: the end)"));
        var width = new Option<int?>("--width") { Description = "At most so many pixels wide" };
        var output = new Option<string>("--output", "-o") { Description = "File to write", Required = true };
        var command = new Command("frame", "Draw the last image or point cloud up to a moment") { session, topic, at, width, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.SaveAsync(
                $"sessions/{parsed.GetValue(session)}/preview/frame" + Lists.Query(
                    ("topic", parsed.GetValue(topic)), ("at_ns", Text(parsed.GetValue(at))), ("width", parsed.GetValue(width)?.ToString(CultureInfo.InvariantCulture))),
                parsed.GetValue(output)!, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateMessage()
    {
        var (session, topic, at) = (Session(), Topic(), ExportsCommand.TimeOption("--at", "The last one up to this moment (default: the end)"));
        var command = new Command("message", "The last message of a topic up to a moment, as JSON") { session, topic, at };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var path = $"sessions/{parsed.GetValue(session)}/preview/message" + Lists.Query(("topic", parsed.GetValue(topic)), ("at_ns", Text(parsed.GetValue(at))));
            Output.WriteJson(await api.GetAsync(path, ApiJsonContext.Default.MessageView, cancellation), Output.Json.MessageView);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateLog()
    {
        var session = Session();
        var topic = new Option<string?>("--topic") { Description = "Only this topic's" };
        var level = new Option<string?>("--level") { Description = "Only lines of this level or worse: debug, info, warn, error, fatal" };
        var text = new Option<string?>("--text") { Description = "Only lines with these words" };
        var limit = new Option<int>("--limit") { Description = "At most so many, up to 1000", DefaultValueFactory = _ => 200 };
        var (from, to) = Range();
        return Lists.CreateTable(
            "log", "Log messages and diagnoses, newest first", [session, topic, level, text, limit, from, to],
            parsed => $"sessions/{parsed.GetValue(session)}/preview/log" + Lists.Query(
                ("topic", parsed.GetValue(topic)), ("level", parsed.GetValue(level)), ("q", parsed.GetValue(text)),
                ("limit", parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)), ("from_ns", Text(parsed.GetValue(from))), ("to_ns", Text(parsed.GetValue(to)))),
            Output.Json.LogView, ["AT", "LEVEL", "NAME", "TEXT"],
            v => v.Lines.Select(l => (string[])[Output.Time(l.TimeNs), l.Level, l.Name, string.Join(' ', [l.Text, .. l.Values])]));
    }

    private static Command CreateOpen()
    {
        var session = Session();
        var topics = new Option<string[]>("--topics") { Description = "Only these topics, * stands for anything", AllowMultipleArgumentsPerToken = true };
        var (from, to) = Range();
        var json = Output.JsonOption();
        var command = new Command("open", "Merge a part of a session into one file and print the links that open it in Foxglove and Lichtblick") { session, topics, from, to, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new ViewerRequest
            {
                Selection = parsed.GetValue(topics) is { Length: > 0 } include ? new TopicSelection { Include = include } : null,
                FromNs = parsed.GetValue(from),
                ToNs = parsed.GetValue(to),
            };
            var view = await AskAsync();
            while (view.State is ExportState.Queued or ExportState.Running)
            {
                await Task.Delay(PollInterval, cancellation);
                view = await AskAsync();
            }
            if (view.State != ExportState.Succeeded)
                throw new CliException($"The file was not made: {view.Error}");
            if (parsed.GetValue(json))
                Output.WriteJson(view, Output.Json.ViewerView);
            else
                Console.WriteLine($"{view.Foxglove}\n{view.Lichtblick}\n{view.Url}\nuntil {Output.Time(view.ExpiresAt)}");
            return ExitCodes.Ok;

            // The same part is made once; asking again says how far it is.
            Task<ViewerView> AskAsync() => api.PostAsync(
                $"sessions/{parsed.GetValue(session)}/preview/viewer", request, ApiJsonContext.Default.ViewerRequest, ApiJsonContext.Default.ViewerView, cancellation);
        });
        return command;
    }

    private static string Number(double? value) => value?.ToString("G6", CultureInfo.InvariantCulture) ?? "-";
}
