using System.Net;
using System.Net.Http.Headers;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Mqtt;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>What is wrong from outside gives one clear line and leaves the process working.</summary>
public sealed class BadInputTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    private const string Simulated = "{ kind: simulated, rate: 0.1 }";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        system.ShowLogsOfFailure();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_broken_recording_is_named_with_its_fault_and_the_agent_goes_on_taking_commands()
    {
        var whole = await File.ReadAllBytesAsync(TestData.Path("rosbag2/chatter_0.mcap"), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder["broken.mcap"], whole[..(whole.Length / 2)], TestContext.Current.CancellationToken);

        await using var agent = await system.StartAgentAsync(
            "broken-input", $"{{ kind: replay, input: {_folder["broken.mcap"]}, times: original, loop: false, rate: 0 }}");

        Assert.Contains("broken.mcap", await agent.WaitForLineAsync("cannot go on", Deadline));
        await AnswersAsync("broken-input");
    }

    [Fact]
    public async Task A_malformed_command_over_MQTT_is_left_aside_in_one_line()
    {
        await using var agent = await system.StartAgentAsync("malformed", Simulated);
        await system.Api.WaitForRobotAsync("malformed", _ => true, "is online");
        await using var link = await ConnectAsync("controlplane");

        foreach (var payload in (string[])["", "{", "[]", """{"schema":"edgecloud.command/9"}""", """{"schema":"edgecloud.command/1","command":"jump"}"""])
            await link.PublishAsync(new MqttMessage { Topic = MqttTopics.For("malformed", MqttTopicKind.Command), Payload = Encoding.UTF8.GetBytes(payload) }, TestContext.Current.CancellationToken);

        await AnswersAsync("malformed");
        await Eventually.Holds(() => agent.Output.Split('\n').Count(l => l.Contains("was left aside")) == 5, Deadline, "there are five lines");
    }

    [Fact]
    public async Task Malformed_messages_of_a_robot_are_refused_by_the_control_plane_which_goes_on_listening()
    {
        const string robot = "babbling";
        await system.Broker.AddRobotsAsync(robot);
        await using (var link = await ConnectAsync(robot))
        {
            foreach (var kind in (MqttTopicKind[])[MqttTopicKind.State, MqttTopicKind.Telemetry, MqttTopicKind.Manifest, MqttTopicKind.CommandAck, MqttTopicKind.Log])
            {
                foreach (var payload in (string[])["", "\0\u0001", "null", """{"schema":"edgecloud.state/1","robot":"somebody-else"}"""])
                    await link.PublishAsync(new MqttMessage { Topic = MqttTopics.For(robot, kind), Payload = Encoding.UTF8.GetBytes(payload) }, TestContext.Current.CancellationToken);
            }
        }

        await using var agent = await system.StartAgentAsync(robot, Simulated);
        await system.Api.WaitForRobotAsync(robot, _ => true, "is online");
        await Eventually.Holds(() => system.ControlPlane.Output.Contains("Refused a"), Deadline, "there is a line");
    }

    [Fact]
    public async Task A_wrong_MQTT_password_is_said_and_recording_goes_on()
    {
        const string robot = "wrong-password";
        await using var agent = await system.StartAgentAsync(
            robot, Simulated, "recording: { autostart: true }", new Dictionary<string, string> { ["EDGECLOUD_MQTT__PASSWORD"] = "wrong" });

        Assert.Contains("mqtt.password", await agent.WaitForLineAsync("The broker refuses this robot", Deadline));
        Assert.Equal(0, await agent.TerminateAsync(Deadline));
        Assert.NotEmpty(Recording.Read(Directory.GetFiles(system.DataDir(robot), "000001.mcap", SearchOption.AllDirectories).Single()));
    }

    [Fact]
    public async Task Servers_that_cannot_be_reached_are_said_and_recording_goes_on()
    {
        const string robot = "far-away";
        var nobody = FreePort.ToComeBackTo();
        await using var agent = await system.StartAgentAsync(
            robot, Simulated, "recording: { autostart: true, segment_seconds: 1 }",
            new Dictionary<string, string> { ["EDGECLOUD_MQTT__PORT"] = $"{nobody}", ["EDGECLOUD_S3__ENDPOINT"] = $"http://127.0.0.1:{nobody}" });

        await agent.WaitForLineAsync("No connection to the broker", Deadline);
        await agent.WaitForLineAsync("cannot be reached", Deadline);
        Assert.Equal(0, await agent.TerminateAsync(Deadline));
        Assert.NotEmpty(Directory.GetFiles(system.DataDir(robot), "*.mcap", SearchOption.AllDirectories).SelectMany(Recording.Read));
    }

    [Theory]
    [InlineData("robots/nobody/commands", """{"command":"start"}""", HttpStatusCode.NotFound)]
    [InlineData("robots/nobody/commands", """{"command":"jump"}""", HttpStatusCode.BadRequest)]
    [InlineData("robots/nobody/commands", "{", HttpStatusCode.BadRequest)]
    [InlineData("exports", """{"sessions":[]}""", HttpStatusCode.BadRequest)]
    public async Task A_bad_request_is_answered_with_problem_details(string path, string body, HttpStatusCode expected)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", system.Api.Token);

        using var answer = await http.PostAsync(
            $"{system.ControlPlane.Address}/api/v1/{path}", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_wrong_password_at_the_command_line_is_one_line()
    {
        await using var cli = ProductProcess.StartCli(
            ["login", system.ControlPlane.Address, "--user", ControlPlaneProcess.AdminUser],
            new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _folder.Path }, input: "wrong\n");

        Assert.Equal(3, await cli.WaitForExitAsync(Deadline));
        Assert.StartsWith("edgecloud: ", cli.Output);
        Assert.DoesNotContain('\n', cli.Output);
    }

    private async Task AnswersAsync(string robot)
    {
        await system.Api.WaitForRobotAsync(robot, _ => true, "is online");
        var answer = await system.Api.CommandAsync(robot, new CommandRequest { Command = CommandKind.Status });
        Assert.True(answer.Status == CommandStatus.Succeeded, $"{answer.Status}: {answer.Reason}");
    }

    private async Task<MqttConnection> ConnectAsync(string user)
    {
        var connection = MqttConnection.Create(new MqttOptions
        {
            Host = system.Broker.Host,
            Port = system.Broker.Port,
            ClientId = $"test-{Guid.NewGuid():N}",
            User = user,
            Password = system.Broker.PasswordOf(user),
            Tls = new MqttTls { CaFile = system.Broker.CaFile },
        });
        connection.Start();
        await connection.WaitForConnectionAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
        return connection;
    }
}
