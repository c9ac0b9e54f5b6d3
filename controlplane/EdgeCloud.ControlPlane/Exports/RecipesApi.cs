using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Export recipes in the API. Everybody sees and uses all of them; who made one, and administrators, change it.</summary>
public static class RecipesApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapRecipesApi(this IEndpointRouteBuilder api)
    {
        var recipes = api.MapGroup("/recipes").WithTags("exports").RequireAuthorization(Policies.Read);
        recipes.MapGet("", ListAsync).WithName("listRecipes").WithSummary("List export recipes by name").ProducesValidationProblem();
        recipes.MapGet("/{id:guid}", GetAsync).WithName("getRecipe").WithSummary("Show a recipe").ProducesProblem(404);
        recipes.MapPost("", CreateAsync).WithName("createRecipe").WithSummary("Keep a request for an export under a name")
            .RequireAuthorization(Policies.Export).ProducesValidationProblem().ProducesProblem(409);
        recipes.MapPut("/{id:guid}", UpdateAsync).WithName("updateRecipe").WithSummary("Change a recipe")
            .RequireAuthorization(Policies.Export).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409).ProducesProblem(412);
        recipes.MapDelete("/{id:guid}", DeleteAsync).WithName("deleteRecipe").WithSummary("Delete a recipe")
            .RequireAuthorization(Policies.Export).ProducesProblem(404).ProducesProblem(412);
    }

    private static async Task<Ok<Page<RecipeView>>> ListAsync(CatalogueDb db, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? "" : Paging.ReadKey(cursor);
        var rows = await db.ExportRecipes.AsNoTracking().Where(r => string.Compare(r.Name, after) > 0)
            .OrderBy(r => r.Name).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<RecipeView>([.. rows.Select(View)], count, r => Paging.Cursor(r.Name)));
    }

    private static async Task<Ok<RecipeView>> GetAsync(CatalogueDb db, HttpContext context, Guid id, CancellationToken cancellation)
    {
        var recipe = await db.ExportRecipes.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no recipe {id}.");
        Versions.Show(context, recipe.Version);
        return TypedResults.Ok(View(recipe));
    }

    private static async Task<Created<RecipeView>> CreateAsync(
        RecipeBook book, HttpContext context, RecipeRequest request, CancellationToken cancellation)
    {
        var recipe = await book.AddAsync(request, Actor.Of(context), cancellation);
        Versions.Show(context, recipe.Version);
        return TypedResults.Created($"{Api.Root}/recipes/{recipe.Id}", View(recipe));
    }

    private static async Task<Ok<RecipeView>> UpdateAsync(
        RecipeBook book, HttpContext context, Guid id, RecipeRequest request, CancellationToken cancellation)
    {
        var recipe = await book.ChangeAsync(id, request, version => Versions.Require(context, version), Actor.Of(context), cancellation);
        Versions.Show(context, recipe.Version);
        return TypedResults.Ok(View(recipe));
    }

    private static async Task<NoContent> DeleteAsync(RecipeBook book, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await book.DeleteAsync(id, version => Versions.Require(context, version), Actor.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static RecipeView View(ExportRecipe recipe) => new()
    {
        Id = recipe.Id,
        Name = recipe.Name,
        Request = recipe.Request,
        Owner = recipe.Owner,
        CreatedAt = recipe.CreatedAt,
        UpdatedAt = recipe.UpdatedAt,
    };
}
