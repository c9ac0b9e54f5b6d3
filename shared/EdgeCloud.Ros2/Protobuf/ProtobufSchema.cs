using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Protobuf;

/// <summary>Field types by their numbers in descriptor.proto.</summary>
internal enum ProtobufType
{
    Double = 1,
    Float = 2,
    Int64 = 3,
    UInt64 = 4,
    Int32 = 5,
    Fixed64 = 6,
    Fixed32 = 7,
    Bool = 8,
    String = 9,
    Group = 10,
    Message = 11,
    Bytes = 12,
    UInt32 = 13,
    Enum = 14,
    SFixed32 = 15,
    SFixed64 = 16,
    SInt32 = 17,
    SInt64 = 18,
}

/// <summary>A field of a message type.</summary>
/// <param name="Name">Name as in the .proto file.</param>
/// <param name="Number">Field number.</param>
/// <param name="Type">Type.</param>
/// <param name="TypeName">Full name of a message or enumeration, with a leading dot.</param>
/// <param name="IsRepeated">Whether it has any number of values.</param>
/// <param name="HasPresence">Whether absence differs from the default value.</param>
internal sealed record ProtobufFieldType(string Name, int Number, ProtobufType Type, string TypeName, bool IsRepeated, bool HasPresence);

/// <summary>What a FileDescriptorSet defines: messages and enumerations by full name with a leading dot.</summary>
internal sealed class ProtobufSchema
{
    private const int DepthMax = 64;

    private ProtobufSchema()
    {
    }

    public Dictionary<string, List<ProtobufFieldType>> Messages { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Dictionary<int, string>> Enums { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a FileDescriptorSet (descriptor.proto), as MCAP schemas of encoding <c>protobuf</c> hold it.</summary>
    /// <exception cref="DefinitionException">It is damaged, or does not define the message or something that its messages use.</exception>
    public static ProtobufSchema Parse(string name, ReadOnlySpan<byte> data)
    {
        var schema = new ProtobufSchema();
        try
        {
            var set = new ProtobufReader(data);
            while (set.Read(out ProtobufField field))
            {
                if (field is { Number: 1, Wire: WireType.Bytes })
                    schema.File(set.Bytes(field));
            }
        }
        catch (FormatException e)
        {
            throw new DefinitionException(name, 0, $"the descriptor set is damaged: {e.Message}");
        }

        if (!schema.Messages.ContainsKey("." + name))
            throw new DefinitionException(name, 0, "the descriptor set does not define it");
        foreach ((string owner, List<ProtobufFieldType> fields) in schema.Messages)
        {
            foreach (ProtobufFieldType field in fields)
            {
                if (field.Type == ProtobufType.Message && !schema.Messages.ContainsKey(field.TypeName))
                    throw new DefinitionException(owner[1..], 0, $"the type '{field.TypeName}' of '{field.Name}' is not in the descriptor set");
            }
        }

        return schema;
    }

    private void File(ReadOnlySpan<byte> data)
    {
        string package = "";
        string syntax = "proto2";
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field is { Number: 2, Wire: WireType.Bytes })
                package = reader.Text(field);
            else if (field is { Number: 12, Wire: WireType.Bytes })
                syntax = reader.Text(field);
        }

        string scope = package.Length == 0 ? "" : "." + package;
        reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field is { Number: 4, Wire: WireType.Bytes })
                Message(reader.Bytes(field), scope, syntax == "proto3", 0);
            else if (field is { Number: 5, Wire: WireType.Bytes })
                Enumeration(reader.Bytes(field), scope);
        }
    }

    private void Message(ReadOnlySpan<byte> data, string scope, bool isProto3, int depth)
    {
        if (depth > DepthMax)
            throw new FormatException($"more than {DepthMax} messages in messages");
        string name = scope + "." + NameOf(data);
        var fields = new List<ProtobufFieldType>();
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field.Wire != WireType.Bytes)
                continue;
            if (field.Number == 2)
                fields.Add(FieldType(reader.Bytes(field), isProto3));
            else if (field.Number == 3)
                Message(reader.Bytes(field), name, isProto3, depth + 1);
            else if (field.Number == 4)
                Enumeration(reader.Bytes(field), name);
        }

        Messages[name] = fields;
    }

    private void Enumeration(ReadOnlySpan<byte> data, string scope)
    {
        var values = new Dictionary<int, string>();
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field is not { Number: 2, Wire: WireType.Bytes })
                continue;
            string name = NameOf(reader.Bytes(field));
            int number = 0;
            var value = new ProtobufReader(reader.Bytes(field));
            while (value.Read(out ProtobufField part))
            {
                if (part is { Number: 2, Wire: WireType.Varint })
                    number = (int)part.Bits;
            }

            values.TryAdd(number, name);
        }

        Enums[scope + "." + NameOf(data)] = values;
    }

    private static ProtobufFieldType FieldType(ReadOnlySpan<byte> data, bool isProto3)
    {
        string name = "", typeName = "";
        int number = 0, label = 1, type = 0;
        bool isInOneof = false;
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            switch (field.Number, field.Wire)
            {
                case (1, WireType.Bytes):
                    name = reader.Text(field);
                    break;
                case (3, WireType.Varint):
                    number = (int)field.Bits;
                    break;
                case (4, WireType.Varint):
                    label = (int)field.Bits;
                    break;
                case (5, WireType.Varint):
                    type = (int)field.Bits;
                    break;
                case (6, WireType.Bytes):
                    typeName = reader.Text(field);
                    break;
                case (9, WireType.Varint): // oneof; a proto3 optional field has one of its own
                    isInOneof = true;
                    break;
            }
        }

        if (type is < 1 or > 18)
            throw new FormatException($"field '{name}' has the unknown type {type}");
        bool isMessage = type is (int)ProtobufType.Message or (int)ProtobufType.Group;
        return new(name, number, (ProtobufType)type, typeName, IsRepeated: label == 3, HasPresence: isMessage || isInOneof || !isProto3);
    }

    private static string NameOf(ReadOnlySpan<byte> data)
    {
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (field is { Number: 1, Wire: WireType.Bytes })
                return reader.Text(field);
        }

        return "";
    }
}
