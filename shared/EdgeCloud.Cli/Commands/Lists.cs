using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary>What every list command does: pages through a list of the API and writes it as JSON or as a table.</summary>
internal static class Lists
{
    /// <summary>A command <paramref name="name"/> that shows a list.</summary>
    /// <param name="name">Name of the command.</param>
    /// <param name="description">What it does.</param>
    /// <param name="parts">Its arguments and options.</param>
    /// <param name="path">Path and query below the API's root, made of what was given.</param>
    /// <param name="page">Serialiser of a page.</param>
    /// <param name="row">Serialiser of a row.</param>
    /// <param name="columns">Titles.</param>
    /// <param name="cells">A row in words, as many as there are titles.</param>
    public static Command Create<T>(
        string name, string description, IEnumerable<Symbol> parts, Func<ParseResult, string> path, JsonTypeInfo<Page<T>> page, JsonTypeInfo<T> row,
        string[] columns, Func<T, string[]> cells)
    {
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 1000 };
        var json = Output.JsonOption();
        var command = new Command(name, description) { limit, json };
        foreach (var part in parts)
        {
            if (part is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)part);
        }
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var rows = api.ListAsync(path(parsed), page, parsed.GetValue(limit), cancellation);
            if (parsed.GetValue(json))
            {
                await Output.WriteJsonAsync(rows, row, cancellation);
                return ExitCodes.Ok;
            }
            var table = Output.NewTable(columns);
            await foreach (var item in rows)
                table.Add(cells(item));
            Output.WriteTable(table);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A query string of those values that were given.</summary>
    public static string Query(params (string Name, string? Value)[] values)
    {
        var given = values.Where(v => !string.IsNullOrEmpty(v.Value)).Select(v => $"{v.Name}={Uri.EscapeDataString(v.Value!)}").ToList();
        return given.Count == 0 ? "" : "?" + string.Join('&', given);
    }
}
