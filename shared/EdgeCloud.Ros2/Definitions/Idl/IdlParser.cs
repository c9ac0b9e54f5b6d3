using System.Security.Cryptography;
using System.Text;

namespace EdgeCloud.Ros2.Definitions.Idl;

/// <summary>
/// Parses the part of OMG IDL 4.2 that ROS 2 uses (design.ros2.org, "Interface definition using .idl files"):
/// modules, structs, typedefs, constants, enumerations, sequences, bounded strings and annotations.
/// Unions, interfaces, maps and bit sets are refused.
/// </summary>
internal sealed partial class IdlParser
{
    private readonly string _definition;
    private readonly IdlLexer _lexer;
    private readonly IdlScope _scope;
    private readonly List<string> _modules = [];
    private IdlToken _token;
    private int _depth;

    private IdlParser(string definition, IReadOnlyList<string> lines, IdlScope scope)
    {
        _definition = definition;
        _lexer = new IdlLexer(definition, lines);
        _scope = scope;
        _token = _lexer.Next();
    }

    /// <summary>Parses one definition text and adds what it defines to <paramref name="scope"/>.</summary>
    public static void Parse(string definition, IReadOnlyList<string> lines, IdlScope scope)
    {
        var parser = new IdlParser(definition, lines, scope);
        while (parser._token.Kind != IdlTokenKind.End)
            parser.Definition();
    }

    private string Scoped(string name) => string.Join("::", _modules.Append(name));

    private void Definition()
    {
        IdlAnnotations annotations = Annotations();
        IdlToken start = _token;
        string keyword = Identifier();
        switch (keyword)
        {
            case "module":
                Module();
                break;
            case "struct":
                Struct(annotations);
                break;
            case "typedef":
                Typedef();
                break;
            case "const":
                Constant(annotations);
                break;
            case "enum":
                Enumeration(annotations);
                break;
            default:
                throw Error(start.Line, $"'{keyword}' is not part of ROS 2 IDL; expected module, struct, typedef, const or enum");
        }

        // rosidl wants the semicolon; nothing is lost by not insisting after a closing brace.
        if (keyword is "typedef" or "const")
            Expect(";");
        else
            Accept(";");
    }

    private void Module()
    {
        string name = Identifier();
        Enter();
        _modules.Add(name);
        Expect("{");
        while (!Accept("}"))
            Definition();
        _modules.RemoveAt(_modules.Count - 1);
        _depth--;
    }

    private void Struct(IdlAnnotations annotations)
    {
        int line = _token.Line;
        string name = Identifier();
        if (_token.Text == ";")
            return; // a forward declaration
        if (_token.Text == ":")
            throw Error(line, $"'{name}' inherits, which ROS 2 IDL does not know");
        Expect("{");
        var fields = new List<FieldDefinition>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        int nextId = 0;
        while (!Accept("}"))
        {
            IdlAnnotations member = Annotations();
            FieldType type = TypeSpec();
            do
            {
                IdlToken at = _token;
                string fieldName = Identifier();
                if (!names.Add(fieldName))
                    throw Error(at.Line, $"the name '{fieldName}' is used twice");
                FieldType full = ArrayOf(type, at.Line);
                int id = member.Id ?? (annotations.HashIds || member.HashId is not null ? HashedId(member.HashId ?? fieldName) : nextId);
                nextId = id + 1;
                fields.Add(Field(fieldName, full, member, id, at.Line));
            }
            while (Accept(","));
            Expect(";");
        }

        if (fields is [{ Name: MessageDefinition.EmptyMember, Type.Array: ArrayKind.None }])
            fields.Clear();
        _scope.Messages.Add(new MessageDefinition
        {
            Name = string.Join('/', _modules.Append(name)),
            Fields = fields,
            Constants = (IReadOnlyList<ConstantDefinition>?)_scope.ConstantModules.GetValueOrDefault(Scoped(name + "_Constants")) ?? [],
            Comment = annotations.Comment,
            Extensibility = annotations.Extensibility,
        });
    }

