using System.Text;
using EdgeCloud.Testing;

[assembly: AssemblyFixture(typeof(MosquittoBroker))]
// Threads and descriptors are counted, and brokers restarted: one test after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace EdgeCloud.Mqtt.Tests;

/// <summary>
/// What every implementation of <see cref="MqttConnection"/> promises, against a real mosquitto with TLS, passwords and an ACL. One
/// class per library runs all of it.
/// </summary>
public abstract partial class ConnectionContract(MqttLibrary library, MosquittoBroker broker) : IAsyncLifetime
{
    protected const string Robot = "amr-01";
    protected const string OtherRobot = "amr-02";
    protected const string ControlPlane = "controlplane";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _deadline = new(Patience);
    private readonly List<MqttConnection> _opened = [];
    private readonly string _test = Guid.NewGuid().ToString("N")[..8];

    private CancellationToken Deadline => _deadline.Token;

    public async ValueTask InitializeAsync() => await broker.AddRobotsAsync(Robot, OtherRobot);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _opened)
            await connection.DisposeAsync();
        _deadline.Dispose();
        GC.SuppressFinalize(this);
    }

    private static string Topic(string robot, string suffix) => $"edgecloud/v1/{robot}/{suffix}";

    private static MqttMessage Text(string topic, string payload, bool retain = false, TimeSpan? expiry = null) =>
        new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), Retain = retain, Expiry = expiry };

    private static string Text(MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);

    /// <summary>Options for a user of the broker, quick to try again; the client id is this test's own.</summary>
    private MqttOptions As(string user, MosquittoBroker? at = null) => new()
    {
        Host = broker.Host,
        Port = (at ?? broker).Port,
        ClientId = $"{user}-{_test}-{_opened.Count}",
        User = user,
        Password = (at ?? broker).PasswordOf(user),
        Tls = new MqttTls { CaFile = (at ?? broker).CaFile },
        ReconnectMin = TimeSpan.FromMilliseconds(50),
        ReconnectMax = TimeSpan.FromMilliseconds(500),
    };

    private MqttConnection Start(MqttOptions options)
    {
        var connection = MqttConnection.Create(options, library);
        _opened.Add(connection);
        connection.Start();
        return connection;
    }

    private async Task<MqttConnection> ConnectAsync(MqttOptions options)
    {
        var connection = Start(options);
        await connection.WaitForConnectionAsync(Deadline);
        return connection;
    }

    private Task<MqttConnection> ListenAsync(params string[] filters) => ConnectAsync(As(ControlPlane) with { Subscriptions = filters });

    private async Task<MqttMessage> NextAsync(MqttConnection connection) => await connection.Messages.ReadAsync(Deadline);

    /// <summary>The next change into <paramref name="state"/>; others before it are passed over.</summary>
    private async Task<MqttConnectionChange> ChangeAsync(MqttConnection connection, MqttConnectionState state)
    {
        await foreach (var change in connection.Changes.ReadAllAsync(Deadline))
        {
            if (change.State == state)
                return change;
        }
        throw new InvalidOperationException($"the connection ended without becoming {state}");
    }

    /// <summary>Everything that is retained on the robot's topics goes, so that a test starts from nothing.</summary>
    private Task ForgetStateAsync(MqttConnection robot) =>
        robot.PublishAsync(Text(Topic(Robot, "state"), "", retain: true), Deadline);
}

public sealed class LibmosquittoConnectionTests(MosquittoBroker broker) : ConnectionContract(MqttLibrary.Libmosquitto, broker);

#if FULL_FEED
public sealed class MqttNetConnectionTests(MosquittoBroker broker) : ConnectionContract(MqttLibrary.MqttNet, broker);
#endif
