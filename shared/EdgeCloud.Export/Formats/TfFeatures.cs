using System.Globalization;
using System.Text.Json.Nodes;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// The features that columns become, as <c>kind[shape] of dtype</c>: <c>float[36] of float64</c>, <c>int64 of timestamp</c>,
/// <c>float[?] of float32</c> for any number.
/// </summary>
internal static class TfFeatures
{
    /// <summary>The features of a table, in the order of its records.</summary>
    public static IEnumerable<ExportedColumn> Of(IReadOnlyList<ColumnInfo> columns) =>
        columns.SelectMany(column => Of(column.Name, column.Type, "", column.Unit));

    private static IEnumerable<ExportedColumn> Of(string name, ColumnType type, string shape, string? unit)
    {
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                return type.Fields.SelectMany(field => Of($"{name}.{field.Name}", field.Type, shape, field.Unit));
            case ColumnKind.List when type.IsBytes && shape.Length == 0:
                return [new ExportedColumn(name, "bytes of uint8", unit)];
            case ColumnKind.List:
                var items = Of(name, type.Items!, "[?]", unit);
                return shape.Length == 0 && type.Items!.Kind != ColumnKind.Struct ? items : [new ExportedColumn($"{name}/lengths", $"int64{shape} of int32", null), .. items];
            case ColumnKind.FixedList:
                return Of(name, type.Items!, shape.Length == 0 ? string.Create(CultureInfo.InvariantCulture, $"[{type.Size}]") : "[?]", unit);
            default:
                return [new ExportedColumn(name, $"{Kind(type.Kind)}{shape} of {type.Kind.ToString().ToLowerInvariant()}", unit)];
        }
    }

    private static string Kind(ColumnKind kind) => kind switch
    {
        ColumnKind.Text => "bytes",
        ColumnKind.Float32 or ColumnKind.Float64 => "float",
        _ => "int64",
    };

    /// <summary>The description of a feature.</summary>
    public static JsonNode Json(ExportedColumn column)
    {
        var (stored, dtype) = (column.Type.Split(" of ")[0], column.Type.Split(" of ")[1]);
        var bracket = stored.IndexOf('[');
        var json = new JsonObject { ["name"] = column.Name, ["kind"] = bracket < 0 ? stored : stored[..bracket], ["dtype"] = dtype };
        json["shape"] = bracket < 0 ? new JsonArray() : stored[(bracket + 1)..^1] is "?" ? null
            : new JsonArray(int.Parse(stored.AsSpan(bracket + 1, stored.Length - bracket - 2), CultureInfo.InvariantCulture));
        json["unit"] = column.Unit;
        return json;
    }
}
