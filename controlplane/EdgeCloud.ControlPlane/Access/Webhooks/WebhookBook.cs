using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>Makes and changes webhooks, for the API and the portal alike. Whoever calls has checked <see cref="Policies.Administer"/>.</summary>
public sealed class WebhookBook(
    IDbContextFactory<CatalogueDb> catalogue, WebhookTarget target, IDataProtectionProvider protection, TimeProvider clock)
{
    private readonly IDataProtector _protector = protection.CreateProtector("webhook secret");

    /// <summary>Makes a webhook and returns it with its secret, which is not shown again.</summary>
    /// <exception cref="RequestException">A field is not allowed, or the name is taken.</exception>
    public async Task<(Webhook Webhook, string Secret)> AddAsync(WebhookRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        var now = clock.GetUtcNow();
        var secret = request.Secret ?? WebhookSignature.NewSecret();
        var webhook = new Webhook
        {
            Id = Guid.CreateVersion7(now),
            Name = TextRules.Name("name", request.Name),
            Url = target.Check(request.Url).AbsoluteUri,
            Secret = _protector.Protect(secret),
            Events = [.. request.Events.Distinct()],
            Enabled = request.Enabled,
            CreatedBy = actor.Name,
            CreatedAt = now,
            UpdatedAt = now,
        };
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        db.Webhooks.Add(webhook);
        db.Record(actor, "webhook.create", $"webhook:{webhook.Id}", $"{webhook.Name}: {string.Join(", ", webhook.Events)} to {webhook.Url}", now);
        await SaveAsync(db, webhook, cancellation);
        return (webhook, secret);
    }

    /// <summary>Changes a webhook; a secret that is left out stays.</summary>
    /// <exception cref="RequestException">There is no such webhook, a field is not allowed, or the name is taken.</exception>
    public async Task<Webhook> ChangeAsync(Guid id, WebhookRequest request, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var webhook = await FindAsync(db, id, cancellation);
        check?.Invoke(webhook.Version);
        var now = clock.GetUtcNow();
        webhook.Name = TextRules.Name("name", request.Name);
        webhook.Url = target.Check(request.Url).AbsoluteUri;
        webhook.Events = [.. request.Events.Distinct()];
        webhook.Enabled = request.Enabled;
        if (request.Secret is { } secret)
            webhook.Secret = _protector.Protect(secret);
        webhook.UpdatedAt = now;
        webhook.Version++;
        db.Record(actor, "webhook.change", $"webhook:{id}", $"{webhook.Name}{(webhook.Enabled ? "" : ", disabled")}{(request.Secret is null ? "" : ", new secret")}", now);
        await SaveAsync(db, webhook, cancellation);
        return webhook;
    }

    /// <summary>Deletes a webhook and what waits for it.</summary>
    /// <exception cref="RequestException">There is no such webhook.</exception>
    public async Task DeleteAsync(Guid id, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var webhook = await FindAsync(db, id, cancellation);
        check?.Invoke(webhook.Version);
        db.Webhooks.Remove(webhook);
        db.Record(actor, "webhook.delete", $"webhook:{id}", webhook.Name, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
    }

    /// <summary>Queues a delivery of the event <see cref="WebhookEvents.Test"/>.</summary>
    /// <exception cref="RequestException">There is no such webhook.</exception>
    public async Task<WebhookDelivery> TestAsync(Guid id, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var webhook = await FindAsync(db, id, cancellation);
        var now = clock.GetUtcNow();
        var delivery = new WebhookDelivery
        {
            Id = Guid.CreateVersion7(now),
            WebhookId = id,
            Event = WebhookEvents.Test,
            Subject = $"webhook:{id}",
            Data = """{"message":"This is a test."}""",
            CreatedAt = now,
            NextAttemptAt = now,
        };
        db.WebhookDeliveries.Add(delivery);
        db.Record(actor, "webhook.test", $"webhook:{id}", webhook.Name, now);
        await db.SaveChangesAsync(cancellation);
        return delivery;
    }

    /// <summary>Has a delivery that is over tried again, from the first attempt on.</summary>
    /// <exception cref="RequestException">There is no such delivery, or it is still being tried.</exception>
    public async Task<WebhookDelivery> RetryAsync(Guid webhook, Guid id, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var delivery = await db.WebhookDeliveries.FromSql($"select * from webhook_deliveries where id = {id} and webhook_id = {webhook} for update")
            .SingleOrDefaultAsync(cancellation) ?? throw RequestException.NotFound($"Webhook {webhook} has no delivery {id}.");
        if (delivery.Status == DeliveryStatus.Pending)
            throw RequestException.Conflict($"Delivery {id} is still being tried.");
        var now = clock.GetUtcNow();
        (delivery.Status, delivery.Attempts, delivery.NextAttemptAt) = (DeliveryStatus.Pending, 0, now);
        db.Record(actor, "webhook.retry", $"webhook:{webhook}", id.ToString(), now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return delivery;
    }

    /// <summary>What a webhook's deliveries are signed with.</summary>
    internal string SecretOf(Webhook webhook) => _protector.Unprotect(webhook.Secret);

    private static async Task<Webhook> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        await db.Webhooks.SingleOrDefaultAsync(w => w.Id == id, cancellation) ?? throw RequestException.NotFound($"There is no webhook {id}.");

    private static Task SaveAsync(CatalogueDb db, Webhook webhook, CancellationToken cancellation) =>
        db.SaveUniqueAsync($"There is a webhook '{webhook.Name}' already.", cancellation);

    private static void Check(WebhookRequest request)
    {
        if (request.Events.Count == 0 || request.Events.Any(e => !WebhookEvents.All.Contains(e)))
            throw RequestException.Invalid("events", "one or more of " + string.Join(", ", WebhookEvents.All));
        if (request.Secret is { Length: < 16 or > 200 })
            throw RequestException.Invalid("secret", "16 to 200 characters; left out, one is made");
    }
}
