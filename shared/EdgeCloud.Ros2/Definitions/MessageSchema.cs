using System.Text;
using EdgeCloud.Ros2.Definitions.Idl;

namespace EdgeCloud.Ros2.Definitions;

/// <summary>
/// A message definition with everything that it refers to: what an MCAP schema record of encoding <c>ros2msg</c>
/// or <c>ros2idl</c> says. Every type name in it is complete and leads to a definition in it; there are no cycles.
/// </summary>
/// <remarks>
/// Limits, so that no text can exhaust memory or the stack: <see cref="TextLengthMax"/> characters of text,
/// <see cref="DepthMax"/> levels of messages in messages.
/// </remarks>
public sealed class MessageSchema
{
    /// <summary>Most characters of a schema's text.</summary>
    public const int TextLengthMax = 8 << 20;

    /// <summary>Most levels of messages in messages, and of nesting in IDL text.</summary>
    public const int DepthMax = 64;

    internal MessageSchema(
        MessageDefinition root, IReadOnlyDictionary<string, MessageDefinition> messages, IReadOnlyDictionary<string, EnumDefinition> enums)
    {
        Root = root;
        Messages = messages;
        Enums = enums;
    }

    /// <summary>The message that payloads of this schema hold.</summary>
    public MessageDefinition Root { get; }

    /// <summary>Every message that <see cref="Root"/> is made of, itself included, by full name.</summary>
    public IReadOnlyDictionary<string, MessageDefinition> Messages { get; }

    /// <summary>Every enumeration that the messages use, by full name.</summary>
    public IReadOnlyDictionary<string, EnumDefinition> Enums { get; }

    /// <summary>Parses the data of a schema record.</summary>
    /// <param name="name">Name of the schema: <c>pkg/msg/Name</c>, <c>pkg/Name</c>, or a derived one such as <c>pkg/srv/Name_Event</c>.</param>
    /// <param name="encoding"><c>ros2msg</c> or <c>ros2idl</c>.</param>
    /// <param name="data">UTF-8 text.</param>
    /// <exception cref="DefinitionException">The text cannot be understood; the message names definition and line.</exception>
    public static MessageSchema Parse(string name, string encoding, ReadOnlySpan<byte> data) =>
        Parse(name, encoding, Encoding.UTF8.GetString(data));

    /// <inheritdoc cref="Parse(string, string, ReadOnlySpan{byte})"/>
    public static MessageSchema Parse(string name, string encoding, string data)
    {
        if (!RosTypeName.TryParse(name, out RosTypeName root))
            throw new DefinitionException(name, 0, "the schema's name is no ROS type name; expected package/Name or package/msg/Name");
        if (data.Length > TextLengthMax)
            throw new DefinitionException(name, 0, $"the text has {data.Length} characters, more than the {TextLengthMax} allowed");
        SectionKind first = encoding switch
        {
            "ros2msg" => SectionKind.Msg,
            "ros2idl" => SectionKind.Idl,
            _ => throw new DefinitionException(name, 0, $"schema encoding '{encoding}' is not one of ros2msg, ros2idl"),
        };

        var resolver = new SchemaResolver();
        var idl = new IdlScope();
        List<SchemaSection> sections = SchemaSection.Split(data.TrimStart('\uFEFF'), first);
        for (int i = 0; i < sections.Count; i++)
        {
            SchemaSection section = sections[i];
            if (section.Kind == SectionKind.Idl)
                IdlParser.Parse(string.IsNullOrEmpty(section.Name) ? name : section.Name, section.Lines, idl);
            else if (section.Name is null)
                root = ReadRoot(root, section, resolver);
            else
                ReadSection(SectionName(section.Name, root), section, resolver, i == 0 ? root : null);
        }

        foreach (MessageDefinition message in idl.Messages)
            resolver.Add(message);
        foreach (EnumDefinition enumeration in idl.Enums)
            resolver.Add(enumeration);
        resolver.DeriveFromIdl(idl.Messages);
        return resolver.Resolve(root.ToString());
    }

    /// <summary>Reads the definition without a header, which is the root's, or that of the service or action behind it.</summary>
    private static RosTypeName ReadRoot(RosTypeName root, SchemaSection section, SchemaResolver resolver)
    {
        int separators = section.Lines.Count(IsPartSeparator);
        SectionKind kind = separators switch { 0 => SectionKind.Msg, 1 => SectionKind.Srv, _ => SectionKind.Action };
        if (kind != SectionKind.Msg && root.Namespace == "msg")
            root = root with { Namespace = kind == SectionKind.Srv ? "srv" : "action" };
        ReadSection(root, section with { Kind = kind }, resolver, root);
        return root;
    }

    private static void ReadSection(RosTypeName name, SchemaSection section, SchemaResolver resolver, RosTypeName? root)
    {
        if (section.Kind == SectionKind.Msg)
        {
            // Where a definition was not found as .msg, rosbag2 leaves its heading behind and adds the IDL text.
            MessageDefinition message = MsgParser.Parse(name.ToString(), section.Lines);
            if (!section.IsBlank || root is not null || !resolver.Contains(message.Name))
                resolver.Add(message);
            return;
        }

        string whole = (name with { Name = DerivedTypes.BaseName(name.Name, section.Kind) }).ToString();
        string[] suffixes = section.Kind == SectionKind.Srv ? ["_Request", "_Response"] : ["_Goal", "_Result", "_Feedback"];
        var parts = new List<MessageDefinition>();
        int start = 0;
        for (int i = 0; i <= section.Lines.Count; i++)
        {
            if (i < section.Lines.Count && !IsPartSeparator(section.Lines[i]))
                continue;
            if (parts.Count == suffixes.Length)
                throw new DefinitionException(whole, i, $"more parts than the {suffixes.Length} that a {section.Kind} definition has");
            parts.Add(MsgParser.Parse(whole + suffixes[parts.Count], section.Lines[start..i], start + 1));
            start = i + 1;
        }

        if (parts.Count != suffixes.Length)
            throw new DefinitionException(whole, 0, $"{parts.Count} parts, but a {section.Kind} definition has {suffixes.Length}, separated by ---");
        IEnumerable<MessageDefinition> derived = section.Kind == SectionKind.Srv
            ? DerivedTypes.Service(whole, parts[0], parts[1])
            : DerivedTypes.Action(whole, parts[0], parts[1], parts[2]);
        foreach (MessageDefinition message in derived)
            resolver.Add(message);
    }

    private static bool IsPartSeparator(string line) => line.TrimEnd() == "---";

    private static RosTypeName SectionName(string name, RosTypeName root) =>
        RosTypeName.TryParse(name, out RosTypeName parsed) ? parsed
        : RosTypeName.IsIdentifier(name) ? root with { Namespace = "msg", Name = name }
        : throw new DefinitionException(root.ToString(), 0, $"'{name}' heads a definition but is no ROS type name");
}
