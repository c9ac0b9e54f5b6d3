using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>Compiles a schema into the steps that read its payloads.</summary>
internal sealed class WireProgramBuilder
{
    /// <summary>Most steps of a program: bounds definitions that multiply themselves by nesting.</summary>
    public const int OpsMax = 16_384;

    private const int PathLengthMax = 1024;

    private readonly MessageSchema _schema;
    private readonly WireForm _form;
    private readonly WireShape _shape;
    private readonly List<WireOp> _ops = [];
    private readonly List<string> _paths = [];
    private readonly List<Dictionary<int, int>> _tables = [];
    private readonly bool _isCut;

    private WireProgramBuilder(MessageSchema schema, WireForm form, WireShape shape, bool isCut)
    {
        _schema = schema;
        _form = form;
        _shape = shape;
        _isCut = isCut;
    }

    /// <summary>Compiles.</summary>
    /// <exception cref="DefinitionException">The message has too many fields, or one of a type that cannot be decoded.</exception>
    public static WireProgram Build(MessageSchema schema, WireForm form, WireShape shape)
    {
        WireProgram program = Build(schema, form, shape, isCut: true);

        // The form of wide text shows in whether the message ends where the payload does, so all of it must be read.
        return program.HasWideText ? Build(schema, form, shape, isCut: false) : program;
    }

    /// <summary>Compiles steps that read all of a message and want nothing of it.</summary>
    /// <exception cref="DefinitionException">As above.</exception>
    public static WireProgram BuildWhole(MessageSchema schema, WireForm form) =>
        Build(schema, form, new WireShape(_ => -1, WantsStructs: false), isCut: false);

    private static WireProgram Build(MessageSchema schema, WireForm form, WireShape shape, bool isCut)
    {
        var builder = new WireProgramBuilder(schema, form, shape, isCut);
        builder.Message(schema.Root, "", isRoot: true);
        bool hasWideText = builder._ops.Exists(op => op.Code == WireCode.WideText);
        return new WireProgram([.. builder._ops], [.. builder._paths], [.. builder._tables], hasWideText);
    }

    /// <summary>The error for a message of more than <see cref="OpsMax"/> steps.</summary>
    public static DefinitionException TooLarge(MessageSchema schema) =>
        new(schema.Root.Name, 0, $"the message has more than {OpsMax} fields, counting those of nested messages");

    private bool IsVersion2 => _form >= WireForm.Plain2;

    private int AlignOf(int size) => IsVersion2 ? Math.Min(size, 4) : size;

    private Framing FramingOf(MessageDefinition message)
    {
        Extensibility kind = message.Extensibility != Extensibility.Unspecified ? message.Extensibility : _form switch
        {
            WireForm.Delimited2 => Extensibility.Appendable,
            WireForm.List1 or WireForm.List2 => Extensibility.Mutable,
            _ => Extensibility.Final,
        };
        return kind switch
        {
            Extensibility.Appendable when IsVersion2 => Framing.Size,
            Extensibility.Mutable => IsVersion2 ? Framing.List2 : Framing.List1,
            _ => Framing.None,
        };
    }

    private int Add(string path, WireOp op)
    {
        if (_ops.Count >= OpsMax)
            throw TooLarge(_schema);
        if (path.Length > PathLengthMax)
            throw new DefinitionException(_schema.Root.Name, 0, $"the path '{path[..80]}...' is longer than {PathLengthMax} characters");
        _ops.Add(op with { End = _ops.Count + 1 });
        _paths.Add(path);
        return _ops.Count - 1;
    }

    private void Close(int index) => _ops[index] = _ops[index] with { End = _ops.Count };

    private bool WantsAny(int from) => _ops.Skip(from).Any(op => op.Slot >= 0);

    private void Cut(int from)
    {
        _ops.RemoveRange(from, _ops.Count - from);
        _paths.RemoveRange(from, _paths.Count - from);
    }

