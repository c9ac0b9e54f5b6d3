using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Identity;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Checks passwords: lockout after repeated failures, every attempt on record.</summary>
public sealed class Login(SignInManager<User> signIn, UserManager<User> users, CatalogueDb db, TimeProvider clock)
{
    /// <summary>The one answer to a wrong name, a wrong password and a locked user, which tells an attacker nothing.</summary>
    public const string Refusal = "User or password is wrong, or too many attempts failed: wait five minutes and try again.";

    /// <summary>What somebody is told who works with a password that somebody else chose.</summary>
    public const string MustChange =
        "The password was chosen by somebody else; replace it first: on the page /account/password, by POST /api/v1/password, or with edgecloud password.";

    /// <summary>The user of this name if the password is right, else null.</summary>
    public async Task<User?> CheckAsync(string name, string password, string address, CancellationToken cancellation)
    {
        var user = await users.FindByNameAsync(name);
        if (user is null)
            SpendTheTimeOfACheck(password);
        var result = user is null ? SignInResult.Failed : await signIn.CheckPasswordSignInAsync(user, password, lockoutOnFailure: true);
        var actor = new Actor($"user:{(name.Length <= 100 ? name : name[..100])}", address);
        db.Record(actor, result.Succeeded ? "login" : "login.failed", "", result.IsLockedOut ? "locked out" : "", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        return result.Succeeded ? user : null;
    }

    /// <summary>Signs a browser in with the portal's cookie; false when the password is wrong.</summary>
    public async Task<bool> SignInAsync(string name, string password, string address, CancellationToken cancellation)
    {
        if (await CheckAsync(name, password, address, cancellation) is not { } user)
            return false;
        await signIn.SignInAsync(user, isPersistent: false);
        return true;
    }

    /// <summary>A new API key for whoever knows the password; null when it is wrong.</summary>
    public async Task<LoginResponse?> CreateKeyAsync(LoginRequest request, string address, CancellationToken cancellation)
    {
        if (await CheckAsync(request.User, request.Password, address, cancellation) is not { } user)
            return null;
        if (user.MustChangePassword)
            throw RequestException.Forbidden(MustChange);
        var now = clock.GetUtcNow();
        var (key, secret) = ApiKeys.New(user.Id, request.KeyName, now, KeyRing.ReadScopes(request.Scopes), now.AddDays(request.ExpiresInDays));
        db.ApiKeys.Add(key);
        db.Record(new Actor($"user:{user.UserName}", address), "key.create", $"key:{user.UserName}/{key.Name}", $"{key.Prefix}…, until {key.ExpiresAt:u}", now);
        await db.SaveChangesAsync(cancellation);
        return new LoginResponse
        {
            Token = secret,
            User = user.UserName!,
            Roles = [.. await users.GetRolesAsync(user)],
            ExpiresAt = key.ExpiresAt,
        };
    }

    /// <summary>Replaces a password for whoever knows it; false when it is wrong.</summary>
    /// <exception cref="RequestException">The new one is not allowed.</exception>
    public async Task<bool> ChangePasswordAsync(string name, string present, string chosen, string address, CancellationToken cancellation)
    {
        if (await CheckAsync(name, present, address, cancellation) is not { } user)
            return false;
        if (chosen == present)
            throw RequestException.Invalid("new_password", "another one than the present");
        var result = await users.ChangePasswordAsync(user, present, chosen);
        if (!result.Succeeded)
            throw RequestException.Invalid("new_password", string.Join(" ", result.Errors.Select(e => e.Description)));
        user.MustChangePassword = false;
        await users.UpdateAsync(user);
        db.Record(new Actor($"user:{user.UserName}", address), "password.change", $"user:{user.UserName}", "", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        return true;
    }

    // An unknown name must not be told from a wrong password by the time that the answer takes.
    private void SpendTheTimeOfACheck(string password) => users.PasswordHasher.HashPassword(new User(), password);
}
