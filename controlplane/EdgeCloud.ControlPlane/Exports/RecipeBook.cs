using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Keeps export recipes, for the API and the portal alike. Everybody uses all of them; who made one, and administrators, change it. Whoever
/// calls has checked <see cref="Policies.Export"/>.
/// </summary>
public sealed class RecipeBook(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    /// <summary>Keeps a request under a name.</summary>
    /// <exception cref="RequestException">The name is not allowed or taken.</exception>
    public async Task<ExportRecipe> AddAsync(RecipeRequest request, Actor actor, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var recipe = new ExportRecipe
        {
            Id = Guid.CreateVersion7(now),
            Name = TextRules.Name("name", request.Name),
            Owner = actor.Name,
            Request = request.Request with { Sessions = [] },
            CreatedAt = now,
            UpdatedAt = now,
        };
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        db.ExportRecipes.Add(recipe);
        db.Record(actor, "recipe.create", $"recipe:{recipe.Id}", recipe.Name, now);
        await SaveAsync(db, recipe, cancellation);
        return recipe;
    }

    /// <summary>Changes a recipe; <paramref name="check"/> may refuse its present version.</summary>
    /// <exception cref="RequestException">There is no such recipe, it is somebody else's, or the name is not allowed or taken.</exception>
    public async Task<ExportRecipe> ChangeAsync(Guid id, RecipeRequest request, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var now = clock.GetUtcNow();
        var recipe = await FindAsync(db, id, check, actor, cancellation);
        (recipe.Name, recipe.Request, recipe.UpdatedAt) = (TextRules.Name("name", request.Name), request.Request with { Sessions = [] }, now);
        recipe.Version++;
        db.Record(actor, "recipe.change", $"recipe:{id}", recipe.Name, now);
        await SaveAsync(db, recipe, cancellation);
        return recipe;
    }

    /// <summary>Deletes a recipe.</summary>
    /// <exception cref="RequestException">There is no such recipe, or it is somebody else's.</exception>
    public async Task DeleteAsync(Guid id, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var recipe = await FindAsync(db, id, check, actor, cancellation);
        db.ExportRecipes.Remove(recipe);
        db.Record(actor, "recipe.delete", $"recipe:{id}", recipe.Name, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
    }

    private static async Task<ExportRecipe> FindAsync(CatalogueDb db, Guid id, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        var recipe = await db.ExportRecipes.SingleOrDefaultAsync(r => r.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no recipe {id}.");
        if (!actor.IsAdministrator && !actor.IsSameUserAs(recipe.Owner))
            throw RequestException.Forbidden($"The recipe is {recipe.Owner}'s; only they and administrators change it.");
        check?.Invoke(recipe.Version);
        return recipe;
    }

    private static Task SaveAsync(CatalogueDb db, ExportRecipe recipe, CancellationToken cancellation) =>
        db.SaveUniqueAsync($"There is a recipe '{recipe.Name}' already.", cancellation);
}
