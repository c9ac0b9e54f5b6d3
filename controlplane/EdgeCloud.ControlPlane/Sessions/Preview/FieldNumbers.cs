using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>One message on its way into a plot.</summary>
/// <param name="LogTimeNs">When it was recorded, ns since the Unix epoch.</param>
/// <param name="PreviousNs">When the one before it on its topic was; 0 for the first.</param>
/// <param name="Bytes">Size of the whole payload.</param>
internal readonly record struct PlottedMessage(long LogTimeNs, long PreviousNs, long Bytes);

/// <summary>Reads one number of each message of a channel: a field by its path, or something counted. Not for several threads at once.</summary>
internal abstract class FieldNumbers
{
    /// <summary>Size of the message, bytes.</summary>
    public const string Bytes = "bytes()";
    /// <summary>Time since the message before, s.</summary>
    public const string Interval = "interval()";
    /// <summary>Points of a point cloud.</summary>
    public const string Points = "points()";

    /// <summary>Reads it; false when the message has none.</summary>
    /// <exception cref="CdrException">The payload, which may be the beginning of one only, does not reach or fit the field.</exception>
    /// <exception cref="FormatException">A payload of another encoding is damaged.</exception>
    public abstract bool TryRead(in PlottedMessage message, ReadOnlySpan<byte> payload, out double value);

    /// <summary>Unit of the numbers; empty when unknown.</summary>
    public string Unit { get; private init; } = "";

    /// <summary>Makes the reader of a field.</summary>
    /// <param name="channel">Channel of the messages.</param>
    /// <param name="encoding">True encoding of the messages.</param>
    /// <param name="schema">Their schema; null when they have none.</param>
    /// <param name="field">Path or count.</param>
    /// <exception cref="RequestException">There is no such field, or it is no number.</exception>
    public static FieldNumbers Compile(Channel channel, string encoding, Schema? schema, string field)
    {
        switch (field)
        {
            case Bytes:
                return new Counted((in message) => message.Bytes) { Unit = "B" };
            case Interval:
                return new Counted((in message) => message.PreviousNs == 0 ? null : (message.LogTimeNs - message.PreviousNs) / 1e9) { Unit = "s" };
        }
        try
        {
            return (encoding, schema) switch
            {
                ("cdr", { Encoding: "ros2msg" or "ros2idl" }) =>
                    OfCdr(MessageSchema.Parse(schema.Name, schema.Encoding, schema.Data.Span), field),
                ("protobuf", { Encoding: "protobuf" }) or ("json", _) =>
                    new OfJson(MessageJson.Create(schema?.Name ?? "", schema?.Encoding ?? "", schema is null ? [] : schema.Data.Span, encoding), field),
                _ => throw RequestException.Invalid(
                    "field", $"{Bytes} or {Interval}: the messages of '{channel.Topic}' cannot be decoded (encoding '{encoding}', schema '{schema?.Encoding}')"),
            };
        }
        catch (ArgumentException e)
        {
            throw RequestException.Invalid("field", e.Message);
        }
        catch (DefinitionException e)
        {
            throw RequestException.Invalid("field", $"the definition of '{channel.Topic}' cannot be understood: {e.Message}");
        }
    }

    private static FieldNumbers OfCdr(MessageSchema schema, string field)
    {
        if (field == Points)
        {
            return schema.Root.Name == "sensor_msgs/msg/PointCloud2"
                ? new PointCount(FieldPath.Compile(schema, "width"), FieldPath.Compile(schema, "height")) { Unit = "points" }
                : throw RequestException.Invalid("field", $"a field of {schema.Root.Name}: only sensor_msgs/msg/PointCloud2 has {Points}");
        }
        var path = FieldPath.Compile(schema, field);
        if (path.IsText)
            throw RequestException.Invalid("field", $"a number: '{field}' of {schema.Root.Name} is text");
        if (path.IsRepeated)
            throw RequestException.Invalid("field", $"one number per message: '{field}' of {schema.Root.Name} has several, write for example '{field}[0]'");
        return new OfPath(path) { Unit = FieldUnits.Of(schema, field) };
    }

