using System.Security.Cryptography;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>
/// What administrators do to users, for the API and the portal alike; whoever calls has checked <see cref="Policies.Administer"/>. There
/// is always an administrator left who can sign in, and every change ends the user's open pages within minutes.
/// </summary>
public sealed class UserBook(UserManager<User> users, CatalogueDb db, TimeProvider clock)
{
    // As far away as PostgreSQL and .NET agree on: until an administrator says otherwise.
    private static readonly DateTimeOffset Forever = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private const string PasswordAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>Makes a user with a password of the system's choice, which is to be replaced at the first login; returns it.</summary>
    /// <exception cref="RequestException">The name is taken or not allowed, or a role is unknown.</exception>
    public async Task<(User User, string Password)> AddAsync(string name, IReadOnlyList<string> roles, Actor actor, CancellationToken cancellation)
    {
        name = TextRules.Name("user", name);
        Check(roles);
        var (now, password) = (clock.GetUtcNow(), NewPassword());
        var user = new User { Id = Guid.CreateVersion7(now), UserName = name, CreatedAt = now, MustChangePassword = true };
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        Demand(await users.CreateAsync(user, password), "user");
        Demand(await users.AddToRolesAsync(user, roles), "roles");
        db.Record(actor, "user.create", $"user:{name}", string.Join(", ", roles), now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return (user, password);
    }

    /// <summary>Changes roles and whether the user may sign in; null leaves as it is.</summary>
    /// <exception cref="RequestException">There is no such user, a role is unknown, or no administrator would be left.</exception>
    public async Task<User> ChangeAsync(Guid id, IReadOnlyList<string>? roles, bool? disabled, Actor actor, CancellationToken cancellation)
    {
        if (roles is not null)
            Check(roles);
        await using var transaction = await BeginAsync(cancellation);
        var user = await FindAsync(id);
        var deeds = new List<string>();
        if (roles is not null)
        {
            var had = await users.GetRolesAsync(user);
            Demand(await users.RemoveFromRolesAsync(user, had.Except(roles)), "roles");
            Demand(await users.AddToRolesAsync(user, roles.Except(had)), "roles");
            deeds.Add(string.Join(", ", roles));
        }
        if (disabled is { } isDisabled)
        {
            Demand(await users.SetLockoutEnabledAsync(user, true), "disabled");
            Demand(await users.SetLockoutEndDateAsync(user, isDisabled ? Forever : null), "disabled");
            await users.ResetAccessFailedCountAsync(user);
            deeds.Add(isDisabled ? "disabled" : "enabled");
        }
        await users.UpdateSecurityStampAsync(user);
        db.Record(actor, "user.change", $"user:{user.UserName}", string.Join("; ", deeds), clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        await RequireAdministratorAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return user;
    }

    /// <summary>Gives a user a password of the system's choice, which is to be replaced at the next login; returns it.</summary>
    /// <exception cref="RequestException">There is no such user.</exception>
    public async Task<string> ResetPasswordAsync(Guid id, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var user = await FindAsync(id);
        var password = NewPassword();
        Demand(await users.RemovePasswordAsync(user), "password");
        Demand(await users.AddPasswordAsync(user, password), "password");
        user.MustChangePassword = true;
        Demand(await users.UpdateAsync(user), "password");
        await users.UpdateSecurityStampAsync(user);
        db.Record(actor, "password.reset", $"user:{user.UserName}", "", clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return password;
    }

    /// <summary>Deletes a user with their keys and views. What they did stays on record.</summary>
    /// <exception cref="RequestException">There is no such user, or no administrator would be left.</exception>
    public async Task DeleteAsync(Guid id, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var user = await FindAsync(id);
        db.Record(actor, "user.delete", $"user:{user.UserName}", "", clock.GetUtcNow());
        Demand(await users.DeleteAsync(user), "user");
        await RequireAdministratorAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>True when an administrator keeps the user from signing in, as opposed to a lockout that passes by itself.</summary>
    public static bool IsDisabled(User user) => user.LockoutEnd >= Forever;

    // One change at a time: two administrators who remove each other at the same moment must not both succeed.
    private async Task<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction> BeginAsync(CancellationToken cancellation)
    {
        var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await db.Database.ExecuteSqlAsync($"select 1 from roles where name = {Roles.Administrator} for update", cancellation);
        return transaction;
    }

    private async Task<User> FindAsync(Guid id) =>
        await users.FindByIdAsync(id.ToString()) ?? throw RequestException.NotFound($"There is no user {id}.");

    private async Task RequireAdministratorAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var left = from user in db.Users
                   join has in db.UserRoles on user.Id equals has.UserId
                   join role in db.Roles on has.RoleId equals role.Id
                   where role.Name == Roles.Administrator && (user.LockoutEnd == null || user.LockoutEnd < Forever)
                   select user.Id;
        if (!await left.AnyAsync(cancellation))
            throw RequestException.Conflict("No administrator would be left who can sign in; make another one first.");
    }

    private static void Check(IReadOnlyList<string> roles)
    {
        if (roles.Count == 0 || roles.Distinct().Count() != roles.Count || roles.Any(r => !Roles.All.Contains(r)))
            throw RequestException.Invalid("roles", "one or more of " + string.Join(", ", Roles.All));
    }

    private static void Demand(IdentityResult result, string field)
    {
        if (!result.Succeeded)
            throw RequestException.Invalid(field, string.Join(" ", result.Errors.Select(e => e.Description)));
    }

    private static string NewPassword() => string.Join('-', RandomNumberGenerator.GetString(PasswordAlphabet, 20).Chunk(5).Select(c => new string(c)));
}
