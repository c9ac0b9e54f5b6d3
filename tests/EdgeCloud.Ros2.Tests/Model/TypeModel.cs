using System.Text;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Tests.Model;

public enum Extent
{
    One,
    Fixed,
    Bounded,
    Unbounded,
}

/// <summary>A field of the tests' own model of message types, from which texts are written and payloads encoded.</summary>
/// <param name="Name">Name.</param>
/// <param name="Base">A ROS primitive, <c>time</c>, <c>duration</c>, an enumeration <c>E*</c>, or the name of another type.</param>
public sealed record FieldModel(string Name, string Base)
{
    public int StringBound { get; init; }

    public Extent Extent { get; init; }

    public int Size { get; init; }

    public bool Optional { get; init; }

    public int Id { get; init; }

    public bool IsText => Base is "string" or "wstring";

    public bool IsEnum => Base.StartsWith('E');

    public bool IsNested => Base.StartsWith('T');

    public bool IsTime => Base is "time" or "duration";

    public bool IsNumber => !IsText && !IsNested && !IsTime;
}

public enum Ext
{
    None,
    Final,
    Appendable,
    Mutable,
}

public sealed record StructModel(string Name, IReadOnlyList<FieldModel> Fields)
{
    public Ext Ext { get; init; }
}

/// <summary>A message type and those that it is made of, the root first.</summary>
public sealed record TypeModel(IReadOnlyList<StructModel> Structs)
{
    public const string Package = "test_pkg";

    public const string EnumName = "Eight";

    public StructModel Root => Structs[0];

    public string RootName => $"{Package}/msg/{Root.Name}";

    public StructModel this[string name] => Structs.First(s => s.Name == name);

    private static readonly string Rule = new('=', 80);

    /// <summary>The model of a parsed definition, its types renamed T0, T1 and so on.</summary>
    public static TypeModel From(MessageSchema schema)
    {
        List<MessageDefinition> messages = [schema.Root, .. schema.Messages.Values.Where(message => message.Name != schema.Root.Name)];
        string Base(FieldType type) => type.TypeName switch
        {
            null => type.Kind.ToString().ToLowerInvariant(),
            "builtin_interfaces/msg/Time" => "time",
            "builtin_interfaces/msg/Duration" => "duration",
            _ => $"T{messages.FindIndex(message => message.Name == type.TypeName)}",
        };
        return new([.. messages.Select((message, i) => new StructModel($"T{i}", [.. message.Fields.Select(field => new FieldModel(field.Name, Base(field.Type))
        {
            Extent = (Extent)field.Type.Array,
            Size = field.Type.ArraySize,
            StringBound = field.Type.StringBound,
        })]))]);
    }

    /// <summary>The text as rosbag2 joins .msg files. Bounds, defaults and comments are thrown in.</summary>
    public string ToMsg()
    {
        var text = new StringBuilder();
        foreach (StructModel type in Structs)
        {
            if (type != Root)
                text.Append('\n').Append(Rule).Append($"\nMSG: {Package}/{type.Name}\n");
            text.Append("# a type of the test, in [m]\nint32 LIMIT=-5 # a constant\n\n");
            foreach (FieldModel field in type.Fields)
            {
                string name = field.Base switch
                {
                    "time" => "builtin_interfaces/Time",
                    "duration" => "builtin_interfaces/Duration",
                    _ when field.IsNested && field.Id % 2 == 0 => $"{Package}/{field.Base}",
                    _ => field.Base,
                };
                string bound = field.StringBound > 0 ? $"<={field.StringBound}" : "";
                string extent = field.Extent switch
                {
                    Extent.Fixed => $"[{field.Size}]",
                    Extent.Bounded => $"[<={field.Size}]",
                    Extent.Unbounded => "[]",
                    _ => "",
                };
                text.Append($"{name}{bound}{extent}   {field.Name}  # about {field.Name} [m/s]\n");
            }
        }

        return text.ToString();
    }

    /// <summary>The text as rosbag2 joins .idl files that rosidl generates, with the annotations of DDS-XTypes on top.</summary>
    public string ToIdl()
    {
        var text = new StringBuilder();
        foreach (StructModel type in Structs)
        {
            if (type != Root)
                text.Append('\n');
            text.Append(Rule).Append($"\nIDL: {Package}/msg/{type.Name}\n// generated\n#include \"builtin_interfaces/msg/Time.idl\"\n\n");
            text.Append($"module {Package} {{\n  module msg {{\n");
            text.Append($"    enum {EnumName} {{ ZERO, ONE, @value(8) EIGHT }};\n");
            foreach (FieldModel field in type.Fields.Where(f => f.Extent == Extent.Fixed && f.StringBound == 0))
                text.Append($"    typedef {IdlBase(field)} {type.Name}_{field.Name}[{field.Size}];\n");
            text.Append($"    module {type.Name}_Constants {{\n      const long LIMIT = -(2 + 3);\n    }};\n");
            if (type.Ext != Ext.None)
                text.Append($"    @{type.Ext.ToString().ToLowerInvariant()}\n");
            text.Append($"    @verbatim (language=\"comment\", text=\n      \"a type\" \"\\n\"\n      \"of the test\")\n    struct {type.Name} {{\n");
            foreach (FieldModel field in type.Fields)
                text.Append("      ").Append(IdlField(type, field)).Append('\n');
            if (type.Fields.Count == 0)
                text.Append("      uint8 structure_needs_at_least_one_member;\n");
            text.Append("    };\n  };\n};\n");
        }

        return text.ToString();
    }

    private static string IdlField(StructModel type, FieldModel field)
    {
        string annotations = (field.Optional ? "@optional " : "") + $"@id({field.Id}) @unit (value=\"m/s\") ";
        string name = IdlBase(field);
        return annotations + field.Extent switch
        {
            Extent.Fixed when field.StringBound == 0 => $"{type.Name}_{field.Name} {field.Name};",
            Extent.Fixed => $"{name} {field.Name}[{field.Size}];",
            Extent.Bounded => $"sequence<{name}, {field.Size}> {field.Name};",
            Extent.Unbounded => $"sequence<{name}> {field.Name};",
            _ => $"{name} {field.Name};",
        };
    }

    private static string IdlBase(FieldModel field) => field.Base switch
    {
        "bool" => "boolean",
        "byte" => "octet",
        "char" => "uint8",
        "float32" => "float",
        "float64" => "double",
        "int16" => "short",
        "uint32" => "unsigned long",
        "int64" => "long long",
        "time" => "builtin_interfaces::msg::Time",
        "duration" => "builtin_interfaces::msg::Duration",
        "string" or "wstring" when field.StringBound > 0 => $"{field.Base}<{field.StringBound}>",
        _ when field.IsNested => $"{Package}::msg::{field.Base}",
        _ => field.Base,
    };
}
