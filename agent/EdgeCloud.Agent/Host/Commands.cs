using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Control;
using EdgeCloud.Agent.Logging;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Host;

/// <summary>The command line. Exit codes: 0 done, 1 failed, 2 bad usage or configuration.</summary>
internal static class Commands
{
    private const int Done = 0, Failed = 1, BadUsage = 2;

    public static async Task<int> InvokeAsync(string[] args)
    {
        var root = new RootCommand("EdgeCloud's recorder on the robot.") { Run(), Record(), CheckConfig(), Recover(), RetentionPlan(), Mark() };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        foreach (var error in parsed.Errors)
            await Console.Error.WriteLineAsync($"edgecloud-agent: {error.Message}");
        return BadUsage;
    }

    private static Command Run()
    {
        var config = ConfigOption();
        var command = new Command("run", "Record, upload and take commands until told to stop (SIGTERM, Ctrl-C).") { config };
        command.SetAction((parsed, _) => Guarded(async stopping =>
        {
            var configuration = ConfigurationFile.Read(parsed.GetRequiredValue(config));
            using var systemd = SystemdNotify.FromEnvironment();
            await using var agent = new AgentProcess(configuration, AgentLog.ForProcess());
            await agent.RunAsync(systemd, stopping);
            return Done;
        }));
        return command;
    }

    private static Command Record()
    {
        var source = new Option<string>("--source") { Description = "dds (ROS 2), rcl (an installed ROS 2), replay or simulated.", DefaultValueFactory = _ => "replay" };
        source.AcceptOnlyFromAmong("dds", "rcl", "replay", "simulated");
        var ros = new RosOptions();
        var input = new Option<string?>("--input") { Description = "The MCAP file to replay." };
        var once = new Option<bool>("--once") { Description = "End when the input ends (a replay always does)." };
        var dataDir = new Option<string>("--data-dir") { Description = "Folder for the recording.", Required = true };
        var robot = new Option<string>("--robot") { Description = "Robot id.", DefaultValueFactory = _ => "local" };
        var times = new Option<string>("--times") { Description = "original, or rebased to now.", DefaultValueFactory = _ => "original" };
        times.AcceptOnlyFromAmong("original", "rebased");
        var rate = new Option<double>("--rate") { Description = "Replay: speed, 0 for as fast as possible. Simulated: factor on all rates." };
        var duration = new Option<double>("--duration") { Description = "End after this many seconds; 0 for no end." };
        var seed = new Option<int>("--seed") { Description = "Seed of the simulated robot.", DefaultValueFactory = _ => 1 };
        var name = new Option<string>("--name") { Description = "Name of the session.", DefaultValueFactory = _ => "" };
        var include = new Option<string[]>("--include") { Description = "Topic patterns to record; '*' stands for any characters.", DefaultValueFactory = _ => [] };
        var exclude = new Option<string[]>("--exclude") { Description = "Topic patterns not to record.", DefaultValueFactory = _ => [] };
        var includeTypes = new Option<string[]>("--topic-types") { Description = "Patterns of types to record.", DefaultValueFactory = _ => [] };
        var excludeTypes = new Option<string[]>("--exclude-topic-types") { Description = "Patterns of types not to record.", DefaultValueFactory = _ => [] };
        var nodes = new Option<string[]>("--nodes") { Description = "Patterns of nodes whose topics to record.", DefaultValueFactory = _ => [] };
        var startPaused = new Option<bool>("--start-paused") { Description = "Begin paused; SIGUSR1 starts and pauses recording." };
        var compression = new Option<string>("--compression") { Description = "zstd, lz4 or none.", DefaultValueFactory = _ => "zstd" };
        compression.AcceptOnlyFromAmong("zstd", "lz4", "none");
        var defaults = new RecordingSettings();
        var bound = new Option<int>("--bound-ms")
        {
            Description = "At most this much of the newest data is at risk in a power cut, 0 to 60000 ms.",
            DefaultValueFactory = _ => defaults.BoundMs,
        };
        var segmentBytes = new Option<long>("--segment-bytes") { Description = "Size of a segment.", DefaultValueFactory = _ => defaults.SegmentBytes };
        var segmentSeconds = new Option<int>("--segment-seconds") { Description = "Age of a segment.", DefaultValueFactory = _ => defaults.SegmentSeconds };
        var minimumFree = new Option<long>("--minimum-free-bytes")
        {
            Description = "Recording stops below this much free space.",
            DefaultValueFactory = _ => 64 << 20,
        };
        var report = new Option<string?>("--report-durable")
        {
            Description = "Append a line {\"session\":...,\"durable_messages\":N,\"time_ns\":...} to this file after each sync.",
        };
        var command = new Command("record", "Record one session into sealed segments, without any network, and end.")
        {
            source, input, once, dataDir, robot, times, rate, duration, seed, name, include, exclude, includeTypes, excludeTypes, nodes, startPaused, compression,
            bound, segmentBytes, segmentSeconds, minimumFree, report,
        };
        ros.AddTo(command);
        command.SetAction((parsed, _) => Guarded(async stopping =>
        {
            var configuration = new AgentConfiguration
            {
                Robot = parsed.GetRequiredValue(robot),
                DataDir = Path.GetFullPath(parsed.GetRequiredValue(dataDir)),
                Source = new SourceSettings
                {
                    Kind = Enum.Parse<SourceKind>(parsed.GetRequiredValue(source), ignoreCase: true),
                    Input = parsed.GetValue(input) ?? "",
                    Times = parsed.GetRequiredValue(times) == "original" ? ReplayTimes.Original : ReplayTimes.Rebased,
                    Loop = false,
                    Rate = parsed.GetRequiredValue(source) == "replay" || parsed.GetValue(rate) > 0 ? parsed.GetValue(rate) : 1,
                    Seed = parsed.GetValue(seed),
                    Dds = ros.Dds(parsed),
                    Ros = ros.Ros(parsed),
                },
                Recording = new RecordingSettings
                {
                    Name = parsed.GetRequiredValue(name),
                    StartPaused = parsed.GetValue(startPaused),
                    Selection = new TopicSelection
                    {
                        Include = parsed.GetRequiredValue(include),
                        Exclude = parsed.GetRequiredValue(exclude),
                        Types = parsed.GetRequiredValue(includeTypes),
                        ExcludeTypes = parsed.GetRequiredValue(excludeTypes),
                        Nodes = parsed.GetRequiredValue(nodes),
                    },
                    BoundMs = parsed.GetValue(bound),
                    SegmentBytes = parsed.GetValue(segmentBytes),
                    SegmentSeconds = parsed.GetValue(segmentSeconds),
                    Compression = Enum.Parse<ChunkCompression>(parsed.GetRequiredValue(compression), ignoreCase: true),
                },
                Disk = new DiskSettings { MinimumFreeBytes = parsed.GetValue(minimumFree), MaximumShare = 1 },
            };
            return await RecordAsync(configuration, parsed.GetValue(duration), parsed.GetValue(report), stopping);
        }));
        return command;
    }

