using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>Webhooks in the API.</summary>
public static class WebhooksApi
{
    /// <summary>Webhooks' part of the container.</summary>
    public static void AddWebhooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new WebhookTarget(builder.Configuration));
        builder.Services.AddSingleton<WebhookBook>();
        builder.Services.AddHostedService<WebhookSender>();
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapWebhooksApi(this IEndpointRouteBuilder api)
    {
        var webhooks = api.MapGroup("/webhooks").WithTags("webhooks").RequireAuthorization(Policies.Administer);
        webhooks.MapGet("", ListAsync).WithName("listWebhooks").WithSummary("List webhooks by name").ProducesValidationProblem();
        webhooks.MapPost("", CreateAsync).WithName("createWebhook").WithSummary("Make a webhook; the answer shows its secret once")
            .ProducesValidationProblem().ProducesProblem(409).WithMetadata(NotKept.Instance);
        webhooks.MapGet("/{id:guid}", GetAsync).WithName("getWebhook").WithSummary("Show a webhook").ProducesProblem(404);
        webhooks.MapPut("/{id:guid}", UpdateAsync).WithName("updateWebhook").WithSummary("Change a webhook")
            .ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409).ProducesProblem(412);
        webhooks.MapDelete("/{id:guid}", DeleteAsync).WithName("deleteWebhook").WithSummary("Delete a webhook and what waits for it")
            .ProducesProblem(404).ProducesProblem(412);
        webhooks.MapPost("/{id:guid}/test", TestAsync).WithName("testWebhook").WithSummary("Queue a test delivery").ProducesProblem(404);
        webhooks.MapGet("/{id:guid}/deliveries", ListDeliveriesAsync).WithName("listDeliveries").WithSummary("List a webhook's deliveries, newest first")
            .ProducesValidationProblem();
        webhooks.MapPost("/{id:guid}/deliveries/{delivery:guid}/retry", RetryAsync).WithName("retryDelivery").WithSummary("Try a delivery again")
            .ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Ok<Page<WebhookView>>> ListAsync(CatalogueDb db, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? "" : Paging.ReadKey(cursor);
        var rows = await db.Webhooks.AsNoTracking().Where(w => string.Compare(w.Name, after) > 0)
            .OrderBy(w => w.Name).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<WebhookView>([.. rows.Select(w => View(w, null))], count, w => Paging.Cursor(w.Name)));
    }

    private static async Task<Created<WebhookView>> CreateAsync(
        WebhookBook book, HttpContext context, WebhookRequest request, CancellationToken cancellation)
    {
        var (webhook, secret) = await book.AddAsync(request, Actor.Of(context), cancellation);
        Versions.Show(context, webhook.Version);
        return TypedResults.Created($"{Api.Root}/webhooks/{webhook.Id}", View(webhook, secret));
    }

    private static async Task<Ok<WebhookView>> GetAsync(CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var webhook = await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no webhook {id}.");
        Versions.Show(context, webhook.Version);
        return TypedResults.Ok(View(webhook, null));
    }

    private static async Task<Ok<WebhookView>> UpdateAsync(
        WebhookBook book, HttpContext context, Guid id, WebhookRequest request, CancellationToken cancellation)
    {
        var webhook = await book.ChangeAsync(id, request, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        Versions.Show(context, webhook.Version);
        return TypedResults.Ok(View(webhook, null));
    }

    private static async Task<NoContent> DeleteAsync(WebhookBook book, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await book.DeleteAsync(id, v => Versions.Require(context, v), Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Accepted<DeliveryView>> TestAsync(WebhookBook book, HttpContext context, Guid id, CancellationToken cancellation) =>
        TypedResults.Accepted($"{Api.Root}/webhooks/{id}/deliveries", View(await book.TestAsync(id, Actor.Of(context), cancellation)));

    private static async Task<Accepted<DeliveryView>> RetryAsync(
        WebhookBook book, HttpContext context, Guid id, Guid delivery, CancellationToken cancellation) =>
        TypedResults.Accepted($"{Api.Root}/webhooks/{id}/deliveries", View(await book.RetryAsync(id, delivery, Actor.Of(context), cancellation)));

    private static async Task<Ok<Page<DeliveryView>>> ListDeliveriesAsync(
        CatalogueDb db, Guid id, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        if (!await db.Webhooks.AnyAsync(w => w.Id == id, cancellation))
            throw RequestException.NotFound($"There is no webhook {id}.");
        var deliveries = db.WebhookDeliveries.AsNoTracking().Where(d => d.WebhookId == id);
        if (cursor is not null)
        {
            var (at, before) = Paging.ReadTimeAndId(cursor);
            deliveries = deliveries.Where(d => EF.Functions.LessThan(ValueTuple.Create(d.CreatedAt, d.Id), ValueTuple.Create(at, before)));
        }
        var rows = await deliveries.OrderByDescending(d => d.CreatedAt).ThenByDescending(d => d.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<DeliveryView>([.. rows.Select(View)], count, d => Paging.Cursor(d.CreatedAt, d.Id)));
    }

    private static WebhookView View(Webhook webhook, string? secret) => new()
    {
        Id = webhook.Id,
        Name = webhook.Name,
        Url = webhook.Url,
        Events = webhook.Events,
        Enabled = webhook.Enabled,
        Secret = secret,
        CreatedBy = webhook.CreatedBy,
        CreatedAt = webhook.CreatedAt,
        UpdatedAt = webhook.UpdatedAt,
    };

    private static DeliveryView View(WebhookDelivery delivery) => new()
    {
        Id = delivery.Id,
        Event = delivery.Event,
        Subject = delivery.Subject,
        CreatedAt = delivery.CreatedAt,
        Status = SnakeCaseNames.Of(delivery.Status.ToString()),
        Attempts = delivery.Attempts,
        NextAttemptAt = delivery.NextAttemptAt,
        LastAttemptAt = delivery.LastAttemptAt,
        ResponseStatus = delivery.ResponseStatus,
        Error = delivery.Error,
    };
}
