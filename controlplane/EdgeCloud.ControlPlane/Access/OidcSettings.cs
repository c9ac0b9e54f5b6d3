using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>
/// The section <c>Oidc</c>: an identity provider at which users may sign in, beside or instead of passwords.
/// </summary>
/// <param name="Authority">Its address, below which <c>.well-known/openid-configuration</c> lies.</param>
/// <param name="ClientId">How it knows EdgeCloud.</param>
/// <param name="ClientSecret">The secret that goes with it.</param>
/// <param name="Name">What the login page calls it.</param>
/// <param name="UserClaim">Claim that a new user is named by, <c>preferred_username</c> unless it is set.</param>
/// <param name="RoleClaim">Claim that holds groups or roles; empty when the provider knows nothing of them.</param>
/// <param name="RolesByGroup">EdgeCloud's role by the value of that claim: <c>Oidc:Roles:{value}={role}</c>.</param>
/// <param name="DefaultRole">Role of whoever has none of those; empty to refuse them.</param>
public sealed record OidcSettings(
    Uri Authority, string ClientId, string ClientSecret, string Name, string UserClaim, string RoleClaim,
    IReadOnlyDictionary<string, string> RolesByGroup, string DefaultRole)
{
    /// <summary>Reads and checks the section; null when there is none.</summary>
    /// <exception cref="ConfigurationException">A key is missing or wrong; the message names it.</exception>
    public static OidcSettings? Read(IConfiguration configuration)
    {
        if (configuration.HttpAddress("Oidc:Authority") is not { } authority)
            return null;
        if (authority.Scheme != "https" && !authority.IsLoopback)
            throw new ConfigurationException($"Oidc:Authority is '{authority}'; a provider that is not on this machine is asked by https only.");
        var roles = configuration.GetSection("Oidc:Roles").GetChildren().ToDictionary(c => c.Key, c => Role($"Oidc:Roles:{c.Key}", c.Value ?? ""), StringComparer.OrdinalIgnoreCase);
        var fallback = configuration["Oidc:DefaultRole"] ?? "";
        return new OidcSettings(
            authority,
            configuration.Require("Oidc:ClientId", "how the identity provider knows EdgeCloud"),
            configuration.Require("Oidc:ClientSecret", "the secret that goes with Oidc:ClientId"),
            configuration["Oidc:Name"] ?? authority.Host,
            configuration["Oidc:UserClaim"] ?? "preferred_username",
            configuration["Oidc:RoleClaim"] ?? "",
            roles,
            fallback.Length == 0 ? "" : Role("Oidc:DefaultRole", fallback));
    }

    private static string Role(string key, string role) =>
        Roles.All.Contains(role) ? role : throw new ConfigurationException($"{key} is '{role}'; it must be one of {string.Join(", ", Roles.All)}.");
}
