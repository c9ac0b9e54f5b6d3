using System.Threading.Channels;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Mqtt;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>Wakes the loop that sends commands. What is to be sent is in the catalogue; this says only that there is something.</summary>
public sealed class CommandDispatch(IDbContextFactory<CatalogueDb> catalogue)
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>There may be something to send.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Waits for <see cref="Wake"/>, at most <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            await _wake.Reader.ReadAsync(cancellation).AsTask().WaitAsync(atMost, clock, cancellation);
        }
        catch (TimeoutException)
        {
        }
    }

    /// <summary>Has every command that a robot has not answered sent again.</summary>
    public async Task SendAgainAsync(string robot, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var count = await db.Commands
            .Where(c => c.Robot == robot && c.Status == CommandStatus.Queued && c.PublishedAt != null)
            .ExecuteUpdateAsync(c => c.SetProperty(x => x.PublishedAt, (DateTimeOffset?)null), cancellation);
        if (count > 0)
            Wake();
    }
}

/// <summary>
/// Sends stored commands and ends those that nobody answered in time. Store first, then send: a command survives the control plane, and
/// replicas share the work by locking rows. The broker keeps a command for an offline robot until the command expires.
/// </summary>
internal sealed partial class CommandSender(
    IDbContextFactory<CatalogueDb> catalogue, CommandDispatch dispatch, FleetLink link, TimeProvider clock, ILogger<CommandSender> log)
    : BackgroundService
{
    private const int BatchSize = 50;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ExpireAsync(stoppingToken);
                while (link.IsConnected && await SendBatchAsync(stoppingToken) == BatchSize)
                {
                }
                await dispatch.WaitAsync(Interval, clock, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                DatabaseAway(log, e.GetBaseException().Message);
                await Task.Delay(Interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendBatchAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var commands = await db.Commands.FromSql(
            $"""
            select * from commands where status = 'queued' and published_at is null and expires_at > {now}
            order by issued_at, id limit {BatchSize} for update skip locked
            """).ToListAsync(cancellation);
        foreach (var command in commands)
        {
            try
            {
                await link.SendAsync(command.Robot, MqttTopicKind.Command, ContractJson.Write(command.Message), command.ExpiresAt - now, cancellation);
            }
            catch (MqttException e)
            {
                NotSent(log, command.Id, command.Robot, e.Message);
                // A message that the broker refuses must not hold up those to other robots.
                if (e.ReasonCode is null)
                    break;
                continue;
            }
            command.PublishedAt = clock.GetUtcNow();
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return commands.Count(c => c.PublishedAt is not null);
    }

    private async Task ExpireAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var commands = await db.Commands.FromSql(
            $"select * from commands where status = 'queued' and expires_at <= {now} limit {BatchSize} for update skip locked")
            .ToListAsync(cancellation);
        foreach (var command in commands)
            command.Expire(now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    [LoggerMessage(EventId = 5210, Level = LogLevel.Warning, Message = "Command {Command} to robot {Robot} waits: {Reason}")]
    private static partial void NotSent(ILogger log, Guid command, string robot, string reason);

    [LoggerMessage(EventId = 5211, Level = LogLevel.Warning, Message = "Commands wait for the database: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);
}
