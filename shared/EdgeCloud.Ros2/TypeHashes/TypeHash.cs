using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.TypeHashes;

/// <summary>
/// The ROS Interface Hashing Standard, version 1 (REP-2016): SHA-256 over the JSON of the type description,
/// written <c>RIHS01_</c> and 64 hexadecimal digits. ROS 2 nodes announce it for every topic; two definitions
/// with the same hash have the same fields, types and names.
/// </summary>
public static class TypeHash
{
    /// <summary>What every hash of this version starts with.</summary>
    public const string Prefix = "RIHS01_";

    /// <summary>Hash of the schema's root message.</summary>
    /// <exception cref="DefinitionException">A field's type has no code in REP-2016 (enumerations).</exception>
    public static string Compute(MessageSchema schema) =>
        Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Describe(schema))));

    /// <summary>The JSON that is hashed: root description, then every other type by name, without default values.</summary>
    public static string Describe(MessageSchema schema)
    {
        var json = new StringBuilder("{\"type_description\": ");
        Append(json, schema.Root);
        json.Append(", \"referenced_type_descriptions\": [");
        string separator = "";
        foreach (MessageDefinition message in schema.Messages.Values
                     .Where(message => message.Name != schema.Root.Name)
                     .OrderBy(message => message.Name, StringComparer.Ordinal))
        {
            json.Append(separator);
            Append(json, message);
            separator = ", ";
        }

        return json.Append("]}").ToString();
    }

    private static void Append(StringBuilder json, MessageDefinition message)
    {
        json.Append(CultureInfo.InvariantCulture, $"{{\"type_name\": \"{message.Name}\", \"fields\": [");
        if (message.Fields.Count == 0)
            Append(json, message.Name, new FieldDefinition { Name = MessageDefinition.EmptyMember, Type = new(FieldKind.UInt8) });
        for (int i = 0; i < message.Fields.Count; i++)
        {
            if (i > 0)
                json.Append(", ");
            Append(json, message.Name, message.Fields[i]);
        }

        json.Append("]}");
    }

    private static void Append(StringBuilder json, string owner, FieldDefinition field)
    {
        FieldType type = field.Type;
        string nested = type.Kind == FieldKind.Message ? type.TypeName! : "";
        json.Append(
            CultureInfo.InvariantCulture,
            $"{{\"name\": \"{field.Name}\", \"type\": {{\"type_id\": {TypeId(owner, field)}, \"capacity\": {type.ArraySize}, \"string_capacity\": {type.StringBound}, \"nested_type_name\": \"{nested}\"}}}}");
    }

    /// <summary>The codes of type_description_interfaces/msg/FieldType: a base code, plus 48 for each step of the array kind.</summary>
    private static int TypeId(string owner, FieldDefinition field)
    {
        FieldType type = field.Type;
        int code = type.Kind switch
        {
            FieldKind.Message => 1,
            FieldKind.Int8 => 2,
            FieldKind.UInt8 => 3,
            FieldKind.Int16 => 4,
            FieldKind.UInt16 => 5,
            FieldKind.Int32 => 6,
            FieldKind.UInt32 => 7,
            FieldKind.Int64 => 8,
            FieldKind.UInt64 => 9,
            FieldKind.Float32 => 10,
            FieldKind.Float64 => 11,
            FieldKind.LongDouble => 12,
            FieldKind.Char => 13,
            FieldKind.WChar => 14,
            FieldKind.Bool => 15,
            FieldKind.Byte => 16,
            FieldKind.String => type.StringBound > 0 ? 21 : 17,
            FieldKind.WString => type.StringBound > 0 ? 22 : 18,
            _ => throw new DefinitionException(owner, field.Line, $"'{field.Name}' is of type {type}, for which REP-2016 has no code"),
        };
        return code + (48 * (int)type.Array);
    }
}