    private void Message(MessageDefinition message, string path, bool isRoot = false)
    {
        Framing framing = FramingOf(message);
        if (IsTime(message) && !isRoot)
        {
            Time(path, framing);
            return;
        }

        int slot = _shape.WantsStructs ? _shape.SlotOf(path) : -1;
        int table = framing >= Framing.List1 ? _tables.Count : -1;
        if (table >= 0)
            _tables.Add([]);
        bool isMarked = framing != Framing.None || _shape.WantsStructs;
        int index = isMarked ? Add(path, new WireOp { Code = WireCode.Struct, Slot = slot, Framing = framing, Id = table }) : -1;
        int keep = _ops.Count;
        int ordinal = 0;
        foreach (FieldDefinition field in Members(message))
        {
            int start = _ops.Count;
            string fieldPath = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (framing >= Framing.List1)
            {
                int member = Add(fieldPath, new WireOp { Code = WireCode.Member, Slot = -1, Id = field.MemberId });
                Field(message, field, fieldPath);
                Close(member);
                if (!WantsAny(start))
                    Cut(start);
                else
                    _tables[table][field.MemberId] = ordinal++;
            }
            else
            {
                Field(message, field, fieldPath);
            }

            if (WantsAny(start))
                keep = _ops.Count;
        }

        // Where something says how long the struct is, or nothing follows it, unwanted fields at its end need not be read.
        if (_isCut && (isRoot || framing != Framing.None))
            Cut(keep);
        if (isMarked)
            Close(index);
    }

    private static IEnumerable<FieldDefinition> Members(MessageDefinition message) => message.Fields.Count > 0
        ? message.Fields
        : [new FieldDefinition { Name = MessageDefinition.EmptyMember, Type = new FieldType(FieldKind.UInt8) }];

    internal static bool IsTime(MessageDefinition message) =>
        message.Name is DerivedTypes.Time or DerivedTypes.Duration
        && message.Fields is [{ Type: { Kind: FieldKind.Int32, Array: ArrayKind.None } }, { Type: { Kind: FieldKind.UInt32, Array: ArrayKind.None } }];

    private void Time(string path, Framing framing)
    {
        int wrapper = framing == Framing.Size ? Add(path, new WireOp { Code = WireCode.Struct, Slot = -1, Framing = framing }) : -1;
        bool isList = framing >= Framing.List1;
        if (isList)
            _tables.Add(new Dictionary<int, int> { [0] = 0, [1] = 1 });
        Add(path, new WireOp
        {
            Code = WireCode.Time,
            Slot = _shape.SlotOf(path),
            Align = 4,
            Framing = isList ? framing : Framing.None,
            Id = isList ? _tables.Count - 1 : 0,
            Fill = 8,
        });
        if (wrapper >= 0)
            Close(wrapper);
    }

    private void Field(MessageDefinition owner, FieldDefinition field, string path)
    {
        // In a parameter list the absence of the member says it.
        bool isFlagged = field.IsOptional && FramingOf(owner) < Framing.List1;
        int optional = isFlagged ? Add(path, new WireOp { Code = WireCode.Optional, Slot = -1 }) : -1;
        if (field.Type.Array == ArrayKind.None)
            Element(owner, field, path);
        else if (NumberSize(field.Type) > 0)
            Numbers(field.Type, path);
        else
            List(owner, field, path);
        if (optional >= 0)
            Close(optional);
    }

    private void Element(MessageDefinition owner, FieldDefinition field, string path)
    {
        int slot = field.Name == MessageDefinition.EmptyMember ? -1 : _shape.SlotOf(path);
        int size = NumberSize(field.Type);
        if (size > 0)
        {
            WireCode code = size switch { 1 => WireCode.Bits1, 2 => WireCode.Bits2, 4 => WireCode.Bits4, _ => WireCode.Bits8 };
            Add(path, new WireOp { Code = code, Kind = NumberKind(field.Type), Slot = slot, Size = (byte)size, Align = (byte)AlignOf(size), Fill = 8 });
            return;
        }

        switch (field.Type.Kind)
        {
            case FieldKind.String:
                Add(path, new WireOp { Code = WireCode.Text, Kind = FieldKind.String, Slot = slot, Fill = 8 });
                break;
            case FieldKind.WString:
                Add(path, new WireOp { Code = WireCode.WideText, Kind = FieldKind.WString, Slot = slot, Fill = 8 });
                break;
            case FieldKind.Message:
                Message(_schema.Messages[field.Type.TypeName!], path);
                break;
            default:
                throw new DefinitionException(
                    owner.Name, field.Line, $"'{field.Name}' is of type {field.Type}, whose bytes depend on the DDS vendor; such messages are carried undecoded");
        }
    }

