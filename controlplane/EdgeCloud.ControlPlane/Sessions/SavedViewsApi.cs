using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Saved views in the API: the user's own, and those that others share.</summary>
public static class SavedViewsApi
{
    private const int MaxQueryLength = 2000;

    /// <summary>Maps the endpoints.</summary>
    public static void MapSavedViewsApi(this IEndpointRouteBuilder api)
    {
        var views = api.MapGroup("/views").WithTags("views").RequireAuthorization(Policies.Account).ProducesValidationProblem();
        views.MapGet("", ListAsync).WithName("listViews").WithSummary("List your saved views and those that are shared");
        views.MapPost("", CreateAsync).WithName("createView").WithSummary("Save a view").ProducesProblem(409);
        views.MapPut("/{id:guid}", UpdateAsync).WithName("updateView").WithSummary("Change a view of yours").ProducesProblem(404).ProducesProblem(412);
        views.MapDelete("/{id:guid}", DeleteAsync).WithName("deleteView").WithSummary("Delete a view of yours").ProducesProblem(404).ProducesProblem(412);
    }

    private static async Task<Ok<Page<SavedViewView>>> ListAsync(
        CatalogueDb db, UserManager<User> users, HttpContext context, string? page, CancellationToken cancellation)
    {
        var rows = await VisibleTo(db, UserOf(users, context)).Where(v => page == null || v.Page == page).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<SavedViewView> { Items = rows });
    }

    /// <summary>The views that a user sees, by name.</summary>
    public static IQueryable<SavedViewView> VisibleTo(CatalogueDb db, Guid user) =>
        from view in db.SavedViews
        join owner in db.Users on view.UserId equals owner.Id
        where view.UserId == user || view.Shared
        orderby view.Name, view.Id
        select new SavedViewView
        {
            Id = view.Id,
            Page = view.Page,
            Name = view.Name,
            Query = view.Query,
            Shared = view.Shared,
            Owner = owner.UserName!,
            CreatedAt = view.CreatedAt,
        };

    private static async Task<Created<SavedViewView>> CreateAsync(
        CatalogueDb db, UserManager<User> users, HttpContext context, SavedViewRequest request, TimeProvider clock, CancellationToken cancellation)
    {
        Check(request);
        var user = UserOf(users, context);
        var now = clock.GetUtcNow();
        var view = new SavedView
        {
            Id = Guid.CreateVersion7(now),
            UserId = user,
            Page = request.Page,
            Name = request.Name.Trim(),
            Query = request.Query,
            Shared = request.Shared,
            CreatedAt = now,
        };
        db.SavedViews.Add(view);
        await SaveAsync(db, view, cancellation);
        Versions.Show(context, view.Version);
        return TypedResults.Created($"{Api.Root}/views/{view.Id}", await VisibleTo(db, user).SingleAsync(v => v.Id == view.Id, cancellation));
    }

    private static async Task<Ok<SavedViewView>> UpdateAsync(
        CatalogueDb db, UserManager<User> users, HttpContext context, Guid id, SavedViewRequest request, CancellationToken cancellation)
    {
        Check(request);
        var user = UserOf(users, context);
        var view = await FindAsync(db, user, context, id, cancellation);
        (view.Name, view.Query, view.Shared) = (request.Name.Trim(), request.Query, request.Shared);
        view.Version++;
        await SaveAsync(db, view, cancellation);
        Versions.Show(context, view.Version);
        return TypedResults.Ok(await VisibleTo(db, user).SingleAsync(v => v.Id == id, cancellation));
    }

    private static async Task<NoContent> DeleteAsync(
        CatalogueDb db, UserManager<User> users, HttpContext context, Guid id, CancellationToken cancellation)
    {
        db.SavedViews.Remove(await FindAsync(db, UserOf(users, context), context, id, cancellation));
        await db.SaveChangesAsync(cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<SavedView> FindAsync(CatalogueDb db, Guid user, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var view = await db.SavedViews.SingleOrDefaultAsync(v => v.Id == id && v.UserId == user, cancellation)
            ?? throw RequestException.NotFound($"You have no view {id}.");
        Versions.Require(context, view.Version);
        return view;
    }

    private static async Task SaveAsync(CatalogueDb db, SavedView view, CancellationToken cancellation)
    {
        try
        {
            await db.SaveChangesAsync(cancellation);
        }
        catch (DbUpdateException e) when (Postgres.IsDuplicate(e))
        {
            throw RequestException.Conflict($"You have a view '{view.Name}' of the page {view.Page} already.");
        }
    }

    private static Guid UserOf(UserManager<User> users, HttpContext context) => Guid.Parse(users.GetUserId(context.User)!);

    private static void Check(SavedViewRequest request)
    {
        if (!SavedView.Pages.Contains(request.Page))
            throw RequestException.Invalid("page", "one of " + string.Join(", ", SavedView.Pages));
        TextRules.Name("name", request.Name);
        if (request.Query.Length > MaxQueryLength || request.Query.Any(char.IsControl))
            throw RequestException.Invalid("query", $"at most {MaxQueryLength} characters on one line");
    }
}
