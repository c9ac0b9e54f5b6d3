using System.Threading.Channels;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.Mqtt;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>
/// The control plane's MQTT connection. What arrives is spread over a few lanes by robot: a robot's messages are applied in order, and
/// no more of them at a time than there are lanes. A message that is malformed or contradicts what is known costs one warning line;
/// while the database is away a lane waits with the message in hand, and what overflows meanwhile the robots announce again.
/// </summary>
public sealed partial class FleetLink : BackgroundService
{
    private const int Lanes = 8;
    private const int LaneLength = 256;
    private static readonly TimeSpan DatabasePause = TimeSpan.FromSeconds(1);

    private readonly MqttConnection _connection;
    private readonly Ingestion _ingestion;
    private readonly FleetMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<FleetLink> _log;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<MqttMessage>[] _lanes = [.. Enumerable.Range(0, Lanes).Select(_ => Channel.CreateBounded<MqttMessage>(
        new BoundedChannelOptions(LaneLength) { SingleReader = true, SingleWriter = true }))];

    /// <summary>Connects once it is started as a hosted service.</summary>
    public FleetLink(MqttOptions options, Ingestion ingestion, FleetMetrics metrics, TimeProvider clock, ILogger<FleetLink> log)
    {
        _connection = MqttConnection.Create(options);
        _ingestion = ingestion;
        _metrics = metrics;
        _clock = clock;
        _log = log;
    }

    /// <summary>True while the connection to the broker stands.</summary>
    public bool IsConnected => _connection.IsConnected;

    /// <summary>Messages that were dropped on arrival because the control plane could not keep up.</summary>
    public long DroppedMessages => _connection.DroppedMessages;

    /// <summary>Sends a message to a robot; completes when the broker has it.</summary>
    /// <param name="robot">Robot.</param>
    /// <param name="kind">Command or custody.</param>
    /// <param name="payload">JSON.</param>
    /// <param name="expiry">After how long the broker drops it undelivered.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="MqttException">The broker is not there or refused.</exception>
    public Task SendAsync(string robot, MqttTopicKind kind, byte[] payload, TimeSpan expiry, CancellationToken cancellation) =>
        _connection.PublishAsync(
            new MqttMessage { Topic = MqttTopics.For(robot, kind), Payload = payload, Expiry = expiry }, cancellation);

    /// <summary>Returns when the connection stands.</summary>
    public async Task WaitForConnectionAsync(CancellationToken cancellation)
    {
        await _started.Task.WaitAsync(cancellation);
        await _connection.WaitForConnectionAsync(cancellation);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _connection.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _connection.Start();
        _started.SetResult();
        try
        {
            await Task.WhenAll([
                TellOfChangesAsync(stoppingToken),
                SpreadAsync(stoppingToken),
                .. _lanes.Select(lane => WorkAsync(lane.Reader, stoppingToken))]);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TellOfChangesAsync(CancellationToken cancellation)
    {
        await foreach (var change in _connection.Changes.ReadAllAsync(cancellation))
        {
            if (change.State == MqttConnectionState.Connected)
                Connected(_log);
            else
                NotConnected(_log, change.Reason);
        }
    }

    private async Task SpreadAsync(CancellationToken cancellation)
    {
        var dropped = 0L;
        await foreach (var message in _connection.Messages.ReadAllAsync(cancellation))
        {
            if (_connection.DroppedMessages is var now && now > dropped)
            {
                Dropped(_log, now - dropped);
                dropped = now;
            }
            if (!MqttTopics.TryParse(message.Topic, out var robot, out _))
            {
                ForeignTopic(_log, message.Topic);
                continue;
            }
            var lane = _lanes[(uint)string.GetHashCode(robot, StringComparison.Ordinal) % Lanes];
            await lane.Writer.WriteAsync(message, cancellation);
        }
    }

    private async Task WorkAsync(ChannelReader<MqttMessage> lane, CancellationToken cancellation)
    {
        await foreach (var message in lane.ReadAllAsync(cancellation))
            await ApplyAsync(message, cancellation);
    }

    private async Task ApplyAsync(MqttMessage message, CancellationToken cancellation)
    {
        MqttTopics.TryParse(message.Topic, out var robot, out var kind);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if (await _ingestion.ApplyAsync(robot, kind, message, cancellation) is { } answer)
                    await AnswerAsync(robot, answer, cancellation);
                _metrics.Applied(kind);
                return;
            }
            catch (Exception e) when (IsRefused(e))
            {
                _metrics.Refused(kind);
                // The database's own words stand at the bottom of EF's.
                Refused(_log, kind, robot, e is DbUpdateException ? e.GetBaseException().Message : e.Message);
                return;
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                if (attempt == 0)
                    WaitingForDatabase(_log, kind, robot, e.GetBaseException().Message);
                await Task.Delay(DatabasePause, _clock, cancellation);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // A defect that one robot's message brings to light must not end the service for all robots.
                _metrics.Refused(kind);
                Defect(_log, kind, robot, e);
                return;
            }
        }
    }