    private static FieldDefinition Field(string name, FieldType type, IdlAnnotations annotations, int id, int line) => new()
    {
        Name = name,
        Type = type,
        Default = annotations.Default,
        Comment = annotations.Comment,
        Unit = annotations.Unit,
        MemberId = id,
        IsOptional = annotations.IsOptional,
        Line = line,
    };

    /// <summary>Member id from a name (DDS-XTypes 1.3, 7.3.1.2.1.1).</summary>
    private static int HashedId(string name) =>
        BitConverter.ToInt32(MD5.HashData(Encoding.UTF8.GetBytes(name))) & 0x0FFFFFFF;

    private void Typedef()
    {
        FieldType type = TypeSpec();
        do
        {
            int line = _token.Line;
            string name = Identifier();
            _scope.AddTypedef(Scoped(name), ArrayOf(type, line));
        }
        while (Accept(","));
    }

    private void Constant(IdlAnnotations annotations)
    {
        int line = _token.Line;
        FieldType type = TypeSpec();
        string name = Identifier();
        Expect("=");
        object value = Expression();
        object? typed = (type.Kind, value) switch
        {
            (FieldKind.Bool, bool) or (FieldKind.String or FieldKind.WString, string) => value,
            (FieldKind.Float32 or FieldKind.Float64 or FieldKind.LongDouble, double) => value,
            (FieldKind.Float32 or FieldKind.Float64 or FieldKind.LongDouble, Int128 whole) => (double)whole,
            (FieldKind.Char or FieldKind.WChar, string { Length: 1 } letter) => Literals.Fit(type.Kind, letter[0]),
            (FieldKind.Enum, Int128 whole) => Literals.Fit(FieldKind.Int32, whole),
            (_, Int128 whole) => Literals.Fit(type.Kind, whole),
            _ => null,
        };
        if (typed is null || type.Array != ArrayKind.None)
            throw Error(line, $"the value of '{name}' does not fit the type {type}");
        _scope.AddConstant(Scoped(name), value);
        string module = string.Join("::", _modules);
        if (!_scope.ConstantModules.TryGetValue(module, out List<ConstantDefinition>? list))
            _scope.ConstantModules[module] = list = [];
        list.Add(new ConstantDefinition(name, type, typed, annotations.Comment));
    }

    private void Enumeration(IdlAnnotations annotations)
    {
        string name = Identifier();
        Expect("{");
        var members = new List<KeyValuePair<string, int>>();
        Int128 next = 0;
        do
        {
            if (_token.Text == "}")
                break;
            IdlAnnotations member = Annotations();
            int line = _token.Line;
            string label = Identifier();
            Int128 value = member.Value ?? next;
            if (Literals.Fit(FieldKind.Int32, value) is not long whole)
                throw Error(line, $"the value {value} of '{label}' does not fit 32 bits");
            members.Add(new(label, (int)whole));
            _scope.AddConstant(Scoped(label), value);
            next = value + 1;
        }
        while (Accept(","));
        Expect("}");
        int size = annotations.BitBound switch { <= 8 => 1, <= 16 => 2, _ => 4 };
        _scope.AddEnum(new EnumDefinition(string.Join('/', _modules.Append(name)), members, size), Scoped(name));
    }

    private void Enter()
    {
        if (++_depth > MessageSchema.DepthMax)
            throw Error(_token.Line, $"more than {MessageSchema.DepthMax} levels of nesting");
    }

    private string Identifier()
    {
        if (_token.Kind != IdlTokenKind.Identifier)
            throw Error(_token.Line, $"expected a name, found '{_token.Text}'");
        string text = _token.Text;
        _token = _lexer.Next();
        return text;
    }

    private bool Accept(string symbol)
    {
        if (_token.Kind != IdlTokenKind.Symbol || _token.Text != symbol)
            return false;
        _token = _lexer.Next();
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol))
            throw Error(_token.Line, $"expected '{symbol}', found '{_token.Text}'");
    }

    private DefinitionException Error(int line, string problem) => new(_definition, line, problem);
}