    private delegate double? Count(in PlottedMessage message);

    private sealed class Counted(Count count) : FieldNumbers
    {
        public override bool TryRead(in PlottedMessage message, ReadOnlySpan<byte> payload, out double value)
        {
            var counted = count(message);
            value = counted ?? 0;
            return counted is not null;
        }
    }

    private sealed class OfPath(FieldPath path) : FieldNumbers
    {
        public override bool TryRead(in PlottedMessage message, ReadOnlySpan<byte> payload, out double value) => path.TryReadNumber(payload, out value);
    }

    private sealed class PointCount(FieldPath width, FieldPath height) : FieldNumbers
    {
        public override bool TryRead(in PlottedMessage message, ReadOnlySpan<byte> payload, out double value)
        {
            var isThere = width.TryReadNumber(payload, out var columns) & height.TryReadNumber(payload, out var rows);
            value = columns * rows;
            return isThere;
        }
    }

    /// <summary>Messages that are read as JSON: protobuf, and JSON itself.</summary>
    private sealed class OfJson(MessageJson json, string path) : FieldNumbers
    {
        private readonly JsonStep[] _steps = JsonStep.Parse(path);

        public override bool TryRead(in PlottedMessage message, ReadOnlySpan<byte> payload, out double value)
        {
            value = 0;
            var reader = new Utf8JsonReader(json.Write(payload));
            reader.Read();
            foreach (var step in _steps)
            {
                if (!step.TryEnter(ref reader))
                    return false;
            }
            switch (reader.TokenType)
            {
                case JsonTokenType.Number:
                    value = reader.GetDouble();
                    return true;
                case JsonTokenType.True or JsonTokenType.False:
                    value = reader.TokenType == JsonTokenType.True ? 1 : 0;
                    return true;
                case JsonTokenType.String:
                    // NaN and infinities are strings in JSON, as are protobuf's enumerators, which are no numbers.
                    value = reader.ValueTextEquals("NaN") ? double.NaN
                        : reader.ValueTextEquals("Infinity") ? double.PositiveInfinity
                        : reader.ValueTextEquals("-Infinity") ? double.NegativeInfinity
                        : 0;
                    return value != 0;
                default:
                    return false;
            }
        }
    }

    /// <summary>A step into a JSON value: a member, or an element.</summary>
    private readonly record struct JsonStep(byte[] Name, int Index)
    {
        public static JsonStep[] Parse(string path)
        {
            var steps = new List<JsonStep>();
            foreach (var part in path.Split('.'))
            {
                var bracket = part.IndexOf('[', StringComparison.Ordinal);
                var name = bracket < 0 ? part : part[..bracket];
                if (name.Length == 0)
                    throw RequestException.Invalid("field", $"names joined by dots, with an index in brackets after an array; '{path}' is not");
                steps.Add(new JsonStep(Encoding.UTF8.GetBytes(name), -1));
                if (bracket < 0)
                    continue;
                if (!part.EndsWith(']') || !int.TryParse(part.AsSpan(bracket + 1, part.Length - bracket - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                    throw RequestException.Invalid("field", $"an index in the brackets of '{part}'");
                steps.Add(new JsonStep([], index));
            }
            return [.. steps];
        }

        public bool TryEnter(ref Utf8JsonReader reader)
        {
            if (Index >= 0)
            {
                if (reader.TokenType != JsonTokenType.StartArray)
                    return false;
                for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++, reader.Skip())
                {
                    if (i == Index)
                        return true;
                }
                return false;
            }
            if (reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isIt = reader.ValueTextEquals(Name);
                reader.Read();
                if (isIt)
                    return true;
                reader.Skip();
            }
            return false;
        }
    }
}
