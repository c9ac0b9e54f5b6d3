using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Ros2.Tests.Model;

/// <summary>Compares decoded messages with those of the tests' model.</summary>
public static class Expect
{
    /// <summary>The first difference between JSON and a message, or null.</summary>
    public static string? InJson(TypeModel types, StructModel type, Dictionary<string, object?> message, JsonElement json, string path = "")
    {
        string[] names = [.. json.EnumerateObject().Select(member => member.Name)];
        if (!names.SequenceEqual(type.Fields.Select(field => field.Name)))
            return $"{path}: members {string.Join(",", names)}";
        foreach (FieldModel field in type.Fields)
        {
            JsonElement member = json.GetProperty(field.Name);
            object? value = message[field.Name];
            string memberPath = $"{path}.{field.Name}";
            if (value is null != (member.ValueKind == JsonValueKind.Null))
                return $"{memberPath}: {member.GetRawText()} where {(value is null ? "nothing" : "something")} was written";
            string? difference = value switch
            {
                null => null,
                List<object> list when list.Count != member.GetArrayLength() => $"{memberPath}: {member.GetArrayLength()} elements, not {list.Count}",
                List<object> list => list.Select((element, i) => Element(types, field, element, member[i], $"{memberPath}[{i}]")).FirstOrDefault(d => d is not null),
                _ => Element(types, field, value, member, memberPath),
            };
            if (difference is not null)
                return difference;
        }

        return null;
    }

    /// <summary>The first difference between a row of columns and a message, or null.</summary>
    public static string? InColumns(
        TypeModel types, StructModel type, Dictionary<string, object?>? message, IReadOnlyList<ColumnInfo> infos, IReadOnlyList<Column> columns, int row, string prefix = "")
    {
        foreach (FieldModel field in type.Fields)
        {
            string name = prefix + field.Name;
            object? value = message?[field.Name];
            if (field is { IsNested: true, Extent: Extent.One })
            {
                if (InColumns(types, types[field.Base], (Dictionary<string, object?>?)value, infos, columns, row, name + ".") is { } nested)
                    return nested;
                continue;
            }

            int at = infos.ToList().FindIndex(info => info.Name == name);
            if (at < 0)
                return $"no column '{name}'";
            if (columns[at].MissingRows.Contains(row) != value is null)
                return $"{name}: missing, or not, against what was written";
            if (value is not null && Value(types, field, value, columns[at], row) is { } difference)
                return $"{name}: {difference}";
        }

        return null;
    }

    private static string? Element(TypeModel types, FieldModel field, object value, JsonElement json, string path)
    {
        bool isEqual = value switch
        {
            Dictionary<string, object?> nested => InJson(types, types[field.Base], nested, json, path) is not { } difference
                ? true : throw new InvalidOperationException(difference),
            bool flag => json.ValueKind == (flag ? JsonValueKind.True : JsonValueKind.False),
            string text => json.GetString() == text,
            ValueTuple<int, uint> time => json.GetRawText() == $"{{\"sec\":{time.Item1},\"nanosec\":{time.Item2}}}",
            float f when !float.IsFinite(f) => json.GetString() == (float.IsNaN(f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity"),
            double d when !double.IsFinite(d) => json.GetString() == (double.IsNaN(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity"),
            float f => float.Parse(json.GetRawText(), CultureInfo.InvariantCulture).Equals(f),
            double d => double.Parse(json.GetRawText(), CultureInfo.InvariantCulture).Equals(d),
            _ => json.GetRawText() == Convert.ToString(value, CultureInfo.InvariantCulture),
        };
        return isEqual ? null : $"{path}: {json.GetRawText()}, not {value}";
    }

    private static string? Value(TypeModel types, FieldModel field, object value, Column column, int row)
    {
        if (value is not List<object> list)
            return Item(types, field, value, column, row);
        (Column items, int start, int end) = column switch
        {
            ListColumn lists => (lists.Items, lists.Offsets[row], lists.Offsets[row + 1]),
            FixedListColumn lists => (lists.Items, row * lists.Type.Size, (row + 1) * lists.Type.Size),
            _ => throw new InvalidOperationException($"{column.Type} for a list"),
        };
        if (end - start != list.Count)
            return $"{end - start} items, not {list.Count}";
        for (int i = 0; i < list.Count; i++)
        {
            if (Item(types, field, list[i], items, start + i) is { } difference)
                return $"[{i}] {difference}";
        }

        return null;
    }

    private static string? Item(TypeModel types, FieldModel field, object value, Column column, int row)
    {
        switch (value)
        {
            case Dictionary<string, object?> nested:
                return InColumns(types, types[field.Base], nested, column.Type.Fields, ((StructColumn)column).Fields, row);
            case string text:
                string read = Encoding.UTF8.GetString(((TextColumn)column)[row]);
                return read == text ? null : $"'{read}', not '{text}'";
            case ValueTuple<int, uint> time:
                long nanoseconds = ((NumberColumn)column).Values<long>()[row];
                return nanoseconds == (time.Item1 * 1_000_000_000L) + time.Item2 ? null : $"{nanoseconds}, not {time}";
        }

        var numbers = (NumberColumn)column;
        object decoded = value switch
        {
            bool => numbers.Values<byte>()[row] == 1,
            byte => numbers.Values<byte>()[row],
            sbyte => numbers.Values<sbyte>()[row],
            short => numbers.Values<short>()[row],
            ushort => numbers.Values<ushort>()[row],
            int => numbers.Values<int>()[row],
            uint => numbers.Values<uint>()[row],
            long => numbers.Values<long>()[row],
            ulong => numbers.Values<ulong>()[row],
            float => numbers.Values<float>()[row],
            _ => numbers.Values<double>()[row],
        };
        return decoded.Equals(value) ? null : $"{decoded}, not {value}";
    }
}
