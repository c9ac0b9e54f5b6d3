using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace EdgeCloud.Contracts;

/// <summary>A JSON document that carries its own name and version in the field <c>schema</c>.</summary>
public interface IContractMessage
{
    /// <summary>The name and version that this type reads and writes, such as <c>edgecloud.state/1</c>.</summary>
    static abstract string SchemaId { get; }

    /// <summary>The name and version that the document carries.</summary>
    string Schema { get; }
}

/// <summary>A payload that is not what it should be. The message says what, and where in the payload.</summary>
public sealed class ContractException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Reads and writes <see cref="IContractMessage"/>: snake_case names, enumerations as snake_case words, times as integer nanoseconds.
/// Unknown fields are ignored, unknown schemas and versions refused.
/// In the records, a property with a default is <c>set</c> and not <c>init</c>: the generated readers assign every <c>init</c> property,
/// and would put null where a field was left out.
/// </summary>
public static class ContractJson
{
    /// <summary>The largest payload that is looked at. A manifest of 2,000 topics takes about 1 MiB.</summary>
    public const int MaxPayloadBytes = 4 * 1024 * 1024;

    /// <summary>The payload of <paramref name="message"/>, UTF-8.</summary>
    public static byte[] Write<T>(T message) where T : class, IContractMessage =>
        JsonSerializer.SerializeToUtf8Bytes(message, TypeInfo<T>());

    /// <summary>Reads a payload.</summary>
    /// <exception cref="ContractException">It is too large, not JSON, of another schema, or lacks a field.</exception>
    public static T Read<T>(ReadOnlySpan<byte> payload) where T : class, IContractMessage => Read<T>(payload, MaxPayloadBytes);

    /// <summary>Reads a document that may be larger than a payload, such as a session's certificate.</summary>
    /// <exception cref="ContractException">It is larger than <paramref name="maxBytes"/>, not JSON, of another schema, or lacks a field.</exception>
    public static T Read<T>(ReadOnlySpan<byte> payload, int maxBytes) where T : class, IContractMessage
    {
        var schema = SchemaOf(payload, maxBytes);
        if (schema != T.SchemaId)
            throw new ContractException($"The payload's schema is '{schema}'; '{T.SchemaId}' is expected.");
        try
        {
            return JsonSerializer.Deserialize(payload, TypeInfo<T>())
                ?? throw new ContractException("The payload is the JSON word null; an object is expected.");
        }
        catch (JsonException e)
        {
            throw new ContractException($"The payload does not fit {T.SchemaId}: {e.Message}", e);
        }
    }

    /// <summary>The <c>schema</c> field of a payload, for topics that carry several kinds.</summary>
    /// <exception cref="ContractException">It is too large, not a JSON object, or has no <c>schema</c> text.</exception>
    public static string SchemaOf(ReadOnlySpan<byte> payload) => SchemaOf(payload, MaxPayloadBytes);

    private static string SchemaOf(ReadOnlySpan<byte> payload, int maxBytes)
    {
        if (payload.Length > maxBytes)
            throw new ContractException($"The payload has {payload.Length} bytes; at most {maxBytes} are read.");
        var reader = new Utf8JsonReader(payload);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new ContractException("The payload is not a JSON object.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isSchema = reader.ValueTextEquals("schema"u8);
                reader.Read();
                if (isSchema)
                {
                    return reader.TokenType == JsonTokenType.String
                        ? reader.GetString()!
                        : throw new ContractException("The payload's field 'schema' is not a text.");
                }
                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ContractException($"The payload is not JSON: {e.Message}", e);
        }
        throw new ContractException("The payload has no field 'schema'.");
    }

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)ContractJsonContext.Default.GetTypeInfo(typeof(T))!;
}

/// <summary>The serialisers of the contract messages, generated at build time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    Converters = [
        typeof(SnakeCaseEnum<Custody>), typeof(SnakeCaseEnum<SessionState>), typeof(SnakeCaseEnum<CommandKind>),
        typeof(SnakeCaseEnum<CommandStatus>), typeof(SnakeCaseEnum<CustodyDecision>), typeof(SnakeCaseEnum<TopicClass>)])]
[JsonSerializable(typeof(StateMessage))]
[JsonSerializable(typeof(TriggerMessage))]
[JsonSerializable(typeof(TelemetryMessage))]
[JsonSerializable(typeof(SegmentManifest))]
[JsonSerializable(typeof(SessionManifest))]
[JsonSerializable(typeof(SegmentAnnouncement))]
[JsonSerializable(typeof(SessionAnnouncement))]
[JsonSerializable(typeof(CustodyMessage))]
[JsonSerializable(typeof(CommandMessage))]
[JsonSerializable(typeof(CommandAck))]
[JsonSerializable(typeof(LogMessage))]
[JsonSerializable(typeof(EventMessage))]
[JsonSerializable(typeof(EventAck))]
public sealed partial class ContractJsonContext : JsonSerializerContext;

/// <summary>An enumeration as a snake_case word; numbers are refused.</summary>
public sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
