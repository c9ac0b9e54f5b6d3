using System.Globalization;

namespace EdgeCloud.Ros2.Definitions;

/// <summary>
/// Parses the text of one .msg file, or one part of a .srv or .action file
/// (docs.ros.org, "About ROS 2 interfaces"). Names of other messages stay as written;
/// <see cref="SchemaResolver"/> completes them.
/// </summary>
internal sealed class MsgParser
{
    private readonly string _definition;
    private readonly List<FieldDefinition> _fields = [];
    private readonly List<ConstantDefinition> _constants = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<string> _pendingComments = [];
    private readonly List<string> _elementComments = [];
    private bool _lastIsField;

    private MsgParser(string definition) => _definition = definition;

    /// <summary>Parses one definition.</summary>
    /// <param name="definition">Its name, for the result and for errors.</param>
    /// <param name="lines">Its lines, without line ends.</param>
    /// <param name="firstLine">Number of the first line in the file, from 1.</param>
    public static MessageDefinition Parse(string definition, IReadOnlyList<string> lines, int firstLine = 1)
    {
        var parser = new MsgParser(definition);
        int at = 0;
        var head = new List<string>();
        for (; at < lines.Count && lines[at].StartsWith('#'); at++)
            head.Add(lines[at].TrimStart('#'));
        for (; at < lines.Count; at++)
            parser.Line(lines[at], firstLine + at);
        parser.CloseElement();

        // A dummy member written out, as some converters do, is no field either.
        if (parser._fields is [{ Name: MessageDefinition.EmptyMember, Type.Array: ArrayKind.None }])
            parser._fields.Clear();
        return new MessageDefinition
        {
            Name = definition,
            Fields = parser._fields,
            Constants = parser._constants,
            Comment = Comments.Join(head, out _),
        };
    }

    private void Line(string raw, int number)
    {
        string line = raw.Replace('\t', ' ').TrimEnd();
        if (line.Length == 0)
            return;
        int hash = CommentStart(line);
        string? comment = hash < 0 ? null : line[hash..].TrimStart('#');
        string code = hash < 0 ? line : line[..hash];
        if (code.Trim().Length == 0)
        {
            // An indented comment belongs to the element above it, one at the margin to the element below.
            (code.Length > 0 ? _elementComments : _pendingComments).Add(comment!);
            return;
        }

        CloseElement();
        Element(code.Trim(), number);
        _elementComments.AddRange(_pendingComments);
        _pendingComments.Clear();
        if (comment is not null)
            _elementComments.Add(comment);
    }

    private void Element(string code, int number)
    {
        int space = code.IndexOf(' ');
        if (space < 0)
            throw Error(number, $"'{code}' has a type but no name");
        FieldType type = ParseType(code[..space], number);
        string rest = code[space..].TrimStart();
        int nameEnd = 0;
        while (nameEnd < rest.Length && (char.IsAsciiLetterOrDigit(rest[nameEnd]) || rest[nameEnd] == '_'))
            nameEnd++;
        string name = rest[..nameEnd];
        string after = rest[nameEnd..].TrimStart();
        if (!RosTypeName.IsIdentifier(name) || (nameEnd < rest.Length && rest[nameEnd] is not (' ' or '=')))
            throw Error(number, $"'{rest}' does not start with a name of letters, digits and underscores");
        if (!_names.Add(name))
            throw Error(number, $"the name '{name}' is used twice");

        _lastIsField = !after.StartsWith('=');
        if (_lastIsField)
        {
            _fields.Add(new FieldDefinition
            {
                Name = name,
                Type = type,
                Default = after.Length == 0 ? null : Unquote(after),
                MemberId = _fields.Count,
                Line = number,
            });
        }
        else
        {
            object value = ParseConstant(type, after[1..].TrimStart(), number);
            _constants.Add(new ConstantDefinition(name, type, value, null));
        }
    }

    /// <summary>Gives the collected comments to the element that they belong to.</summary>
    private void CloseElement()
    {
        if (_elementComments.Count > 0)
        {
            string? comment = Comments.Join(_elementComments, out string? unit);
            if (_lastIsField && _fields.Count > 0)
                _fields[^1] = _fields[^1] with { Comment = comment, Unit = unit };
            else if (!_lastIsField && _constants.Count > 0)
                _constants[^1] = _constants[^1] with { Comment = comment };
        }

        _elementComments.Clear();
    }

