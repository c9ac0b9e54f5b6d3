using EdgeCloud.Contracts;
using EdgeCloud.Mqtt;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Stack;

/// <summary>What a robot's MQTT user may say and hear.</summary>
public sealed class MqttConfinementTests(MosquittoBroker broker) : IAsyncLifetime
{
    private const int NotAuthorised = 0x87;

    public async ValueTask InitializeAsync() => await broker.AddRobotsAsync("confined-a", "confined-b");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_robot_says_what_is_its_own_to_say()
    {
        await using var robot = await ConnectAsync("confined-a");

        foreach (var kind in (MqttTopicKind[])[MqttTopicKind.State, MqttTopicKind.Telemetry, MqttTopicKind.Manifest, MqttTopicKind.CommandAck, MqttTopicKind.Log])
            await robot.PublishAsync(Message("confined-a", kind), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("confined-b", MqttTopicKind.State)]
    [InlineData("confined-b", MqttTopicKind.Telemetry)]
    [InlineData("confined-b", MqttTopicKind.Manifest)]
    [InlineData("confined-b", MqttTopicKind.CommandAck)]
    [InlineData("confined-b", MqttTopicKind.Log)]
    [InlineData("confined-b", MqttTopicKind.Command)]
    [InlineData("confined-a", MqttTopicKind.Command)]
    [InlineData("confined-a", MqttTopicKind.Custody)]
    public async Task What_is_not_its_own_to_say_is_refused_by_reason_code(string topicOf, MqttTopicKind kind)
    {
        await using var robot = await ConnectAsync("confined-a");

        var refusal = await Assert.ThrowsAsync<MqttException>(
            () => robot.PublishAsync(Message(topicOf, kind), TestContext.Current.CancellationToken));

        Assert.Equal(NotAuthorised, refusal.ReasonCode);
    }

    [Fact]
    public async Task A_robot_hears_its_own_commands_and_nobody_elses()
    {
        await using var robot = await ConnectAsync("confined-a");
        await using var controlPlane = await ConnectAsync("controlplane");
        await robot.SubscribeAsync("#", TestContext.Current.CancellationToken);

        await controlPlane.PublishAsync(Message("confined-b", MqttTopicKind.Command), TestContext.Current.CancellationToken);
        await controlPlane.PublishAsync(Message("confined-b", MqttTopicKind.Custody), TestContext.Current.CancellationToken);
        await controlPlane.PublishAsync(Message("confined-a", MqttTopicKind.Command), TestContext.Current.CancellationToken);

        // One publisher's messages arrive in order: had the first two been delivered, they would be here first.
        var heard = await robot.Messages.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(MqttTopics.For("confined-a", MqttTopicKind.Command), heard.Topic);
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        await using var robot = MqttConnection.Create(Options("confined-a") with { Password = "wrong" });
        robot.Start();

        var change = await robot.Changes.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(MqttConnectionState.Refused, change.State);
    }

    private static MqttMessage Message(string robot, MqttTopicKind kind) => new() { Topic = MqttTopics.For(robot, kind), Payload = "{}"u8.ToArray() };

    private async Task<MqttConnection> ConnectAsync(string user)
    {
        var connection = MqttConnection.Create(Options(user));
        connection.Start();
        await connection.WaitForConnectionAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
        return connection;
    }

    private MqttOptions Options(string user) => new()
    {
        Host = broker.Host,
        Port = broker.Port,
        ClientId = $"test-{Guid.NewGuid():N}",
        User = user,
        Password = broker.PasswordOf(user),
        Tls = new MqttTls { CaFile = broker.CaFile },
    };
}
