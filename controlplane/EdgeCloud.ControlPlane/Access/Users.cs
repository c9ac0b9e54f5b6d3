using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Makes users and roles. There is no user and no password that was not given.</summary>
public sealed partial class Users(
    UserManager<User> users, RoleManager<IdentityRole<Guid>> roles, CatalogueDb db, TimeProvider clock, IConfiguration configuration,
    ILogger<Users> log)
{
    private const string FirstUserKey = "Access:FirstAdminUser";
    private const string FirstPasswordKey = "Access:FirstAdminPassword";

    /// <summary>
    /// At start: the roles, and, only while there is no user at all, the administrator that the configuration names, who has to choose
    /// another password. Without that configuration the log says how to make one.
    /// </summary>
    public async Task EnsureFirstAsync(CancellationToken cancellation)
    {
        await EnsureRolesAsync();
        if (await db.Users.AnyAsync(cancellation))
            return;
        var (name, password) = (configuration[FirstUserKey], configuration[FirstPasswordKey]);
        if (string.IsNullOrEmpty(name) && string.IsNullOrEmpty(password))
        {
            NobodyMaySignIn(log);
            return;
        }
        if (string.IsNullOrEmpty(name) || string.IsNullOrEmpty(password))
            throw new ConfigurationException($"{FirstUserKey} and {FirstPasswordKey} go together; one of them is missing.");
        await CreateAsync(name, password, [Roles.Administrator], mustChangePassword: true, new Actor("configuration"), cancellation);
    }

    /// <summary>Makes a user.</summary>
    /// <exception cref="ConfigurationException">The name is taken or the password too weak; the message says which.</exception>
    public async Task CreateAsync(
        string name, string password, IReadOnlyList<string> userRoles, bool mustChangePassword, Actor by, CancellationToken cancellation)
    {
        await EnsureRolesAsync();
        var now = clock.GetUtcNow();
        var user = new User { Id = Guid.CreateVersion7(now), UserName = name, CreatedAt = now, MustChangePassword = mustChangePassword };
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        Demand(await users.CreateAsync(user, password), name);
        Demand(await users.AddToRolesAsync(user, userRoles), name);
        db.Record(by, "user.create", $"user:{name}", string.Join(", ", userRoles), now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        UserMade(log, name, string.Join(", ", userRoles));
    }

    private async Task EnsureRolesAsync()
    {
        foreach (var role in Roles.All)
        {
            if (!await roles.RoleExistsAsync(role))
                Demand(await roles.CreateAsync(new IdentityRole<Guid>(role) { Id = Guid.CreateVersion7() }), role);
        }
    }

    private static void Demand(IdentityResult result, string name)
    {
        if (!result.Succeeded)
            throw new ConfigurationException($"'{name}' cannot be made: {string.Join(" ", result.Errors.Select(e => e.Description))}");
    }

    [LoggerMessage(EventId = 5100, Level = LogLevel.Warning,
        Message = "Nobody may sign in: there is no user yet. Make an administrator with \"edgecloud-controlplane create-admin --user NAME\"")]
    private static partial void NobodyMaySignIn(ILogger log);

    [LoggerMessage(EventId = 5101, Level = LogLevel.Information, Message = "User {Name} was made ({Roles})")]
    private static partial void UserMade(ILogger log, string name, string roles);
}