    private FieldType ParseType(string text, int number)
    {
        var array = ArrayKind.None;
        int arraySize = 0;
        string element = text;
        int bracket = text.IndexOf('[');
        if (bracket >= 0)
        {
            if (!text.EndsWith(']'))
                throw Error(number, $"the array type '{text}' has no closing ']'");
            string size = text[(bracket + 1)..^1];
            element = text[..bracket];
            array = size.Length == 0 ? ArrayKind.Unbounded : size.StartsWith("<=", StringComparison.Ordinal) ? ArrayKind.Bounded : ArrayKind.Fixed;
            if (array != ArrayKind.Unbounded)
                arraySize = ParseSize(array == ArrayKind.Bounded ? size[2..] : size, text, number);
        }

        int stringBound = 0;
        int bound = element.IndexOf("<=", StringComparison.Ordinal);
        if (bound >= 0)
        {
            stringBound = ParseSize(element[(bound + 2)..], text, number);
            element = element[..bound];
            if (element is not ("string" or "wstring"))
                throw Error(number, $"'{text}' puts a length on '{element}', which only string and wstring can have");
        }

        if (Primitive(element) is { } kind)
            return new FieldType(kind, null, stringBound, array, arraySize);
        if (element is "time" or "duration")
            element = element == "time" ? "builtin_interfaces/msg/Time" : "builtin_interfaces/msg/Duration";
        string[] parts = element.Split('/');
        if (parts.Length > 3 || !Array.TrueForAll(parts, RosTypeName.IsIdentifier))
            throw Error(number, $"'{text}' is no type: expected a primitive such as float64, Name, package/Name or package/msg/Name");
        return new FieldType(FieldKind.Message, element, 0, array, arraySize);
    }

    private int ParseSize(string text, string type, int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size > 0
            ? size
            : throw Error(number, $"the size in '{type}' must be a whole number from 1 to {int.MaxValue}");

    private static FieldKind? Primitive(string name) => name switch
    {
        "bool" => FieldKind.Bool,
        "byte" => FieldKind.Byte,
        "char" or "uint8" => FieldKind.UInt8,
        "int8" => FieldKind.Int8,
        "int16" => FieldKind.Int16,
        "uint16" => FieldKind.UInt16,
        "int32" => FieldKind.Int32,
        "uint32" => FieldKind.UInt32,
        "int64" => FieldKind.Int64,
        "uint64" => FieldKind.UInt64,
        "float32" => FieldKind.Float32,
        "float64" => FieldKind.Float64,
        "string" => FieldKind.String,
        "wstring" => FieldKind.WString,
        _ => null,
    };

    private object ParseConstant(FieldType type, string text, int number)
    {
        if (type.Array != ArrayKind.None || type.Kind is FieldKind.Message)
            throw Error(number, $"a constant cannot be of type '{type}'");
        object? value = type.Kind is FieldKind.String or FieldKind.WString ? Unquote(text) : Literals.Parse(type.Kind, text);
        return value ?? throw Error(number, $"'{text}' is not a value of type {type}");
    }

    /// <summary>Position of the comment, or -1. A '#' inside quotes is text.</summary>
    private static int CommentStart(string line)
    {
        int hash = line.IndexOf('#');
        string start = line.TrimStart();
        bool isText = start.StartsWith("string", StringComparison.Ordinal) || start.StartsWith("wstring", StringComparison.Ordinal);
        if (hash < 0 || !isText)
            return hash;
        char quote = '\0';
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (quote != '\0' && c == '\\')
                i++;
            else if (quote != '\0' && c == quote)
                quote = '\0';
            else if (quote == '\0' && c is '"' or '\'' && i > 0 && line[i - 1] is ' ' or '=' or '[' or ',')
                quote = c;
            else if (quote == '\0' && c == '#')
                return i;
        }

        return quote == '\0' ? -1 : hash; // an unclosed quote is no quote
    }

    private static string Unquote(string text)
    {
        if (text.Length < 2 || text[0] is not ('"' or '\'') || text[^1] != text[0])
            return text;
        return text[1..^1].Replace("\\" + text[0], text[0].ToString(), StringComparison.Ordinal);
    }

    private DefinitionException Error(int line, string problem) => new(_definition, line, problem);
}
