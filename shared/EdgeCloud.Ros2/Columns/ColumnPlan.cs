using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Columns;

/// <summary>
/// How the messages of one type become columns. Nested messages are flattened with dots
/// (<c>pose.position.x</c>); arrays and sequences are lists, those of messages lists of structs, flattened within;
/// <c>builtin_interfaces</c> times and durations are nanoseconds. Messages of other encodings become columns, too:
/// protobuf likewise, by its descriptor set; JSON one column <c>json</c> of text; what is not understood one column
/// <c>data</c> of bytes. Immutable; may be shared between threads.
/// </summary>
public sealed class ColumnPlan
{
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly MessageSchema? _schema;
    private int _fieldCount;

    private ColumnPlan(MessageSchema schema, IReadOnlyCollection<string>? fields)
    {
        _schema = schema;
        var columns = new List<ColumnInfo>();
        var unused = new HashSet<string>(fields ?? [], StringComparer.Ordinal);
        Flatten(schema.Root, "", "", columns, path => fields is null || IsWanted(path, fields, unused));
        if (unused.Count > 0)
            throw new ArgumentException($"{schema.Root.Name} has no field '{unused.First()}'; it has {string.Join(", ", AllNames(schema).Take(100))}");
        Columns = columns;
        Reader = new CdrReader(schema, new WireShape(path => _slots.GetValueOrDefault(path, -1), WantsStructs: false));
        Reader.Prepare();
    }

    /// <summary>The columns in the order of the definition.</summary>
    public IReadOnlyList<ColumnInfo> Columns { get; }

    private ColumnPlan(RowReader rows)
    {
        Columns = rows.Columns;
        Rows = rows;
    }

    /// <summary>Reads CDR; null for other encodings.</summary>
    internal CdrReader? Reader { get; }

    /// <summary>Reads another encoding; null for CDR.</summary>
    internal RowReader? Rows { get; }

    internal int SlotCount => _slots.Count;

    /// <summary>Plans the columns of a message type.</summary>
    /// <param name="schema">The type.</param>
    /// <param name="fields">Paths of the wanted columns, or of nested messages to have all of theirs; null for everything.</param>
    /// <exception cref="ArgumentException">The message has no such field.</exception>
    /// <exception cref="DefinitionException">The message cannot be decoded.</exception>
    public static ColumnPlan Create(MessageSchema schema, IReadOnlyCollection<string>? fields = null) => new(schema, fields);

    /// <summary>Plans the columns of an MCAP channel, whatever its encoding.</summary>
    /// <param name="schemaName">Name in the schema record.</param>
    /// <param name="schemaEncoding">Encoding in the schema record; empty without one.</param>
    /// <param name="schemaData">Data of the schema record.</param>
    /// <param name="messageEncoding">Encoding in the channel record.</param>
    /// <param name="fields">Paths of the wanted columns, or of nested messages to have all of theirs; null for everything.</param>
    /// <exception cref="ArgumentException">The message has no such field.</exception>
    /// <exception cref="DefinitionException">The schema cannot be understood; <see cref="Opaque"/> still carries its messages.</exception>
    public static ColumnPlan Create(
        string schemaName, string schemaEncoding, ReadOnlySpan<byte> schemaData, string messageEncoding, IReadOnlyCollection<string>? fields = null) =>
        (messageEncoding, schemaEncoding) switch
        {
            ("cdr", "ros2msg" or "ros2idl") => Create(MessageSchema.Parse(schemaName, schemaEncoding, schemaData), fields),
            ("protobuf", "protobuf") => new(new ProtobufRows(schemaName, schemaData, fields)),
            ("json", _) => new(new TextRows()),
            _ => Opaque(),
        };

    /// <summary>A plan that carries payloads undecoded, in one column <c>data</c>.</summary>
    public static ColumnPlan Opaque() => new(new ByteRows());

    /// <summary>An empty batch for messages of this type.</summary>
    public ColumnBatch CreateBatch() => new(this);

    private static IEnumerable<string> AllNames(MessageSchema schema) => Create(schema).Columns.Select(column => column.Name);

