using System.Globalization;

namespace EdgeCloud.Ros2.Definitions.Idl;

/// <summary>The annotations of one element that matter here; others are read and passed over.</summary>
internal sealed record IdlAnnotations
{
    public string? Default { get; set; }

    public string? Comment { get; set; }

    public string? Unit { get; set; }

    public int? Id { get; set; }

    public string? HashId { get; set; }

    public bool HashIds { get; set; }

    public bool IsOptional { get; set; }

    public Int128? Value { get; set; }

    public int BitBound { get; set; } = 32;

    public Extensibility Extensibility { get; set; }
}

/// <summary>Annotations (IDL 4.2, 7.4.15 and 8.3).</summary>
internal sealed partial class IdlParser
{
    private IdlAnnotations Annotations()
    {
        var annotations = new IdlAnnotations();
        while (Accept("@"))
        {
            int line = _token.Line;
            string name = ScopedName();
            Dictionary<string, object> values = AnnotationValues();
            object? value = values.GetValueOrDefault("value");
            switch (name)
            {
                case "default":
                    annotations.Default = Convert.ToString(value is bool flag ? (flag ? "true" : "false") : value, CultureInfo.InvariantCulture);
                    break;
                case "unit":
                    annotations.Unit = value as string;
                    break;
                case "verbatim" when values.GetValueOrDefault("language") is "comment":
                    annotations.Comment = values.GetValueOrDefault("text") is string { Length: > 0 } text ? text : null;
                    break;
                case "id":
                    annotations.Id = value is Int128 id && id >= 0 && id <= 0x0FFFFFFF
                        ? (int)id
                        : throw Error(line, "@id needs a whole number from 0 to 0x0FFFFFFF");
                    break;
                case "hashid":
                    annotations.HashId = value as string;
                    break;
                case "autoid":
                    annotations.HashIds = value is null or "HASH";
                    break;
                case "optional":
                    annotations.IsOptional = value is null or true;
                    break;
                case "value" when value is Int128 whole:
                    annotations.Value = whole;
                    break;
                case "bit_bound" when value is Int128 bits && bits > 0 && bits <= 32:
                    annotations.BitBound = (int)bits;
                    break;
                case "final" or "appendable" or "mutable":
                    annotations.Extensibility = ToExtensibility(name);
                    break;
                case "extensibility" when value is string kind:
                    annotations.Extensibility = ToExtensibility(kind.ToLowerInvariant());
                    break;
            }
        }

        return annotations;
    }

    private static Extensibility ToExtensibility(string name) => name switch
    {
        "final" => Extensibility.Final,
        "appendable" => Extensibility.Appendable,
        "mutable" => Extensibility.Mutable,
        _ => Extensibility.Unspecified,
    };

    /// <summary><c>(text)</c> is the parameter <c>value</c>; <c>(a=1, b=2)</c> names its parameters.</summary>
    private Dictionary<string, object> AnnotationValues()
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        if (!Accept("("))
            return values;
        do
        {
            if (_token.Text == ")")
                break;
            string key = "value";
            if (_token.Kind == IdlTokenKind.Identifier)
            {
                // Either a parameter's name or a word such as HASH or a constant.
                string word = _token.Text;
                int line = _token.Line;
                string name = ScopedName();
                if (!Accept("="))
                {
                    values[key] = word.ToUpperInvariant() is "TRUE" or "FALSE"
                        ? word.Equals("TRUE", StringComparison.OrdinalIgnoreCase)
                        : _scope.FindConstant(_modules, name) ?? name;
                    continue;
                }

                key = name;
                if (_token.Kind == IdlTokenKind.Identifier && _token.Text.ToUpperInvariant() is not ("TRUE" or "FALSE"))
                {
                    string value = ScopedName();
                    values[key] = _scope.FindConstant(_modules, value) ?? value;
                    continue;
                }
            }

            values[key] = Expression();
        }
        while (Accept(","));
        Expect(")");
        return values;
    }
}
