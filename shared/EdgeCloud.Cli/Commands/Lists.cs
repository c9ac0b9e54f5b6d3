using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts.Api;
using Spectre.Console;

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
        var command = Of(name, description, [limit, json, .. parts]);
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

    /// <summary>A command <paramref name="name"/> that shows one record of the API, with its facts below each other.</summary>
    public static Command CreateShow<T>(
        string name, string description, IEnumerable<Symbol> parts, Func<ParseResult, string> path, JsonTypeInfo<T> type,
        Func<T, (string What, string Value)[]> facts) where T : class => CreateRecord(name, description, parts, path, type, record =>
        {
            var table = Output.NewTable("", "");
            table.HideHeaders();
            foreach (var (what, value) in facts(record))
                table.Add(what, value);
            return table;
        });

    /// <summary>A command <paramref name="name"/> that shows one record of the API as a table of what is in it.</summary>
    public static Command CreateTable<T>(
        string name, string description, IEnumerable<Symbol> parts, Func<ParseResult, string> path, JsonTypeInfo<T> type, string[] columns,
        Func<T, IEnumerable<string[]>> rows) where T : class =>
        CreateRecord(name, description, parts, path, type, record => Table(columns, rows(record)));

    /// <summary>A table of rows in words.</summary>
    public static Table Table(string[] columns, IEnumerable<string[]> rows)
    {
        var table = Output.NewTable(columns);
        foreach (var cells in rows)
            table.Add(cells);
        return table;
    }

    private static Command CreateRecord<T>(
        string name, string description, IEnumerable<Symbol> parts, Func<ParseResult, string> path, JsonTypeInfo<T> type, Func<T, Table> table) where T : class
    {
        var json = Output.JsonOption();
        var command = Of(name, description, [json, .. parts]);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var record = await api.GetAsync(path(parsed), type, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(record, type);
            else
                Output.WriteTable(table(record));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Of(string name, string description, IEnumerable<Symbol> parts)
    {
        var command = new Command(name, description);
        foreach (var part in parts)
        {
            if (part is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)part);
        }
        return command;
    }

    /// <summary>A query string of those values that were given.</summary>
    public static string Query(params (string Name, string? Value)[] values)
    {
        var given = values.Where(v => !string.IsNullOrEmpty(v.Value)).Select(v => $"{v.Name}={Uri.EscapeDataString(v.Value!)}").ToList();
        return given.Count == 0 ? "" : "?" + string.Join('&', given);
    }
}
