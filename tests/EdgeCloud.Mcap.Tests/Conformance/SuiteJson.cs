using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeCloud.Cli.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Tests.Conformance;

/// <summary>Records in the conformance suite's JSON, as <c>edgecloud mcap records --json</c> prints them.</summary>
internal static class SuiteJson
{
    /// <summary>Null for records that the suite leaves out.</summary>
    public static JsonObject? Of(McapRecord record)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            RecordJson.Write(json, record);
        return stream.Length == 0 ? null : JsonNode.Parse(stream.ToArray())!.AsObject();
    }

    public static JsonObject Of(Schema schema) => Of(Opcode.Schema, buffer => buffer.Append(schema));

    public static JsonObject Of(Channel channel) => Of(Opcode.Channel, buffer => buffer.Append(channel));

    public static JsonObject Of(Message message) => Of(Opcode.Message, buffer => buffer.Append(message));

    public static JsonObject Of(Statistics statistics) => Of(Opcode.Statistics, buffer => buffer.Append(statistics));

    private static JsonObject Of(Opcode opcode, Action<RecordBuffer> append)
    {
        var buffer = new RecordBuffer();
        append(buffer);
        return Of(new McapRecord(opcode, buffer.Written[McapFormat.RecordPrefixBytes..], new(0)))!;
    }
}
