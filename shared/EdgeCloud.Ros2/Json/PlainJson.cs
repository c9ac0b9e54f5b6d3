using System.Buffers;
using System.Text.Json;

namespace EdgeCloud.Ros2.Json;

/// <summary>Messages that are JSON already: checked, and put on one line.</summary>
internal sealed class PlainJson : MessageJson
{
    private readonly ArrayBufferWriter<byte> _line = new();

    public override ReadOnlySpan<byte> Write(ReadOnlySpan<byte> payload)
    {
        _line.ResetWrittenCount();
        var reader = new Utf8JsonReader(payload);
        try
        {
            if (!reader.Read())
                throw new FormatException("the message is empty, not JSON");
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            int end = (int)reader.BytesConsumed;
            if (reader.Read())
                throw new FormatException($"byte {reader.TokenStartIndex}: more follows the JSON value");
            OneLine(payload[start..end]);
        }
        catch (JsonException e)
        {
            throw new FormatException($"line {e.LineNumber + 1}, byte {e.BytePositionInLine}: the message is not JSON", e);
        }

        return _line.WrittenSpan;
    }

    /// <summary>Line ends can stand between tokens only: strings have theirs escaped. Numbers stay as written.</summary>
    private void OneLine(ReadOnlySpan<byte> json)
    {
        while (true)
        {
            int end = json.IndexOfAny((byte)'\n', (byte)'\r');
            _line.Write(end < 0 ? json : json[..end]);
            if (end < 0)
                return;
            _line.Write(" "u8);
            json = json[(end + 1)..];
        }
    }
}
