using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Control;
using EdgeCloud.Agent.Logging;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Dds;
using EdgeCloud.Agent.Sources.Replay;
using EdgeCloud.Agent.Sources.Simulated;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Host;

/// <summary>The agent, put together: <c>edgecloud-agent run</c>.</summary>
internal sealed partial class AgentProcess : IAsyncDisposable
{
    private const string BeginAlarm = "begin";
    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(1);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AgentConfiguration _configuration;
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly AgentLog _agentLog;
    private readonly ILogger _log;
    private readonly Alarms _alarms = new();
    private readonly Recorder _recorder;
    private readonly DataFolder _folder;
    private readonly SessionBook _book;
    private readonly SessionDesk _sessions;
    private readonly EventDesk _events;
    private readonly RestartRecovery _recovery;
    private readonly DiskGuard _disk;
    private readonly ObjectStore? _store;
    private readonly NetworkConditions? _networks;
    private readonly UploadLoop? _upload;
    private readonly DeliveryWatch _delivery;
    private readonly CommandDesk _commands;
    private readonly ControlLink? _link;

    /// <exception cref="StateFileException">The data folder cannot be used.</exception>
    public AgentProcess(AgentConfiguration configuration, AgentLog agentLog)
    {
        _configuration = configuration;
        _agentLog = agentLog;
        _log = agentLog.For("agent");
        _recorder = new Recorder(new TopicRules(configuration.Recording.Topics));
        _folder = DataFolder.Take(configuration.DataDir);
        var memory = AgentMemory.Open(configuration.DataDir, configuration.Robot, TellDamage);
        var commandMemory = CommandMemory.Open(configuration.DataDir, TellDamage);
        _book = SessionBook.Open(configuration.DataDir, TellDamage);
        _sessions = new SessionDesk(configuration, _book, _recorder, _alarms, _clock, agentLog.For("sessions"));
        _events = new EventDesk(configuration, _book, _recorder, _sessions, _clock, agentLog.For("events"));
        _recovery = new RestartRecovery(configuration, _book, _alarms, agentLog.For("recovery"));
        _disk = DiskGuard.Of(configuration.Disk, configuration.DataDir, _book, _recorder, _alarms, _clock, agentLog.For("disk"));
        var settings = new RunTimeSettings(configuration, memory, _clock);
        if (configuration.S3 is { } s3)
        {
            _store = new ObjectStore(s3, TimeSpan.FromSeconds(configuration.Upload.StallSeconds));
            _networks = new NetworkConditions(configuration.Upload.Networks, s3.Endpoint);
            var log = agentLog.For("upload");
            var abandoned = new AbandonedUploads(_book, _store, ObjectKeys.RobotPrefix(s3.Prefix, configuration.Robot), log);
            _upload = new UploadLoop(
                _book, _store, settings.BandwidthCap, _networks, abandoned, configuration.Upload.Workers, _alarms, _clock, log)
            {
                Windows = settings.Windows,
            };
            settings.WindowsChanged += windows => _upload.Windows = windows;
            _networks.Changed += _upload.Wake;
        }
        _delivery = new DeliveryWatch(_book, _upload, _clock);
        _commands = new CommandDesk(
            configuration.Robot, _sessions, _events, _book, commandMemory, settings, _delivery, _clock, agentLog.For("commands"));
        if (configuration.Mqtt is { } mqtt)
            _link = CreateLink(mqtt, memory, commandMemory, settings);
    }

    /// <summary>Works until cancelled; what is open is sealed by <see cref="DisposeAsync"/>.</summary>
    public async Task RunAsync(SystemdNotify systemd, CancellationToken cancellation)
    {
        _events.Restore();
        await TryBeginAsync();
        systemd.Ready($"robot {_configuration.Robot}");
        LogRunning(_configuration.Robot, AgentVersion.Text, _configuration.DataDir);
        await Tasks.WhenAnyFails(cancellation, [.. Loops(systemd)]);
        systemd.Stopping();
    }

    /// <summary>Takes up what was begun, and begins what is configured; false when the disk refuses, and then it is to be done again.</summary>
    private async Task<bool> TryBeginAsync()
    {
        try
        {
            _recovery.Survey();
            foreach (var session in _book.All.Where(s => s.State.IsLive()))
                await _sessions.ContinueAsync(session);
            await _commands.SettleUnfinishedAsync();
            if (_configuration.Recording.Autostart && !_book.All.Any(s => s.State.IsLive()))
            {
                await _sessions.StartAsync(
                    Guid.CreateVersion7(), _configuration.Recording.Name, _configuration.Recording.Selection, "configuration",
                    _configuration.Recording.StartPaused, _configuration.Recording.Upload, ring: _configuration.Recording.Ring);
            }
        }
        catch (IOException e)
        {
            if (_alarms.Raise(BeginAlarm, $"recording does not begin: {e.Message}"))
                LogNotBegun(e.Message);
            return false;
        }
        _alarms.Clear(BeginAlarm);
        _begun.TrySetResult();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _sessions.DisposeAsync();
        if (_link is not null)
            await _link.DisposeAsync();
        _store?.Dispose();
        _delivery.Dispose();
        _disk.Dispose();
        _events.Dispose();
        _folder.Dispose();
        LogStopped();
    }

    /// <summary>The source that the configuration names.</summary>
    public static ISource SourceOf(SourceSettings settings, TimeProvider clock, ILogger log) => settings.Kind switch
    {
        SourceKind.Dds => new DdsSource(settings.Dds, settings.Ros, log),
#if RCL_FEED
        SourceKind.Rcl => new Sources.Rcl.RclSource(settings.Ros, clock, log),
#else
        SourceKind.Rcl => throw new SourceException("this agent was built without the source rcl: build it with -p:RclFeed=true where the package Rcl.NET is served"),
#endif
        SourceKind.Replay => new ReplaySource(settings, clock),
        _ => new SimulatedSource(settings.Seed, settings.Rate, clock),
    };

