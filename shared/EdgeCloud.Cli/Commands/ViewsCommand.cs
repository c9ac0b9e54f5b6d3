using System.CommandLine;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud views list|save|change|delete</c>.</summary>
internal static class ViewsCommand
{
    public static Command Create() => new("views", "Saved views of the portal's lists: yours, and those that others share")
    {
        CreateList(), CreateSave(), CreateChange(), CreateDelete(),
    };

    private static Argument<string> PageArgument() => new("page") { Description = "The page: fleet, sessions or exports" };

    private static Option<bool?> SharedOption() => new("--shared") { Description = "Whether everybody sees it" };

    private static Command CreateList()
    {
        var page = new Option<string?>("--page") { Description = "Only this page's" };
        return Lists.Create(
            "list", "Views by name", [page], parsed => "views" + Lists.Query(("page", parsed.GetValue(page))),
            ApiJsonContext.Default.PageSavedViewView, Output.Json.SavedViewView, ["VIEW", "PAGE", "NAME", "QUERY", "SHARED", "OF"],
            v => [v.Id.ToString(), v.Page, v.Name, v.Query, v.Shared ? "yes" : "no", v.Owner]);
    }

    private static Command CreateSave()
    {
        var page = PageArgument();
        var name = new Argument<string>("name") { Description = "Its name" };
        var query = new Argument<string>("query") { Description = "The page's address after the question mark, such as 'state=attention&sort=-lost'" };
        var shared = SharedOption();
        var command = new Command("save", "Save a view; prints its id") { page, name, query, shared };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new SavedViewRequest
            {
                Page = parsed.GetValue(page)!,
                Name = parsed.GetValue(name)!,
                Query = parsed.GetValue(query)!.TrimStart('?'),
                Shared = parsed.GetValue(shared) ?? false,
            };
            var made = await api.PostAsync("views", request, ApiJsonContext.Default.SavedViewRequest, ApiJsonContext.Default.SavedViewView, cancellation);
            Console.WriteLine(made.Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateChange()
    {
        var id = Ids.Argument("view", "View id");
        var name = new Option<string?>("--name") { Description = "Another name" };
        var query = new Option<string?>("--query") { Description = "Another query" };
        var shared = SharedOption();
        var command = new Command("change", "Change a view of yours; what is left out stays") { id, name, query, shared };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await api.ListAsync("views", ApiJsonContext.Default.PageSavedViewView, int.MaxValue, cancellation)
                .FirstOrDefaultAsync(v => v.Id == parsed.GetValue(id), cancellation)
                ?? throw new CliException($"There is no view {parsed.GetValue(id)}; edgecloud views list shows them.");
            var request = new SavedViewRequest
            {
                Page = view.Page,
                Name = parsed.GetValue(name) ?? view.Name,
                Query = parsed.GetValue(query)?.TrimStart('?') ?? view.Query,
                Shared = parsed.GetValue(shared) ?? view.Shared,
            };
            await api.ChangeAsync(HttpMethod.Put, $"views/{view.Id}", request, ApiJsonContext.Default.SavedViewRequest, ApiJsonContext.Default.SavedViewView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var id = Ids.Argument("view", "View id");
        var command = new Command("delete", "Delete a view of yours") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"views/{parsed.GetValue(id)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }
}
