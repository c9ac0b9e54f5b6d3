namespace EdgeCloud.Ros2.Definitions.Idl;

/// <summary>Types and constant expressions.</summary>
internal sealed partial class IdlParser
{
    /// <summary>A type specification (IDL 4.2, rules 21 to 43). Typedefs are replaced by what they stand for.</summary>
    private FieldType TypeSpec()
    {
        IdlToken start = _token;
        if (start.Text == "::")
            return Named(ScopedName(), start.Line);
        switch (start.Text)
        {
            case "sequence":
                _token = _lexer.Next();
                return Sequence(start.Line);
            case "string" or "wstring":
                _token = _lexer.Next();
                int bound = Accept("<") ? Size(start.Line) : 0;
                if (bound > 0)
                    CloseAngle();
                return new FieldType(start.Text == "string" ? FieldKind.String : FieldKind.WString, null, bound);
            case "unsigned":
                _token = _lexer.Next();
                return new FieldType(Integer(Identifier(), start.Line) switch
                {
                    FieldKind.Int16 => FieldKind.UInt16,
                    FieldKind.Int32 => FieldKind.UInt32,
                    FieldKind.Int64 => FieldKind.UInt64,
                    _ => throw Error(start.Line, "expected short, long or long long after 'unsigned'"),
                });
            case "short" or "long":
                return new FieldType(Integer(Identifier(), start.Line));
        }

        if (start.Kind == IdlTokenKind.Identifier && Primitive(start.Text) is { } kind)
        {
            _token = _lexer.Next();
            return new FieldType(kind);
        }

        return start.Text is "map" or "union" or "any" or "fixed" or "bitset" or "bitmask" or "struct" or "enum" or "Object"
            ? throw Error(start.Line, $"'{start.Text}' is not a member type of ROS 2 IDL")
            : Named(ScopedName(), start.Line);
    }

    /// <summary>short, long, long long, and long double, whose first word is taken.</summary>
    private FieldKind Integer(string first, int line)
    {
        if (first == "short")
            return FieldKind.Int16;
        if (first != "long")
            throw Error(line, $"'{first}' is no integer type");
        if (_token is not { Kind: IdlTokenKind.Identifier, Text: "long" or "double" })
            return FieldKind.Int32;
        return Identifier() == "long" ? FieldKind.Int64 : FieldKind.LongDouble;
    }

    private static FieldKind? Primitive(string name) => name switch
    {
        "boolean" => FieldKind.Bool,
        "octet" => FieldKind.Byte,
        "char" => FieldKind.Char,
        "wchar" => FieldKind.WChar,
        "int8" => FieldKind.Int8,
        "uint8" => FieldKind.UInt8,
        "int16" => FieldKind.Int16,
        "uint16" => FieldKind.UInt16,
        "int32" => FieldKind.Int32,
        "uint32" => FieldKind.UInt32,
        "int64" => FieldKind.Int64,
        "uint64" => FieldKind.UInt64,
        "float" => FieldKind.Float32,
        "double" => FieldKind.Float64,
        _ => null,
    };

    private FieldType Sequence(int line)
    {
        Expect("<");
        Enter();
        FieldType element = TypeSpec();
        _depth--;
        if (element.Array != ArrayKind.None)
            throw Error(line, "a sequence of arrays or sequences is not part of ROS 2 IDL; put the inner one into a struct");
        int bound = Accept(",") ? Size(line) : 0;
        CloseAngle();
        return element with { Array = bound > 0 ? ArrayKind.Bounded : ArrayKind.Unbounded, ArraySize = bound };
    }

    /// <summary>Takes one '>' even where two were read as a shift.</summary>
    private void CloseAngle()
    {
        if (_token is { Kind: IdlTokenKind.Symbol, Text: ">>" })
            _token = _token with { Text = ">" };
        else
            Expect(">");
    }

    /// <summary>The sizes after a declarator; several dimensions are one array in row-major order, as on the wire.</summary>
    private FieldType ArrayOf(FieldType type, int line)
    {
        if (_token.Text != "[")
            return type;
        long size = type.Array == ArrayKind.Fixed ? type.ArraySize : 1;
        while (Accept("["))
        {
            size *= Size(line);
            Expect("]");
            if (size > int.MaxValue)
                throw Error(line, $"the array has more than {int.MaxValue} elements");
        }

        return type.Array is ArrayKind.None or ArrayKind.Fixed
            ? type with { Array = ArrayKind.Fixed, ArraySize = (int)size }
            : throw Error(line, "an array of sequences is not part of ROS 2 IDL; put the sequence into a struct");
    }

    private int Size(int line)
    {
        // A bound ends at '>', so that the shift operators cannot stand here without parentheses.
        object value = Binary(SumLevel);
        return value is Int128 size && size > 0 && size <= int.MaxValue
            ? (int)size
            : throw Error(line, $"a size must be a whole number from 1 to {int.MaxValue}, not '{value}'");
    }