    private IEnumerable<Func<CancellationToken, Task>> Loops(SystemdNotify systemd)
    {
        yield return RunSourceAsync;
        yield return BeginAsync;
        yield return _sessions.WatchAsync;
        yield return _sessions.WatchClockAsync;
        yield return _disk.RunAsync;
        yield return async c =>
        {
            await _begun.Task.WaitAsync(c);
            await _events.RunAsync(c);
        };
        yield return RecoverAsync;
        if (_networks is not null)
            yield return _networks.RunAsync;
        if (_upload is not null)
            yield return _upload.RunAsync;
        yield return c => _delivery.RunAsync(_commands.Answer, c);
        if (_link is not null)
            yield return _link.RunAsync;
        if (_configuration.Health.Port is { } port)
            yield return new HealthEndpoint(port, _recorder, _book, _upload, () => _link?.IsConnected ?? false, _alarms, _log).RunAsync;
        if (systemd.WatchdogInterval is { } interval)
            yield return c => FeedWatchdogAsync(systemd, interval, c);
    }

    /// <summary>A source that ends or breaks leaves the agent working: sessions, uploads and commands go on.</summary>
    private async Task RunSourceAsync(CancellationToken cancellation)
    {
        var source = SourceOf(_configuration.Source, _clock, _agentLog.For("source"));
        try
        {
            await source.RunAsync(_recorder, cancellation);
            LogSourceEnded(source.Name);
        }
        catch (SourceException e)
        {
            LogSourceFailed(source.Name, e.Message);
            _alarms.Raise("source", $"source {source.Name}: {e.Message}");
        }
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    /// <summary>Begins as soon as the disk lets it: meanwhile the guard frees what may go, and what is sealed goes up.</summary>
    private async Task BeginAsync(CancellationToken cancellation)
    {
        while (!_begun.Task.IsCompleted && !await TryBeginAsync())
            await Task.Delay(DiskRetry, cancellation);
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    private async Task RecoverAsync(CancellationToken cancellation)
    {
        await _begun.Task.WaitAsync(cancellation);
        await _recovery.RunAsync(cancellation);
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    private void TellDamage(string damage)
    {
        LogDamaged(damage);
        _alarms.Raise($"state.{damage}", damage);
    }

    private static async Task FeedWatchdogAsync(SystemdNotify systemd, TimeSpan interval, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(interval);
        do
            systemd.Alive();
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    private ControlLink CreateLink(MqttSettings mqtt, AgentMemory memory, CommandMemory commandMemory, RunTimeSettings settings)
    {
        var announcer = new Announcer(_clock, _alarms, (segment, reason) => _upload?.Refused(segment, reason));
        foreach (var session in _book.All)
        {
            announcer.Enqueue(session);
            foreach (var segment in session.Segments)
                announcer.Enqueue(segment);
        }
        var report = new RobotReport(
            _configuration.Robot, _configuration.Source.Kind.ToString().ToLowerInvariant(), _configuration.Recording.BoundMs,
            _book, _recorder, _alarms, _clock);
        var telemetry = new Telemetry(_configuration.Robot, _configuration.DataDir, _recorder, _book, _upload, _clock);
        var link = new ControlLink(
            new LinkParts(
                _configuration.Robot, memory, report, telemetry, announcer, new MarkBox(_configuration.DataDir, _configuration.Robot, _alarms, _clock), _commands, _events.Trigger, commandMemory, settings, _agentLog),
            (will, subscriptions) => MqttConnection.Create(OptionsOf(mqtt, will, subscriptions)), _clock);
        _book.SegmentChanged += announcer.Enqueue;
        _book.SessionChanged += announcer.Enqueue;
        _book.SessionChanged += _ => link.StateChanged();
        _alarms.Changed += link.StateChanged;
        _recorder.TopicsChanged += link.StateChanged;
        return link;
    }

    private MqttOptions OptionsOf(MqttSettings mqtt, Func<MqttMessage> will, IReadOnlyList<string> subscriptions) => new()
    {
        Host = mqtt.Host,
        Port = mqtt.Port,
        ClientId = $"edgecloud-agent-{_configuration.Robot}",
        User = mqtt.User,
        Password = mqtt.Password,
        Tls = mqtt.Tls ? new MqttTls { CaFile = mqtt.CaFile } : null,
        Will = will,
        Subscriptions = subscriptions,
    };

    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "Robot {Robot}, agent {Version}, data in {DataDir}")]
    private partial void LogRunning(string robot, string version, string dataDir);

    [LoggerMessage(EventId = 102, Level = LogLevel.Information, Message = "Stopped; everything recorded is sealed")]
    private partial void LogStopped();

    [LoggerMessage(EventId = 103, Level = LogLevel.Information, Message = "Source {Source} has no more messages")]
    private partial void LogSourceEnded(string source);

    [LoggerMessage(EventId = 104, Level = LogLevel.Error, Message = "Source {Source} cannot go on: {Error}")]
    private partial void LogSourceFailed(string source, string error);

    [LoggerMessage(EventId = 107, Level = LogLevel.Error, Message = "Recording does not begin: {Error}; it is tried again")]
    private partial void LogNotBegun(string error);

    [LoggerMessage(EventId = 105, Level = LogLevel.Error, Message = "{Damage}")]
    private partial void LogDamaged(string damage);
}
