using System.CommandLine;
using System.Text.Json;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud recipes list|show|create|change|run|delete</c>.</summary>
internal static class RecipesCommand
{
    public static Command Create() => new("recipes", "Export recipes: requests for exports kept under a name") { CreateList(), CreateShow(), CreateCreate(), CreateChange(), CreateRun(), CreateDelete() };

    private static Command CreateList() => Lists.Create(
        "list", "Recipes by name", [], _ => "recipes", ApiJsonContext.Default.PageRecipeView, Output.Json.RecipeView,
        ["RECIPE", "NAME", "FORMAT", "TOPICS", "BY"],
        r => [r.Id.ToString(), r.Name, r.Request.Format, r.Request.Selection is { } s ? string.Join(' ', s.Include) : "all", r.Owner]);

    private static Argument<string> FileArgument() => new("file")
    {
        Description = "JSON file with the request as POST /api/v1/exports takes it, - for standard input; its sessions are not kept",
    };

    private static Command CreateShow()
    {
        var name = new Argument<string>("name") { Description = "Name of the recipe" };
        var command = new Command("show", "One recipe, as JSON") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var recipe = await FindAsync(api, parsed.GetValue(name)!, cancellation);
            Output.WriteJson(await api.GetAsync($"recipes/{recipe.Id}", ApiJsonContext.Default.RecipeView, cancellation), Output.Json.RecipeView);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateChange()
    {
        var name = new Argument<string>("name") { Description = "Name of the recipe" };
        var file = FileArgument();
        var other = new Option<string?>("--name") { Description = "Another name" };
        var command = new Command("change", "Keep another request under a recipe's name") { name, file, other };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new RecipeRequest { Name = parsed.GetValue(other) ?? parsed.GetValue(name)!, Request = await ReadAsync(parsed.GetValue(file)!, cancellation) };
            await api.ChangeAsync(
                HttpMethod.Put, $"recipes/{(await FindAsync(api, parsed.GetValue(name)!, cancellation)).Id}", request,
                ApiJsonContext.Default.RecipeRequest, ApiJsonContext.Default.RecipeView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateCreate()
    {
        var name = new Argument<string>("name") { Description = "Its name" };
        var file = FileArgument();
        var command = new Command("create", "Keep a request for an export under a name") { name, file };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new RecipeRequest { Name = parsed.GetValue(name)!, Request = await ReadAsync(parsed.GetValue(file)!, cancellation) };
            var made = await api.PostAsync("recipes", request, ApiJsonContext.Default.RecipeRequest, ApiJsonContext.Default.RecipeView, cancellation);
            Console.WriteLine(made.Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateRun()
    {
        var name = new Argument<string>("name") { Description = "Name of the recipe" };
        var sessions = Ids.Options("--session", "Session to export; repeat for several");
        var command = new Command("run", "Export sessions as a recipe says; prints the export's id") { name, sessions };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var recipe = await FindAsync(api, parsed.GetValue(name)!, cancellation);
            var export = await api.PostAsync(
                "exports", recipe.Request with { Sessions = parsed.GetValue(sessions)! },
                ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView, cancellation);
            Console.WriteLine(export.Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var name = new Argument<string>("name") { Description = "Name of the recipe" };
        var command = new Command("delete", "Delete a recipe") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"recipes/{(await FindAsync(api, parsed.GetValue(name)!, cancellation)).Id}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<RecipeView> FindAsync(ApiClient api, string name, CancellationToken cancellation)
    {
        await foreach (var recipe in api.ListAsync("recipes", ApiJsonContext.Default.PageRecipeView, int.MaxValue, cancellation))
        {
            if (recipe.Name == name)
                return recipe;
        }
        throw new CliException($"There is no recipe '{name}'; edgecloud recipes list shows them.");
    }

    private static async Task<ExportRequest> ReadAsync(string file, CancellationToken cancellation)
    {
        var text = file is "-" ? await Console.In.ReadToEndAsync(cancellation) : await File.ReadAllTextAsync(file, cancellation);
        try
        {
            return JsonSerializer.Deserialize(text, ApiJsonContext.Default.ExportRequest) ?? throw new CliException("The file holds the JSON word null; a request is expected.", ExitCodes.Usage);
        }
        catch (JsonException e)
        {
            throw new CliException($"The file is no request for an export: {e.Message}", ExitCodes.Usage, e);
        }
    }
}
