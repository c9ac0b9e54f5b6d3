using System.Net;
using EdgeCloud.Testing;

namespace EdgeCloud.Mqtt.Tests;

public abstract partial class ConnectionContract
{
    private const int NotAuthorized = 0x87;

    [Fact]
    public async Task A_wrong_password_is_a_refusal_with_the_brokers_reason()
    {
        var robot = Start(As(Robot) with { Password = "wrong" });

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Refused, change.State);
        Assert.Contains("not authorized (0x87)", change.Reason);
        Assert.False(robot.IsConnected);
    }

    [Fact]
    public async Task A_refused_connection_is_tried_again_until_the_broker_knows_the_robot()
    {
        var newcomer = $"new-{_test}";
        var robot = Start(As(Robot) with { User = newcomer, Password = "not yet" });
        await ChangeAsync(robot, MqttConnectionState.Refused);
        await ChangeAsync(robot, MqttConnectionState.Refused);
        await robot.DisposeAsync();

        await broker.AddRobotsAsync(newcomer);

        await ConnectAsync(As(newcomer));
    }

    [Fact]
    public async Task A_publish_that_the_acl_forbids_fails_with_its_reason_code_and_the_connection_stays()
    {
        var robot = await ConnectAsync(As(Robot));

        var refused = await Assert.ThrowsAsync<MqttException>(() => robot.PublishAsync(Text(Topic(OtherRobot, "state"), "mine"), Deadline));
        await robot.PublishAsync(Text(Topic(Robot, "telemetry"), "fine"), Deadline);

        Assert.Equal(NotAuthorized, refused.ReasonCode);
        Assert.Contains(Topic(OtherRobot, "state"), refused.Message);
        Assert.True(robot.IsConnected);
    }

    [Fact]
    public async Task A_robot_hears_nothing_of_another_robots_commands()
    {
        // mosquitto's ACL file lets the subscription pass and holds the messages back.
        var robot = await ConnectAsync(As(Robot));
        await robot.SubscribeAsync(Topic(OtherRobot, "cmd"), Deadline);
        await robot.SubscribeAsync(Topic(Robot, "cmd"), Deadline);
        var control = await ConnectAsync(As(ControlPlane));

        await control.PublishAsync(Text(Topic(OtherRobot, "cmd"), "not for you"), Deadline);
        await control.PublishAsync(Text(Topic(Robot, "cmd"), "for you"), Deadline);

        Assert.Equal("for you", Text(await NextAsync(robot)));
    }

    [Fact]
    public async Task A_subscription_that_the_broker_forbids_fails_with_its_reason_code_and_is_forgotten()
    {
        await using var strict = new ScriptedBroker { OnSubscribe = filter => filter == "open" ? (byte)1 : (byte)NotAuthorized };
        var robot = await ConnectAsync(strict.Options(_test));

        var refused = await Assert.ThrowsAsync<MqttException>(() => robot.SubscribeAsync("closed", Deadline));
        await robot.SubscribeAsync("open", Deadline);
        strict.Drop();
        await ChangeAsync(robot, MqttConnectionState.Lost);
        await robot.WaitForConnectionAsync(Deadline);

        Assert.Equal(NotAuthorized, refused.ReasonCode);
        Assert.Contains("closed", refused.Message);
        Assert.Equal(["closed", "open", "open"], strict.Subscribed);
    }

    [Fact]
    public async Task A_connection_whose_subscriptions_are_refused_is_refused_as_a_whole()
    {
        await using var strict = new ScriptedBroker { OnSubscribe = _ => NotAuthorized };
        var robot = Start(strict.Options(_test) with { Subscriptions = ["closed"] });

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Refused, change.State);
        Assert.Contains("closed", change.Reason);
    }

    [Fact]
    public async Task A_busy_broker_is_a_refusal_with_its_reason()
    {
        const byte serverBusy = 0x89;
        await using var busy = new ScriptedBroker { Connack = serverBusy };
        var robot = Start(busy.Options(_test));

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Refused, change.State);
        Assert.Contains("server busy (0x89)", change.Reason);
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_not_trusted()
    {
        using var stranger = new TestAuthority();
        var robot = Start(As(Robot) with { Tls = new MqttTls { CaFile = stranger.CaFile } });

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Lost, change.State);
        Assert.Contains("TLS", change.Reason);
    }

    [Fact]
    public async Task A_certificate_for_another_host_name_is_not_trusted()
    {
        await using var relay = new TcpRelay(broker.Port, IPAddress.Parse("127.0.0.2"));
        var robot = Start(As(Robot) with { Host = "127.0.0.2", Port = relay.Port });

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Lost, change.State);
        Assert.Contains("TLS", change.Reason);
    }

    [Fact]
    public async Task The_systems_authorities_are_trusted_where_no_file_is_named_and_they_do_not_know_a_private_one()
    {
        var robot = Start(As(Robot) with { Tls = new MqttTls() });

        Assert.Contains("TLS", (await robot.Changes.ReadAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task A_certificate_file_that_is_missing_is_named()
    {
        var robot = Start(As(Robot) with { Tls = new MqttTls { CaFile = "/nowhere/ca.pem" } });

        Assert.Contains("/nowhere/ca.pem", (await robot.Changes.ReadAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task A_certificate_file_that_is_no_certificate_is_named_or_explained()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["ca.pem"], "not PEM", Deadline);
        var robot = Start(As(Robot) with { Tls = new MqttTls { CaFile = folder["ca.pem"] } });

        var change = await robot.Changes.ReadAsync(Deadline);

        Assert.Equal(MqttConnectionState.Lost, change.State);
        Assert.Contains(folder["ca.pem"], change.Reason);
    }

    [Fact]
    public async Task A_client_certificate_is_shown_to_a_broker_that_asks_for_it()
    {
        using var authority = new TestAuthority();
        await using var strict = new ScriptedBroker(authority);
        var with = await ConnectAsync(strict.Options(_test) with
        {
            Tls = new MqttTls
            {
                CaFile = authority.CaFile,
                CertificateFile = authority.ClientCertificateFile,
                KeyFile = authority.ClientKeyFile,
            },
        });
        var without = Start(strict.Options(_test) with { Tls = new MqttTls { CaFile = authority.CaFile } });

        Assert.True(with.IsConnected);
        Assert.Equal(MqttConnectionState.Lost, (await without.Changes.ReadAsync(Deadline)).State);
    }

    [Fact]
    public async Task A_publish_to_no_single_topic_is_refused_before_it_is_sent()
    {
        var robot = await ConnectAsync(As(Robot));

        foreach (var topic in new[] { "", "edgecloud/v1/+/state", "edgecloud/#" })
            await Assert.ThrowsAsync<MqttException>(() => robot.PublishAsync(Text(topic, "x"), Deadline));
        Assert.True(robot.IsConnected);
    }

    [Fact]
    public async Task A_subscription_to_a_filter_that_cannot_be_fails_and_the_connection_stays()
    {
        var robot = await ConnectAsync(As(Robot));

        await Assert.ThrowsAsync<MqttException>(() => robot.SubscribeAsync("a/#/b", Deadline));

        Assert.True(robot.IsConnected);
    }
}
