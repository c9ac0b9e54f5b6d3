using System.Globalization;
using System.Text;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Protobuf;

namespace EdgeCloud.Ros2.Columns;

/// <summary>
/// Protobuf messages as rows: nested messages flattened with dots, repeated fields as lists, enumerations by name, bytes as lists of
/// bytes, <c>google.protobuf.Timestamp</c> and <c>Duration</c> as nanoseconds. What is left out has its default, or no value where
/// absence means something. A field of a type that contains itself is carried as bytes.
/// </summary>
internal sealed class ProtobufRows : RowReader
{
    private const int DepthMax = 32;
    private const string Timestamp = ".google.protobuf.Timestamp";
    private const string Duration = ".google.protobuf.Duration";

    private readonly ProtobufSchema _schema;
    private readonly Node _root;
    private int _fieldCount;

    public ProtobufRows(string name, ReadOnlySpan<byte> descriptorSet, IReadOnlyCollection<string>? fields)
    {
        _schema = ProtobufSchema.Parse(name, descriptorSet);
        var columns = new List<ColumnInfo>();
        var unused = new HashSet<string>(fields ?? [], StringComparer.Ordinal);
        _root = MessageNode(
            "." + name, "", columns, path => fields is null || ColumnPlan.IsWanted(path, fields, unused), ["." + name]);
        if (unused.Count > 0)
            throw new ArgumentException($"{name} has no field '{unused.First()}'");
        Columns = columns;
    }

    /// <summary>A field, or the fields of a message: what the bytes with its number mean and where they go.</summary>
    /// <param name="Field">Its definition; null for the root.</param>
    /// <param name="Column">Place among the columns of its row or struct; -1 for a flattened message, and where it is not wanted.</param>
    /// <param name="Fields">The fields of a message.</param>
    private sealed record Node(ProtobufFieldType? Field, int Column, IReadOnlyList<Node> Fields)
    {
        public Dictionary<int, int> Ordinals { get; } =
            Fields.Select((field, ordinal) => (field.Field!.Number, ordinal)).GroupBy(f => f.Number).ToDictionary(g => g.Key, g => g.First().ordinal);
    }

    public override IReadOnlyList<ColumnInfo> Columns { get; }

    public override void Append(ReadOnlySpan<byte> payload, IReadOnlyList<Column> columns) => AppendMessage(_root, payload, columns, 0);

    private Node MessageNode(string type, string path, List<ColumnInfo> columns, Func<string, bool> isWanted, HashSet<string> above, ProtobufFieldType? self = null)
    {
        var nodes = new List<Node>();
        foreach (ProtobufFieldType field in _schema.Messages[type])
        {
            if (++_fieldCount > WireProgramBuilder.OpsMax)
                throw new DefinitionException(type[1..], 0, $"the message has more than {WireProgramBuilder.OpsMax} fields, counting those of nested messages");
            if (field.Type == ProtobufType.Group)
                continue;
            string name = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (field is { Type: ProtobufType.Message, IsRepeated: false, TypeName: not (Timestamp or Duration) } && CanNest(field, above))
            {
                nodes.Add(MessageNode(field.TypeName, name, columns, isWanted, [.. above, field.TypeName], field));
                continue;
            }

            if (!isWanted(name))
                continue;
            IReadOnlyList<Node> items = [];
            ColumnType column = TypeOf(field, above, ref items);
            columns.Add(new ColumnInfo(name, column));
            nodes.Add(new Node(field, columns.Count - 1, items));
        }

        return new Node(self, -1, nodes);
    }

    private static bool CanNest(ProtobufFieldType field, HashSet<string> above) => !above.Contains(field.TypeName) && above.Count < DepthMax;

    private ColumnType TypeOf(ProtobufFieldType field, HashSet<string> above, ref IReadOnlyList<Node> items)
    {
        ColumnType item = new() { Kind = KindOf(field.Type) };
        if (field.TypeName is Timestamp or Duration)
        {
            item = new() { Kind = field.TypeName == Timestamp ? ColumnKind.Timestamp : ColumnKind.Duration };
        }
        else if (field.Type == ProtobufType.Bytes || (field.Type == ProtobufType.Message && !CanNest(field, above)))
        {
            item = Bytes;
        }
        else if (field.Type == ProtobufType.Message)
        {
            var fields = new List<ColumnInfo>();
            items = MessageNode(field.TypeName, "", fields, _ => true, [.. above, field.TypeName]).Fields;
            item = new() { Kind = ColumnKind.Struct, Fields = fields };
        }

        return field.IsRepeated ? new ColumnType { Kind = ColumnKind.List, Items = item } : item;
    }

    private static ColumnKind KindOf(ProtobufType type) => type switch
    {
        ProtobufType.Double => ColumnKind.Float64,
        ProtobufType.Float => ColumnKind.Float32,
        ProtobufType.Bool => ColumnKind.Bool,
        ProtobufType.UInt64 or ProtobufType.Fixed64 => ColumnKind.UInt64,
        ProtobufType.UInt32 or ProtobufType.Fixed32 => ColumnKind.UInt32,
        ProtobufType.Int64 or ProtobufType.SInt64 or ProtobufType.SFixed64 => ColumnKind.Int64,
        ProtobufType.String or ProtobufType.Enum => ColumnKind.Text,
        _ => ColumnKind.Int32,
    };

    private void AppendMessage(Node node, ReadOnlySpan<byte> data, IReadOnlyList<Column> columns, int depth)
    {
        // A field's values need not stand together, nor in the order of the definition.
        var found = new List<(int Ordinal, int Order, ProtobufField Field)>();
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (node.Ordinals.TryGetValue(field.Number, out int ordinal))
                found.Add((ordinal, found.Count, field));
        }

