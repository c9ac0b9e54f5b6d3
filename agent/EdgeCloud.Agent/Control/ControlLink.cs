using System.Threading.Channels;
using EdgeCloud.Agent.Logging;
using EdgeCloud.Contracts;
using EdgeCloud.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Control;

/// <summary>What the link carries.</summary>
internal sealed record LinkParts(
    string Robot, AgentMemory Memory, RobotReport Report, Telemetry Telemetry, Announcer Announcer, MarkBox Marks, CommandDesk Commands, Func<TriggerMessage, string?> Trigger,
    CommandMemory CommandMemory, RunTimeSettings Settings, AgentLog Log);

/// <summary>
/// The robot's end of MQTT: state (retained, with the Last Will), telemetry, announcements and log out; commands and custody answers in.
/// Nothing here waits for the network but its own loops. What matters is kept elsewhere and sent again; what does not is lost with the link.
/// </summary>
internal sealed partial class ControlLink : IAsyncDisposable
{
    private const int AnnouncementsAtOnce = 16;
    private static readonly TimeSpan StateInterval = TimeSpan.FromSeconds(10), StateQuiet = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(2), MarksInterval = TimeSpan.FromSeconds(1);

    private readonly LinkParts _parts;
    private readonly MqttConnection _connection;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Channel<CommandAck> _answers = Channel.CreateUnbounded<CommandAck>();
    private readonly Channel<CommandMessage> _commands = Channel.CreateBounded<CommandMessage>(1000);
    private readonly Signal _stateChanged = new(), _telemetryAsked = new();

    /// <param name="parts">What the link carries.</param>
    /// <param name="connect">Makes the connection, given what to ask for its Will and what to subscribe.</param>
    /// <param name="clock">The wall clock.</param>
    public ControlLink(LinkParts parts, Func<Func<MqttMessage>, IReadOnlyList<string>, MqttConnection> connect, TimeProvider clock)
    {
        _parts = parts;
        _clock = clock;
        _log = parts.Log.For("mqtt");
        _connection = connect(Will, [Topic(MqttTopicKind.Command), Topic(MqttTopicKind.Custody), Topic(MqttTopicKind.Trigger)]);
        parts.Commands.Answered += answer => _answers.Writer.TryWrite(answer);
        parts.Commands.StatusAsked += () =>
        {
            _stateChanged.Set();
            _telemetryAsked.Set();
        };
    }

    public bool IsConnected => _connection.IsConnected;

