using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Tests.Rest;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Flow;

/// <summary>What robots say reaches the catalogue and the API, and the answers reach the robots: over the real broker, bucket and database.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class FlowTests(ControlPlaneProcess plane, MosquittoBroker broker, S3Server s3) : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static int _robots;

    private ApiClient _api = null!;
    private ScriptedRobot _robot = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await ApiClient.LoginAsync(plane);
        _robot = await ScriptedRobot.ConnectAsync($"bot-{Interlocked.Increment(ref _robots)}", broker, s3, plane.Bucket);
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(plane.Output);
        await _robot.DisposeAsync();
        _api.Dispose();
    }

    [Fact]
    public async Task A_robot_appears_with_its_first_state_and_goes_offline_with_its_last_one()
    {
        await _robot.SendStateAsync();
        await RobotAsync(r => r.Online && r.State?.Topics is [{ Topic: "/a" }] && r.LastSeenAt is not null, "it is online");

        await _robot.SendAsync(MqttTopicKind.State, new StateMessage
        {
            Robot = _robot.Id,
            Revision = _robot.Next() with { Number = Revision.WillNumber },
            Online = false,
            TimeNs = 1,
            AgentVersion = "1.0",
        });
        await RobotAsync(r => !r.Online && r.State?.Topics is [{ Topic: "/a" }], "it is offline and its last topics are still known");

        await _robot.SendStateAsync();
        Assert.False((await _api.GetAsync<RobotView>($"/api/v1/robots/{_robot.Id}")).Online);
    }

    [Fact]
    public async Task Telemetry_shows_with_the_robot()
    {
        await _robot.SendAsync(MqttTopicKind.Telemetry, new TelemetryMessage
        {
            Robot = _robot.Id,
            Revision = _robot.Next(),
            TimeNs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000,
            IntervalMs = 1000,
            MessagesPerSecond = 12.5,
            Topics = [new TopicRate("/a", "std_msgs/msg/String", 12.5, 400, 0)],
        });
        await RobotAsync(r => r.Telemetry is { MessagesPerSecond: 12.5, Topics: [{ Hz: 12.5 }] }, "its figures are there");
    }

    [Fact]
    public async Task A_segment_is_acknowledged_only_when_its_object_is_what_the_manifest_says()
    {
        var session = _robot.Session(Guid.CreateVersion7());
        var segment = _robot.Segment(session, 1, 10, 1_000_000_000);
        await _robot.AnnounceAsync(session);
        await _robot.AnswerAsync(session.Session, null, CustodyDecision.Noted);
        await _robot.AnnounceAsync(segment.Manifest, Custody.Sealed);
        await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Noted);

        await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        Assert.Contains("not in the bucket", (await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Refused)).Reason);
        Assert.Equal(Custody.Sealed, (await SegmentsAsync(session))[0].Custody);

        foreach (var (bytes, sha256, words) in new[]
        {
            (segment.Bytes[..^1], segment.Manifest.Sha256, "bytes"),
            ([.. segment.Bytes.Reverse()], segment.Manifest.Sha256, "the object's content has SHA-256"),
            (segment.Bytes, new string('0', 64), "the object's SHA-256 metadata"),
        })
        {
            _robot.Custody.Clear();
            await _robot.UploadAsync(segment, bytes, sha256);
            await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
            Assert.Contains(words, (await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Refused)).Reason);
        }

        await _robot.UploadAsync(segment);
        await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        var acknowledgement = await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Acknowledged);
        Assert.Equal(segment.Manifest.Sha256, acknowledgement.Sha256);
        var known = Assert.Single(await SegmentsAsync(session));
        Assert.Equal((Custody.Acknowledged, true), (known.Custody, known.AcknowledgedAt is not null));
        Assert.Equal(segment.Manifest.Sha256, known.Manifest.Sha256);

        await _robot.AnnounceAsync(segment.Manifest, Custody.Released);
        await Eventually.Holds(async () => (await SegmentsAsync(session))[0].Custody == Custody.Released, Deadline, "it is released");
    }

    [Fact]
    public async Task A_session_shows_what_its_segments_add_up_to()
    {
        var session = _robot.Session(Guid.CreateVersion7());
        var first = _robot.Segment(session, 1, 10, 1_000_000_000);
        var second = _robot.Segment(session, 2, 5, 2_000_000_000);
        await _robot.AnnounceAsync(first.Manifest, Custody.Sealed);
        await _robot.AnnounceAsync(second.Manifest, Custody.Discarded, "cancelled");
        await _robot.AnnounceAsync(session with { State = SessionState.Cancelled, Reason = "test" });

        var path = $"/api/v1/sessions/{session.Session}";
        var view = await Eventually.Gives(
            async () => await _api.TryGetAsync<SessionView>(path) is { State: SessionState.Cancelled, Segments: 2 } found ? found : null,
            Deadline, "the session is there");
        Assert.Equal((15, first.Manifest.Bytes + second.Manifest.Bytes, 2), (view.Messages, view.Bytes, view.Lost));
        Assert.Equal([(Custody.Sealed, first.Manifest.Bytes), (Custody.Discarded, second.Manifest.Bytes)],
            view.BytesByCustody.OrderBy(b => b.Key).Select(b => (b.Key, b.Value)));
        Assert.Equal(15, Assert.Single(view.Topics!).Messages);
        Assert.Equal(2, Assert.Single(view.Ledger!).DroppedQueue);
        Assert.Equal(("a walk", "test"), (view.Name, view.Reason));
        Assert.Equal("cancelled", (await SegmentsAsync(session))[1].Reason);

        var list = await _api.GetAsync<Page<SessionView>>($"/api/v1/sessions?robot={_robot.Id}&state=cancelled");
        Assert.Equal(session.Session, Assert.Single(list.Items).Session);
        Assert.Empty((await _api.GetAsync<Page<SessionView>>($"/api/v1/sessions?robot={_robot.Id}&state=finished")).Items);
    }

    [Fact]
    public async Task Lists_come_in_pages_without_gaps_or_repetitions()
    {
        var ids = Enumerable.Range(0, 7).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var id in ids)
            await _robot.AnnounceAsync(_robot.Session(id));
        await Eventually.Holds(
            async () => (await _api.GetAsync<Page<SessionView>>($"/api/v1/sessions?robot={_robot.Id}")).Items.Count == ids.Count, Deadline, "all are there");

        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = await _api.GetAsync<Page<SessionView>>($"/api/v1/sessions?robot={_robot.Id}&limit=3{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.InRange(page.Items.Count, 1, 3);
            seen.AddRange(page.Items.Select(s => s.Session));
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        Assert.Equal(ids.Order(), seen.Order());
    }

    [Fact]
    public async Task A_command_reaches_the_robot_and_its_answers_come_back()
    {
        await _robot.SendStateAsync();
        await RobotAsync(r => r.Online, "it is online");
        var issued = await _api.PostAsync<CommandView>($"/api/v1/robots/{_robot.Id}/commands", new { command = "start", name = "a walk", start_paused = true });
        Assert.Equal((CommandStatus.Queued, true, "key:admin/cli"), (issued.Status, issued.Session is not null, issued.Issuer));

        var received = await Eventually.Gives(
            () => Task.FromResult(_robot.Commands.FirstOrDefault(c => c.Id == issued.Id)), Deadline, "the robot has it");
        Assert.Equal((CommandKind.Start, "a walk", true, issued.Session), (received.Command, received.Name, received.StartPaused, received.Session));

        await _robot.AnswerAsync(issued.Id, CommandStatus.Progress, percent: 50);
        await CommandAsync(issued, c => c is { Status: CommandStatus.Progress, Percent: 50 });
        await _robot.AnswerAsync(issued.Id, CommandStatus.Accepted);
        await _robot.AnswerAsync(issued.Id, CommandStatus.Succeeded);
        await _robot.AnswerAsync(issued.Id, CommandStatus.Failed, "too late to fail");
        await _robot.SendStateAsync(online: false);
        await RobotAsync(r => !r.Online, "everything before is applied");
        await CommandAsync(issued, c => c is { Status: CommandStatus.Succeeded, Reason: "" });
        Assert.Equal(issued.Id, Assert.Single((await _api.GetAsync<Page<CommandView>>($"/api/v1/robots/{_robot.Id}/commands")).Items).Id);
    }

    [Fact]
    public async Task A_time_range_that_is_asked_for_reaches_the_robot_that_has_the_session()
    {
        var session = _robot.Session(Guid.CreateVersion7()) with { Upload = "on-demand", Requested = [new TimeRange(5, null)] };
        await _robot.AnnounceAsync(session);
        var path = $"/api/v1/sessions/{session.Session}";
        await Eventually.Holds(
            async () => await _api.TryGetAsync<SessionView>(path) is { Upload: "on-demand", Requested: [{ FromNs: 5, ToNs: null }] }, Deadline, "it is there");
        var issued = await _api.PostAsync<CommandView>($"{path}/fetch", new { from_ns = 10, to_ns = 20 });
        Assert.Equal((CommandKind.Fetch, session.Session, _robot.Id), (issued.Command, issued.Session, issued.Robot));
        var received = await Eventually.Gives(
            () => Task.FromResult(_robot.Commands.FirstOrDefault(c => c.Id == issued.Id)), Deadline, "the robot has it");
        Assert.Equal((session.Session, new TimeRange(10, 20)), (received.Session, received.Range));

        Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await _api.SendAsync($"{path}/fetch", new { from_ns = 20, to_ns = 20 })).StatusCode);
        await _robot.AnnounceAsync(session with { State = SessionState.Finished });
        await Eventually.Holds(async () => (await _api.GetAsync<SessionView>(path)).State == SessionState.Finished, Deadline, "it is finished");
        Assert.Equal(System.Net.HttpStatusCode.Conflict, (await _api.SendAsync($"{path}/fetch", new { })).StatusCode);
    }

    [Fact]
    public async Task A_command_that_nobody_answers_expires_and_the_robots_late_word_counts_more()
    {
        await _robot.SendStateAsync();
        await RobotAsync(r => r.Online, "it is online");
        var issued = await _api.PostAsync<CommandView>($"/api/v1/robots/{_robot.Id}/commands", new { command = "sync", expires_in_seconds = 1 });
        await CommandAsync(issued, c => c.Status == CommandStatus.Expired && c.Reason.Length > 0);

        await _robot.AnswerAsync(issued.Id, CommandStatus.Succeeded);
        await CommandAsync(issued, c => c.Status == CommandStatus.Succeeded);
    }

    [Fact]
    public async Task A_command_to_an_offline_robot_waits_at_the_broker()
    {
        await _robot.SendStateAsync();
        await RobotAsync(r => r.Online, "it is online");
        var id = _robot.Id;
        await _robot.DisposeAsync();

        var issued = await _api.PostAsync<CommandView>($"/api/v1/robots/{id}/commands", new { command = "status" });
        _robot = await ScriptedRobot.ConnectAsync(id, broker, s3, plane.Bucket);
        await Eventually.Gives(() => Task.FromResult(_robot.Commands.FirstOrDefault(c => c.Id == issued.Id)), Deadline, "the robot has it");
    }

    [Theory]
    [InlineData("state", "no json at all", "not JSON")]
    [InlineData("state", "{\"schema\":\"edgecloud.state/2\"}", "edgecloud.state/2")]
    [InlineData("state", "{\"schema\":\"edgecloud.state/1\",\"robot\":\"somebody-else\",\"revision\":{\"epoch\":1,\"number\":1},\"online\":true,\"time_ns\":1,\"agent_version\":\"\"}", "somebody-else")]
    [InlineData("state", "{\"schema\":\"edgecloud.state/1\",\"robot\":\"$ROBOT\",\"revision\":{\"epoch\":1,\"number\":1},\"online\":true,\"time_ns\":1,\"agent_version\":\"\\u0000\"}", "NUL")]
    [InlineData("state", "{\"schema\":\"edgecloud.state/1\",\"robot\":\"$ROBOT\",\"revision\":{\"epoch\":1,\"number\":1},\"online\":true,\"time_ns\":1,\"agent_version\":\"\",\"topics\":[null]}", "topics")]
    [InlineData("state", "{\"schema\":\"edgecloud.state/1\",\"robot\":\"$ROBOT\",\"revision\":{\"epoch\":1,\"number\":1},\"online\":true,\"time_ns\":1,\"agent_version\":\"\\ud800\"}", "")]
    [InlineData("telemetry", "{\"schema\":\"edgecloud.telemetry/1\",\"robot\":\"$ROBOT\",\"revision\":{\"epoch\":1,\"number\":1},\"time_ns\":1,\"interval_ms\":1,\"messages_per_second\":1e999}", "finite")]
    [InlineData("cmd/ack", "{\"schema\":\"edgecloud.command_ack/1\",\"robot\":\"$ROBOT\",\"id\":\"01900000-0000-7000-8000-000000000000\",\"status\":\"succeeded\",\"time_ns\":1}", "not given to it")]
    [InlineData("manifest", "{\"schema\":\"edgecloud.session/1\"}", "edgecloud.session/1")]
    [InlineData("log", "[]", "not a JSON object")]
    public async Task A_malformed_message_costs_one_line_that_names_robot_and_reason(string topic, string payload, string reason)
    {
        Assert.True(MqttTopics.TryParse($"edgecloud/v1/{_robot.Id}/{topic}", out _, out var kind));
        await _robot.SendAsync(kind, System.Text.Encoding.UTF8.GetBytes(payload.Replace("$ROBOT", _robot.Id)));
        await Eventually.Holds(() => Output().Any(l => l.Contains("Refused") && l.Contains(_robot.Id + ":") && l.Contains(reason)), Deadline, "the line is there");

        await _robot.SendStateAsync();
        await RobotAsync(r => r.Online, "the next message is applied");
        Assert.Single(Output(), l => l.Contains(_robot.Id + ":"));
    }

    [Fact]
    public async Task A_robot_cannot_speak_of_another_robots_place_in_the_bucket()
    {
        var session = _robot.Session(Guid.CreateVersion7());
        var segment = _robot.Segment(session, 1, 1, 1_000_000_000);
        var refusals = 0;
        foreach (var key in new[]
        {
            segment.Manifest.ObjectKey.Replace(_robot.Id, "amr-99"),
            segment.Manifest.ObjectKey.Replace(session.Session.ToString(), Guid.NewGuid().ToString()),
            segment.Manifest.ObjectKey.Replace("000001", "000002"),
            segment.Manifest.ObjectKey.Replace("date=", "date=../"),
            "exports/" + segment.Manifest.ObjectKey,
        })
        {
            await _robot.AnnounceAsync(segment.Manifest with { ObjectKey = key }, Custody.Sealed);
            var refused = ++refusals;
            await Eventually.Holds(() => Output().Count(l => l.Contains("Refused") && l.Contains(_robot.Id + ":")) == refused, Deadline, $"{key} is refused");
        }
        Assert.Null(await _api.TryGetAsync<SessionView>($"/api/v1/sessions/{session.Session}"));
    }

    [Fact]
    public async Task An_export_is_one_file_with_every_acknowledged_message_and_says_what_is_missing()
    {
        var session = _robot.Session(Guid.CreateVersion7(), SessionState.Finished, lastSequence: 4);
        var segments = Enumerable.Range(1, 3).Select(i => _robot.Segment(session, i, 500, (ulong)i * 1_000_000_000)).ToList();
        await _robot.AnnounceAsync(session);
        foreach (var segment in segments.Take(2))
        {
            await _robot.UploadAsync(segment);
            await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
            await _robot.AnswerAsync(session.Session, segment.Manifest.Sequence, CustodyDecision.Acknowledged);
        }
        await _robot.AnnounceAsync(segments[2].Manifest, Custody.Discarded, "ring");
        await _robot.AnswerAsync(session.Session, 3, CustodyDecision.Noted);

        var export = await ExportAsync(new { sessions = new[] { session.Session } });

        Assert.Equal((ExportState.Succeeded, 100, 1000, ""), (export.State, export.Percent, export.Messages, export.Error));
        Assert.Equal([$"{session.Session}/3: discarded", $"{session.Session}/4: not announced"], export.MissingSegments);
        Assert.Equal(2, Assert.Single(export.Ledger).DroppedQueue);
        Assert.StartsWith($"{_robot.Id}-", export.FileName);
        var file = await _api.DownloadAsync(export.DownloadUrl!);
        var files = (await _api.GetAsync<Page<ExportFileView>>($"/api/v1/exports/{export.Id}/files")).Items;
        Assert.Equal((3, export.Files, export.Bytes), (files.Count, files.Count, files.Sum(f => f.Bytes)));
        Assert.Equal(file.Length, files.Single(f => f.Path.EndsWith(".mcap", StringComparison.Ordinal)).Bytes);
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "export"), new McapIndexedReaderOptions { AllowScan = false });
        Assert.Equal(1000ul, reader.Summary.Statistics!.MessageCount);
        var times = new List<ulong>();
        await foreach (var message in reader.ReadMessages())
            times.Add(message.LogTime);
        Assert.Equal(segments.Take(2).SelectMany(s => Enumerable.Range(0, 500).Select(i => (ulong)s.Manifest.LogTimeStartNs + (ulong)i * 1_000_000)), times);
    }

    [Fact]
    public async Task An_export_of_an_object_that_was_replaced_fails_and_names_the_segment()
    {
        var session = _robot.Session(Guid.CreateVersion7());
        var segment = _robot.Segment(session, 1, 100, 1_000_000_000);
        await _robot.UploadAsync(segment);
        await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Acknowledged);
        await _robot.UploadAsync(segment, [.. segment.Bytes.Reverse()]);

        var export = await ExportAsync(new { sessions = new[] { session.Session } });

        Assert.Equal((ExportState.Failed, null), (export.State, export.DownloadUrl));
        Assert.Contains($"{session.Session}/1", export.Error);
        var refused = await _api.SendAsync($"/api/v1/exports/{export.Id}/cancel", null);
        Assert.Equal(System.Net.HttpStatusCode.Conflict, refused.StatusCode);
    }

    private string[] Output() => plane.Output.Split('\n');

    private async Task<ExportView> ExportAsync(object request)
    {
        var created = await _api.PostAsync<ExportView>("/api/v1/exports", request);
        return await Eventually.Gives(
            async () => await _api.GetAsync<ExportView>($"/api/v1/exports/{created.Id}") is
            { State: ExportState.Succeeded or ExportState.Failed or ExportState.Cancelled } over ? over : null,
            Deadline, "the export is over");
    }

    private Task<RobotView> RobotAsync(Func<RobotView, bool> condition, string description) => Eventually.Gives(
        async () => await _api.TryGetAsync<RobotView>($"/api/v1/robots/{_robot.Id}") is { } robot && condition(robot) ? robot : null, Deadline, description);

    private Task<CommandView> CommandAsync(CommandView issued, Func<CommandView, bool> condition) => Eventually.Gives(
        async () => await _api.GetAsync<CommandView>($"/api/v1/commands/{issued.Id}") is var command && condition(command) ? command : null,
        Deadline, "the command is so far");

    private async Task<IReadOnlyList<SegmentView>> SegmentsAsync(SessionManifest session) =>
        (await _api.GetAsync<Page<SegmentView>>($"/api/v1/sessions/{session.Session}/segments")).Items;
}
