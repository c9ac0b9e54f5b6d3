using System.Security.Claims;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Makes and withdraws keys, for the API and the portal alike. Whoever calls has checked <see cref="Policies.Account"/>.</summary>
public sealed class KeyRing(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    /// <summary>The longest life of a key, days.</summary>
    public const int MaxDays = 366;

    /// <summary>Makes a key for a user and returns it with its secret, which is not shown again.</summary>
    /// <param name="user">Whose key.</param>
    /// <param name="request">Name, scopes and life.</param>
    /// <param name="by">Who asks; a key makes no key that may more or lives longer than itself.</param>
    /// <param name="actor">The same, for the audit log.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RequestException">A field is not allowed.</exception>
    public async Task<(ApiKey Key, string Secret)> AddAsync(
        Guid user, KeyRequest request, ClaimsPrincipal by, Actor actor, CancellationToken cancellation)
    {
        var name = TextRules.Name("name", request.Name);
        var scopes = ReadScopes(request.Scopes);
        if (request.ExpiresInDays is < 1 or > MaxDays)
            throw RequestException.Invalid("expires_in_days", $"1 to {MaxDays}");
        var now = clock.GetUtcNow();
        var expiresAt = now.AddDays(request.ExpiresInDays);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        if (by.FindFirstValue(ApiKeyAuthentication.KeyIdClaim) is { } id)
        {
            var own = await db.ApiKeys.AsNoTracking().SingleAsync(k => k.Id == Guid.Parse(id), cancellation);
            if (scopes.Except(own.Scopes).FirstOrDefault() is { } more)
                throw RequestException.Forbidden($"A key makes no key that may more than itself: it lacks the scope {more}.");
            expiresAt = expiresAt < own.ExpiresAt ? expiresAt : own.ExpiresAt;
        }
        var (key, secret) = ApiKeys.New(user, name, now, scopes, expiresAt);
        db.ApiKeys.Add(key);
        db.Record(actor, "key.create", $"key:{key.Name}", $"{key.Prefix}…, {string.Join(" ", key.Scopes)}, until {key.ExpiresAt:u}", now);
        await db.SaveChangesAsync(cancellation);
        return (key, secret);
    }

    /// <summary>Withdraws a key of <paramref name="user"/>, or anybody's when that is null. Once more changes nothing.</summary>
    /// <exception cref="RequestException">There is no such key.</exception>
    public async Task RevokeAsync(Guid id, Guid? user, Actor actor, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var key = await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id && (user == null || k.UserId == user), cancellation)
            ?? throw RequestException.NotFound($"There is no key {id}.");
        if (key.RevokedAt is not null)
            return;
        key.RevokedAt = now;
        db.Record(actor, "key.revoke", $"key:{key.Name}", $"{key.Prefix}…", now);
        await db.SaveChangesAsync(cancellation);
    }

    /// <summary>Scopes by name; all of them when none is named.</summary>
    /// <exception cref="RequestException">A name is unknown.</exception>
    public static string[] ReadScopes(IReadOnlyList<string>? names)
    {
        if (names is null)
            return Scopes.All;
        return names.Count > 0 && names.All(Scopes.All.Contains)
            ? [.. Scopes.All.Intersect(names)]
            : throw RequestException.Invalid("scopes", "one or more of " + string.Join(", ", Scopes.All));
    }
}
