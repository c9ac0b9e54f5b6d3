using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Export.Tests;

/// <summary>
/// Digests of all values of a recording as the readers of exports print them, made from the messages as JSON: not by way of columns. What
/// types values have is taken from the manifest.
/// </summary>
internal sealed class ExpectedStreams(ExportManifest manifest, bool roundsFloats = false)
{
    private readonly Dictionary<string, Dictionary<string, (long Count, string First, string Last, IncrementalHash Hash)>> _tables = [];

    /// <summary>Reads the recording and gives for each table and stream count, first, last and SHA-256.</summary>
    public async Task<SortedDictionary<string, string>> OfAsync(byte[] file)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "sample"));
        var decoders = new Dictionary<ushort, MessageJson>();
        await foreach (var message in reader.ReadMessages())
        {
            var channel = reader.Channels[message.ChannelId];
            var schema = reader.Schemas.GetValueOrDefault(channel.SchemaId);
            if (manifest.Topics.FirstOrDefault(t => t.Topic == channel.Topic) is not { } topic)
                continue;
            if (!decoders.TryGetValue(channel.Id, out var decoder))
                decoders[channel.Id] = decoder = MessageJson.Create(schema?.Name ?? "", schema?.Encoding ?? "", schema is null ? [] : schema.Data.Span, channel.MessageEncoding, JsonBytes.Base64);
            Add(topic, message, decoder);
        }
        return new(_tables.SelectMany(t => t.Value.Select(s => (Key: $"{t.Key} {s.Key}", s.Value)))
            .ToDictionary(s => s.Key, s => $"{s.Value.Count} {s.Value.First} {s.Value.Last} {Convert.ToHexStringLower(s.Value.Hash.GetCurrentHash())}"), StringComparer.Ordinal);
    }

    private void Add(ExportedTopic topic, Message message, MessageJson decoder)
    {
        Dictionary<string, JsonElement>? values = null;
        try
        {
            var json = Encoding.UTF8.GetString(decoder.Write(message.Data.Span));
            values = [];
            if (topic.Encoding == "json")
                values["json"] = JsonSerializer.SerializeToElement(json);
            else if (topic.Encoding is "cdr" or "protobuf")
                Flatten("", JsonDocument.Parse(json).RootElement, values);
            else
                values["data"] = JsonDocument.Parse(json).RootElement.GetProperty("base64");
        }
        catch (Ros2.Cdr.CdrException)
        {
            // a row without values
        }
        foreach (var column in topic.Columns.Where(c => !c.Name.EndsWith("/lengths", StringComparison.Ordinal)))
        {
            switch (column.Name)
            {
                case "log_time" or "publish_time" or "sequence":
                    Put(topic.Table, column.Name, (column.Name == "log_time" ? message.LogTime : column.Name == "publish_time" ? message.PublishTime : message.Sequence).ToString(CultureInfo.InvariantCulture));
                    break;
                case "session":
                    Put(topic.Table, "session", $"s:{Recording.Session(7):D}");
                    break;
                default:
                    Put(topic.Table, column.Name, values?[column.Name], column.Type);
                    break;
            }
        }
    }

    /// <summary>Names with dots for nested messages, as tables have them.</summary>
    private static void Flatten(string prefix, JsonElement message, Dictionary<string, JsonElement> values)
    {
        foreach (var member in message.EnumerateObject())
        {
            var isTime = member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().Select(m => m.Name).SequenceEqual(["sec", "nanosec"]);
            if (member.Value.ValueKind == JsonValueKind.Object && !isTime && !member.Value.TryGetProperty("nanos", out _))
                Flatten($"{prefix}{member.Name}.", member.Value, values);
            else
                values[prefix + member.Name] = member.Value;
        }
    }

    private void Put(string table, string name, JsonElement? value, string type)
    {
        if (type == "list<uint8>" || value?.ValueKind == JsonValueKind.String && type.StartsWith("list<uint8>", StringComparison.Ordinal))
        {
            var bytes = value?.GetBytesFromBase64() ?? [];
            Put(table, $"{name}#len", bytes.Length.ToString(CultureInfo.InvariantCulture));
            foreach (var one in bytes)
                Put(table, name, one.ToString(CultureInfo.InvariantCulture));
        }
        else if (type.StartsWith("list<", StringComparison.Ordinal))
        {
            var item = type[5..type.LastIndexOf('>')];
            Put(table, $"{name}#len", (value?.GetArrayLength() ?? 0).ToString(CultureInfo.InvariantCulture));
            foreach (var one in value?.EnumerateArray() ?? default)
                Put(table, name, one, item);
        }
        else if (type.StartsWith("struct<", StringComparison.Ordinal))
        {
            var fields = new Dictionary<string, JsonElement>();
            Flatten("", value!.Value, fields);
            foreach (var (field, fieldType) in Split(type[7..^1]))
                Put(table, $"{name}.{field}", fields[field], fieldType);
        }
        else
        {
            Put(table, name, Scalar(value, type));
        }
    }

    private string Scalar(JsonElement? value, string type)
    {
        if (value is not { ValueKind: not JsonValueKind.Null } v)
            return "null";
        if (type.StartsWith("float", StringComparison.Ordinal))
        {
            var number = v.ValueKind == JsonValueKind.String ? double.Parse(v.GetString()!, CultureInfo.InvariantCulture) : v.GetDouble();
            if (type == "float32" || roundsFloats)
                number = v.ValueKind == JsonValueKind.String || type != "float32" ? (float)number : v.GetSingle();
            return double.IsNaN(number) ? "f:nan" : $"f:{BitConverter.DoubleToInt64Bits(number):x16}";
        }
        return v.ValueKind switch
        {
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.String => $"s:{v.GetString()}",
            JsonValueKind.Object => Nanoseconds(v).ToString(CultureInfo.InvariantCulture),
            _ => v.GetRawText(),
        };
    }

    private static long Nanoseconds(JsonElement time) => time.TryGetProperty("sec", out var sec)
        ? sec.GetInt64() * 1_000_000_000 + time.GetProperty("nanosec").GetInt64()
        : time.GetProperty("seconds").GetInt64() * 1_000_000_000 + time.GetProperty("nanos").GetInt64();

    private static IEnumerable<(string Name, string Type)> Split(string text)
    {
        int depth = 0, start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            depth += i == text.Length ? 0 : text[i] == '<' ? 1 : text[i] == '>' ? -1 : 0;
            if (i < text.Length && (text[i] != ',' || depth > 0))
                continue;
            var part = text[start..i].Trim();
            yield return (part[..part.IndexOf(' ')], part[(part.IndexOf(' ') + 1)..]);
            start = i + 1;
        }
    }

    private void Put(string table, string name, string text)
    {
        if (!_tables.TryGetValue(table, out var streams))
            _tables[table] = streams = [];
        if (!streams.TryGetValue(name, out var stream))
            stream = (0, text, text, IncrementalHash.CreateHash(HashAlgorithmName.SHA256));
        stream.Hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        streams[name] = (stream.Count + 1, stream.First, text, stream.Hash);
    }
}
