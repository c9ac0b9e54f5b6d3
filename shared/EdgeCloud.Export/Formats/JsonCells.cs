using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// Values of columns as JSON: times in nanoseconds, runs of bytes in base64, lists as arrays, structs as objects with flattened names, what
/// is missing as null. One for each column, since it keeps the names of structs.
/// </summary>
internal sealed class JsonCells(ColumnType type)
{
    private readonly JsonCells? _items = type.Items is { } items ? new JsonCells(items) : null;
    private readonly (byte[] Name, JsonCells Cells)[] _fields =
        [.. type.Fields.Select(field => (JsonBuffer.EncodeName(field.Name), new JsonCells(field.Type)))];

    /// <summary>Writes one value.</summary>
    public void Write(JsonBuffer json, Column column, int row)
    {
        if (column.IsMissing(row))
        {
            json.Null();
            return;
        }
        switch (column)
        {
            case NumberColumn numbers:
                WriteNumber(json, numbers, row);
                break;
            case TextColumn text:
                json.Text(text[row]);
                break;
            case ListColumn { Type.IsBytes: true } bytes:
                json.Base64(((NumberColumn)bytes.Items).Bytes[bytes.Offsets[row]..bytes.Offsets[row + 1]]);
                break;
            case ListColumn list:
                WriteItems(json, list.Items, list.Offsets[row], list.Offsets[row + 1]);
                break;
            case FixedListColumn list:
                WriteItems(json, list.Items, row * type.Size, (row + 1) * type.Size);
                break;
            case StructColumn structs:
                json.BeginObject();
                for (var i = 0; i < _fields.Length; i++)
                {
                    json.Name(_fields[i].Name);
                    _fields[i].Cells.Write(json, structs.Fields[i], row);
                }
                json.EndObject();
                break;
        }
    }

    private void WriteItems(JsonBuffer json, Column items, int from, int to)
    {
        json.BeginArray();
        for (var i = from; i < to; i++)
        {
            _items!.Write(json, items, i);
        }
        json.EndArray();
    }

    private static void WriteNumber(JsonBuffer json, NumberColumn column, int row)
    {
        switch (column.Type.Kind)
        {
            case ColumnKind.Bool:
                json.Bool(column.Bytes[row] != 0);
                break;
            case ColumnKind.Int8:
                json.Integer((long)column.Values<sbyte>()[row]);
                break;
            case ColumnKind.UInt8:
                json.Integer((long)column.Bytes[row]);
                break;
            case ColumnKind.Int16:
                json.Integer((long)column.Values<short>()[row]);
                break;
            case ColumnKind.UInt16:
                json.Integer((long)column.Values<ushort>()[row]);
                break;
            case ColumnKind.Int32:
                json.Integer((long)column.Values<int>()[row]);
                break;
            case ColumnKind.UInt32:
                json.Integer((long)column.Values<uint>()[row]);
                break;
            case ColumnKind.UInt64:
                json.Integer(column.Values<ulong>()[row]);
                break;
            case ColumnKind.Float32:
                json.Float(column.Values<float>()[row]);
                break;
            case ColumnKind.Float64:
                json.Float(column.Values<double>()[row]);
                break;
            default:
                json.Integer(column.Values<long>()[row]);
                break;
        }
    }
}