    private static async Task<int> RecordAsync(AgentConfiguration configuration, double seconds, string? reportFile, CancellationToken stopping)
    {
        List<string> errors = [];
        if (!RobotId.IsValid(configuration.Robot))
            errors.Add($"--robot is '{configuration.Robot}'; allowed is {RobotId.Rule}");
        if (configuration.Source.Kind is SourceKind.Replay && configuration.Source.Input.Length == 0)
            errors.Add("--input is missing: a replay needs the MCAP file to play");
        var recording = configuration.Recording;
        if (recording.BoundMs is < 0 or > 60_000)
            errors.Add($"--bound-ms is {recording.BoundMs}; allowed is 0 to 60000");
        if (recording.SegmentBytes is < 1 << 20 or > 4L << 30)
            errors.Add($"--segment-bytes is {recording.SegmentBytes}; allowed is 1048576 to {4L << 30}");
        if (recording.SegmentSeconds is < 1 or > 86_400)
            errors.Add($"--segment-seconds is {recording.SegmentSeconds}; allowed is 1 to 86400");
        if (errors.Count > 0)
            throw new ConfigurationException(errors);
        using var report = reportFile is null ? null : new DurableReport(Path.GetFullPath(reportFile));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (seconds > 0)
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        var log = AgentLog.ForProcess();
        var source = AgentProcess.SourceOf(configuration.Source, TimeProvider.System, log.For("source"));
        var session = await RecordOnce.RunAsync(configuration, source, report, log.For, limit.Token);
        var manifest = session.Describe();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"session {session.Id}: {manifest.Messages} messages, segments: {session.Segments.Count}, {manifest.Ledger.Sum(e => e.Lost())} lost"));
        foreach (var segment in session.Segments)
            Console.WriteLine(segment.MediaPath);
        return manifest.Ledger.Sum(e => e.Lost()) == 0 ? Done : Failed;
    }

    private static Command CheckConfig()
    {
        var config = ConfigOption();
        var command = new Command("check-config", "Read the configuration as 'run' would, and say what is wrong with it.") { config };
        command.SetAction((parsed, _) => Guarded(_ =>
        {
            var configuration = ConfigurationFile.Read(parsed.GetRequiredValue(config));
            Console.WriteLine($"{parsed.GetRequiredValue(config)} is sound: robot {configuration.Robot}, data in {configuration.DataDir}");
            return Task.FromResult(Done);
        }));
        return command;
    }

    private static Command Recover()
    {
        var dataDir = new Option<string>("--data-dir") { Description = "The agent's data folder.", Required = true };
        var command = new Command("recover", "Bring what a crash left open to sealed segments, without starting the agent.") { dataDir };
        command.SetAction((parsed, _) => Guarded(stopping => RecoverAsync(Path.GetFullPath(parsed.GetRequiredValue(dataDir)), stopping)));
        return command;
    }

    private static async Task<int> RecoverAsync(string dataDir, CancellationToken stopping)
    {
        if (!Directory.Exists(Path.Combine(dataDir, "sessions")))
            throw new ConfigurationException([$"--data-dir {dataDir} holds no sessions"]);
        using var folder = DataFolder.Take(dataDir);
        var alarms = new Alarms();
        var book = SessionBook.Open(dataDir, damage => alarms.Raise(damage, damage));
        var configuration = new AgentConfiguration
        {
            Robot = book.All.Count > 0 ? book.All[0].File.Manifest.Robot : "local",
            DataDir = dataDir,
            Source = new SourceSettings { Kind = SourceKind.Simulated },
        };
        var recovery = new RestartRecovery(configuration, book, alarms, AgentLog.ForProcess().For("recovery"));
        recovery.Survey();
        await recovery.RunAsync(stopping);
        foreach (var line in recovery.Report)
            Console.WriteLine(line);
        foreach (var session in book.All)
            Console.WriteLine($"session {session.Id}: {session.State}, {session.Segments.Count} segments, {session.Describe().Messages} messages");
        return alarms.Current.Count == 0 ? Done : Failed;
    }

    private static Command RetentionPlan()
    {
        var config = ConfigOption();
        var simulate = new Option<bool>("--simulate") { Description = "Print what would be deleted now, and delete nothing.", Required = true };
        var command = new Command("retention", "Which acknowledged recordings the running agent would delete from this disk, and why.") { config, simulate };
        command.SetAction((parsed, _) => Guarded(_ =>
        {
            if (!parsed.GetValue(simulate))
                throw new ConfigurationException(["--simulate is false: deleting is the running agent's business, this command only shows what it would do"]);
            var configuration = ConfigurationFile.Read(parsed.GetRequiredValue(config));
            var drive = new DriveInfo(Directory.Exists(configuration.DataDir) ? configuration.DataDir : "/");
            var missing = Math.Max(configuration.Disk.MinimumFreeBytes - drive.AvailableFreeSpace, 0);
            var book = SessionBook.Look(configuration.DataDir);
            var plan = Retention.Plan(book.All, configuration.Disk, missing, TimeProvider.System.GetUtcNow());
            foreach (var (segment, cause) in plan)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{segment.MediaPath}  {segment.State.Bytes} bytes  {cause}"));
            var kept = book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Acknowledged).ToList();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{plan.Count} of {kept.Count} acknowledged segments would go, {plan.Sum(e => e.Segment.State.Bytes)} of {kept.Sum(s => s.State.Bytes)} bytes"));
            return Task.FromResult(Done);
        }));
        return command;
    }

    private static Command Mark()
    {
        var config = ConfigOption();
        var kind = new Argument<string>("kind") { Description = "A short word that marks are grouped by, such as 'fall'." };
        var text = new Argument<string>("text") { Description = "What happened.", DefaultValueFactory = _ => "" };
        var ago = new Option<double>("--ago") { Description = "It happened, or began, this many seconds ago." };
        var lasted = new Option<double?>("--lasted") { Description = "It lasted this many seconds; without it, it is a moment." };
        var command = new Command("mark", "Leave a mark on the robot's timelines. It is kept until the control plane has it, whether the agent runs or not.")
        {
            kind, text, ago, lasted, config,
        };
        command.SetAction((parsed, _) => Guarded(_ =>
        {
            var configuration = ConfigurationFile.Read(parsed.GetRequiredValue(config));
            var began = TimeProvider.System.NowNs() - (long)(parsed.GetValue(ago) * 1e9);
            var mark = new EventMessage
            {
                Id = Guid.CreateVersion7(),
                Robot = configuration.Robot,
                TimeNs = began,
                EndNs = parsed.GetValue(lasted) is { } seconds ? began + (long)(seconds * 1e9) : null,
                Kind = parsed.GetRequiredValue(kind).Trim(),
                Text = parsed.GetRequiredValue(text),
            };
            try
            {
                MarkBox.Leave(configuration.DataDir, mark);
            }
            catch (ContractException e)
            {
                throw new ConfigurationException([$"this is no mark: {e.Message}"]);
            }
            Console.WriteLine($"marked: {mark.Kind} {mark.Id}");
            return Task.FromResult(Done);
        }));
        return command;
    }

    private static Option<string> ConfigOption() => new("--config")
    {
        Description = "The configuration file.",
        DefaultValueFactory = _ => ConfigurationFile.DefaultPath,
    };

    /// <summary>Runs an action until SIGTERM or SIGINT, and turns what a person can put right into lines and an exit code.</summary>
    private static async Task<int> Guarded(Func<CancellationToken, Task<int>> action)
    {
        using var stopping = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            return await action(stopping.Token);
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors)
                await Console.Error.WriteLineAsync($"edgecloud-agent: {error}");
            return BadUsage;
        }
        catch (Exception e) when (e is StateFileException or SourceException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"edgecloud-agent: {e.Message}");
            return Failed;
        }
    }
}
