using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.Mqtt;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>
/// Applies what robots say to the catalogue, once, whatever the order and repetition of deliveries. The rules are those of
/// <see cref="Robot"/>, <see cref="Command"/>, <see cref="Session"/> and <see cref="Segment"/>; here each gets its row, locked.
/// </summary>
public sealed class Ingestion(
    IDbContextFactory<CatalogueDb> catalogue, Announcements announcements, Events events, CommandDispatch dispatch, TimeProvider clock)
{
    /// <summary>
    /// Applies one message that arrived on the topic of <paramref name="robot"/> and returns the answer that it calls for, a payload for the
    /// robot's topic <c>custody</c>; null for none.
    /// </summary>
    /// <exception cref="ContractException">The payload is not what the topic promises.</exception>
    /// <exception cref="AnnouncementException">It contradicts what is known.</exception>
    public async Task<byte[]?> ApplyAsync(
        string robot, MqttTopicKind kind, MqttMessage message, CancellationToken cancellation)
    {
        var payload = message.Payload;
        Payloads.RequireStorable(payload.Span);
        switch (kind)
        {
            case MqttTopicKind.State:
                await ApplyAsync(Payloads.Read<StateMessage>(robot, payload.Span), message.Retain, cancellation);
                return null;
            case MqttTopicKind.Telemetry:
                await ApplyAsync(Payloads.Read<TelemetryMessage>(robot, payload.Span), cancellation);
                return null;
            case MqttTopicKind.CommandAck:
                await ApplyAsync(Payloads.Read<CommandAck>(robot, payload.Span), cancellation);
                return null;
            case MqttTopicKind.Log when ContractJson.SchemaOf(payload.Span) == EventMessage.SchemaId:
                return ContractJson.Write(await events.ApplyAsync(Payloads.Read<EventMessage>(robot, payload.Span), cancellation));
            case MqttTopicKind.Log:
                await ApplyAsync(Payloads.Read<LogMessage>(robot, payload.Span), payload, cancellation);
                return null;
            case MqttTopicKind.Manifest:
                var answer = ContractJson.SchemaOf(payload.Span) == SessionAnnouncement.SchemaId
                    ? await announcements.ApplyAsync(Payloads.Read<SessionAnnouncement>(robot, payload.Span), cancellation)
                    : await announcements.ApplyAsync(Payloads.Read<SegmentAnnouncement>(robot, payload.Span), cancellation);
                return answer is null ? null : ContractJson.Write(answer);
            default:
                throw new ContractException($"The topic {kind} is for robots to read.");
        }
    }

    /// <summary>Makes the row of a robot that speaks for the first time. The broker knows who speaks, so it is no stranger.</summary>
    internal static Task RegisterAsync(CatalogueDb db, string robot, DateTimeOffset now, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync(
            $"""
            insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number,
                                telemetry_revision_epoch, telemetry_revision_number)
            values ({robot}, false, {now}, 0, 0, 0, 0)
            on conflict (id) do nothing
            """,
            cancellation);

    private async Task ApplyAsync(StateMessage message, bool isRetained, CancellationToken cancellation)
    {
        Payloads.Check(message);
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var robot = await LockAsync(db, message.Robot, now, cancellation);
        var isNewConnection = message.Online && message.Revision.Epoch > robot.StateRevision.Epoch;
        // A Last Will is said by the broker, and a retained message was said at some time: neither proves that the robot lives now.
        var isHeardNow = !isRetained && message.Revision.Number != Revision.WillNumber;
        if (!robot.Apply(message, isHeardNow ? now : null))
            return;
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        // The broker may have lost what waited for the robot (a restart, a full queue); the robot knows a command that it had already.
        if (isNewConnection)
            await dispatch.SendAgainAsync(message.Robot, cancellation);
    }

    private async Task ApplyAsync(TelemetryMessage message, CancellationToken cancellation)
    {
        Payloads.Check(message);
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var robot = await LockAsync(db, message.Robot, now, cancellation);
        robot.Apply(message, now);
        var sample = TelemetrySample.Of(message, now);
        // Late figures are figures of their time: they go into the charts, once.
        if (!await db.TelemetrySamples.AnyAsync(t => t.Robot == sample.Robot && t.At == sample.At, cancellation))
            db.TelemetrySamples.Add(sample);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    private async Task ApplyAsync(CommandAck ack, CancellationToken cancellation)
    {
        Payloads.Check(ack);
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var command = await db.Commands.FromSql($"select * from commands where id = {ack.Id} for update").SingleOrDefaultAsync(cancellation);
        if (command is null || command.Robot != ack.Robot)
            throw new AnnouncementException($"it answers command {ack.Id}, which was not given to it");
        command.Apply(ack, now);
        if (!await db.CommandAnswers.AnyAsync(a => a.CommandId == ack.Id && a.TimeNs == ack.TimeNs && a.Status == ack.Status, cancellation))
        {
            db.CommandAnswers.Add(new CommandAnswer
            {
                CommandId = ack.Id,
                TimeNs = ack.TimeNs,
                Status = ack.Status,
                Reason = ack.Reason,
                Percent = ack.Percent,
                ReceivedAt = now,
            });
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    private async Task ApplyAsync(LogMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var line = RobotLog.Of(message, payload.Span, now);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await RegisterAsync(db, message.Robot, now, cancellation);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into robot_logs (id, robot, at, received_at, level, source, text)
            values ({line.Id}, {line.Robot}, {line.At}, {line.ReceivedAt}, {line.Level}, {line.Source}, {line.Text})
            on conflict (id) do nothing
            """,
            cancellation);
    }

    private static async Task<Robot> LockAsync(CatalogueDb db, string robot, DateTimeOffset now, CancellationToken cancellation)
    {
        await RegisterAsync(db, robot, now, cancellation);
        return await db.Robots.FromSql($"select * from robots where id = {robot} for update").SingleAsync(cancellation);
    }
}
