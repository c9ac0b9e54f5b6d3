using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts.Api;
using Spectre.Console;

namespace EdgeCloud.Cli;

/// <summary>Results on standard output: the API's records as JSON for scripts, tables for people.</summary>
internal static class Output
{
    /// <summary>The API's records, indented.</summary>
    public static ApiJsonContext Json { get; } = new(new JsonSerializerOptions(ApiJsonContext.Default.Options) { WriteIndented = true });

    /// <summary>The option <c>--json</c>.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "Print the API's record as JSON, for scripts" };

    public static void WriteJson<T>(T value, JsonTypeInfo<T> type)
    {
        using var output = Console.OpenStandardOutput();
        JsonSerializer.Serialize(output, value, type);
        output.WriteByte((byte)'\n');
    }

    /// <summary>An array, written as the rows arrive.</summary>
    public static async Task WriteJsonAsync<T>(IAsyncEnumerable<T> rows, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        await using var output = Console.OpenStandardOutput();
        await using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartArray();
            await foreach (var row in rows.WithCancellation(cancellation))
            {
                JsonSerializer.Serialize(writer, row, type);
                await writer.FlushAsync(cancellation);
            }
            writer.WriteEndArray();
        }
        output.WriteByte((byte)'\n');
    }

    /// <summary>A table that keeps whole words when it is piped, where there is no width to fit.</summary>
    public static void WriteTable(Table table)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 1000;
            AnsiConsole.Profile.Capabilities.Ansi = false;
        }
        AnsiConsole.Write(table);
    }

    public static Table NewTable(params string[] columns)
    {
        var table = new Table().Border(TableBorder.None).HideRowSeparators();
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(column)}[/]")).NoWrap());
        return table;
    }

    /// <summary>A row of plain texts.</summary>
    public static void Add(this Table table, params string[] cells) => table.AddRow([.. cells.Select(c => new Text(c))]);

    public static string Bytes(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        double value = bytes;
        var unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>UTC, to the second.</summary>
    public static string Time(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    /// <summary>UTC, to the second, of ns since the Unix epoch.</summary>
    public static string Time(long ns) => ns == 0 ? "-" : Time(DateTimeOffset.UnixEpoch.AddTicks(ns / 100));

    /// <summary>An enumeration as the API writes it.</summary>
    public static string Word<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
