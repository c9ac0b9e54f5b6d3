using System.Collections.Concurrent;
using EdgeCloud.Contracts;
using EdgeCloud.Mqtt;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Host;

/// <summary>The other end of the robot's topics: keeps what a robot says, answers announcements, gives commands.</summary>
internal sealed class ScriptedControlPlane : IAsyncDisposable
{
    private readonly MqttConnection _connection;
    private readonly Task _receiving;
    private readonly string _robot;

    private ScriptedControlPlane(MosquittoBroker broker, string robot)
    {
        _robot = robot;
        _connection = MqttConnection.Create(new MqttOptions
        {
            Host = broker.Host,
            Port = broker.Port,
            ClientId = $"scripted-{Guid.NewGuid():N}",
            User = "controlplane",
            Password = broker.PasswordOf("controlplane"),
            Tls = new MqttTls { CaFile = broker.CaFile },
            Subscriptions = [MqttTopics.For(robot, MqttTopicKind.State)[..^"state".Length] + "#"],
        });
        _connection.Start();
        _receiving = ReceiveAsync();
    }

    /// <summary>While false, announcements and marks stay unanswered.</summary>
    public bool Answers { get; set; } = true;

    public ConcurrentQueue<StateMessage> States { get; } = new();

    public ConcurrentQueue<TelemetryMessage> Telemetry { get; } = new();

    public ConcurrentQueue<CommandAck> Acks { get; } = new();

    public ConcurrentQueue<LogMessage> Logs { get; } = new();

    public ConcurrentQueue<EventMessage> Marks { get; } = new();

    public ConcurrentQueue<SegmentAnnouncement> Segments { get; } = new();

    public ConcurrentQueue<SessionAnnouncement> Sessions { get; } = new();

    public static async Task<ScriptedControlPlane> ConnectAsync(MosquittoBroker broker, string robot)
    {
        var plane = new ScriptedControlPlane(broker, robot);
        await plane._connection.WaitForConnectionAsync(TestContext.Current.CancellationToken);
        return plane;
    }

    public Task SendAsync(MqttTopicKind kind, byte[] payload) =>
        _connection.PublishAsync(new MqttMessage { Topic = MqttTopics.For(_robot, kind), Payload = payload }, CancellationToken.None);

    /// <summary>Gives a command and waits for its end.</summary>
    public async Task<CommandAck> CommandAsync(CommandKind kind, Guid? session = null)
    {
        var command = new CommandMessage
        {
            Id = Guid.CreateVersion7(),
            Robot = _robot,
            Command = kind,
            Issuer = "test",
            IssuedNs = TimeProvider.System.NowNs(),
            ExpiresNs = TimeProvider.System.NowNs() + 60_000_000_000,
            Session = session,
        };
        await SendAsync(MqttTopicKind.Command, ContractJson.Write(command));
        return await Eventually.Gives(
            () => Task.FromResult(Acks.LastOrDefault(a => a.Id == command.Id && a.Status is not (CommandStatus.Accepted or CommandStatus.Progress))),
            TimeSpan.FromSeconds(60), $"the end of {kind}");
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _receiving;
    }

    private async Task ReceiveAsync()
    {
        await foreach (var message in _connection.Messages.ReadAllAsync())
        {
            MqttTopics.TryParse(message.Topic, out _, out var kind);
            var payload = message.Payload.Span;
            switch (kind)
            {
                case MqttTopicKind.State:
                    States.Enqueue(ContractJson.Read<StateMessage>(payload));
                    break;
                case MqttTopicKind.Telemetry:
                    Telemetry.Enqueue(ContractJson.Read<TelemetryMessage>(payload));
                    break;
                case MqttTopicKind.CommandAck:
                    Acks.Enqueue(ContractJson.Read<CommandAck>(payload));
                    break;
                case MqttTopicKind.Log when ContractJson.SchemaOf(payload) == EventMessage.SchemaId:
                    var mark = ContractJson.Read<EventMessage>(payload);
                    Marks.Enqueue(mark);
                    await AnswerAsync(ContractJson.Write(new EventAck { Robot = _robot, Id = mark.Id }));
                    break;
                case MqttTopicKind.Log:
                    Logs.Enqueue(ContractJson.Read<LogMessage>(payload));
                    break;
                case MqttTopicKind.Manifest when ContractJson.SchemaOf(payload) == SegmentAnnouncement.SchemaId:
                    var segment = ContractJson.Read<SegmentAnnouncement>(payload);
                    Segments.Enqueue(segment);
                    await AnswerAsync(segment.Manifest.Session, segment.Manifest.Sequence, segment.Revision, segment.Manifest.Sha256,
                        segment.Custody is Custody.Uploaded ? CustodyDecision.Acknowledged : CustodyDecision.Noted);
                    break;
                case MqttTopicKind.Manifest:
                    var session = ContractJson.Read<SessionAnnouncement>(payload);
                    Sessions.Enqueue(session);
                    await AnswerAsync(session.Manifest.Session, null, session.Revision, "", CustodyDecision.Noted);
                    break;
            }
        }
    }

    private Task AnswerAsync(Guid session, int? sequence, Revision revision, string sha256, CustodyDecision decision) =>
        AnswerAsync(ContractJson.Write(new CustodyMessage
        {
            Robot = _robot,
            Session = session,
            Sequence = sequence,
            Revision = revision,
            Decision = decision,
            Sha256 = sha256,
        }));

    private async Task AnswerAsync(byte[] answer)
    {
        if (!Answers)
            return;
        try
        {
            await SendAsync(MqttTopicKind.Custody, answer);
        }
        catch (Exception e) when (e is MqttException or ObjectDisposedException)
        {
            // The test is over, or the broker is: a robot that got no answer asks again.
        }
    }
}
