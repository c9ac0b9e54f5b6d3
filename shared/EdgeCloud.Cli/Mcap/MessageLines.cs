using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Cli.Mcap;

/// <summary>
/// Messages as lines of JSON: <c>topic</c>, <c>type</c>, <c>log_time</c>, <c>publish_time</c>, <c>sequence</c> and the decoded
/// <c>message</c>. A message that cannot be decoded becomes <c>{"base64": ...}</c>; a member <c>error</c> says why.
/// </summary>
/// <param name="output">Receives UTF-8.</param>
/// <param name="bytes">How arrays of bytes are written.</param>
internal sealed class MessageLines(Stream output, JsonBytes bytes) : IDisposable
{
    private readonly Dictionary<Channel, (MessageJson Json, string? Error)> _decoders = new(ReferenceEqualityComparer.Instance);
    private readonly MessageJson _opaque = MessageJson.Opaque();
    private readonly Utf8JsonWriter _line = new(output, new JsonWriterOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    /// <summary>How many messages could not be decoded.</summary>
    public long Errors { get; private set; }

    /// <summary>Writes one message.</summary>
    /// <param name="schema">The channel's schema, or null without one.</param>
    /// <param name="channel">The message's channel, the same object for each of its messages.</param>
    /// <param name="message">The message.</param>
    public void Write(Schema? schema, Channel channel, in Message message)
    {
        (MessageJson decoder, string? error) = DecoderFor(schema, channel);
        ReadOnlySpan<byte> json = default;
        if (error is null)
        {
            try
            {
                json = decoder.Write(message.Data.Span);
            }
            catch (Exception e) when (e is CdrException or FormatException)
            {
                error = e.Message;
            }
        }

        if (error is not null)
        {
            json = _opaque.Write(message.Data.Span);
            Errors++;
        }

        WriteLine(schema, channel, message, json, error);
    }

    /// <summary>Writes out what is left in the buffer; does not close the output.</summary>
    public void Dispose() => _line.Dispose();

    private void WriteLine(Schema? schema, Channel channel, in Message message, ReadOnlySpan<byte> json, string? error)
    {
        _line.Reset();
        _line.WriteStartObject();
        _line.WriteString("topic"u8, channel.Topic);
        _line.WriteString("type"u8, schema?.Name ?? "");
        _line.WriteNumber("log_time"u8, message.LogTime);
        _line.WriteNumber("publish_time"u8, message.PublishTime);
        _line.WriteNumber("sequence"u8, message.Sequence);
        _line.WritePropertyName("message"u8);
        _line.WriteRawValue(json, skipInputValidation: true);
        if (error is not null)
            _line.WriteString("error"u8, error);
        _line.WriteEndObject();
        _line.Flush();
        output.WriteByte((byte)'\n');
    }

    private (MessageJson Json, string? Error) DecoderFor(Schema? schema, Channel channel)
    {
        if (_decoders.TryGetValue(channel, out (MessageJson, string?) known))
            return known;
        try
        {
            known = (MessageJson.Create(schema?.Name ?? "", schema?.Encoding ?? "", schema is null ? default : schema.Data.Span, channel.MessageEncoding, bytes), null);
        }
        catch (DefinitionException e)
        {
            known = (_opaque, $"schema {e.Message}");
        }

        return _decoders[channel] = known;
    }
}
