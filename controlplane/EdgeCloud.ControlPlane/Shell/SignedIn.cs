using EdgeCloud.ControlPlane.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace EdgeCloud.ControlPlane.Shell;

/// <summary>
/// The user of a page. A button that a role may not press is hidden, and asked for here again when it is pressed: hiding is a courtesy,
/// this is the rule.
/// </summary>
public sealed class SignedIn(AuthenticationStateProvider authentication, IAuthorizationService authorization)
{
    /// <summary>The user as commands and exports name it, if the policy allows the deed; null when it does not.</summary>
    public async Task<Actor?> AllowedAsync(string policy)
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        return (await authorization.AuthorizeAsync(user, policy)).Succeeded ? Actor.Of(user) : null;
    }

    /// <summary>The user as commands and exports name it.</summary>
    /// <exception cref="RequestException">The policy does not allow the deed.</exception>
    public async Task<Actor> RequireAsync(string policy) => await AllowedAsync(policy) ?? throw RequestException.Forbidden(Refusal);

    /// <summary>What a page says to whoever is not allowed.</summary>
    public const string Refusal = "Your role does not include this. Nothing was sent.";
}