    private string ScopedName()
    {
        string name = Accept("::") ? "::" + Identifier() : Identifier();
        while (Accept("::"))
            name += "::" + Identifier();
        return name;
    }

    private FieldType Named(string name, int line)
    {
        if (_scope.FindTypedef(_modules, name) is { } type)
            return type;
        if (_scope.FindEnum(_modules, name) is { } enumeration)
            return new FieldType(FieldKind.Enum, enumeration.Replace("::", "/", StringComparison.Ordinal));
        string[] parts = name.Split("::", StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 2 or > 3)
            throw Error(line, $"'{name}' names no type; expected package::msg::Name");

        // Structs may be defined in a later section, so a plain name is taken to be in this module.
        return new FieldType(FieldKind.Message, parts.Length == 1 ? string.Join('/', _modules.Append(parts[0])) : string.Join('/', parts));
    }

    /// <summary>A constant expression (rules 7 to 17): bool, Int128, double or string.</summary>
    private object Expression() => Binary(0);

    private static readonly string[][] Operators = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "%"]];

    private const int SumLevel = 4;

    /// <summary>Operators of the level and all that bind tighter.</summary>
    private object Binary(int level)
    {
        if (level >= Operators.Length)
            return Unary();
        object left = Binary(level + 1);
        while (_token.Kind == IdlTokenKind.Symbol && Operators[level].Contains(_token.Text))
        {
            int line = _token.Line;
            string op = _token.Text;
            _token = _lexer.Next();
            left = Apply(op, left, Binary(level + 1), line);
        }

        return left;
    }

    private object Unary()
    {
        IdlToken start = _token;
        if (Accept("-"))
        {
            return Nested() switch
            {
                Int128 whole => -whole,
                double real => -real,
                _ => throw Error(start.Line, "'-' needs a number"),
            };
        }

        if (Accept("+"))
            return Nested();
        if (Accept("~"))
            return Nested() is Int128 whole ? ~whole : throw Error(start.Line, "'~' needs a whole number");
        if (Accept("("))
        {
            Enter();
            object value = Expression();
            _depth--;
            Expect(")");
            return value;
        }

        return Primary();
    }

    private object Nested()
    {
        Enter();
        object value = Unary();
        _depth--;
        return value;
    }

    private object Primary()
    {
        IdlToken token = _token;
        if (token.Kind == IdlTokenKind.Number)
        {
            _token = _lexer.Next();
            return Number(token);
        }

        if (token.Kind == IdlTokenKind.Text)
            return Text();
        if (token.Kind == IdlTokenKind.Identifier && token.Text.ToUpperInvariant() is "TRUE" or "FALSE")
        {
            _token = _lexer.Next();
            return token.Text.Equals("TRUE", StringComparison.OrdinalIgnoreCase);
        }

        string name = ScopedName();
        return _scope.FindConstant(_modules, name) ?? throw Error(token.Line, $"'{name}' is no constant defined above");
    }

    private object Number(IdlToken token)
    {
        string text = token.Text;
        bool isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!isHex && text.Length > 1 && text[0] == '0' && text.All(c => c is >= '0' and <= '7'))
            text = "0o" + text[1..];
        if (Literals.TryParseInteger(text, out Int128 whole))
            return whole;
        if (!isHex && text[^1] is 'd' or 'D' or 'f' or 'F')
            text = text[..^1];
        return Literals.Parse(FieldKind.Float64, text) ?? throw Error(token.Line, $"'{token.Text}' is not a number");
    }

    /// <summary>Adjacent literals are one (7.2.6.3).</summary>
    private string Text()
    {
        var text = new System.Text.StringBuilder();
        while (_token.Kind == IdlTokenKind.Text)
        {
            text.Append(_token.Text);
            _token = _lexer.Next();
        }

        return text.ToString();
    }

    private object Apply(string op, object left, object right, int line)
    {
        if (left is Int128 a && right is Int128 b)
        {
            if ((op is "/" or "%" && b == 0) || (op is "<<" or ">>" && (b < 0 || b > 63)))
                throw Error(line, $"{a} {op} {b} has no value");
            double size = op switch { "*" => (double)a * (double)b, "<<" => (double)a * Math.Pow(2, (double)b), _ => 0 };
            if (Math.Abs(size) > ulong.MaxValue)
                throw Error(line, $"{a} {op} {b} does not fit 64 bits");
            Int128 result = op switch
            {
                "|" => a | b,
                "^" => a ^ b,
                "&" => a & b,
                "<<" => a << (int)b,
                ">>" => a >> (int)b,
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                _ => a % b,
            };
            return Int128.Abs(result) <= ulong.MaxValue ? result : throw Error(line, $"{a} {op} {b} does not fit 64 bits");
        }

        double x = left is Int128 wholeLeft ? (double)wholeLeft : left as double? ?? double.NaN;
        double y = right is Int128 wholeRight ? (double)wholeRight : right as double? ?? double.NaN;
        return op switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" => x / y,
            _ => throw Error(line, $"'{op}' needs whole numbers"),
        };
    }
}
