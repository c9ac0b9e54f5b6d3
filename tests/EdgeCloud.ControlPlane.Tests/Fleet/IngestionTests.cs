using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Mqtt;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Fleet;

/// <summary>What the catalogue holds after messages were delivered in any order and any number of times.</summary>
public sealed class IngestionTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    private static int _robots;

    private readonly string _robot = $"amr-{Interlocked.Increment(ref _robots)}";
    private readonly Ingestion _ingestion = new(
        catalogue,
        new Announcements(catalogue, new BucketSettings(null, null, "", "b", "fleet", null, null), new SegmentChecks(), TimeProvider.System),
        new Events(catalogue, TimeProvider.System),
        new CommandDispatch(catalogue),
        TimeProvider.System);

    [Fact]
    public async Task An_older_state_never_replaces_a_newer_one()
    {
        await ApplyAsync(MqttTopicKind.State, State(2, 5, online: true, version: "new"));
        await ApplyAsync(MqttTopicKind.State, State(2, 4, online: false, version: "old"));
        await ApplyAsync(MqttTopicKind.State, State(1, 9, online: false, version: "older"));

        await using var db = catalogue.CreateDbContext();
        var robot = await db.Robots.SingleAsync(r => r.Id == _robot);
        Assert.Equal((true, "new"), (robot.Online, robot.State!.AgentVersion));
    }

    [Fact]
    public async Task A_late_answer_overrules_an_expiry_that_only_the_server_found()
    {
        await ApplyAsync(MqttTopicKind.State, State(1, 1, online: true, version: "1"));
        var id = await StoreCommandAsync(c => Assert.True(c.Expire(c.ExpiresAt)));

        await ApplyAsync(MqttTopicKind.CommandAck, new CommandAck { Robot = _robot, Id = id, Status = CommandStatus.Succeeded, TimeNs = 5 });
        await ApplyAsync(MqttTopicKind.CommandAck, new CommandAck { Robot = _robot, Id = id, Status = CommandStatus.Succeeded, TimeNs = 5 });

        await using var db = catalogue.CreateDbContext();
        Assert.Equal(CommandStatus.Succeeded, (await db.Commands.SingleAsync(c => c.Id == id)).Status);
        Assert.Single(await db.CommandAnswers.Where(a => a.CommandId == id).ToListAsync());
    }

    [Fact]
    public async Task In_any_order_and_however_often_the_same_announcements_give_the_same_catalogue()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var session = Guid.CreateVersion7();
        var announcements = Announcements(session);
        for (var round = 0; round < 5; round++)
        {
            var deliveries = announcements.Concat(announcements).Concat(announcements).ToArray();
            random.Shuffle(deliveries);
            await Parallel.ForEachAsync(deliveries, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (deliver, _) => await deliver());
        }

        await using var db = catalogue.CreateDbContext();
        var known = await db.Sessions.SingleAsync(s => s.Id == session);
        var segments = await db.Segments.Where(s => s.SessionId == session).OrderBy(s => s.Sequence).ToListAsync();
        var because = $"seed {seed}";
        Assert.True(known is { State: SessionState.Finished, Name: "last" }, because);
        Assert.True(segments.Select(s => (s.Sequence, s.Custody)).SequenceEqual(
            [(1, Custody.Uploaded), (2, Custody.Uploaded), (3, Custody.Discarded)]), because);
    }

    [Fact]
    public async Task Telemetry_and_log_lines_are_stored_once()
    {
        var telemetry = new TelemetryMessage
        {
            Robot = _robot,
            Revision = new Revision(1, 1),
            TimeNs = UnixTime.ToNanoseconds(DateTimeOffset.UtcNow),
            IntervalMs = 1000,
        };
        var line = new LogMessage { Robot = _robot, TimeNs = 1, Level = "warning", Text = "upload refused" };
        for (var i = 0; i < 3; i++)
        {
            await ApplyAsync(MqttTopicKind.Telemetry, telemetry);
            await ApplyAsync(MqttTopicKind.Log, line);
        }

        await using var db = catalogue.CreateDbContext();
        Assert.Single(await db.TelemetrySamples.Where(t => t.Robot == _robot).ToListAsync());
        Assert.Single(await db.RobotLogs.Where(l => l.Robot == _robot).ToListAsync());
    }

    [Fact]
    public async Task A_robot_cannot_announce_into_another_robots_session()
    {
        var session = Guid.CreateVersion7();
        await Announcements(session)[0]();
        var thief = new IngestionTests(catalogue);
        await Assert.ThrowsAsync<AnnouncementException>(() => thief.Announcements(session)[0]());
    }

    private async Task<Guid> StoreCommandAsync(Action<Command> change)
    {
        var command = Command.New(new CommandMessage
        {
            Id = Guid.CreateVersion7(),
            Robot = _robot,
            Command = CommandKind.Sync,
            Issuer = "user:alice",
            IssuedNs = 1,
            ExpiresNs = 1_000_000_000,
        });
        change(command);
        await using var db = catalogue.CreateDbContext();
        db.Commands.Add(command);
        await db.SaveChangesAsync();
        return command.Id;
    }

    /// <summary>Deliveries of everything that a robot says of one session, oldest first.</summary>
    private Func<Task>[] Announcements(Guid session)
    {
        var prefix = ObjectKeys.SessionPrefix("fleet", _robot, DateTimeOffset.UnixEpoch, session);
        var number = 0L;
        Func<Task> Session(SessionState state, string name)
        {
            var announcement = new SessionAnnouncement
            {
                Robot = _robot,
                Revision = new Revision(1, ++number),
                Manifest = new SessionManifest
                {
                    Robot = _robot,
                    Session = session,
                    Name = name,
                    State = state,
                    ObjectPrefix = prefix,
                    StartedNs = 1,
                    AgentVersion = "1",
                },
            };
            return () => ApplyAsync(MqttTopicKind.Manifest, announcement);
        }
        Func<Task> Segment(int sequence, Custody custody)
        {
            var announcement = new SegmentAnnouncement
            {
                Robot = _robot,
                Revision = new Revision(1, ++number),
                Custody = custody,
                Manifest = new SegmentManifest
                {
                    Robot = _robot,
                    Session = session,
                    Sequence = sequence,
                    ObjectKey = ObjectKeys.Segment(prefix, sequence),
                    Bytes = 1,
                    Sha256 = new string('a', 64),
                    ETag = "e",
                    AgentVersion = "1",
                    Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "b" },
                },
            };
            return () => ApplyAsync(MqttTopicKind.Manifest, announcement);
        }
        return
        [
            Session(SessionState.Recording, "first"), Segment(1, Custody.Sealed), Segment(2, Custody.Sealed), Segment(1, Custody.Uploading),
            Segment(1, Custody.Uploaded), Segment(3, Custody.Sealed), Segment(2, Custody.Uploaded), Segment(3, Custody.Discarded),
            Session(SessionState.Finished, "last"),
        ];
    }

    [Fact]
    public async Task A_robots_event_is_one_mark_however_often_it_is_told()
    {
        var told = new EventMessage { Id = Guid.CreateVersion7(), Robot = _robot, TimeNs = 5, EndNs = 9, Kind = "fall", Text = "on the stairs" };
        Assert.Equal(told.Id, ContractJson.Read<EventAck>(await ApplyAsync(MqttTopicKind.Log, told)).Id);
        Assert.Equal(told.Id, ContractJson.Read<EventAck>(await ApplyAsync(MqttTopicKind.Log, told)).Id); // the first answer may not have come
        await Assert.ThrowsAsync<ContractException>(() => ApplyAsync(MqttTopicKind.Log, told with { Id = Guid.NewGuid(), EndNs = 1 }));
        await using var db = catalogue.CreateDbContext();
        var mark = await db.Events.SingleAsync(e => e.Robot == _robot);
        Assert.Equal((5L, 9L, "fall", $"robot:{_robot}"), (mark.TimeNs, mark.EndNs!.Value, mark.Kind, mark.Author));
    }

    private StateMessage State(long epoch, long number, bool online, string version) => new()
    {
        Robot = _robot,
        Revision = new Revision(epoch, number),
        Online = online,
        TimeNs = 1,
        AgentVersion = version,
    };

    private Task<byte[]?> ApplyAsync<T>(MqttTopicKind kind, T message) where T : class, IContractMessage =>
        _ingestion.ApplyAsync(
            _robot, kind, new MqttMessage { Topic = MqttTopics.For(_robot, kind), Payload = ContractJson.Write(message) }, CancellationToken.None);
}
