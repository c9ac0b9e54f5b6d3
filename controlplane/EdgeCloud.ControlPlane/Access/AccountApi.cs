using System.Security.Claims;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>What a user does about themself in the API: who am I, my keys.</summary>
public static class AccountApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapAccountApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/me", Me).WithName("getMe").WithSummary("Show who you are and what you may").WithTags("access").RequireAuthorization();
        var keys = api.MapGroup("/keys").WithTags("access").RequireAuthorization(Policies.Account);
        keys.MapGet("", ListAsync).WithName("listKeys").WithSummary("List your API keys, newest first");
        keys.MapPost("", CreateAsync).WithName("createKey").WithSummary("Make an API key; the answer shows it once")
            .ProducesValidationProblem().WithMetadata(NotKept.Instance);
        keys.MapDelete("/{id:guid}", RevokeAsync).WithName("revokeKey").WithSummary("Withdraw an API key of yours").ProducesProblem(404);
    }

    private static Ok<MeView> Me(ClaimsPrincipal user) => TypedResults.Ok(new MeView
    {
        User = user.Identity!.Name!,
        Roles = [.. user.FindAll(ClaimTypes.Role).Select(c => c.Value).Order()],
        Key = user.FindFirstValue(Actor.KeyClaim) ?? "",
        Scopes = [.. Scopes.All.Where(s => Scopes.Allow(user, s))],
    });

    private static async Task<Ok<Page<KeyView>>> ListAsync(
        CatalogueDb db, UserManager<User> users, ClaimsPrincipal user, CancellationToken cancellation)
    {
        return TypedResults.Ok(new Page<KeyView> { Items = await KeysAsync(db, Guid.Parse(users.GetUserId(user)!), cancellation) });
    }

    /// <summary>A user's keys, newest first.</summary>
    public static async Task<IReadOnlyList<KeyView>> KeysAsync(CatalogueDb db, Guid user, CancellationToken cancellation)
    {
        var rows = await db.ApiKeys.AsNoTracking().Where(k => k.UserId == user)
            .OrderByDescending(k => k.CreatedAt).ThenByDescending(k => k.Id).ToListAsync(cancellation);
        return [.. rows.Select(k => View(k, null))];
    }

    private static async Task<Created<KeyView>> CreateAsync(
        KeyRing ring, UserManager<User> users, HttpContext context, KeyRequest request, CancellationToken cancellation)
    {
        var user = Guid.Parse(users.GetUserId(context.User)!);
        var (key, secret) = await ring.AddAsync(user, request, context.User, Actor.Of(context), cancellation);
        return TypedResults.Created($"{Api.Root}/keys/{key.Id}", View(key, secret));
    }

    private static async Task<NoContent> RevokeAsync(
        KeyRing ring, UserManager<User> users, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await ring.RevokeAsync(id, Guid.Parse(users.GetUserId(context.User)!), Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static KeyView View(ApiKey key, string? secret) => new()
    {
        Id = key.Id,
        Name = key.Name,
        Prefix = key.Prefix,
        Token = secret,
        Scopes = key.Scopes,
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt,
        LastUsedAt = key.LastUsedAt,
        RevokedAt = key.RevokedAt,
    };
}
