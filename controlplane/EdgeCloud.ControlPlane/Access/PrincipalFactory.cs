using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>What a signed-in user's claims are: Identity's, and whether the password has to be changed.</summary>
public sealed class PrincipalFactory(UserManager<User> users, RoleManager<IdentityRole<Guid>> roles, IOptions<IdentityOptions> options)
    : UserClaimsPrincipalFactory<User, IdentityRole<Guid>>(users, roles, options)
{
    /// <summary>Claim that is there while the user works with a password that somebody else chose.</summary>
    public const string MustChangePassword = "edgecloud:must_change_password";

    /// <inheritdoc/>
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(User user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        if (user.MustChangePassword)
            identity.AddClaim(new Claim(MustChangePassword, "true"));
        return identity;
    }
}