    private async Task AnswerAsync(string robot, byte[] answer, CancellationToken cancellation)
    {
        try
        {
            await SendCustodyAsync(robot, answer, cancellation);
        }
        catch (MqttException e)
        {
            // The robot tells it again and is answered then.
            AnswerNotSent(_log, robot, e.Message);
        }
    }

    /// <summary>Answers an announcement.</summary>
    /// <exception cref="MqttException">The broker is not there or refused; the robot will announce again.</exception>
    public Task SendCustodyAsync(CustodyMessage answer, CancellationToken cancellation) =>
        SendCustodyAsync(answer.Robot, ContractJson.Write(answer), cancellation);

    private Task SendCustodyAsync(string robot, byte[] answer, CancellationToken cancellation) =>
        SendAsync(robot, MqttTopicKind.Custody, answer, TimeSpan.FromMinutes(10), cancellation);

    /// <summary>What a message can be guilty of: its form, what it says, or values that PostgreSQL does not take (classes 22 and 23).</summary>
    private static bool IsRefused(Exception e) =>
        e is ContractException or AnnouncementException
        || e is DbUpdateException or PostgresException && e.GetBaseException() is PostgresException { SqlState: ['2', '2' or '3', ..] };

    [LoggerMessage(EventId = 5200, Level = LogLevel.Information, Message = "Connected to the MQTT broker")]
    private static partial void Connected(ILogger log);

    [LoggerMessage(EventId = 5201, Level = LogLevel.Warning, Message = "Not connected to the MQTT broker, trying again: {Reason}")]
    private static partial void NotConnected(ILogger log, string reason);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "Refused a {Kind} message of robot {Robot}: {Reason}")]
    private static partial void Refused(ILogger log, MqttTopicKind kind, string robot, string reason);

    [LoggerMessage(EventId = 5207, Level = LogLevel.Error, Message = "A {Kind} message of robot {Robot} could not be applied for a reason that nobody foresaw")]
    private static partial void Defect(ILogger log, MqttTopicKind kind, string robot, Exception e);

    [LoggerMessage(EventId = 5203, Level = LogLevel.Warning, Message = "A {Kind} message of robot {Robot} waits for the database: {Reason}")]
    private static partial void WaitingForDatabase(ILogger log, MqttTopicKind kind, string robot, string reason);

    [LoggerMessage(EventId = 5204, Level = LogLevel.Warning, Message = "{Count} messages were dropped on arrival; robots repeat what matters")]
    private static partial void Dropped(ILogger log, long count);

    [LoggerMessage(EventId = 5205, Level = LogLevel.Warning, Message = "Ignored a message on '{Topic}', which is no topic of a robot")]
    private static partial void ForeignTopic(ILogger log, string topic);

    [LoggerMessage(EventId = 5206, Level = LogLevel.Debug, Message = "An answer to robot {Robot} was not sent: {Reason}")]
    private static partial void AnswerNotSent(ILogger log, string robot, string reason);
}