    /// <summary>The state changed: it is sent soon.</summary>
    public void StateChanged() => _stateChanged.Set();

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var untold in _parts.CommandMemory.Untold)
            _answers.Writer.TryWrite(untold);
        _connection.Start();
        await Tasks.WhenAnyFails(
            cancellation, FollowConnectionAsync, ReceiveAsync, CarryOutCommandsAsync, SendAnswersAsync, SendStateAsync, SendTelemetryAsync,
            SendAnnouncementsAsync, SendMarksAsync, SendLogAsync);
    }

    /// <summary>Says goodbye when there is a connection, and ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_connection.IsConnected)
        {
            using var timeout = new CancellationTokenSource(FarewellTimeout);
            await TrySendAsync(MqttTopicKind.State, ContractJson.Write(_parts.Report.State(_parts.Memory.NextRevision(), online: false)),
                timeout.Token, retain: true);
        }
        await _connection.DisposeAsync();
        _stateChanged.Dispose();
        _telemetryAsked.Dispose();
    }

    private MqttMessage Will() => new()
    {
        Topic = Topic(MqttTopicKind.State),
        Payload = ContractJson.Write(_parts.Report.Will(_parts.Memory.BeginEpoch(_clock))),
        Retain = true,
    };

    private async Task FollowConnectionAsync(CancellationToken cancellation)
    {
        // One line for each turn, not one for each of a thousand attempts.
        MqttConnectionState? before = null;
        await foreach (var change in _connection.Changes.ReadAllAsync(cancellation))
        {
            if (change.State is MqttConnectionState.Connected)
            {
                LogConnected();
                _stateChanged.Set();
                _parts.Announcer.RestartAll();
                _parts.Marks.RestartAll();
            }
            else if (change.State != before && change.State is MqttConnectionState.Refused)
            {
                LogRefused(change.Reason);
            }
            else if (change.State != before)
            {
                LogLost(change.Reason);
            }
            before = change.State;
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellation)
    {
        await foreach (var message in _connection.Messages.ReadAllAsync(cancellation))
        {
            try
            {
                Receive(message);
            }
            catch (Exception e) when (e is ContractException or IOException)
            {
                LogMalformed(message.Topic, e.Message);
            }
        }
    }

    private void Receive(MqttMessage message)
    {
        if (!MqttTopics.TryParse(message.Topic, out var robot, out var kind) || robot != _parts.Robot)
            throw new ContractException("nothing is expected on this topic");
        if (kind is MqttTopicKind.Command)
        {
            var command = ContractJson.Read<CommandMessage>(message.Payload.Span);
            if (command.Robot != _parts.Robot)
                throw new ContractException($"the command is for robot '{command.Robot}'");
            if (!_commands.Writer.TryWrite(command))
                throw new ContractException("a thousand commands are waiting: this one is not taken");
        }
        else if (kind is MqttTopicKind.Trigger)
        {
            var trigger = ContractJson.Read<TriggerMessage>(message.Payload.Span);
            if (trigger.Robot != _parts.Robot)
                throw new ContractException($"the trigger is for robot '{trigger.Robot}'");
            if (_parts.Trigger(trigger) is { } refusal)
                throw new ContractException(refusal);
        }
        else if (kind is MqttTopicKind.Custody && ContractJson.SchemaOf(message.Payload.Span) == EventAck.SchemaId)
        {
            _parts.Marks.Answer(ContractJson.Read<EventAck>(message.Payload.Span));
        }
        else if (kind is MqttTopicKind.Custody)
        {
            var answer = ContractJson.Read<CustodyMessage>(message.Payload.Span);
            if (answer.Robot != _parts.Robot)
                throw new ContractException($"the answer is for robot '{answer.Robot}'");
            if (_parts.Announcer.Answer(answer) is { } words)
                LogCustody(words);
        }
    }

    private async Task CarryOutCommandsAsync(CancellationToken cancellation)
    {
        await foreach (var command in _commands.Reader.ReadAllAsync(cancellation))
            await _parts.Commands.HandleAsync(command);
    }

    private async Task SendAnswersAsync(CancellationToken cancellation)
    {
        await foreach (var answer in _answers.Reader.ReadAllAsync(cancellation))
        {
            var payload = ContractJson.Write(answer);
            for (var attempts = 1; ; attempts++)
            {
                await _connection.WaitForConnectionAsync(cancellation);
                if (await TrySendAsync(MqttTopicKind.CommandAck, payload, cancellation))
                    break;
                // A broker that refuses it would refuse it again at once.
                if (_connection.IsConnected)
                    await Task.Delay(Backoff.After(attempts), _clock, cancellation);
            }
            try
            {
                _parts.CommandMemory.Told(answer);
            }
            catch (IOException e)
            {
                LogNotWritten(answer.Id, e.Message);
            }
        }
    }

    private async Task SendStateAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _connection.WaitForConnectionAsync(cancellation);
            await TrySendAsync(MqttTopicKind.State,
                ContractJson.Write(_parts.Report.State(_parts.Memory.NextRevision(), online: true)), cancellation, retain: true);
            await _stateChanged.WaitAsync(StateInterval, cancellation);
            // Changes come in groups; one message tells of all.
            await Task.Delay(StateQuiet, _clock, cancellation);
        }
    }

    private async Task SendTelemetryAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _telemetryAsked.WaitAsync(_parts.Settings.TelemetryInterval, cancellation);
            await _connection.WaitForConnectionAsync(cancellation);
            await TrySendAsync(MqttTopicKind.Telemetry,
                ContractJson.Write(_parts.Telemetry.Sample(_parts.Memory.NextRevision())), cancellation,
                expiry: 3 * _parts.Settings.TelemetryInterval);
        }
    }

    private async Task SendAnnouncementsAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _connection.WaitForConnectionAsync(cancellation);
            var due = _parts.Announcer.TakeDue(AnnouncementsAtOnce, _parts.Robot, _parts.Memory.NextRevision, out var untilNext);
            await Task.WhenAll(due.Select(payload => TrySendAsync(MqttTopicKind.Manifest, payload, cancellation)));
            if (due.Count == 0)
                await _parts.Announcer.Wake.WaitAsync(untilNext, cancellation);
        }
    }

    private async Task SendMarksAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _connection.WaitForConnectionAsync(cancellation);
            var due = _parts.Marks.TakeDue(AnnouncementsAtOnce);
            await Task.WhenAll(due.Select(payload => TrySendAsync(MqttTopicKind.Log, payload, cancellation)));
            if (due.Count == 0)
                await Task.Delay(MarksInterval, _clock, cancellation);
        }
    }

    private async Task SendLogAsync(CancellationToken cancellation)
    {
        await foreach (var line in _parts.Log.Warnings.ReadAllAsync(cancellation))
        {
            await _connection.WaitForConnectionAsync(cancellation);
            await TrySendAsync(MqttTopicKind.Log, ContractJson.Write(new LogMessage
            {
                Robot = _parts.Robot,
                TimeNs = WallClock.ToNs(line.Time),
                Level = line.Level.ToString().ToLowerInvariant(),
                Source = line.Source,
                Text = line.Text,
            }), cancellation);
        }
    }

    /// <summary>False when it did not reach the broker: what matters is sent again by whoever keeps it.</summary>
    private async Task<bool> TrySendAsync(
        MqttTopicKind kind, byte[] payload, CancellationToken cancellation, bool retain = false, TimeSpan? expiry = null)
    {
        try
        {
            await _connection.PublishAsync(
                new MqttMessage { Topic = Topic(kind), Payload = payload, Retain = retain, Expiry = expiry }, cancellation);
            return true;
        }
        catch (MqttException e)
        {
            // A line about a line of the log would be the next one to be refused.
            if (e.ReasonCode is not null && kind is not MqttTopicKind.Log)
                LogPublishRefused(Topic(kind), e.Message);
            return false;
        }
        catch (OperationCanceledException) when (!_connection.IsConnected)
        {
            return false;
        }
    }

    private string Topic(MqttTopicKind kind) => MqttTopics.For(_parts.Robot, kind);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information, Message = "Connected to the broker")]
    private partial void LogConnected();

    [LoggerMessage(EventId = 502, Level = LogLevel.Warning, Message = "No connection to the broker: {Reason}; it is tried again")]
    private partial void LogLost(string reason);

    [LoggerMessage(EventId = 503, Level = LogLevel.Error, Message = "The broker refuses this robot: {Reason}; check mqtt.user and mqtt.password")]
    private partial void LogRefused(string reason);

    [LoggerMessage(EventId = 504, Level = LogLevel.Warning, Message = "A message on {Topic} was left aside: {Error}")]
    private partial void LogMalformed(string topic, string error);

    [LoggerMessage(EventId = 505, Level = LogLevel.Warning, Message = "{Words}")]
    private partial void LogCustody(string words);

    [LoggerMessage(EventId = 507, Level = LogLevel.Error, Message = "That the broker has the answer to command {Id} cannot be written down: {Error}")]
    private partial void LogNotWritten(Guid id, string error);

    [LoggerMessage(EventId = 506, Level = LogLevel.Warning, Message = "The broker did not take a message on {Topic}: {Error}")]
    private partial void LogPublishRefused(string topic, string error);
}