        found.Sort((a, b) => a.Ordinal != b.Ordinal ? a.Ordinal.CompareTo(b.Ordinal) : a.Order.CompareTo(b.Order));
        int at = 0;
        for (int ordinal = 0; ordinal < node.Fields.Count; ordinal++)
        {
            int first = at;
            while (at < found.Count && found[at].Ordinal == ordinal)
                at++;
            Node field = node.Fields[ordinal];
            if (field.Column < 0)
                AppendFlattened(field, data, found, first, at, columns, depth);
            else if (field.Field!.IsRepeated)
                AppendList(field, data, found, first, at, (ListColumn)columns[field.Column], depth);
            else if (at > first)
                AppendValue(field, found[at - 1].Field, data, columns[field.Column], depth); // the last one counts
            else if (field.Field.HasPresence)
                columns[field.Column].AppendMissing();
            else
                AppendDefault(field, columns[field.Column]);
        }
    }

    private void AppendFlattened(
        Node field, ReadOnlySpan<byte> data, List<(int Ordinal, int Order, ProtobufField Field)> found, int from, int to, IReadOnlyList<Column> columns, int depth)
    {
        if (to == from)
        {
            AppendMissing(field, columns);
            return;
        }

        ProtobufField value = found[to - 1].Field;
        Demand(field.Field!, value, WireType.Bytes);
        AppendMessage(field, data.Slice(value.Start, value.Length), columns, depth + 1);
    }

    private static void AppendMissing(Node node, IReadOnlyList<Column> columns)
    {
        foreach (Node field in node.Fields)
        {
            if (field.Column >= 0)
                columns[field.Column].AppendMissing();
            else
                AppendMissing(field, columns);
        }
    }

    private void AppendList(
        Node node, ReadOnlySpan<byte> data, List<(int Ordinal, int Order, ProtobufField Field)> found, int from, int to, ListColumn list, int depth)
    {
        WireType wire = WireOf(node.Field!);
        if (list.Items is StructColumn structs)
        {
            list.Open(to - from);
            for (int i = from; i < to; i++)
            {
                Demand(node.Field!, found[i].Field, WireType.Bytes);
                AppendMessage(node, data.Slice(found[i].Field.Start, found[i].Field.Length), structs.Fields, depth + 1);
            }

            return;
        }

        for (int i = from; i < to; i++)
        {
            ProtobufField field = found[i].Field;
            if (field.Wire != WireType.Bytes || wire == WireType.Bytes)
            {
                AppendValue(node, field, data, list.Items, depth);
                continue;
            }

            var packed = new ProtobufReader(data.Slice(field.Start, field.Length));
            while (!packed.IsAtEnd)
                AppendNumber(node.Field!, packed.Number(wire), list.Items);
        }

        list.CloseRow();
    }

    private void AppendValue(Node node, ProtobufField field, ReadOnlySpan<byte> data, Column column, int depth)
    {
        Demand(node.Field!, field, WireOf(node.Field!));
        ReadOnlySpan<byte> bytes = data.Slice(field.Start, field.Length);
        if (column is ListColumn list)
            list.AppendBlock(bytes, swap: false);
        else if (node.Field!.Type == ProtobufType.Message)
            ((NumberColumn)column).Append(Nanoseconds(bytes));
        else if (node.Field.Type == ProtobufType.String)
            ((TextColumn)column).Append(bytes);
        else
            AppendNumber(node.Field, field.Bits, column);
    }

    private void AppendDefault(Node node, Column column)
    {
        if (column is ListColumn list)
            list.AppendBlock([], swap: false);
        else if (node.Field!.Type == ProtobufType.String)
            ((TextColumn)column).Append([]);
        else
            AppendNumber(node.Field, 0, column);
    }

    private void AppendNumber(ProtobufFieldType type, ulong bits, Column column)
    {
        if (column is TextColumn text)
        {
            string? name = _schema.Enums.GetValueOrDefault(type.TypeName)?.GetValueOrDefault((int)bits);
            text.Append(Encoding.UTF8.GetBytes(name ?? ((int)bits).ToString(CultureInfo.InvariantCulture)));
            return;
        }

        if (type.Type is ProtobufType.SInt32 or ProtobufType.SInt64)
            bits = (bits >> 1) ^ (ulong)-(long)(bits & 1);
        var numbers = (NumberColumn)column;
        switch (numbers.Type.Width)
        {
            case 1:
                numbers.Append(bits != 0 ? (byte)1 : (byte)0);
                break;
            case 4:
                numbers.Append((uint)bits);
                break;
            default:
                numbers.Append(bits);
                break;
        }
    }

    private static long Nanoseconds(ReadOnlySpan<byte> data)
    {
        long seconds = 0, nanoseconds = 0;
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field is { Number: 1, Wire: WireType.Varint })
                seconds = (long)field.Bits;
            else if (field is { Number: 2, Wire: WireType.Varint })
                nanoseconds = (int)field.Bits;
        }

        return unchecked((seconds * 1_000_000_000) + nanoseconds);
    }

    private static void Demand(ProtobufFieldType type, ProtobufField field, WireType wire)
    {
        if (field.Wire != wire)
            throw new FormatException($"protobuf: field '{type.Name}' is laid out as {field.Wire}, not as {type.Type}");
    }

    private static WireType WireOf(ProtobufFieldType type) => type.Type switch
    {
        ProtobufType.Double or ProtobufType.Fixed64 or ProtobufType.SFixed64 => WireType.Fixed64,
        ProtobufType.Float or ProtobufType.Fixed32 or ProtobufType.SFixed32 => WireType.Fixed32,
        ProtobufType.String or ProtobufType.Bytes or ProtobufType.Message => WireType.Bytes,
        _ => WireType.Varint,
    };
}
