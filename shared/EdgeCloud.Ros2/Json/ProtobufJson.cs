using System.Text;
using EdgeCloud.Ros2.Protobuf;

namespace EdgeCloud.Ros2.Json;

/// <summary>
/// Protobuf messages as JSON objects with every field of the definition: names as in the .proto file, enumerators by
/// name, values that are left out as their default, or as null where absence means something. A map is a list of its
/// entries. Unknown fields and groups are passed over.
/// </summary>
internal sealed class ProtobufJson : MessageJson
{
    private const int DepthMax = 100; // protobuf's own limit

    private readonly JsonBuffer _json = new();
    private readonly JsonBytes _bytes;
    private readonly Dictionary<string, Message> _messages;
    private readonly ProtobufSchema _schema;
    private readonly Message _root;

    public ProtobufJson(string name, ReadOnlySpan<byte> descriptorSet, JsonBytes bytes)
    {
        _bytes = bytes;
        _schema = ProtobufSchema.Parse(name, descriptorSet);
        _messages = _schema.Messages.ToDictionary(pair => pair.Key, pair => new Message(pair.Value), StringComparer.Ordinal);
        _root = _messages["." + name];
    }

    public override ReadOnlySpan<byte> Write(ReadOnlySpan<byte> payload)
    {
        _json.Clear();
        WriteMessage(_root, payload, 0);
        return _json.Written;
    }

    private void WriteMessage(Message type, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > DepthMax)
            throw new FormatException($"protobuf: more than {DepthMax} messages in messages");

        // A field's values need not stand together, nor in the order of the definition.
        var found = new List<(int Ordinal, int Order, ProtobufField Field)>();
        var reader = new ProtobufReader(data);
        while (reader.Read(out ProtobufField field))
        {
            if (type.Ordinals.TryGetValue(field.Number, out int ordinal))
                found.Add((ordinal, found.Count, field));
        }

        found.Sort((a, b) => a.Ordinal != b.Ordinal ? a.Ordinal.CompareTo(b.Ordinal) : a.Order.CompareTo(b.Order));
        _json.BeginObject();
        int at = 0;
        for (int ordinal = 0; ordinal < type.Fields.Count; ordinal++)
        {
            int first = at;
            while (at < found.Count && found[at].Ordinal == ordinal)
                at++;
            ProtobufFieldType field = type.Fields[ordinal];
            _json.Name(type.Names[ordinal]);
            if (field.IsRepeated)
                WriteList(field, data, found, first, at, depth);
            else if (at > first)
                WriteValue(field, found[at - 1].Field, data, depth); // the last one counts
            else
                WriteDefault(field);
        }

        _json.EndObject();
    }

    private void WriteList(
        ProtobufFieldType type, ReadOnlySpan<byte> data, List<(int Ordinal, int Order, ProtobufField Field)> found, int from, int to, int depth)
    {
        _json.BeginArray();
        for (int i = from; i < to; i++)
        {
            ProtobufField field = found[i].Field;
            WireType wire = WireOf(type.Type);
            if (field.Wire == WireType.Bytes && wire != WireType.Bytes)
            {
                var packed = new ProtobufReader(data.Slice(field.Start, field.Length));
                while (!packed.IsAtEnd)
                    WriteNumber(type, packed.Number(wire));
            }
            else
            {
                WriteValue(type, field, data, depth);
            }
        }

        _json.EndArray();
    }

    private void WriteValue(ProtobufFieldType type, ProtobufField field, ReadOnlySpan<byte> data, int depth)
    {
        if (field.Wire != WireOf(type.Type))
            throw new FormatException($"protobuf: field '{type.Name}' is laid out as {field.Wire}, not as {type.Type}");
        ReadOnlySpan<byte> bytes = data.Slice(field.Start, field.Length);
        switch (type.Type)
        {
            case ProtobufType.Message:
                WriteMessage(_messages[type.TypeName], bytes, depth + 1);
                break;
            case ProtobufType.String:
                _json.Text(bytes);
                break;
            case ProtobufType.Bytes when _bytes == JsonBytes.Base64:
                _json.Base64(bytes);
                break;
            case ProtobufType.Bytes:
                _json.ByteArray(bytes);
                break;
            default:
                WriteNumber(type, field.Bits);
                break;
        }
    }

    private void WriteDefault(ProtobufFieldType type)
    {
        if (type.HasPresence)
            _json.Null();
        else if (type.Type is ProtobufType.String)
            _json.Text(default);
        else if (type.Type is ProtobufType.Bytes)
            WriteValue(type, new ProtobufField(type.Number, WireType.Bytes, 0, 0, 0), default, 0);
        else
            WriteNumber(type, 0);
    }

    private void WriteNumber(ProtobufFieldType type, ulong bits)
    {
        switch (type.Type)
        {
            case ProtobufType.Double:
                _json.Float(BitConverter.UInt64BitsToDouble(bits));
                break;
            case ProtobufType.Float:
                _json.Float(BitConverter.UInt32BitsToSingle((uint)bits));
                break;
            case ProtobufType.Bool:
                _json.Bool(bits != 0);
                break;
            case ProtobufType.UInt64 or ProtobufType.Fixed64:
                _json.Integer(bits);
                break;
            case ProtobufType.UInt32 or ProtobufType.Fixed32:
                _json.Integer((long)(uint)bits);
                break;
            case ProtobufType.SInt32 or ProtobufType.SInt64:
                _json.Integer((long)(bits >> 1) ^ -(long)(bits & 1));
                break;
            case ProtobufType.Int64 or ProtobufType.SFixed64:
                _json.Integer((long)bits);
                break;
            case ProtobufType.Enum when _schema.Enums.TryGetValue(type.TypeName, out var names) && names.TryGetValue((int)bits, out string? name):
                _json.Text(Encoding.UTF8.GetBytes(name));
                break;
            default:
                _json.Integer((long)(int)bits);
                break;
        }
    }

    private static WireType WireOf(ProtobufType type) => type switch
    {
        ProtobufType.Double or ProtobufType.Fixed64 or ProtobufType.SFixed64 => WireType.Fixed64,
        ProtobufType.Float or ProtobufType.Fixed32 or ProtobufType.SFixed32 => WireType.Fixed32,
        ProtobufType.String or ProtobufType.Bytes or ProtobufType.Message => WireType.Bytes,
        ProtobufType.Group => WireType.Group,
        _ => WireType.Varint,
    };

    /// <summary>A message type with what writing it needs at hand.</summary>
    private sealed class Message
    {
        public Message(List<ProtobufFieldType> fields)
        {
            Fields = fields;
            Names = [.. fields.Select(field => JsonBuffer.EncodeName(field.Name))];
            for (int i = 0; i < fields.Count; i++)
                Ordinals[fields[i].Number] = i;
        }

        public List<ProtobufFieldType> Fields { get; }

        public List<byte[]> Names { get; }

        public Dictionary<int, int> Ordinals { get; } = [];
    }
}