    internal static bool IsWanted(string path, IReadOnlyCollection<string> fields, HashSet<string> unused)
    {
        bool isWanted = false;
        foreach (string field in fields)
        {
            if (path != field && !(path.StartsWith(field, StringComparison.Ordinal) && path[field.Length] == '.'))
                continue;
            unused.Remove(field);
            isWanted = true;
        }

        return isWanted;
    }

    /// <summary>Adds the columns of a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="path">Its path from the root, with <c>[]</c> for lists: what slots are known by.</param>
    /// <param name="name">Its name within the enclosing row or struct.</param>
    /// <param name="columns">Receives the columns.</param>
    /// <param name="isWanted">Whether a column is wanted, by name.</param>
    private void Flatten(MessageDefinition message, string path, string name, List<ColumnInfo> columns, Func<string, bool> isWanted)
    {
        foreach (FieldDefinition field in message.Fields)
        {
            if (++_fieldCount > WireProgramBuilder.OpsMax)
                throw WireProgramBuilder.TooLarge(_schema!);
            string fieldPath = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            string fieldName = name.Length == 0 ? field.Name : $"{name}.{field.Name}";
            if (field.Type.Array == ArrayKind.None && field.Type.Kind == FieldKind.Message && TimeKind(field.Type) is null)
            {
                Flatten(_schema!.Messages[field.Type.TypeName!], fieldPath, fieldName, columns, isWanted);
                continue;
            }

            if (isWanted(fieldName))
                columns.Add(new ColumnInfo(fieldName, TypeOf(field.Type, fieldPath), field.Unit, field.Comment));
        }
    }

    /// <summary>The column type of a field; gives slots to it and to what it consists of, in depth-first order.</summary>
    private ColumnType TypeOf(FieldType type, string path)
    {
        if (type.Array == ArrayKind.None)
        {
            if (type.Kind == FieldKind.Message && TimeKind(type) is null)
            {
                var fields = new List<ColumnInfo>();
                Flatten(_schema!.Messages[type.TypeName!], path, "", fields, _ => true);
                return new ColumnType { Kind = ColumnKind.Struct, Fields = fields };
            }

            _slots[path] = _slots.Count;
            return Scalar(type);
        }

        _slots[path] = _slots.Count;
        bool isBlock = type.Kind is not (FieldKind.Message or FieldKind.String or FieldKind.WString);
        return new ColumnType
        {
            Kind = type.Array == ArrayKind.Fixed ? ColumnKind.FixedList : ColumnKind.List,
            Size = type.Array == ArrayKind.Fixed ? type.ArraySize : 0,
            Items = isBlock ? Scalar(type) : TypeOf(type.Element, path + "[]"),
        };
    }

    private ColumnType Scalar(FieldType type)
    {
        EnumDefinition? enumeration = type.Kind == FieldKind.Enum ? _schema!.Enums[type.TypeName!] : null;
        ColumnKind kind = type.Kind switch
        {
            FieldKind.Bool => ColumnKind.Bool,
            FieldKind.Byte or FieldKind.Char or FieldKind.UInt8 => ColumnKind.UInt8,
            FieldKind.Int8 => ColumnKind.Int8,
            FieldKind.Int16 => ColumnKind.Int16,
            FieldKind.UInt16 => ColumnKind.UInt16,
            FieldKind.Int32 => ColumnKind.Int32,
            FieldKind.UInt32 => ColumnKind.UInt32,
            FieldKind.Int64 => ColumnKind.Int64,
            FieldKind.UInt64 => ColumnKind.UInt64,
            FieldKind.Float32 => ColumnKind.Float32,
            FieldKind.Float64 => ColumnKind.Float64,
            FieldKind.Enum => enumeration!.Size switch { 1 => ColumnKind.Int8, 2 => ColumnKind.Int16, _ => ColumnKind.Int32 },
            FieldKind.Message => TimeKind(type)!.Value,
            _ => ColumnKind.Text,
        };
        return new ColumnType { Kind = kind, Enum = enumeration };
    }

    private ColumnKind? TimeKind(FieldType type) =>
        type.Kind != FieldKind.Message || !WireProgramBuilder.IsTime(_schema!.Messages[type.TypeName!]) ? null
        : type.TypeName == DerivedTypes.Time ? ColumnKind.Timestamp
        : ColumnKind.Duration;
}
