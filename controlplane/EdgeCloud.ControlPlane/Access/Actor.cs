using System.Security.Claims;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Who acts, as commands, exports and the audit log name them.</summary>
/// <param name="Name"><c>user:alice</c>, or <c>key:alice/ci</c> for alice's key named ci.</param>
/// <param name="Address">Network address of the request; empty when there is none.</param>
/// <param name="IsAdministrator">May change what belongs to others.</param>
public readonly record struct Actor(string Name, string Address = "", bool IsAdministrator = false)
{
    /// <summary>Claim with the name of the API key that acts for the user.</summary>
    public const string KeyClaim = "edgecloud:key";

    /// <summary>The actor behind a request or a page.</summary>
    /// <exception cref="ArgumentException">Nobody is signed in.</exception>
    public static Actor Of(ClaimsPrincipal principal, string address = "")
    {
        var user = principal.Identity?.Name ?? throw new ArgumentException("Nobody is signed in.", nameof(principal));
        return new Actor(
            principal.FindFirstValue(KeyClaim) is { } key ? $"key:{user}/{key}" : $"user:{user}",
            address,
            principal.IsInRole(Roles.Administrator) && Scopes.Allow(principal, Scopes.Administer));
    }

    /// <summary>The user who acts, by a key or not.</summary>
    public string User => UserOf(Name);

    /// <summary>True when <paramref name="name"/> is the same user, or another key of that user.</summary>
    public bool IsSameUserAs(string name) => UserOf(Name) == UserOf(name);

    /// <summary>The actor behind a request.</summary>
    public static Actor Of(HttpContext context) => Of(context.User, context.Connection.RemoteIpAddress?.ToString() ?? "");

    private static string UserOf(string name) => name.Split(':', 2)[^1].Split('/', 2)[0];
}
