using System.Text;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Fields;

/// <summary>How values are compared.</summary>
public enum FieldComparison
{
    /// <summary>==</summary>
    Equal,

    /// <summary>!=</summary>
    NotEqual,

    /// <summary>&lt;</summary>
    Less,

    /// <summary>&lt;=</summary>
    LessOrEqual,

    /// <summary>&gt;</summary>
    Greater,

    /// <summary>&gt;=</summary>
    GreaterOrEqual,
}

/// <summary>
/// One field of raw CDR messages, read without decoding the rest: what lies before it is passed over, what follows is
/// not looked at. For triggers and plots. Immutable; may be used by several threads at once; reading numbers allocates
/// nothing.
/// </summary>
/// <remarks>
/// Paths are names joined by dots, with an index or nothing in brackets after an array: <c>pose.position.x</c>,
/// <c>ranges[3]</c>, <c>status[].level</c> (also <c>status[*].level</c>, <c>status.level</c>: of every element).
/// Times and durations are nanoseconds; their <c>sec</c> and <c>nanosec</c> can be named, too.
/// </remarks>
public sealed class FieldPath
{
    private readonly CdrReader _reader;
    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);
    private readonly TimePart _part;

    private FieldPath(MessageSchema schema, string path)
    {
        Path = path;
        MessageDefinition owner = schema.Root;
        FieldDefinition? field = null;
        string full = "";
        string[] segments = path.Split('.');
        for (int i = 0; i < segments.Length; i++)
        {
            (string name, int? index) = Segment(segments[i]);
            if (field is not null)
            {
                if (field.Type.Kind != FieldKind.Message)
                    throw Error(schema, $"'{field.Name}' is a {field.Type} and has no '{name}'");
                owner = schema.Messages[field.Type.TypeName!];
                if (WireProgramBuilder.IsTime(owner) && i == segments.Length - 1 && name is "sec" or "nanosec")
                {
                    _part = name == "sec" ? TimePart.Seconds : TimePart.Nanoseconds;
                    break;
                }
            }

            field = owner.Fields.FirstOrDefault(f => f.Name == name)
                ?? throw Error(schema, $"{owner.Name} has no field '{name}'; it has {string.Join(", ", owner.Fields.Select(f => f.Name))}");
            full = full.Length == 0 ? name : $"{full}.{name}";
            if (index is { } only)
            {
                if (field.Type.Array == ArrayKind.None)
                    throw Error(schema, $"'{name}' is no array");
                if (only >= 0)
                    _indexes[full] = only;
            }

            bool isBlock = field.Type.Kind is not (FieldKind.Message or FieldKind.String or FieldKind.WString);
            if (field.Type.Array != ArrayKind.None && !isBlock)
                full += "[]";
            IsRepeated |= field.Type.Array != ArrayKind.None && index is null or < 0;
        }

        bool isTime = field!.Type.Kind == FieldKind.Message && WireProgramBuilder.IsTime(schema.Messages[field.Type.TypeName!]);
        if (field.Type.Kind == FieldKind.Message && !isTime)
            throw Error(schema, $"it ends at the message {field.Type.TypeName}; name one of its fields");
        IsText = field.Type.Kind is FieldKind.String or FieldKind.WString;
        Constants = owner.Constants;
        _reader = new CdrReader(schema, new WireShape(p => p == full ? 0 : -1, WantsStructs: false, p => _indexes.GetValueOrDefault(p, -1)));
        _reader.Prepare();
    }

    private enum TimePart
    {
        All,
        Seconds,
        Nanoseconds,
    }

    /// <summary>The path as given.</summary>
    public string Path { get; }

    /// <summary>Whether the values are text; else they are numbers (booleans 0 and 1).</summary>
    public bool IsText { get; }

    /// <summary>Whether a message can have several values.</summary>
    public bool IsRepeated { get; }

    /// <summary>Constants of the message that the field is in: <c>ERROR</c> for the level of a diagnostic status.</summary>
    public IReadOnlyList<ConstantDefinition> Constants { get; }

    /// <summary>Compiles a path.</summary>
    /// <exception cref="ArgumentException">The path leads to no field of the message; the text says where it fails.</exception>
    /// <exception cref="DefinitionException">The message cannot be decoded.</exception>
    public static FieldPath Compile(MessageSchema schema, string path) => new(schema, path);

    /// <summary>Reads the first number; false if the message has none (an empty array, an index beyond it).</summary>
    /// <exception cref="CdrException">The payload does not fit the definition up to the field.</exception>
    public bool TryReadNumber(ReadOnlySpan<byte> payload, out double value)
    {
        Span<double> values = stackalloc double[1];
        bool isThere = ReadNumbers(payload, values) > 0;
        value = values[0];
        return isThere;
    }

    /// <summary>Reads numbers in their order.</summary>
    /// <param name="payload">CDR with its 4-byte encapsulation header.</param>
    /// <param name="values">Receives the first of them.</param>
    /// <returns>How many the message has, which may be more than fit.</returns>
    /// <exception cref="CdrException">The payload does not fit the definition up to the field.</exception>
    public int ReadNumbers(ReadOnlySpan<byte> payload, Span<double> values)
    {
        var sink = new FieldSink(this, values);
        _reader.Read(payload, ref sink);
        return sink.Count;
    }

    /// <summary>Whether any number of the message compares so; false if it has none. NaN compares as in IEEE 754.</summary>
    /// <exception cref="CdrException">The payload does not fit the definition up to the field.</exception>
    public bool Any(ReadOnlySpan<byte> payload, FieldComparison comparison, double operand)
    {
        var sink = new FieldSink(this, []) { Comparison = comparison, Operand = operand };
        _reader.Read(payload, ref sink);
        return sink.Found;
    }

    /// <summary>Reads all texts; what is no UTF-8 becomes U+FFFD.</summary>
    /// <exception cref="CdrException">The payload does not fit the definition up to the field.</exception>
    public IReadOnlyList<string> ReadTexts(ReadOnlySpan<byte> payload)
    {
        var texts = new List<string>();
        var sink = new FieldSink(this, []) { Texts = texts };
        _reader.Read(payload, ref sink);
        return texts;
    }

    /// <summary><c>name</c>, <c>name[]</c>, <c>name[*]</c> (index -1) or <c>name[3]</c>.</summary>
    private (string Name, int? Index) Segment(string text)
    {
        int bracket = text.IndexOf('[');
        string name = bracket < 0 ? text : text[..bracket];
        if (!RosTypeName.IsIdentifier(name))
            throw new ArgumentException($"the path '{Path}' has no field name in '{text}'");
        if (bracket < 0)
            return (name, null);
        string inside = text.EndsWith(']') ? text[(bracket + 1)..^1] : "?";
        if (inside is "" or "*")
            return (name, -1);
        return int.TryParse(inside, System.Globalization.NumberStyles.None, null, out int index)
            ? (name, index)
            : throw new ArgumentException($"the path '{Path}' has '{text}', whose brackets hold no index");
    }

    private ArgumentException Error(MessageSchema schema, string problem) =>
        new($"the path '{Path}' is not one of {schema.Root.Name}: {problem}");

    private ref struct FieldSink(FieldPath path, Span<double> values) : IWireSink
    {
        private readonly Span<double> _values = values;

        public FieldComparison? Comparison { get; init; }

        public double Operand { get; init; }

        public List<string>? Texts { get; init; }

        public int Count { get; private set; }

        public bool Found { get; private set; }

        public void Bits1(in WireOp op, byte bits) =>
            Take(op.Kind switch { FieldKind.Int8 => (sbyte)bits, FieldKind.Bool => bits != 0 ? 1 : 0, _ => bits });

        public void Bits2(in WireOp op, ushort bits) => Take(op.Kind == FieldKind.Int16 ? (short)bits : bits);

        public void Bits4(in WireOp op, uint bits)
        {
            if (op.Kind == FieldKind.Float32)
                Take(BitConverter.UInt32BitsToSingle(bits));
            else
                Take(op.Kind == FieldKind.Int32 ? (int)bits : bits);
        }

        public void Bits8(in WireOp op, ulong bits)
        {
            if (op.Kind == FieldKind.Float64)
                Take(BitConverter.UInt64BitsToDouble(bits));
            else if (op.Kind == FieldKind.UInt64)
                Take(bits);
            else
                Take((long)bits);
        }

        public void Time(in WireOp op, int seconds, uint nanoseconds) => Take(path._part switch
        {
            TimePart.Seconds => seconds,
            TimePart.Nanoseconds => nanoseconds,
            _ => (seconds * 1_000_000_000L) + nanoseconds,
        });

        public readonly void Text(in WireOp op, ReadOnlySpan<byte> utf8) => Texts?.Add(Encoding.UTF8.GetString(utf8));

        public readonly void WideText(in WireOp op, ReadOnlySpan<byte> units, int unitSize, bool swap)
        {
            var text = new StringBuilder();
            foreach (Rune rune in new WideRunes(units, unitSize, swap))
                text.Append(rune);
            Texts?.Add(text.ToString());
        }

        public void Numbers(in WireOp op, ReadOnlySpan<byte> block, bool swap)
        {
            int count = block.Length / op.Size;
            int first = Math.Max(op.Only, 0);
            int last = op.Only >= 0 ? Math.Min(op.Only + 1, count) : count;
            for (int n = first; n < last; n++)
            {
                ReadOnlySpan<byte> value = block.Slice(n * op.Size, op.Size);
                switch (op.Size)
                {
                    case 1:
                        Bits1(op, value[0]);
                        break;
                    case 2:
                        Bits2(op, WireNumber.Read<ushort>(value, swap));
                        break;
                    case 4:
                        Bits4(op, WireNumber.Read<uint>(value, swap));
                        break;
                    default:
                        Bits8(op, WireNumber.Read<ulong>(value, swap));
                        break;
                }
            }
        }

        public readonly void BeginList(in WireOp op, int count)
        {
        }

        public readonly void EndList(in WireOp op)
        {
        }

        public readonly void BeginStruct(in WireOp op)
        {
        }

        public readonly void EndStruct(in WireOp op)
        {
        }

        public readonly void Missing(in WireOp op)
        {
        }

        public void Restart()
        {
            Count = 0;
            Found = false;
            Texts?.Clear();
        }

        private void Take(double value)
        {
            if (Count < _values.Length)
                _values[Count] = value;
            Count++;
            Found |= Comparison switch
            {
                FieldComparison.Equal => value == Operand,
                FieldComparison.NotEqual => value != Operand,
                FieldComparison.Less => value < Operand,
                FieldComparison.LessOrEqual => value <= Operand,
                FieldComparison.Greater => value > Operand,
                FieldComparison.GreaterOrEqual => value >= Operand,
                _ => false,
            };
        }
    }
}
