using EdgeCloud.ControlPlane.Access.Webhooks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>Every hour: partitions ahead, and what is older than its retention goes.</summary>
internal sealed partial class Housekeeping(
    IDbContextFactory<CatalogueDb> catalogue, IConfiguration configuration, TimeProvider clock, ILogger<Housekeeping> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var telemetry = TimeSpan.FromDays(configuration.Number("Fleet:TelemetryRetentionDays", 14, 1, 3650));
        var logs = TimeSpan.FromDays(configuration.Number("Fleet:LogRetentionDays", 90, 1, 3650));
        var deliveries = TimeSpan.FromDays(configuration.Number("Webhooks:DeliveryRetentionDays", 30, 1, 3650));
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            try
            {
                await using var db = await catalogue.CreateDbContextAsync(stoppingToken);
                var now = clock.GetUtcNow();
                await Partitions.EnsureAsync(db, now, stoppingToken);
                await Partitions.DropTelemetryAsync(db, now - telemetry, stoppingToken);
                var before = now - logs;
                await db.RobotLogs.Where(l => l.ReceivedAt < before).ExecuteDeleteAsync(stoppingToken);
                var deliveredBefore = now - deliveries;
                await db.WebhookDeliveries.Where(d => d.CreatedAt < deliveredBefore && d.Status != DeliveryStatus.Pending).ExecuteDeleteAsync(stoppingToken);
                var repeatedBefore = now - IdempotentRequests.Kept;
                await db.IdempotencyKeys.Where(k => k.CreatedAt < repeatedBefore).ExecuteDeleteAsync(stoppingToken);
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                DatabaseAway(log, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning,
        Message = "Housekeeping of the catalogue is put off for an hour: the database cannot be reached ({Reason})")]
    private static partial void DatabaseAway(ILogger log, string reason);
}