    private void Numbers(FieldType type, string path)
    {
        int size = NumberSize(type);
        int count = type.Array == ArrayKind.Fixed ? type.ArraySize : -1;
        Add(path, new WireOp
        {
            Code = WireCode.Numbers,
            Kind = NumberKind(type),
            Slot = _shape.SlotOf(path),
            Size = (byte)size,
            Align = (byte)AlignOf(size),
            Count = count,
            Only = _shape.OnlyOf?.Invoke(path) ?? -1,
            HasSize = IsVersion2 && type.Kind == FieldKind.Enum,
            Fill = (int)Math.Min(int.MaxValue, (long)Math.Max(count, 1) * size),
        });
    }

    private void List(MessageDefinition owner, FieldDefinition field, string path)
    {
        int count = field.Type.Array == ArrayKind.Fixed ? field.Type.ArraySize : -1;
        int index = Add(path, new WireOp { Code = WireCode.List });
        Element(owner, field with { Type = field.Type.Element }, path + "[]");
        _ops[index] = _ops[index] with
        {
            Slot = _shape.SlotOf(path),
            Count = count,
            Only = _shape.OnlyOf?.Invoke(path) ?? -1,
            HasSize = IsVersion2,
            MinSize = Math.Max(1, (int)Math.Min(int.MaxValue, MinSize(index + 1, _ops.Count))),
            Fill = (int)Math.Min(int.MaxValue, Math.Max(8L, count) * Math.Max(8, FillOf(index + 1))),
            End = _ops.Count,
        };
    }

    private long FillOf(int from) => _ops.Skip(from).Sum(op => (long)op.Fill);

    /// <summary>Fewest bytes of the steps, padding aside.</summary>
    private long MinSize(int from, int to)
    {
        long sum = 0;
        for (int i = from; i < to; i = _ops[i].End)
        {
            WireOp op = _ops[i];
            sum += op.Code switch
            {
                WireCode.Time => op.Framing == Framing.None ? 8 : 4,
                WireCode.Text or WireCode.WideText => 4,
                WireCode.Numbers => op.Count >= 0 ? (long)op.Count * op.Size : 4,
                WireCode.List => op.HasSize || op.Count < 0 ? 4 : (long)op.Count * op.MinSize,
                WireCode.Struct => op.Framing == Framing.None ? MinSize(i + 1, op.End) : 4,
                WireCode.Optional => 1,
                _ => op.Size,
            };
        }

        return sum;
    }

    /// <summary>Bytes of one number of the type, or 0 where it is no number.</summary>
    private int NumberSize(FieldType type) => type.Kind switch
    {
        FieldKind.Bool or FieldKind.Byte or FieldKind.Char or FieldKind.Int8 or FieldKind.UInt8 => 1,
        FieldKind.Int16 or FieldKind.UInt16 => 2,
        FieldKind.Int32 or FieldKind.UInt32 or FieldKind.Float32 => 4,
        FieldKind.Int64 or FieldKind.UInt64 or FieldKind.Float64 => 8,
        FieldKind.Enum => _schema.Enums[type.TypeName!].Size,
        _ => 0,
    };

    private FieldKind NumberKind(FieldType type) => type.Kind != FieldKind.Enum ? type.Kind : NumberSize(type) switch
    {
        1 => FieldKind.Int8,
        2 => FieldKind.Int16,
        _ => FieldKind.Int32,
    };
}
