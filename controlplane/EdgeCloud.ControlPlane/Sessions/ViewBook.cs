using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Keeps saved views, for the API and the portal alike. Everybody sees what is shared; only its owner changes a view. Whoever calls has
/// checked <see cref="Policies.Account"/>.
/// </summary>
public sealed class ViewBook(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    private const int MaxQueryLength = 2000;

    /// <summary>The views that a user sees, by name.</summary>
    public async Task<IReadOnlyList<SavedViewView>> ListAsync(Guid user, string? page, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        return await VisibleTo(db, user).Where(v => page == null || v.Page == page).ToListAsync(cancellation);
    }

    /// <summary>One view as a user sees it.</summary>
    public async Task<SavedViewView> ShowAsync(Guid user, Guid id, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        return await VisibleTo(db, user).SingleAsync(v => v.Id == id, cancellation);
    }

    /// <summary>Saves a view.</summary>
    /// <exception cref="RequestException">A field is not allowed, or the user has one of that name.</exception>
    public async Task<SavedView> AddAsync(Guid user, SavedViewRequest request, CancellationToken cancellation)
    {
        Check(request);
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
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        db.SavedViews.Add(view);
        await SaveAsync(db, view, cancellation);
        return view;
    }

    /// <summary>Changes a view; <paramref name="check"/> may refuse its present version.</summary>
    /// <exception cref="RequestException">The user has no such view, a field is not allowed, or the name is taken.</exception>
    public async Task<SavedView> ChangeAsync(Guid user, Guid id, SavedViewRequest request, Action<int>? check, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var view = await FindAsync(db, user, id, check, cancellation);
        (view.Name, view.Query, view.Shared) = (request.Name.Trim(), request.Query, request.Shared);
        view.Version++;
        await SaveAsync(db, view, cancellation);
        return view;
    }

    /// <summary>Deletes a view.</summary>
    /// <exception cref="RequestException">The user has no such view.</exception>
    public async Task DeleteAsync(Guid user, Guid id, Action<int>? check, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        db.SavedViews.Remove(await FindAsync(db, user, id, check, cancellation));
        await db.SaveChangesAsync(cancellation);
    }

    private static IQueryable<SavedViewView> VisibleTo(CatalogueDb db, Guid user) =>
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

    private static async Task<SavedView> FindAsync(CatalogueDb db, Guid user, Guid id, Action<int>? check, CancellationToken cancellation)
    {
        var view = await db.SavedViews.SingleOrDefaultAsync(v => v.Id == id && v.UserId == user, cancellation)
            ?? throw RequestException.NotFound($"You have no view {id}.");
        check?.Invoke(view.Version);
        return view;
    }

    private static Task SaveAsync(CatalogueDb db, SavedView view, CancellationToken cancellation) =>
        db.SaveUniqueAsync($"You have a view '{view.Name}' of the page {view.Page} already.", cancellation);

    private static void Check(SavedViewRequest request)
    {
        if (!SavedView.Pages.Contains(request.Page))
            throw RequestException.Invalid("page", "one of " + string.Join(", ", SavedView.Pages));
        TextRules.Name("name", request.Name);
        if (request.Query.Length > MaxQueryLength || request.Query.Any(char.IsControl))
            throw RequestException.Invalid("query", $"at most {MaxQueryLength} characters on one line");
    }
}
