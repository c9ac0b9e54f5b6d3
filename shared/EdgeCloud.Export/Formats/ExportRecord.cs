using System.Globalization;
using System.Text.Json;
using EdgeCloud.Mcap;

namespace EdgeCloud.Export.Formats;

/// <summary>The metadata record that says what an export was made of and what it lacks. It holds no time of making: plans repeat exactly.</summary>
internal static class ExportRecord
{
    public const string Name = "edgecloud.export";

    /// <summary>
    /// Keys: <c>plan</c> (hash), <c>sessions</c> (JSON: id, robot, name, times of a stretch of another session, segments with sequence and
    /// SHA-256, missing, ledger), <c>selection</c> (JSON), <c>from_ns</c>, <c>to_ns</c> (empty without a bound).
    /// </summary>
    public static Metadata Of(ExportPlan plan) => new(Name, new Dictionary<string, string>
    {
        ["plan"] = plan.Hash(),
        ["from_ns"] = plan.Settings.FromNs?.ToString(CultureInfo.InvariantCulture) ?? "",
        ["to_ns"] = plan.Settings.ToNs?.ToString(CultureInfo.InvariantCulture) ?? "",
        ["selection"] = Json(json =>
        {
            json.WriteStartObject();
            WriteTexts(json, "include", plan.Selection.Include);
            WriteTexts(json, "exclude", plan.Selection.Exclude);
            json.WriteEndObject();
        }),
        ["sessions"] = Json(json =>
        {
            json.WriteStartArray();
            foreach (var session in plan.Sessions)
                Write(json, session);
            json.WriteEndArray();
        }),
    });

    private static void Write(Utf8JsonWriter json, PlannedSession session)
    {
        json.WriteStartObject();
        json.WriteString("session", session.Id);
        json.WriteString("robot", session.Robot);
        json.WriteString("name", session.Name);
        if (session is { FromNs: { } from, ToNs: { } to })
        {
            json.WriteNumber("from_ns", from);
            json.WriteNumber("to_ns", to);
        }
        json.WriteStartArray("segments");
        foreach (var segment in session.Segments)
        {
            json.WriteStartObject();
            json.WriteNumber("sequence", segment.Sequence);
            json.WriteString("sha256", segment.Sha256);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteTexts(json, "missing", session.Missing);
        json.WriteStartArray("ledger");
        foreach (var entry in session.Ledger)
            JsonSerializer.Serialize(json, entry, ExportJson.Default.LedgerEntry);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            write(json);
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
