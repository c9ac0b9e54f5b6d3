using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Json;

/// <summary>How arrays of bytes (<c>uint8[]</c>, <c>byte[]</c>) look in JSON.</summary>
public enum JsonBytes
{
    /// <summary>Arrays of numbers, as any other array.</summary>
    Numbers,

    /// <summary>Base64 strings.</summary>
    Base64,
}

/// <summary>
/// Writes the messages of one schema as JSON: nested as the definition is, integers exact (64-bit ones too), floats
/// in the shortest form that reads back the same, NaN and infinities as strings, values that are left out as null.
/// Keeps one buffer; not for several threads at once.
/// </summary>
public abstract class MessageJson
{
    private protected MessageJson()
    {
    }

    /// <summary>Writes one message.</summary>
    /// <param name="payload">The message's data.</param>
    /// <returns>One JSON value on one line; good until the next call.</returns>
    /// <exception cref="CdrException">A CDR payload does not fit its definition.</exception>
    /// <exception cref="FormatException">A payload of another encoding is damaged.</exception>
    public abstract ReadOnlySpan<byte> Write(ReadOnlySpan<byte> payload);

    /// <summary>
    /// Makes a writer for an MCAP channel. CDR with ros2msg or ros2idl, protobuf with its descriptor set and JSON are
    /// decoded; anything else, and messages without a schema, become <c>{"base64":"..."}</c>.
    /// </summary>
    /// <param name="schemaName">Name in the schema record.</param>
    /// <param name="schemaEncoding">Encoding in the schema record; empty without one.</param>
    /// <param name="schemaData">Data of the schema record.</param>
    /// <param name="messageEncoding">Encoding in the channel record.</param>
    /// <param name="bytes">How arrays of bytes are written.</param>
    /// <exception cref="DefinitionException">The schema's text cannot be understood; <see cref="Opaque"/> still carries its messages.</exception>
    public static MessageJson Create(
        string schemaName, string schemaEncoding, ReadOnlySpan<byte> schemaData, string messageEncoding, JsonBytes bytes = JsonBytes.Numbers) =>
        (messageEncoding, schemaEncoding) switch
        {
            ("cdr", "ros2msg" or "ros2idl") => new CdrJson(MessageSchema.Parse(schemaName, schemaEncoding, schemaData), bytes),
            ("json", _) => new PlainJson(),
            ("protobuf", "protobuf") => new ProtobufJson(schemaName, schemaData, bytes),
            _ => Opaque(),
        };

    /// <summary>A writer that carries payloads undecoded, as <c>{"base64":"..."}</c>.</summary>
    public static MessageJson Opaque() => new OpaqueJson();

    private sealed class OpaqueJson : MessageJson
    {
        private readonly JsonBuffer _json = new();

        public override ReadOnlySpan<byte> Write(ReadOnlySpan<byte> payload)
        {
            _json.Clear();
            _json.BeginObject();
            _json.Name("\"base64\":"u8);
            _json.Base64(payload);
            _json.EndObject();
            return _json.Written;
        }
    }
}
