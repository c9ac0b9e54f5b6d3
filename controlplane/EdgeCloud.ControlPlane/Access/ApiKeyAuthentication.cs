using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace EdgeCloud.ControlPlane.Access;

/// <summary><c>Authorization: Bearer {key}</c> (RFC 6750), checked against the hashes in the catalogue at every request.</summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder,
    CatalogueDb db, UserManager<User> users, IUserClaimsPrincipalFactory<User> principals, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "api-key";

    /// <summary>Claim with the key's id.</summary>
    public const string KeyIdClaim = "edgecloud:key_id";

    private const string Bearer = "Bearer ";
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        var hash = ApiKeys.HashOf(header[Bearer.Length..].Trim());
        var now = clock.GetUtcNow();
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash, Context.RequestAborted);
        if (key is null)
            return AuthenticateResult.Fail("The API key is unknown.");
        if (key.RevokedAt is not null)
            return AuthenticateResult.Fail("The API key was withdrawn.");
        if (key.ExpiresAt <= now)
            return AuthenticateResult.Fail("The API key has expired.");
        var user = await users.FindByIdAsync(key.UserId.ToString());
        if (user is null || await users.IsLockedOutAsync(user))
            return AuthenticateResult.Fail("The user of the API key is locked out.");
        if (key.LastUsedAt is null || now - key.LastUsedAt >= LastUsedPrecision)
        {
            await db.ApiKeys.Where(k => k.Id == key.Id)
                .ExecuteUpdateAsync(k => k.SetProperty(x => x.LastUsedAt, now), Context.RequestAborted);
        }
        var principal = await principals.CreateAsync(user);
        var identity = (ClaimsIdentity)principal.Identity!;
        identity.AddClaim(new Claim(Actor.KeyClaim, key.Name));
        identity.AddClaim(new Claim(KeyIdClaim, key.Id.ToString()));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(Scopes.ClaimType, scope)));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        Response.Headers.WWWAuthenticate = "Bearer";
        await Problems.WriteAsync(Context, StatusCodes.Status401Unauthorized,
            result.Failure?.Message ?? "Send an API key as \"Authorization: Bearer {key}\"; POST /api/v1/login gives one.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.WriteAsync(Context, StatusCodes.Status403Forbidden,
            Context.User.HasClaim(PrincipalFactory.MustChangePassword, "true")
                ? Login.MustChange
                : "The user's role or the key's scopes do not allow this; GET /api/v1/me shows both.");
}

/// <summary>How API keys are made.</summary>
public static class ApiKeys
{
    /// <summary>How long a key works unless it is asked for less.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <summary>Starts every secret, so that scanners for leaked secrets recognise it.</summary>
    public const string Marker = "ec_";

    private const int PrefixLength = 10;

    /// <summary>A new key for a user, and its secret (256 random bits), which is shown once and kept nowhere.</summary>
    public static (ApiKey Key, string Secret) New(
        Guid user, string name, DateTimeOffset now, IReadOnlyList<string>? scopes = null, DateTimeOffset? expiresAt = null)
    {
        var secret = Marker + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var key = new ApiKey
        {
            Id = Guid.CreateVersion7(now),
            UserId = user,
            Name = name,
            Prefix = secret[..PrefixLength],
            Hash = HashOf(secret),
            Scopes = [.. scopes ?? Scopes.All],
            CreatedAt = now,
            ExpiresAt = expiresAt ?? now + Lifetime,
        };
        return (key, secret);
    }

    internal static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
