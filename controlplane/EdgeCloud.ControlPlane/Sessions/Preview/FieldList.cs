using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>What of a topic can be plotted: of CDR by its definition, of protobuf and JSON by a message.</summary>
internal static class FieldList
{
    /// <summary>Fields listed of one topic; what is beyond can be plotted all the same, by its path.</summary>
    private const int FieldsMax = 400;
    /// <summary>Elements listed of a fixed array: a 6 x 6 covariance fits.</summary>
    private const int ElementsMax = 36;

    private static readonly PreviewFieldView[] Counts = [new(FieldNumbers.Interval, "", "s"), new(FieldNumbers.Bytes, "", "B")];

    /// <summary>The fields of a channel's messages, counted ones last.</summary>
    /// <param name="encoding">True encoding of the messages.</param>
    /// <param name="schema">Their schema; null when they have none.</param>
    /// <param name="sample">A message; empty when there is none at hand.</param>
    public static IReadOnlyList<PreviewFieldView> Of(string encoding, Schema? schema, ReadOnlySpan<byte> sample)
    {
        var fields = new List<PreviewFieldView>();
        try
        {
            if (encoding == "cdr" && schema is { Encoding: "ros2msg" or "ros2idl" })
            {
                var definition = MessageSchema.Parse(schema.Name, schema.Encoding, schema.Data.Span);
                if (definition.Root.Name == "sensor_msgs/msg/PointCloud2")
                    fields.Add(new(FieldNumbers.Points, "", "points"));
                AddFields(fields, definition, definition.Root, "");
            }
            else if (encoding is "protobuf" or "json" && sample.Length > 0)
            {
                var json = MessageJson.Create(schema?.Name ?? "", schema?.Encoding ?? "", schema is null ? [] : schema.Data.Span, encoding);
                using var message = JsonDocument.Parse(json.Write(sample).ToArray());
                AddValues(fields, message.RootElement, "");
            }
        }
        catch (Exception e) when (e is DefinitionException or FormatException or JsonException)
        {
            // What cannot be understood can still be counted.
        }
        return [.. fields, .. Counts];
    }

    private static void AddFields(List<PreviewFieldView> fields, MessageSchema schema, MessageDefinition message, string prefix)
    {
        foreach (var field in message.Fields)
        {
            if (fields.Count >= FieldsMax)
                return;
            var type = field.Type;
            IEnumerable<string> paths = type.Array switch
            {
                ArrayKind.None => [prefix + field.Name],
                ArrayKind.Fixed => Enumerable.Range(0, Math.Min(type.ArraySize, ElementsMax)).Select(i => $"{prefix}{field.Name}[{i}]"),
                // The first element stands for all.
                _ => [$"{prefix}{field.Name}[0]"],
            };
            foreach (var path in paths)
                AddField(fields, schema, type, path);
        }
    }

    private static void AddField(List<PreviewFieldView> fields, MessageSchema schema, FieldType type, string path)
    {
        switch (type.Kind)
        {
            case FieldKind.String or FieldKind.WString or FieldKind.LongDouble or FieldKind.WChar:
                return;
            case FieldKind.Message when type.TypeName is "builtin_interfaces/msg/Time":
                // Nanoseconds since 1970 make no plot that anybody wants.
                return;
            case FieldKind.Message when type.TypeName is "builtin_interfaces/msg/Duration":
                fields.Add(new(path, "duration", "ns"));
                return;
            case FieldKind.Message:
                AddFields(fields, schema, schema.Messages[type.TypeName!], path + ".");
                return;
            default:
                if (fields.Count < FieldsMax)
                    fields.Add(new(path, type.Element.ToString(), FieldUnits.Of(schema, path)));
                return;
        }
    }

    private static void AddValues(List<PreviewFieldView> fields, JsonElement value, string path)
    {
        if (fields.Count >= FieldsMax)
            return;
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                fields.Add(new(path, "number", ""));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                fields.Add(new(path, "bool", ""));
                break;
            case JsonValueKind.String when value.GetString() is "NaN" or "Infinity" or "-Infinity":
                fields.Add(new(path, "number", ""));
                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    AddValues(fields, member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}");
                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                AddValues(fields, value[0], path + "[0]");
                break;
        }
    }
}
