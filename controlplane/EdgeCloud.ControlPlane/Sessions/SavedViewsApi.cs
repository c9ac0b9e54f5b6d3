using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Saved views in the API: the user's own, and those that others share.</summary>
public static class SavedViewsApi
{
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
        ViewBook book, UserManager<User> users, HttpContext context, string? page, CancellationToken cancellation) =>
        TypedResults.Ok(new Page<SavedViewView> { Items = await book.ListAsync(UserOf(users, context), page, cancellation) });

    private static async Task<Created<SavedViewView>> CreateAsync(
        ViewBook book, UserManager<User> users, HttpContext context, SavedViewRequest request, CancellationToken cancellation)
    {
        var view = await book.AddAsync(UserOf(users, context), request, cancellation);
        Versions.Show(context, view.Version);
        return TypedResults.Created($"{Api.Root}/views/{view.Id}", await book.ShowAsync(view.UserId, view.Id, cancellation));
    }

    private static async Task<Ok<SavedViewView>> UpdateAsync(
        ViewBook book, UserManager<User> users, HttpContext context, Guid id, SavedViewRequest request, CancellationToken cancellation)
    {
        var view = await book.ChangeAsync(UserOf(users, context), id, request, version => Versions.Require(context, version), cancellation);
        Versions.Show(context, view.Version);
        return TypedResults.Ok(await book.ShowAsync(view.UserId, id, cancellation));
    }

    private static async Task<NoContent> DeleteAsync(
        ViewBook book, UserManager<User> users, HttpContext context, Guid id, CancellationToken cancellation)
    {
        await book.DeleteAsync(UserOf(users, context), id, version => Versions.Require(context, version), cancellation);
        return TypedResults.NoContent();
    }

    private static Guid UserOf(UserManager<User> users, HttpContext context) => Guid.Parse(users.GetUserId(context.User)!);
}
