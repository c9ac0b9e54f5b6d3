namespace EdgeCloud.Ros2.Definitions.Idl;

/// <summary>What the IDL sections of one schema define, by scoped name (<c>pkg::msg::Name</c>).</summary>
internal sealed class IdlScope
{
    private readonly Dictionary<string, FieldType> _typedefs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object> _constants = new(StringComparer.Ordinal);
    private readonly HashSet<string> _enumNames = new(StringComparer.Ordinal);

    /// <summary>Structs in the order of the text.</summary>
    public List<MessageDefinition> Messages { get; } = [];

    /// <summary>Enumerations in the order of the text.</summary>
    public List<EnumDefinition> Enums { get; } = [];

    /// <summary>Constants of the modules named <c>Name_Constants</c>, by the scoped name of the module.</summary>
    public Dictionary<string, List<ConstantDefinition>> ConstantModules { get; } = new(StringComparer.Ordinal);

    public void AddTypedef(string name, FieldType type) => _typedefs[name] = type;

    /// <summary>Adds a constant or an enumerator: bool, Int128, double or string.</summary>
    public void AddConstant(string name, object value) => _constants[name] = value;

    public void AddEnum(EnumDefinition definition, string scopedName)
    {
        _enumNames.Add(scopedName);
        Enums.Add(definition);
    }

    public bool IsEnum(string scopedName) => _enumNames.Contains(scopedName);

    /// <summary>The value of a constant, looked for from the innermost module outwards.</summary>
    public object? FindConstant(IReadOnlyList<string> modules, string name)
    {
        object? found = Candidates(modules, name).Select(full => _constants.GetValueOrDefault(full)).FirstOrDefault(value => value is not null);
        if (found is not null)
            return found;

        // rosidl puts a message's constants into a module of their own and still lets members name them plainly.
        string inModule = string.Join("::", modules) + "::";
        string[] keys = [.. _constants.Keys.Where(key =>
            key.StartsWith(inModule, StringComparison.Ordinal) && key.EndsWith("_Constants::" + name, StringComparison.Ordinal))];
        return keys.Length == 1 ? _constants[keys[0]] : null;
    }

    /// <summary>The type behind a typedef, looked for from the innermost module outwards.</summary>
    public FieldType? FindTypedef(IReadOnlyList<string> modules, string name) =>
        Candidates(modules, name).Select(full => _typedefs.GetValueOrDefault(full)).FirstOrDefault(type => type is not null);

    /// <summary>The full name of an enumeration, looked for from the innermost module outwards.</summary>
    public string? FindEnum(IReadOnlyList<string> modules, string name) =>
        Candidates(modules, name).FirstOrDefault(_enumNames.Contains);

    private static IEnumerable<string> Candidates(IReadOnlyList<string> modules, string name)
    {
        if (name.StartsWith("::", StringComparison.Ordinal))
        {
            yield return name[2..];
            yield break;
        }

        for (int depth = modules.Count; depth >= 0; depth--)
            yield return string.Join("::", modules.Take(depth).Append(name));
    }
}
