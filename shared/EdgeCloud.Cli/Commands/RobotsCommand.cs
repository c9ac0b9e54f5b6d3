using System.CommandLine;
using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud robots list|show|commands|command</c>.</summary>
internal static class RobotsCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(300);
    // A fetch is asked of the session that it is of: edgecloud sessions fetch.
    private static readonly string[] Words = [.. Enum.GetValues<CommandKind>().Where(k => k != CommandKind.Fetch).Select(Output.Word)];

    public static Command Create() => new("robots", "Robots: who is there, and telling them what to do") { CreateList(), CreateShow(), CreateCommands(), CreateCommand() };

    private static Command CreateList()
    {
        var json = Output.JsonOption();
        var command = new Command("list", "Every robot, its sessions and rates") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var robots = api.ListAsync("robots", ApiJsonContext.Default.PageRobotView, int.MaxValue, cancellation);
            if (parsed.GetValue(json))
            {
                await Output.WriteJsonAsync(robots, ApiJsonContext.Default.RobotView, cancellation);
                return ExitCodes.Ok;
            }
            var table = Output.NewTable("ROBOT", "LINK", "SESSIONS", "MESSAGES/S", "RATE", "DISK FREE", "LOST 24 H", "LAST SEEN");
            await foreach (var robot in robots)
                table.Add(Row(robot));
            Output.WriteTable(table);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var robot = new Argument<string>("robot") { Description = "Robot id" };
        return Lists.CreateTable(
            "show", "One robot's topics; --json has everything that it tells", [robot], parsed => $"robots/{Uri.EscapeDataString(parsed.GetValue(robot)!)}",
            Output.Json.RobotView, ["TOPIC", "TYPE", "CLASS", "HZ", "RATE", "LOST"],
            view =>
            {
                var rates = view.Telemetry?.Topics.ToDictionary(t => t.Topic) ?? [];
                return (view.State?.Topics ?? []).Select(t => rates.GetValueOrDefault(t.Topic) is { } rate
                    ? (string[])[t.Topic, t.Type, Output.Word(t.Class), rate.Hz.ToString("0.#", CultureInfo.InvariantCulture), Output.Bytes((long)rate.BytesPerSecond) + "/s", Output.Count(rate.Lost)]
                    : [t.Topic, t.Type, Output.Word(t.Class), "-", "-", "-"]);
            });
    }

    private static Command CreateCommands()
    {
        var robot = new Argument<string>("robot") { Description = "Robot id" };
        return Lists.Create(
            "commands", "A robot's commands and what it answered, newest first", [robot], parsed => $"robots/{Uri.EscapeDataString(parsed.GetValue(robot)!)}/commands",
            ApiJsonContext.Default.PageCommandView, Output.Json.CommandView, ["COMMAND", "ISSUED", "BY", "WHAT", "STATUS", "WHY"],
            c => [c.Id.ToString(), Output.Time(c.IssuedAt), c.Issuer, Output.Word(c.Command), Output.Word(c.Status), c.Reason]);
    }

    private static string[] Row(RobotView robot)
    {
        var sessions = robot.State?.Sessions.Select(s => Output.Word(s.State)) ?? [];
        var figures = robot.Online ? robot.Telemetry : null;
        return
        [
            robot.Robot,
            robot.Online ? "online" : "offline",
            string.Join(", ", sessions) is { Length: > 0 } words ? words : "-",
            figures is null ? "-" : Output.Count((long)figures.MessagesPerSecond),
            figures is null ? "-" : Output.Bytes((long)figures.BytesPerSecond) + "/s",
            figures is null ? "-" : Output.Bytes(figures.DiskFreeBytes),
            Output.Count(robot.Lost24h),
            Output.Time(robot.LastSeenAt),
        ];
    }

    private static Command CreateCommand()
    {
        var robot = new Argument<string>("robot") { Description = "Robot id" };
        var what = new Argument<string>("command") { Description = $"One of {string.Join(", ", Words)}" };
        what.AcceptOnlyFromAmong(Words);
        var session = Ids.Option("--session", "Session meant; needed when the robot has several");
        var name = new Option<string>("--name") { Description = "start: a name for the session; trigger: why", DefaultValueFactory = _ => "" };
        var topics = new Option<string[]>("--topics") { Description = "start: topics to record, * stands for anything (default: all)", AllowMultipleArgumentsPerToken = true };
        var exclude = new Option<string[]>("--exclude") { Description = "start: topics not to record", AllowMultipleArgumentsPerToken = true };
        var upload = new Option<string?>("--upload") { Description = "start: when segments go up: now, on-demand, or a network condition of the robot such as wifi-only" };
        var priority = new Option<int>("--priority") { Description = "start: sessions of greater priority go up first, -100 to 100" };
        var ringMinutes = new Option<double?>("--ring-minutes") { Description = "start: keep only the newest minutes on the robot, and upload what triggers pin" };
        var ringBytes = new Option<long?>("--ring-bytes") { Description = "start: keep only the newest bytes on the robot" };
        var bound = new Option<int?>("--bound-ms") { Description = "start: at most so many ms of the newest data are at risk in a power cut, 0 to 60000" };
        var paused = new Option<bool>("--paused") { Description = "start: begin paused, until a resume" };
        var pre = new Option<double?>("--pre") { Description = "trigger: seconds to keep from before (default: 30)" };
        var post = new Option<double?>("--post") { Description = "trigger: seconds to keep from after (default: 10)" };
        var set = new Option<string[]>("--set") { Description = "configure: settings as KEY=VALUE, such as upload.bandwidth_bytes_per_second=500000", AllowMultipleArgumentsPerToken = true };
        var expires = new Option<int>("--expires-in") { Description = "Seconds after which the robot is no longer to do it", DefaultValueFactory = _ => 300 };
        var timeout = new Option<double>("--timeout") { Description = "Seconds to wait for the robot's answer, 0 to not wait", DefaultValueFactory = _ => 30 };
        var json = Output.JsonOption();
        var command = new Command("command", "Tell a robot what to do and wait for its answer (exit code 5 when none came in time)")
        {
            robot, what, session, name, topics, exclude, upload, priority, ringMinutes, ringBytes, bound, paused, pre, post, set, expires, timeout, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var include = parsed.GetValue(topics) ?? [];
            var without = parsed.GetValue(exclude) ?? [];
            var request = new CommandRequest
            {
                Command = Enum.Parse<CommandKind>(parsed.GetValue(what)!, ignoreCase: true),
                Session = parsed.GetValue(session),
                Name = parsed.GetValue(name)!,
                Selection = include.Length + without.Length == 0 ? null : new TopicSelection { Include = include, Exclude = without },
                Upload = parsed.GetValue(upload),
                Priority = parsed.GetValue(priority),
                Ring = (parsed.GetValue(ringMinutes), parsed.GetValue(ringBytes)) is (null, null) ? null
                    : new RingSettings { Minutes = parsed.GetValue(ringMinutes), Bytes = parsed.GetValue(ringBytes) },
                BoundMs = parsed.GetValue(bound),
                StartPaused = parsed.GetValue(paused),
                Span = Span(parsed.GetValue(pre), parsed.GetValue(post)),
                Settings = Settings(parsed.GetValue(set) ?? []),
                ExpiresInSeconds = parsed.GetValue(expires),
            };
            var issued = await api.PostAsync(
                $"robots/{Uri.EscapeDataString(parsed.GetValue(robot)!)}/commands", request,
                ApiJsonContext.Default.CommandRequest, ApiJsonContext.Default.CommandView, cancellation);
            return await FollowAsync(api, issued, TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    /// <summary>Waits for a command's end, prints how far it came, and answers the exit code for that.</summary>
    internal static async Task<int> FollowAsync(ApiClient api, CommandView issued, TimeSpan timeout, bool json, CancellationToken cancellation)
    {
        var answer = await WaitAsync(api, issued, timeout, cancellation);
        if (json)
            Output.WriteJson(answer, Output.Json.CommandView);
        else
            Console.WriteLine(InWords(answer));
        return ExitCode(answer, waited: timeout > TimeSpan.Zero);
    }

    private static TriggerSpan? Span(double? pre, double? post)
    {
        var usual = new TriggerSpan();
        return (pre, post) is (null, null) ? null : new TriggerSpan { PreSeconds = pre ?? usual.PreSeconds, PostSeconds = post ?? usual.PostSeconds };
    }

    private static Dictionary<string, string>? Settings(string[] pairs)
    {
        foreach (var pair in pairs)
        {
            if (pair.IndexOf('=') is < 1)
                throw new CliException($"--set '{pair}' is no KEY=VALUE.", ExitCodes.Usage);
        }
        return pairs.Length == 0 ? null : pairs.Select(p => p.Split('=', 2)).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.Last()[1]);
    }

    private static async Task<CommandView> WaitAsync(ApiClient api, CommandView command, TimeSpan timeout, CancellationToken cancellation)
    {
        var deadline = DateTime.UtcNow + timeout;
        while (!IsOver(command.Status) && DateTime.UtcNow < deadline)
        {
            await Task.Delay(PollInterval, cancellation);
            command = await api.GetAsync($"commands/{command.Id}", ApiJsonContext.Default.CommandView, cancellation);
        }
        return command;
    }

    private static bool IsOver(CommandStatus status) =>
        status is CommandStatus.Succeeded or CommandStatus.Failed or CommandStatus.Rejected or CommandStatus.Expired;

    private static int ExitCode(CommandView command, bool waited) => command.Status switch
    {
        CommandStatus.Succeeded => ExitCodes.Ok,
        CommandStatus.Failed or CommandStatus.Rejected or CommandStatus.Expired => ExitCodes.Failed,
        _ => waited ? ExitCodes.NoAnswer : ExitCodes.Ok,
    };

    private static string InWords(CommandView command)
    {
        var session = command.Session is { } id ? $", session {id}" : "";
        var reason = command.Reason.Length > 0 ? $": {command.Reason}" : "";
        var later = command.Status == CommandStatus.Queued
            ? $"; the robot has not answered yet and may until {Output.Time(command.ExpiresAt)}"
            : "";
        return $"{command.Robot}: {Output.Word(command.Command)} {Output.Word(command.Status)}{reason}{later} (command {command.Id}{session})";
    }
}
