using System.Security.Cryptography;
using System.Text;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane;

/// <summary>Marks an endpoint whose answer must be stored nowhere, since it holds a secret.</summary>
internal sealed class NotKept
{
    public static readonly NotKept Instance = new();
}

/// <summary>
/// A POST with an <c>Idempotency-Key</c> has its effect once: its answer is kept for a day, and the same request of the same user under
/// the same key is given that answer again. Errors of the server are not kept, so that another attempt can succeed.
/// </summary>
internal sealed class IdempotentRequests(RequestDelegate next, IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private const int MaxKeyLength = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public async Task InvokeAsync(HttpContext context)
    {
        var key = context.Request.Headers[Header].ToString();
        if (key.Length == 0 || !HttpMethods.IsPost(context.Request.Method) || UserOf(context) is not { } user)
        {
            await next(context);
            return;
        }
        if (key.Length > MaxKeyLength || key.Any(c => c is <= ' ' or > '~'))
            throw RequestException.Invalid(Header, $"1 to {MaxKeyLength} visible ASCII characters");
        if (context.GetEndpoint()?.Metadata.GetMetadata<NotKept>() is not null)
            throw RequestException.Invalid(Header, "not for this operation, whose answer holds a secret and is kept nowhere");
        var request = await HashAsync(context.Request, context.RequestAborted);
        if (await BeginAsync(user, key, request, context.RequestAborted))
            await RunAsync(context, user, key);
        else
            await RepeatAsync(context, user, key, request);
    }

    private static Guid? UserOf(HttpContext context) =>
        Guid.TryParse(context.User.Claims.FirstOrDefault(c => c.Type == new IdentityOptions().ClaimsIdentity.UserIdClaimType)?.Value, out var id) ? id : null;

    /// <summary>True when nobody made this request before, or whoever did has died over it.</summary>
    private async Task<bool> BeginAsync(Guid user, string key, byte[] request, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var (abandoned, forgotten) = (now - Patience, now - Kept);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        return await db.Database.ExecuteSqlAsync(
            $"""
            insert into idempotency_keys as k (user_id, key, request, created_at, content_type, location, body)
            values ({user}, {key}, {request}, {now}, '', '', '')
            on conflict (user_id, key) do update
                set request = excluded.request, created_at = excluded.created_at, status = null, content_type = '', location = '', body = ''
                where (k.status is null and k.created_at < {abandoned}) or k.created_at < {forgotten}
            """,
            cancellation) == 1;
    }

    private async Task RunAsync(HttpContext context, Guid user, string key)
    {
        var client = context.Response.Body;
        using var body = new MemoryStream();
        context.Response.Body = body;
        try
        {
            await next(context);
        }
        catch
        {
            await ForgetAsync(user, key);
            throw;
        }
        finally
        {
            context.Response.Body = client;
        }
        if (context.Response.StatusCode >= 500)
            await ForgetAsync(user, key);
        else
            await KeepAsync(context.Response, user, key, body.ToArray());
        body.Position = 0;
        await body.CopyToAsync(client, context.RequestAborted);
    }

    // What was done is kept even when the one who asked has gone: that is when it is asked again.
    private async Task KeepAsync(HttpResponse response, Guid user, string key, byte[] body)
    {
        await using var db = await catalogue.CreateDbContextAsync(CancellationToken.None);
        var (status, type, location) = (response.StatusCode, response.ContentType ?? "", response.Headers.Location.ToString());
        await db.IdempotencyKeys.Where(k => k.UserId == user && k.Key == key).ExecuteUpdateAsync(k => k
            .SetProperty(x => x.Status, status).SetProperty(x => x.ContentType, type).SetProperty(x => x.Location, location).SetProperty(x => x.Body, body));
    }

    private async Task ForgetAsync(Guid user, string key)
    {
        await using var db = await catalogue.CreateDbContextAsync(CancellationToken.None);
        await db.IdempotencyKeys.Where(k => k.UserId == user && k.Key == key).ExecuteDeleteAsync();
    }

    private async Task RepeatAsync(HttpContext context, Guid user, string key, byte[] request)
    {
        await using var db = await catalogue.CreateDbContextAsync(context.RequestAborted);
        var kept = await db.IdempotencyKeys.AsNoTracking().SingleOrDefaultAsync(k => k.UserId == user && k.Key == key, context.RequestAborted);
        if (kept is not null && !kept.Request.AsSpan().SequenceEqual(request))
        {
            await Problems.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, $"{Header} '{key}' was used for another request; take a new one.");
            return;
        }
        if (kept?.Status is not { } status)
        {
            context.Response.Headers.RetryAfter = "1";
            await Problems.WriteAsync(context, StatusCodes.Status409Conflict, $"The request with {Header} '{key}' is still under way; try again in a moment.");
            return;
        }
        context.Response.StatusCode = status;
        context.Response.Headers[ReplayedHeader] = "true";
        if (kept.ContentType.Length > 0)
            context.Response.ContentType = kept.ContentType;
        if (kept.Location.Length > 0)
            context.Response.Headers.Location = kept.Location;
        await context.Response.Body.WriteAsync(kept.Body, context.RequestAborted);
    }

    private static async Task<byte[]> HashAsync(HttpRequest request, CancellationToken cancellation)
    {
        request.EnableBuffering();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n"));
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancellation)) > 0;)
            hash.AppendData(buffer, 0, read);
        request.Body.Position = 0;
        return hash.GetHashAndReset();
    }
}
