using EdgeCloud.Agent.Control;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Tests.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Control;

public sealed class CommandDeskTests : IAsyncLifetime
{
    private readonly SessionBench _bench = SessionBench.Create();
    private readonly List<CommandAck> _answers = [];
    private CommandMemory _memory = null!;
    private RunTimeSettings _settings = null!;
    private CommandDesk _desk = null!;
    private EventDesk? _events;

    public ValueTask InitializeAsync()
    {
        OpenDesk();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _events?.Dispose();
        return _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_session_is_led_through_its_life_and_each_command_is_accepted_then_succeeds()
    {
        var id = Guid.CreateVersion7();
        await HandleAsync(CommandKind.Start, id);
        await HandleAsync(CommandKind.Pause);
        await HandleAsync(CommandKind.Resume);
        await HandleAsync(CommandKind.Finish);
        Assert.Equal(
            [
                CommandStatus.Accepted, CommandStatus.Succeeded, CommandStatus.Accepted, CommandStatus.Succeeded,
                CommandStatus.Accepted, CommandStatus.Succeeded, CommandStatus.Accepted, CommandStatus.Progress, CommandStatus.Succeeded,
            ],
            _answers.Select(a => a.Status));
        Assert.All(_answers, a => Assert.Equal(id, a.Session));
        Assert.Equal(SessionState.Finishing, _bench.Book.Find(id)!.State);
    }

    [Fact]
    public async Task A_session_may_begin_paused()
    {
        var id = Guid.CreateVersion7();
        await _desk.HandleAsync(Command(CommandKind.Start, id) with { StartPaused = true });
        var session = _bench.Book.Find(id)!;
        Assert.Equal(SessionState.Paused, session.State);
        _bench.Send("/a", 3);
        await HandleAsync(CommandKind.Resume, id);
        _bench.Send("/a", 2);
        await HandleAsync(CommandKind.Finish, id);
        var ledger = SessionBench.Ledger(session, "/a");
        Assert.Equal((5, 2, 3), (ledger.Received, ledger.Recorded, ledger.Paused));
    }

    [Fact]
    public async Task A_command_delivered_again_is_answered_again_and_not_carried_out_again_also_after_a_restart()
    {
        await HandleAsync(CommandKind.Start, Guid.CreateVersion7());
        var pause = Command(CommandKind.Pause);
        await _desk.HandleAsync(pause);
        await HandleAsync(CommandKind.Resume);
        var session = _bench.Desk.Resolve(null);
        await _desk.HandleAsync(pause);
        Assert.Equal(SessionState.Recording, session.State);
        Assert.Equal((pause.Id, CommandStatus.Succeeded), (_answers[^1].Id, _answers[^1].Status));
        OpenDesk();
        await _desk.HandleAsync(pause);
        Assert.Equal(SessionState.Recording, session.State);
        Assert.Equal((pause.Id, CommandStatus.Succeeded), (_answers[^1].Id, _answers[^1].Status));
        Assert.Single(session.File.Manifest.Pauses);
    }

    [Fact]
    public async Task A_trigger_that_is_delivered_twice_makes_one_event_of_a_ring_session()
    {
        await _desk.HandleAsync(Command(CommandKind.Start, Guid.CreateVersion7()) with { Ring = new RingSettings { Minutes = 5 }, BoundMs = 0 });
        var ring = _bench.Desk.Resolve(null);
        Assert.Equal((UploadPolicy.OnDemand, 0), (ring.File.Manifest.Upload, ring.File.Manifest.BoundMs));
        var trigger = Command(CommandKind.Trigger) with { Name = "bumper", Span = new TriggerSpan { PreSeconds = 5, PostSeconds = 5 } };
        await _desk.HandleAsync(trigger);
        await _desk.HandleAsync(trigger);
        var session = Assert.Single(_bench.Book.All, s => s.File.Manifest.Event is not null);
        Assert.Equal(("bumper", 1), (session.File.Manifest.Name, session.File.Manifest.Event!.Triggers.Count));
        Assert.Equal((CommandStatus.Succeeded, $"event {session.Id}"), (_answers[^1].Status, _answers[^1].Reason));
        await HandleAsync(CommandKind.Trigger, session.Id);
        Assert.Equal((CommandStatus.Rejected, "the session is finishing: only cancel is possible"), (_answers[^1].Status, _answers[^1].Reason));
    }

    [Fact]
    public async Task A_command_after_its_expiry_is_not_carried_out()
    {
        await _desk.HandleAsync(Command(CommandKind.Start, Guid.CreateVersion7()) with { ExpiresNs = 1 });
        Assert.Equal(CommandStatus.Expired, Assert.Single(_answers).Status);
        Assert.Empty(_bench.Book.All);
    }

    [Theory]
    [InlineData(CommandKind.Pause, "no session is recording or paused")]
    [InlineData(CommandKind.Start, "start needs the id of the new session")]
    [InlineData(CommandKind.Sync, "this agent has no s3 section: it uploads nothing")]
    [InlineData(CommandKind.Fetch, "this agent has no s3 section: it uploads nothing")]
    [InlineData(CommandKind.Configure, "configure needs settings")]
    public async Task What_cannot_be_done_is_rejected_with_the_reason(CommandKind kind, string reason)
    {
        await HandleAsync(kind);
        Assert.Equal((CommandStatus.Rejected, reason), (Assert.Single(_answers).Status, _answers[0].Reason));
    }

    [Theory]
    [InlineData("upload.workers", "3", "'upload.workers' cannot be changed while the agent runs")]
    [InlineData("upload.bandwidth_bytes_per_second", "fast", "upload.bandwidth_bytes_per_second is 'fast'; allowed is a whole number of at least 0")]
    [InlineData("telemetry.interval_seconds", "0", "telemetry.interval_seconds is '0'; allowed is a number from 0.1 to 3600")]
    public async Task A_setting_that_cannot_be_is_rejected_with_what_can(string key, string value, string reason)
    {
        await _desk.HandleAsync(Command(CommandKind.Configure) with { Settings = new Dictionary<string, string> { [key] = value } });
        Assert.Equal(CommandStatus.Rejected, Assert.Single(_answers).Status);
        Assert.Contains(reason, _answers[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_starts_with_its_upload_policy_and_one_that_this_robot_does_not_know_is_rejected()
    {
        await _desk.HandleAsync(Command(CommandKind.Start, Guid.CreateVersion7()) with { Upload = "lte-only" });
        Assert.Equal((CommandStatus.Rejected, "this robot has no upload policy 'lte-only'; it has now, on-demand, wifi-only"),
            (Assert.Single(_answers).Status, _answers[0].Reason));
        var id = Guid.CreateVersion7();
        await _desk.HandleAsync(Command(CommandKind.Start, id) with { Upload = UploadPolicy.WifiOnly, Priority = 7 });
        var manifest = Agent.Sessions.Session.Load(_bench.Book.Find(id)!.Folder).File.Manifest;
        Assert.Equal((UploadPolicy.WifiOnly, 7), (manifest.Upload, manifest.Priority));
    }

    [Fact]
    public async Task Settings_that_were_changed_hold_after_a_restart()
    {
        await _desk.HandleAsync(Command(CommandKind.Configure) with
        {
            Settings = new Dictionary<string, string>
            {
                ["upload.bandwidth_bytes_per_second"] = "12345",
                ["telemetry.interval_seconds"] = "7.5",
            },
        });
        Assert.Equal(12345, _settings.BandwidthCap.BytesPerSecond);
        OpenDesk();
        Assert.Equal(12345, _settings.BandwidthCap.BytesPerSecond);
        Assert.Equal(TimeSpan.FromSeconds(7.5), _settings.TelemetryInterval);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_command_that_a_crash_interrupted_leads_to_its_state_once(bool wasCarriedOut)
    {
        var session = await _bench.StartAsync();
        var pause = Command(CommandKind.Pause) with { Session = session.Id };
        _memory.Answer(pause, new CommandAck { Robot = "amr-01", Id = pause.Id, Status = CommandStatus.Accepted, Session = session.Id, TimeNs = 1 });
        if (wasCarriedOut)
            await _bench.Desk.PauseAsync(session);
        OpenDesk();
        await _desk.SettleUnfinishedAsync();
        Assert.Equal(SessionState.Paused, session.State);
        Assert.Single(session.File.Manifest.Pauses);
        Assert.Equal((pause.Id, CommandStatus.Succeeded), (Assert.Single(_answers).Id, _answers[0].Status));
        Assert.Empty(_memory.Unfinished);
    }

    [Fact]
    public async Task A_command_that_cannot_be_remembered_is_not_begun_and_fails_with_the_reason()
    {
        var session = await _bench.StartAsync();
        var pause = Command(CommandKind.Pause);
        using (new FullDisk(CommandsPath))
            await _desk.HandleAsync(pause);
        Assert.Equal(SessionState.Recording, session.State);
        Assert.Equal(CommandStatus.Failed, Assert.Single(_answers).Status);
        Assert.Contains("No space left", _answers[0].Reason, StringComparison.Ordinal);
        await _desk.HandleAsync(pause);
        Assert.Equal((2, CommandStatus.Failed, SessionState.Recording), (_answers.Count, _answers[1].Status, session.State));
        await HandleAsync(CommandKind.Pause);
        Assert.Equal((CommandStatus.Succeeded, SessionState.Paused), (_answers[^1].Status, session.State));
        OpenDesk();
        Assert.Equal(CommandStatus.Failed, _memory.Find(pause.Id)!.Answer.Status);
    }

    [Fact]
    public async Task The_end_of_a_command_is_told_also_when_a_full_disk_does_not_take_it()
    {
        await _bench.StartAsync();
        FullDisk? full = null;
        _desk.Answered += a => full ??= new FullDisk(CommandsPath);
        var pause = Command(CommandKind.Pause);
        await _desk.HandleAsync(pause);
        Assert.Equal([CommandStatus.Accepted, CommandStatus.Succeeded], _answers.Select(a => a.Status));
        Assert.Throws<IOException>(() => _memory.Told(_answers[^1]));
        full!.Dispose();
        OpenDesk();
        await _desk.SettleUnfinishedAsync();
        Assert.Equal((pause.Id, CommandStatus.Succeeded), (Assert.Single(_answers).Id, _answers[0].Status));
    }

    [Theory, InlineData(CommandKind.Sync), InlineData(CommandKind.Fetch)]
    public async Task A_remembered_delivery_fails_on_an_agent_that_uploads_nothing_any_more(CommandKind kind)
    {
        var session = await _bench.StartAsync();
        var command = Command(kind) with { Session = session.Id };
        _memory.Answer(command, new CommandAck { Robot = "amr-01", Id = command.Id, Status = CommandStatus.Accepted, Session = session.Id, TimeNs = 1 });
        await _desk.SettleUnfinishedAsync();
        Assert.Equal((CommandStatus.Failed, "this agent has no s3 section: it uploads nothing"), (Assert.Single(_answers).Status, _answers[0].Reason));
        Assert.Empty(_memory.Unfinished);
    }

    [Fact]
    public async Task Answers_that_the_broker_does_not_have_are_found_after_a_restart()
    {
        await HandleAsync(CommandKind.Status);
        var last = _answers[^1];
        OpenDesk();
        Assert.Equal(last, Assert.Single(_memory.Untold));
        _memory.Told(last);
        OpenDesk();
        Assert.Empty(_memory.Untold);
    }

    [Fact]
    public void Old_commands_are_forgotten_only_when_they_have_expired_and_were_answered()
    {
        var unexpired = Command(CommandKind.Status);
        Remember(unexpired, CommandStatus.Succeeded);
        for (var i = 0; i < 500; i++)
            Remember(Command(CommandKind.Status) with { ExpiresNs = 1 }, CommandStatus.Expired);
        Assert.NotNull(_memory.Find(unexpired.Id));
        Assert.InRange(new FileInfo(Path.Combine(_bench.Configuration.DataDir, "commands.json")).Length, 1, 200_000);
    }

    private string CommandsPath => Path.Combine(_bench.Configuration.DataDir, "commands.json");

    private void Remember(CommandMessage command, CommandStatus status)
    {
        var answer = new CommandAck { Robot = "amr-01", Id = command.Id, Status = status, TimeNs = 1000 };
        _memory.Answer(command, answer);
        _memory.Told(answer);
    }

    private void OpenDesk()
    {
        _memory = CommandMemory.Open(_bench.Configuration.DataDir, _ => { });
        _settings = new RunTimeSettings(_bench.Configuration, AgentMemory.Open(_bench.Configuration.DataDir, "amr-01", _ => { }), TimeProvider.System);
        _events?.Dispose();
        _events = new EventDesk(_bench.Configuration, _bench.Book, _bench.Recorder, _bench.Desk, TimeProvider.System, NullLogger.Instance);
        _desk = new CommandDesk("amr-01", _bench.Desk, _events, _bench.Book, _memory, _settings,
            new DeliveryWatch(_bench.Book, null, TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        _answers.Clear();
        _desk.Answered += _answers.Add;
    }

    private Task HandleAsync(CommandKind kind, Guid? session = null) => _desk.HandleAsync(Command(kind, session));

    private static CommandMessage Command(CommandKind kind, Guid? session = null) => new()
    {
        Id = Guid.CreateVersion7(),
        Robot = "amr-01",
        Command = kind,
        Issuer = "test",
        IssuedNs = 1,
        ExpiresNs = TimeProvider.System.NowNs() + 60_000_000_000,
        Session = session,
    };
}
