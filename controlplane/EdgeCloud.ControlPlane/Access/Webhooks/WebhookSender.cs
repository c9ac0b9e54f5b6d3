using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>
/// Posts what is queued for webhooks. A delivery is claimed for a while by moving its next attempt ahead, so that several replicas share
/// the work and what a replica left behind at its end is tried again: a receiver may see a delivery twice, and tells that by its id.
/// Anything but 2xx is a failure and is tried again, ever later.
/// </summary>
internal sealed partial class WebhookSender(
    IDbContextFactory<CatalogueDb> catalogue, Changes changes, WebhookBook book, WebhookTarget target, IConfiguration configuration,
    TimeProvider clock, ILogger<WebhookSender> log) : BackgroundService
{
    private const int Parallel = 4;
    private const int MaxErrorLength = 200;
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ClaimedFor = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(6),
    ];

    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly double _haste = configuration.Number("Webhooks:RetryHaste", 1, 1, 10_000);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var http = target.NewClient(Patience);
        try
        {
            await Task.WhenAll([ListenAsync(stoppingToken), .. Enumerable.Range(0, Parallel).Select(_ => WorkAsync(http, stoppingToken))]);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        await foreach (var _ in changes.Subscribe(c => c.Concerns(ChangeKind.Webhook), cancellation, TimeSpan.FromMilliseconds(200)))
        {
            if (_news.CurrentCount == 0)
                _news.Release();
        }
    }

    private async Task WorkAsync(HttpClient http, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                if (await ClaimAsync(cancellation) is not { } claim)
                    await _news.WaitAsync(PollInterval * (0.5 + Random.Shared.NextDouble()), cancellation);
                else
                    await TryAsync(http, claim.Webhook, claim.Delivery, cancellation);
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                DatabaseAway(log, e.GetBaseException().Message);
                await Task.Delay(PollInterval, clock, cancellation);
            }
        }
    }

    private async Task<(Webhook Webhook, WebhookDelivery Delivery)?> ClaimAsync(CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var claimed = await db.WebhookDeliveries.FromSql(
            $"""
            update webhook_deliveries set attempts = attempts + 1, last_attempt_at = now(), next_attempt_at = now() + {ClaimedFor}
            where id = (
                select id from webhook_deliveries where status = 'pending' and next_attempt_at <= now()
                order by next_attempt_at limit 1 for update skip locked)
            returning *
            """).AsNoTracking().ToListAsync(cancellation);
        if (claimed is not [var delivery])
            return null;
        // Deleted since, its deliveries went with it.
        return await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(w => w.Id == delivery.WebhookId, cancellation) is { } webhook ? (webhook, delivery) : null;
    }

    private async Task TryAsync(HttpClient http, Webhook webhook, WebhookDelivery delivery, CancellationToken cancellation)
    {
        var (status, error) = await PostAsync(http, webhook, delivery, cancellation);
        var isOver = error.Length == 0 || delivery.Attempts > Pauses.Length;
        var pause = isOver ? TimeSpan.Zero : Pauses[delivery.Attempts - 1] / _haste * (0.9 + Random.Shared.NextDouble() / 5);
        var word = error.Length == 0 ? "delivered" : isOver ? "failed" : "pending";
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await db.Database.ExecuteSqlAsync(
            $"""
            update webhook_deliveries set status = {word}, response_status = {status}, error = {error},
                                          next_attempt_at = case when {isOver} then null else now() + {pause} end
            where id = {delivery.Id} and attempts = {delivery.Attempts} and status = 'pending'
            """,
            cancellation);
        if (error.Length > 0)
            NotDelivered(log, webhook.Name, delivery.Event, delivery.Attempts, error);
    }

    private async Task<(int? Status, string Error)> PostAsync(HttpClient http, Webhook webhook, WebhookDelivery delivery, CancellationToken cancellation)
    {
        try
        {
            using var request = Request(webhook, delivery);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            var status = (int)response.StatusCode;
            var words = $"answered {status} {response.ReasonPhrase}";
            return (status, status is >= 200 and < 300 ? "" : words.Length <= MaxErrorLength ? words : words[..MaxErrorLength]);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return (null, e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : e.Message);
        }
        catch (CryptographicException)
        {
            return (null, "the secret cannot be read, since the keys that protect it are gone; set a new one");
        }
    }

    private HttpRequestMessage Request(Webhook webhook, WebhookDelivery delivery)
    {
        using var data = JsonDocument.Parse(delivery.Data);
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
        {
            ["id"] = delivery.Id,
            ["event"] = delivery.Event,
            ["at"] = delivery.CreatedAt,
            ["subject"] = delivery.Subject,
            ["data"] = data.RootElement,
        });
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        var id = delivery.Id.ToString();
        var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("EdgeCloud", "1"));
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Of(book.SecretOf(webhook), id, timestamp, body));
        return request;
    }

    [LoggerMessage(EventId = 5110, Level = LogLevel.Warning, Message = "Webhook {Name} was not told of {Event} (attempt {Attempt}): {Error}")]
    private static partial void NotDelivered(ILogger log, string name, string @event, int attempt, string error);

    [LoggerMessage(EventId = 5111, Level = LogLevel.Warning, Message = "Webhooks wait for the database: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);
}
