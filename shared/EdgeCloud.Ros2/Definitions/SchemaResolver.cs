namespace EdgeCloud.Ros2.Definitions;

/// <summary>Collects definitions, then completes their type names and cuts out what a root message needs.</summary>
internal sealed class SchemaResolver
{
    private readonly Dictionary<string, MessageDefinition> _messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EnumDefinition> _enums = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MessageDefinition> _resolved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EnumDefinition> _usedEnums = new(StringComparer.Ordinal);
    private readonly List<string> _path = [];

    public bool Contains(string name) => _messages.ContainsKey(name);

    /// <summary>Adds a definition. A later one of the same name wins: older recordings repeat definitions.</summary>
    public void Add(MessageDefinition message) => _messages[message.Name] = message;

    public void Add(EnumDefinition enumeration) => _enums[enumeration.Name] = enumeration;

    /// <summary>Adds what rosidl derives from the structs of a service's or action's .idl file.</summary>
    public void DeriveFromIdl(IReadOnlyList<MessageDefinition> structs)
    {
        foreach (MessageDefinition message in structs)
        {
            if (Whole(message.Name, "_Request") is { } service && _messages.TryGetValue(service + "_Response", out MessageDefinition? response))
                AddMissing(DerivedTypes.Service(service, message, response));
            else if (Whole(message.Name, "_Goal") is { } action
                     && _messages.TryGetValue(action + "_Result", out MessageDefinition? result)
                     && _messages.TryGetValue(action + "_Feedback", out MessageDefinition? feedback))
                AddMissing(DerivedTypes.Action(action, message, result, feedback));
        }
    }

    /// <summary>The schema of a root message.</summary>
    /// <exception cref="DefinitionException">A name leads nowhere, in a circle or too deep.</exception>
    public MessageSchema Resolve(string root)
    {
        string full = _messages.ContainsKey(root) ? root : Unique(root) ?? throw new DefinitionException(root, 0, "the schema does not define it");
        MessageDefinition definition = ResolveMessage(full);
        return new MessageSchema(definition, _resolved, _usedEnums);
    }

    private static string? Whole(string name, string suffix) =>
        name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : null;

    private void AddMissing(IEnumerable<MessageDefinition> definitions)
    {
        foreach (MessageDefinition definition in definitions)
            _messages.TryAdd(definition.Name, definition);
    }

    private MessageDefinition ResolveMessage(string name)
    {
        if (_resolved.TryGetValue(name, out MessageDefinition? done))
            return done;
        if (_path.Contains(name))
            throw new DefinitionException(name, 0, $"contains itself: {string.Join(" -> ", _path.SkipWhile(n => n != name))} -> {name}");
        if (_path.Count >= MessageSchema.DepthMax)
            throw new DefinitionException(name, 0, $"more than {MessageSchema.DepthMax} levels of messages in messages");
        MessageDefinition raw = _messages.GetValueOrDefault(name) ?? DerivedTypes.Find(name)!;
        _path.Add(name);
        var fields = new List<FieldDefinition>(raw.Fields.Count);
        foreach (FieldDefinition field in raw.Fields)
            fields.Add(field.Type.TypeName is null ? field : field with { Type = ResolveType(raw, field) });
        _path.RemoveAt(_path.Count - 1);
        return _resolved[name] = raw with { Fields = fields };
    }

    private FieldType ResolveType(MessageDefinition owner, FieldDefinition field)
    {
        string written = field.Type.TypeName!;
        string name = Find(owner.Name, written)
            ?? throw new DefinitionException(owner.Name, field.Line, $"the type '{written}' of '{field.Name}' is not in the schema");
        if (_enums.TryGetValue(name, out EnumDefinition? enumeration))
        {
            _usedEnums[name] = enumeration;
            return field.Type with { Kind = FieldKind.Enum, TypeName = name };
        }

        ResolveMessage(name);
        return field.Type with { TypeName = name };
    }

    /// <summary>Completes a name as written in a definition: full, package/Name, or Name in the same package.</summary>
    private string? Find(string owner, string written)
    {
        if (Exists(written))
            return written;
        string[] parts = written.Split('/');
        string candidate = parts.Length switch
        {
            1 => $"{owner.Split('/')[0]}/msg/{written}",
            2 => $"{parts[0]}/msg/{parts[1]}",
            _ => written,
        };
        if (Exists(candidate))
            return candidate;

        // ROS 1 allowed a bare Header; converters keep it.
        if (written == "Header" && Exists("std_msgs/msg/Header"))
            return "std_msgs/msg/Header";
        return parts.Length == 1 ? Unique(written) : null;
    }

    private bool Exists(string name) =>
        _messages.ContainsKey(name) || _enums.ContainsKey(name) || DerivedTypes.Find(name) is not null;

    /// <summary>The only definition whose last part is that of <paramref name="name"/>, or null.</summary>
    private string? Unique(string name)
    {
        string last = name[(name.LastIndexOf('/') + 1)..];
        string[] found = [.. _messages.Keys.Where(key => key == last || key.EndsWith("/" + last, StringComparison.Ordinal)).Take(2)];
        return found.Length == 1 ? found[0] : null;
    }
}
