using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Users and the audit log in the API.</summary>
public static class UsersApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapUsersApi(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/users").WithTags("access").RequireAuthorization(Policies.Administer);
        group.MapGet("", ListAsync).WithName("listUsers").WithSummary("List users by name").ProducesValidationProblem();
        group.MapPost("", CreateAsync).WithName("createUser").WithSummary("Make a user; the answer shows the first password once")
            .ProducesValidationProblem().WithMetadata(NotKept.Instance);
        group.MapGet("/{id:guid}", GetAsync).WithName("getUser").WithSummary("Show a user").ProducesProblem(404);
        group.MapPatch("/{id:guid}", ChangeAsync).WithName("updateUser").WithSummary("Change a user's roles, or whether the user may sign in")
            .ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
        group.MapPost("/{id:guid}/password", ResetAsync).WithName("resetPassword").WithSummary("Give a user a new first password; the answer shows it once")
            .ProducesProblem(404).WithMetadata(NotKept.Instance);
        group.MapGet("/{id:guid}/keys", ListKeysAsync).WithName("listUserKeys").WithSummary("List a user's API keys, newest first");
        group.MapDelete("/{id:guid}/keys/{key:guid}", RevokeKeyAsync).WithName("revokeUserKey").WithSummary("Withdraw a user's API key").ProducesProblem(404);
        group.MapDelete("/{id:guid}", DeleteAsync).WithName("deleteUser").WithSummary("Delete a user with keys and views").ProducesProblem(404).ProducesProblem(409);
        api.MapGet("/audit", AuditAsync).WithName("listAudit").WithSummary("List who did what, newest first")
            .WithTags("access").RequireAuthorization(Policies.Administer).ProducesValidationProblem();
    }

    private static async Task<Ok<Page<UserView>>> ListAsync(CatalogueDb db, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? "" : Paging.ReadKey(cursor);
        var rows = await ViewsAsync(db, db.Users.Where(u => string.Compare(u.NormalizedUserName, after) > 0).OrderBy(u => u.NormalizedUserName).Take(count + 1), cancellation);
        return TypedResults.Ok(Paging.Of(rows, count, u => Paging.Cursor(u.User.ToUpperInvariant())));
    }

    /// <summary>Users as the API and the page show them, by name.</summary>
    public static async Task<IReadOnlyList<UserView>> ViewsAsync(CatalogueDb db, IQueryable<User> which, CancellationToken cancellation)
    {
        var users = await which.AsNoTracking().ToListAsync(cancellation);
        var ids = users.Select(u => u.Id).ToList();
        var roles = await (from has in db.UserRoles
                           join role in db.Roles on has.RoleId equals role.Id
                           where ids.Contains(has.UserId)
                           select new { has.UserId, role.Name }).ToListAsync(cancellation);
        var external = await db.UserLogins.Where(l => ids.Contains(l.UserId)).Select(l => l.UserId).Distinct().ToListAsync(cancellation);
        var used = await db.ApiKeys.Where(k => ids.Contains(k.UserId) && k.RevokedAt == null).GroupBy(k => k.UserId)
            .Select(g => new { g.Key, Keys = g.Count(), LastUsedAt = g.Max(k => k.LastUsedAt) }).ToDictionaryAsync(g => g.Key, cancellation);
        return [.. users.Select(u => new UserView
        {
            Id = u.Id,
            User = u.UserName!,
            Roles = [.. roles.Where(r => r.UserId == u.Id).Select(r => r.Name!).Order()],
            Disabled = UserBook.IsDisabled(u),
            MustChangePassword = u.MustChangePassword,
            External = external.Contains(u.Id),
            Keys = used.TryGetValue(u.Id, out var keys) ? keys.Keys : 0,
            CreatedAt = u.CreatedAt,
        })];
    }

    private static async Task<Created<NewPasswordView>> CreateAsync(UserBook book, HttpContext context, UserRequest request, CancellationToken cancellation)
    {
        var (user, password) = await book.AddAsync(request.User, request.Roles, Actor.Of(context), cancellation);
        return TypedResults.Created($"{Api.Root}/users/{user.Id}", new NewPasswordView { Id = user.Id, User = user.UserName!, Password = password });
    }

    private static async Task<Ok<UserView>> GetAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(await OneAsync(db, id, cancellation));

    private static async Task<Ok<UserView>> ChangeAsync(
        UserBook book, CatalogueDb db, HttpContext context, Guid id, UserChange request, CancellationToken cancellation)
    {
        await book.ChangeAsync(id, request.Roles, request.Disabled, Actor.Of(context), cancellation);
        return TypedResults.Ok(await OneAsync(db, id, cancellation));
    }

    private static async Task<Ok<NewPasswordView>> ResetAsync(
        UserBook book, CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var password = await book.ResetPasswordAsync(id, Actor.Of(context), cancellation);
        return TypedResults.Ok(new NewPasswordView { Id = id, User = (await OneAsync(db, id, cancellation)).User, Password = password });
    }

    private static async Task<NoContent> DeleteAsync(UserBook book, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await book.DeleteAsync(id, Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<KeyView>>> ListKeysAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        TypedResults.Ok(new Page<KeyView> { Items = await AccountApi.KeysAsync(db, id, cancellation) });

    private static async Task<NoContent> RevokeKeyAsync(KeyRing ring, HttpContext context, Guid id, Guid key, CancellationToken cancellation)
    {
        await ring.RevokeAsync(key, id, Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<AuditView>>> AuditAsync(
        CatalogueDb db, string? actor, string? action, string? subject, DateTimeOffset? from, DateTimeOffset? to, string? cursor, int? limit,
        CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var rows = await Audit.Query(db, actor, action, subject, from, to, cursor is null ? null : Paging.ReadLong(cursor))
            .Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<AuditView>([.. rows.Select(View)], count, a => Paging.Cursor(a.Id.ToString(System.Globalization.CultureInfo.InvariantCulture))));
    }

    private static async Task<UserView> OneAsync(CatalogueDb db, Guid id, CancellationToken cancellation) =>
        (await ViewsAsync(db, db.Users.Where(u => u.Id == id), cancellation)).SingleOrDefault() ?? throw RequestException.NotFound($"There is no user {id}.");

    private static AuditView View(AuditEntry entry) => new()
    {
        Id = entry.Id,
        At = entry.At,
        Actor = entry.Actor,
        Action = entry.Action,
        Subject = entry.Subject,
        Detail = entry.Detail,
        Address = entry.Address,
    };
}
