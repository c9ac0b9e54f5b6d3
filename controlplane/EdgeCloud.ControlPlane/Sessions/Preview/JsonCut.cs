using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Cuts long arrays and texts of a JSON value down to what a person looks at, and tells where. Numbers keep every digit.</summary>
internal static class JsonCut
{
    private const int ElementsMax = 100;
    private const int TextMax = 400;
    private const int CutsMax = 200;
    /// <summary>Arrays of objects add up; after this many values, arrays are cut to nothing.</summary>
    private const int ValuesMax = 10_000;
    private const int DepthMax = 256;

    /// <summary>The value, cut.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static (JsonElement Value, IReadOnlyList<CutValue> Cut) Of(ReadOnlySpan<byte> json)
    {
        var output = new ArrayBufferWriter<byte>();
        var cuts = new List<CutValue>();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { MaxDepth = DepthMax }))
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DepthMax });
            reader.Read();
            var values = 0;
            Write(ref reader, writer, "", cuts, ref values);
        }
        using var document = JsonDocument.Parse(output.WrittenMemory, new JsonDocumentOptions { MaxDepth = DepthMax });
        return (document.RootElement.Clone(), cuts);
    }

    private static void Write(ref Utf8JsonReader reader, Utf8JsonWriter writer, string path, List<CutValue> cuts, ref int values)
    {
        values++;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                writer.WriteStartObject();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    writer.WritePropertyName(name);
                    reader.Read();
                    Write(ref reader, writer, path.Length == 0 ? name : $"{path}.{name}", cuts, ref values);
                }
                writer.WriteEndObject();
                break;
            case JsonTokenType.StartArray:
                WriteArray(ref reader, writer, path, cuts, ref values);
                break;
            case JsonTokenType.Number:
                // As it stands: a 64-bit integer must not pass through a double.
                writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                break;
            case JsonTokenType.String:
                WriteText(ref reader, writer, path, cuts);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                writer.WriteBooleanValue(reader.TokenType == JsonTokenType.True);
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static void WriteArray(ref Utf8JsonReader reader, Utf8JsonWriter writer, string path, List<CutValue> cuts, ref int values)
    {
        var (length, shown) = (0L, 0);
        writer.WriteStartArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (length++ < ElementsMax && values < ValuesMax)
            {
                Write(ref reader, writer, $"{path}[{length - 1}]", cuts, ref values);
                shown++;
            }
            else
            {
                reader.Skip();
            }
        }
        writer.WriteEndArray();
        if (length > shown && cuts.Count < CutsMax)
            cuts.Add(new CutValue(path, length, shown));
    }

    private static void WriteText(ref Utf8JsonReader reader, Utf8JsonWriter writer, string path, List<CutValue> cuts)
    {
        var utf8 = reader.ValueSpan;
        // Bytes in Base64 may be megabytes; only what is shown becomes text.
        var (text, length) = !reader.ValueIsEscaped && utf8.Length > 4 * TextMax
            ? (Encoding.UTF8.GetString(utf8[..(4 * TextMax)]), (long)Encoding.UTF8.GetCharCount(utf8))
            : (reader.GetString()!, -1);
        length = length < 0 ? text.Length : length;
        if (length > TextMax && cuts.Count < CutsMax)
            cuts.Add(new CutValue(path, length, TextMax));
        writer.WriteStringValue(text.Length <= TextMax ? text : text[..(char.IsHighSurrogate(text[TextMax - 1]) ? TextMax - 1 : TextMax)]);
    }
}
