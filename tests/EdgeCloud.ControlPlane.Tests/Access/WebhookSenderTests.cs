using EdgeCloud.ControlPlane.Access.Webhooks;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>The sender goes on when what it was to deliver is no more.</summary>
public sealed class WebhookSenderTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_webhook_that_is_deleted_while_its_delivery_is_claimed_ends_no_worker()
    {
        await using (var db = catalogue.CreateDbContext())
        {
            // The database deletes it at the moment that a person would have to hit.
            await db.Database.ExecuteSqlRawAsync(
                """
                create function delete_claimed() returns trigger language plpgsql as $$
                begin delete from webhooks where id = new.webhook_id; return null; end $$;
                create trigger delete_claimed after update on webhook_deliveries for each row when (new.event = 'deleted') execute function delete_claimed();
                """);
        }
        var configuration = new ConfigurationBuilder().Build();
        using var changes = new Changes(catalogue.DataSource, TimeProvider.System, NullLogger<Changes>.Instance);
        var target = new WebhookTarget(configuration);
        var book = new WebhookBook(catalogue, target, new EphemeralDataProtectionProvider(), TimeProvider.System);
        using var sender = new WebhookSender(catalogue, changes, book, target, configuration, TimeProvider.System, NullLogger<WebhookSender>.Instance);
        for (var i = 0; i < 8; i++)
            await AddAsync("deleted");
        await sender.StartAsync(default);
        await Eventually.Holds(async () => await CountAsync("deleted") == 0, Deadline, "all that are to be deleted were claimed");

        await AddAsync("kept");

        await Eventually.Holds(async () => await AttemptedAsync("kept"), Deadline, "the next delivery is tried");
        await sender.StopAsync(default);
    }

    private async Task AddAsync(string @event)
    {
        var id = Guid.CreateVersion7();
        await using var db = catalogue.CreateDbContext();
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into webhooks (id, name, url, secret, events, enabled, created_by, created_at, updated_at, version)
            values ({id}, {id.ToString()}, 'https://hooks.example/', 'not a protected one', array['robot.offline'], true, 'user:alice', now(), now(), 1)
            """);
        await db.Database.ExecuteSqlAsync(
            $$"""
            insert into webhook_deliveries (id, webhook_id, event, subject, data, created_at, status, attempts, next_attempt_at, error)
            values ({{Guid.CreateVersion7()}}, {{id}}, {{@event}}, '', '{}', now(), 'pending', 0, now(), '')
            """);
    }

    private async Task<int> CountAsync(string @event)
    {
        await using var db = catalogue.CreateDbContext();
        return await db.WebhookDeliveries.CountAsync(d => d.Event == @event);
    }

    private async Task<bool> AttemptedAsync(string @event)
    {
        await using var db = catalogue.CreateDbContext();
        return await db.WebhookDeliveries.AnyAsync(d => d.Event == @event && d.Error != "");
    }
}
