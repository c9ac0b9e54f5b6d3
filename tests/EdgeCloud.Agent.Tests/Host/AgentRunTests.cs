using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Host;

[Collection(Servers.Name)]
public sealed class AgentRunTests(S3Server s3, MosquittoBroker broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_session_is_recorded_delivered_acknowledged_released_and_certified()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        robot.Start(recording: "{ segment_seconds: 1 }");
        await Eventually.Holds(() => plane.States.Any(s => s.Online && s.Topics.Count == 9), Deadline, "the robot is online with its topics");
        var id = Guid.CreateVersion7();
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Start, id)).Status);
        Assert.Equal(CommandStatus.Rejected, (await plane.CommandAsync(CommandKind.Start, id)).Status);
        await Eventually.Holds(() => plane.Segments.Count(s => s.Custody is Custody.Released) >= 2, Deadline, "two segments are released");
        await Eventually.Holds(() => plane.Telemetry.Any(t => t.MessagesPerSecond > 100 && t.Topics.Any(x => x.Hz > 50)), Deadline, "rates");
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Pause)).Status);
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Sync)).Status);
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Resume)).Status);
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Finish)).Status);
        await Eventually.Holds(() => plane.Sessions.Any(s => s.Manifest.State is SessionState.Finished), Deadline, "the session is finished");

        var manifest = plane.Sessions.Last().Manifest;
        var certificate = await robot.ReadCertificateAsync(manifest.ObjectPrefix);
        Assert.Equal(manifest.Messages, certificate.Messages);
        Assert.Equal(manifest.LastSequence, certificate.Segments!.Count);
        Assert.All(certificate.Ledger, e => Assert.Equal(e.Received, e.Recorded + e.Paused));
        var numbers = await robot.ReadBucketAsync(manifest.ObjectPrefix);
        Assert.Equal(certificate.Ledger.Where(e => e.Recorded > 0).Select(e => (e.Topic, e.Recorded)),
            numbers.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => (n.Key, (long)n.Value.Count)));
        Assert.Equal(certificate.Ledger.Single(e => e.Topic == "/imu/data").Paused, Gaps(numbers["/imu/data"]));
        // The last ones may be certified before their copies on the robot are deleted.
        await Eventually.Holds(() => Directory.GetFiles(robot.DataDir, "*.mcap*", SearchOption.AllDirectories).Length == 0, Deadline, "all is released");

        Assert.Equal(0, await robot.Process.TerminateAsync(Deadline));
        await Eventually.Holds(() => plane.States.Last() is { Online: false } last && last.Revision.Number < Revision.WillNumber, Deadline, "the farewell");
    }

    [Fact]
    public async Task A_mark_that_was_left_before_the_agent_ran_or_while_it_is_killed_is_told_until_the_control_plane_has_it()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        plane.Answers = false;
        robot.Start(recording: "{ autostart: false }");
        await Eventually.Holds(() => plane.States.Any(s => s.Online), Deadline, "the robot is online");
        await robot.Process.KillAsync();
        await MarkAsync(robot, "fall", "on the stairs", "--ago", "2", "--lasted", "1.5");
        robot.Start(recording: "{ autostart: false }");
        await MarkAsync(robot, "bump");
        await Eventually.Holds(
            () => plane.Marks.Select(m => m.Kind).Distinct().Order().SequenceEqual(["bump", "fall"]), Deadline, "both marks are told");
        Assert.Equal(2, Directory.GetFiles(Path.Combine(robot.DataDir, "marks")).Length);

        plane.Answers = true;
        await Eventually.Holds(() => Directory.GetFiles(Path.Combine(robot.DataDir, "marks")).Length == 0, Deadline, "both are told again and answered");
        var fall = plane.Marks.First(m => m.Kind == "fall");
        Assert.Equal(("on the stairs", 1_500_000_000L), (fall.Text, fall.EndNs - fall.TimeNs));
        Assert.Null(plane.Marks.First(m => m.Kind == "bump").EndNs);
        Assert.Equal(2, plane.Marks.Select(m => m.Id).Distinct().Count());
    }

    private static async Task MarkAsync(RunningAgent robot, params string[] mark)
    {
        await using var process = ProductProcess.StartAgent(["mark", .. mark, "--config", robot.ConfigurationFile]);
        Assert.True(await process.WaitForExitAsync(Deadline) == 0, process.Output);
        Assert.StartsWith($"marked: {mark[0]} ", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_agent_goes_on_where_it_was_and_loses_nothing_that_was_announced()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        var random = new Random(1);
        for (var life = 0; life < 4; life++)
        {
            var before = plane.Segments.Count;
            robot.Start();
            await Eventually.Holds(() => plane.Segments.Count > before + 1, Deadline, "the agent announces segments");
            await Task.Delay(random.Next(700), TestContext.Current.CancellationToken); // A random moment, nothing is waited for.
            await robot.Process.KillAsync();
            await Eventually.Holds(() => plane.States.Last() is { Online: false }, Deadline, "the Last Will");
            Assert.Equal(Revision.WillNumber, plane.States.Last().Revision.Number);
        }
        robot.Start();
        await Eventually.Holds(() => plane.States.Last().Online, Deadline, "the robot is online again");
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Finish)).Status);
        await Eventually.Holds(() => plane.Sessions.Any(s => s.Manifest.State is SessionState.Finished), Deadline, "the session is finished");

        var manifest = plane.Sessions.Last().Manifest;
        Assert.Single(plane.Sessions.Select(s => s.Manifest.Session).Distinct());
        var certificate = await robot.ReadCertificateAsync(manifest.ObjectPrefix);
        // The last ones may be certified before their copies on the robot are deleted.
        Assert.All(certificate.Segments!, s => Assert.True(s.Custody is Custody.Acknowledged or Custody.Released, s.ToString()));
        Assert.Equal(Enumerable.Range(1, certificate.Segments!.Count), certificate.Segments.Select(s => s.Sequence));
        var numbers = await robot.ReadBucketAsync(manifest.ObjectPrefix);
        Assert.Equal(certificate.Messages, numbers.Sum(n => n.Value.Count));
        // Each start of the simulated robot counts from 0: within one, there is no gap but at its end.
        Assert.Equal(0, Gaps(numbers["/imu/data"]));
        Assert.Equal(5, numbers["/imu/data"].Count(n => n == 0));
        var chain = plane.Segments.Select(s => s.Manifest).DistinctBy(m => m.Sequence).OrderBy(m => m.Sequence).ToList();
        Assert.Equal(chain.Select(m => m.Sha256).SkipLast(1), chain.Skip(1).Select(m => m.PreviousSha256));
        Assert.True(plane.Segments.GroupBy(s => s.Manifest.Sequence).All(g => g.Select(s => s.Manifest.Sha256).Distinct().Count() == 1));
    }

    [Fact]
    public async Task A_ring_delivers_only_what_a_trigger_pins_also_when_the_agent_is_killed_before_the_event_is_over()
    {
        const string ring = "{ autostart: true, segment_seconds: 1, bound_ms: 10, ring: { minutes: 0.1 } }";
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        robot.Start(recording: ring);
        await Eventually.Holds(() => plane.Segments.Any(s => s.Custody is Custody.Discarded), Deadline, "the ring ran over a segment");
        await plane.SendAsync(MqttTopicKind.Trigger, ContractJson.Write(new TriggerMessage
        {
            Robot = robot.Robot,
            Reason = "bumper",
            Span = new TriggerSpan { PreSeconds = 2, PostSeconds = 3 },
        }));
        await Eventually.Holds(() => plane.Sessions.Any(s => s.Manifest.Event is not null), Deadline, "the event is announced");
        await robot.Process.KillAsync();
        robot.Start(recording: ring);
        await Eventually.Holds(
            () => plane.Sessions.Any(s => s.Manifest is { Event: not null, State: SessionState.Finished }), Deadline, "the event is delivered");

        var manifest = plane.Sessions.Last(s => s.Manifest.Event is not null).Manifest;
        Assert.Equal("bumper", manifest.Name);
        var clip = (await robot.ReadCertificateAsync(manifest.ObjectPrefix)).Event!;
        Assert.Equal("mqtt", Assert.Single(clip.Triggers).Issuer);
        Assert.NotEmpty(clip.Segments!);
        Assert.Equal(clip.Segments!, plane.Segments.Where(s => s.Custody is Custody.Uploaded).Select(s => s.Manifest.Sequence).Distinct().Order());
        Assert.All(plane.Segments.Where(s => s.Custody is Custody.Discarded), s => Assert.StartsWith("ring: ", s.Reason, StringComparison.Ordinal));
        var parent = plane.Sessions.Last(s => s.Manifest.Session == clip.Parent).Manifest;
        Assert.Single(parent.Gaps);
        Assert.True(parent.Ledger.Sum(e => e.Discarded) > 0);
    }

    [Fact]
    public async Task Without_broker_and_bucket_recording_goes_on_and_everything_is_delivered_afterwards()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var bucketLink = new TcpRelay(new Uri(s3.Endpoint).Port);
        await using var brokerLink = new TcpRelay(broker.Port);
        robot.S3Endpoint = $"http://127.0.0.1:{bucketLink.Port}";
        robot.BrokerPort = brokerLink.Port;
        bucketLink.Cut(refuse: true);
        brokerLink.Cut(refuse: true);
        robot.Start();
        await robot.Process.WaitForLineAsync("No connection to the broker", Deadline);
        await robot.Process.WaitForLineAsync("cannot be reached", Deadline);
        await Eventually.Holds(() => Directory.GetFiles(robot.DataDir, "*.mcap", SearchOption.AllDirectories).Length >= 2, Deadline, "segments");
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        bucketLink.Restore();
        brokerLink.Restore();
        await Eventually.Holds(() => plane.Segments.Count(s => s.Custody is Custody.Released) >= 2, Deadline, "segments are released");
        Assert.Equal(1, robot.Process.Output.Split('\n').Count(l => l.Contains("warning  mqtt: No connection", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Announcements_are_repeated_until_somebody_answers()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        plane.Answers = false;
        robot.Start();
        await Eventually.Holds(() => plane.Segments.Count(s => s.Manifest.Sequence == 1 && s.Custody is Custody.Uploaded) >= 3, Deadline, "repeats");
        Assert.NotEmpty(Directory.GetFiles(robot.DataDir, "000001.mcap", SearchOption.AllDirectories));
        plane.Answers = true;
        await Eventually.Holds(() => plane.Segments.Any(s => s.Manifest.Sequence == 1 && s.Custody is Custody.Released), Deadline, "it is released");
    }

    [Fact]
    public async Task What_is_malformed_is_one_line_that_also_reaches_the_control_plane_and_nothing_stops()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        robot.Start();
        await Eventually.Holds(() => plane.States.Any(s => s.Online), Deadline, "the robot is online");
        await plane.SendAsync(MqttTopicKind.Command, "no json"u8.ToArray());
        await plane.SendAsync(MqttTopicKind.Command, "{\"schema\":\"edgecloud.command/9\"}"u8.ToArray());
        await plane.SendAsync(MqttTopicKind.Command, ContractJson.Write(new CommandAck { Robot = robot.Robot, Id = Guid.NewGuid(), Status = CommandStatus.Failed, TimeNs = 1 }));
        await plane.SendAsync(MqttTopicKind.Custody, new byte[ContractJson.MaxPayloadBytes / 4]);
        await Eventually.Holds(() => plane.Logs.Count(l => l.Text.Contains("was left aside", StringComparison.Ordinal)) == 4, Deadline, "four lines");
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Status)).Status);
        Assert.Equal(CommandStatus.Rejected, (await plane.CommandAsync(CommandKind.Resume)).Status);
    }

    [Fact]
    public async Task A_wrong_password_is_one_line_and_recording_goes_on()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        robot.Password = "wrong";
        robot.Start();
        await robot.Process.WaitForLineAsync("The broker refuses this robot", Deadline);
        await Eventually.Holds(() => Directory.GetFiles(robot.DataDir, "000002.mcap*", SearchOption.AllDirectories).Length > 0, Deadline, "segments");
        Assert.Equal(1, robot.Process.Output.Split('\n').Count(l => l.Contains("refuses this robot", StringComparison.Ordinal)));
        Assert.Equal(0, await robot.Process.TerminateAsync(Deadline));
    }

    [Fact]
    public async Task A_broken_recording_is_an_alarm_and_the_agent_goes_on_with_what_was_whole()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(TestData.Path("rosbag2/wbag_0.mcap"));
        File.WriteAllBytes(folder["cut.mcap"], whole[..(whole.Length / 2)]);
        robot.Start($"{{ kind: replay, input: {folder["cut.mcap"]}, rate: 1000, loop: false }}");
        await Eventually.Holds(() => plane.States.Any(s => s.Alarms.Any(a => a.Contains("is broken after", StringComparison.Ordinal))), Deadline, "the alarm");
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Finish)).Status);
        await Eventually.Holds(() => plane.Sessions.Any(s => s.Manifest.State is SessionState.Finished), Deadline, "the session is finished");
    }

    [Fact]
    public async Task Health_and_metrics_are_answered_on_loopback()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        var port = FreePort.ToComeBackTo();
        robot.Start(more: $"health: {{ port: {port} }}");
        await robot.Process.WaitForLineAsync("Connected to the broker", Deadline);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.Equal("ok\n", await http.GetStringAsync("/healthz"));
        await Eventually.Holds(async () => (await http.GetStringAsync("/metrics")).Contains("edgecloud_mqtt_connected 1\n", StringComparison.Ordinal), Deadline, "metrics");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync("/other")).StatusCode);
    }

    [Fact]
    public async Task A_port_that_somebody_else_has_costs_the_health_endpoint_and_not_the_recording()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        using var http = new HttpClient();
        var port = FreePort.ToComeBackTo();
        using (var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port))
        {
            taken.Start();
            http.BaseAddress = new Uri($"http://127.0.0.1:{port}");
            robot.Start(more: $"health: {{ port: {port} }}");
            await robot.Process.WaitForLineAsync($"health.port {port} cannot be listened on", Deadline);
            await Eventually.Holds(() => Directory.GetFiles(robot.DataDir, "000002.mcap*", SearchOption.AllDirectories).Length > 0, Deadline, "segments");
        }
        await Eventually.Holds(async () =>
        {
            try
            {
                return await http.GetStringAsync("/healthz") == "ok\n";
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, Deadline, "the endpoint, now that the port is free");
    }

    [Fact]
    public async Task An_answer_that_the_broker_refuses_is_sent_again_with_growing_pauses()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        await using var other = await RunningAgent.CreateAsync(broker, s3);
        (robot.User, robot.Password) = (other.Robot, other.Password); // may write about the other one only
        Directory.CreateDirectory(robot.DataDir);
        var command = new CommandMessage { Id = Guid.CreateVersion7(), Robot = robot.Robot, Command = CommandKind.Status, Issuer = "test", IssuedNs = 1, ExpiresNs = 2 };
        EdgeCloud.Agent.Control.CommandMemory.Open(robot.DataDir, Assert.Fail).Answer(
            command, new CommandAck { Robot = robot.Robot, Id = command.Id, Status = CommandStatus.Succeeded, TimeNs = 1 });
        robot.Start();
        List<DateTimeOffset> Refused(string topic) => [.. robot.Process.Output.Split('\n')
            .Where(l => l.Contains($"did not take a message on edgecloud/v1/{robot.Robot}/{topic}:", StringComparison.Ordinal))
            .Select(l => DateTimeOffset.Parse(l.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture))];
        await Eventually.Holds(() => Refused("cmd/ack").Count >= 3, Deadline, "three attempts");
        var times = Refused("cmd/ack");
        Assert.InRange((times[2] - times[0]).TotalSeconds, 2.9, 60);
        Assert.Empty(Refused("log")); // each would make the next one
    }

    [Fact]
    public async Task A_disk_that_somebody_else_fills_ends_nothing_and_all_that_was_recorded_is_delivered()
    {
        await using var robot = await RunningAgent.CreateAsync(broker, s3);
        using var disk = SmallDisk.Mount(robot.DataDir, "96m");
        await using var plane = await ScriptedControlPlane.ConnectAsync(broker, robot.Robot);
        robot.Start();
        await Eventually.Holds(() => plane.Segments.Any(s => s.Custody is Custody.Released), Deadline, "a segment is released");
        var filler = Path.Combine(robot.DataDir, "agent.lock.filler");
        // What the agent frees is taken as well.
        bool IsFull()
        {
            disk.Fill(filler);
            return plane.States.Last() is { Online: true, Alarms.Count: > 0 };
        }
        await Eventually.Holds(IsFull, Deadline, "an alarm");
        await robot.Process.KillAsync();
        robot.Start();
        await robot.Process.WaitForLineAsync("Connected to the broker", Deadline);
        await Eventually.Holds(IsFull, Deadline, "an alarm of the agent that started on a full disk");
        Assert.False(robot.Process.HasExited);
        File.Delete(filler);
        await Eventually.Holds(() => plane.States.Last() is { Online: true, Alarms.Count: 0 }, Deadline, "the alarms are over");
        Assert.Equal(CommandStatus.Succeeded, (await plane.CommandAsync(CommandKind.Finish)).Status);
        await Eventually.Holds(() => plane.Sessions.Any(s => s.Manifest.State is SessionState.Finished), Deadline, "the session is finished");
        var manifest = plane.Sessions.Last().Manifest;
        var certificate = await robot.ReadCertificateAsync(manifest.ObjectPrefix);
        Assert.Equal(certificate.Messages, (await robot.ReadBucketAsync(manifest.ObjectPrefix)).Sum(n => n.Value.Count));
        Assert.All(certificate.Segments!, s => Assert.True(s.Custody is Custody.Acknowledged or Custody.Released, s.ToString()));
    }

    /// <summary>Numbers that are missing between others; where numbers start again from 0, nothing is missing.</summary>
    private static long Gaps(List<uint> numbers) => numbers.Zip(numbers.Skip(1), (a, b) => b == 0 ? 0 : (long)b - a - 1).Sum();
}
