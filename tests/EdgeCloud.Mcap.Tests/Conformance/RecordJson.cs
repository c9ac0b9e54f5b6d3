using System.Text.Json.Nodes;

namespace EdgeCloud.Mcap.Tests.Conformance;

/// <summary>Records in the conformance suite's JSON.</summary>
internal static class RecordJson
{
    /// <summary>Null for records that the suite leaves out.</summary>
    public static JsonObject? Of(McapRecord record) => record.Opcode switch
    {
        Opcode.Header => Of(record.ToHeader()),
        Opcode.Footer => Of(record.ToFooter()),
        Opcode.Schema => Of(record.ToSchema()),
        Opcode.Channel => Of(record.ToChannel()),
        Opcode.Message => Of(record.ToMessage()),
        Opcode.Attachment => Of(record.ToAttachment()),
        Opcode.Metadata => Of(record.ToMetadata()),
        Opcode.DataEnd => Json("DataEnd", ("data_section_crc", record.ToDataEnd().DataSectionCrc)),
        Opcode.Statistics => Of(record.ToStatistics()),
        Opcode.ChunkIndex => Of(record.ToChunkIndex()),
        Opcode.AttachmentIndex => Of(record.ToAttachmentIndex()),
        Opcode.MetadataIndex => Of(record.ToMetadataIndex()),
        Opcode.SummaryOffset => Of(record.ToSummaryOffset()),
        Opcode.MessageIndex => null,
        _ => throw new InvalidOperationException($"The suite has no {record.Opcode}."),
    };

    public static JsonObject Of(Header header) => Json("Header", ("library", header.Library), ("profile", header.Profile));

    public static JsonObject Of(Footer footer) => Json(
        "Footer", ("summary_crc", footer.SummaryCrc), ("summary_offset_start", footer.SummaryOffsetStart), ("summary_start", footer.SummaryStart));

    public static JsonObject Of(Schema schema) => Json(
        "Schema", ("data", schema.Data), ("encoding", schema.Encoding), ("id", schema.Id), ("name", schema.Name));

    public static JsonObject Of(Channel channel) => Json(
        "Channel", ("id", channel.Id), ("message_encoding", channel.MessageEncoding), ("metadata", channel.Metadata),
        ("schema_id", channel.SchemaId), ("topic", channel.Topic));

    public static JsonObject Of(Message message) => Json(
        "Message", ("channel_id", message.ChannelId), ("data", message.Data), ("log_time", message.LogTime),
        ("publish_time", message.PublishTime), ("sequence", message.Sequence));

    public static JsonObject Of(Statistics statistics) => Json(
        "Statistics", ("attachment_count", statistics.AttachmentCount), ("channel_count", statistics.ChannelCount),
        ("channel_message_counts", statistics.ChannelMessageCounts), ("chunk_count", statistics.ChunkCount),
        ("message_count", statistics.MessageCount), ("message_end_time", statistics.MessageEndTime),
        ("message_start_time", statistics.MessageStartTime), ("metadata_count", statistics.MetadataCount), ("schema_count", statistics.SchemaCount));

    private static JsonObject Of(Attachment attachment) => Json(
        "Attachment", ("create_time", attachment.CreateTime), ("data", attachment.Data), ("log_time", attachment.LogTime),
        ("media_type", attachment.MediaType), ("name", attachment.Name));

    private static JsonObject Of(Metadata metadata) => Json("Metadata", ("metadata", metadata.Pairs), ("name", metadata.Name));

    private static JsonObject Of(ChunkIndex index) => Json(
        "ChunkIndex", ("chunk_length", index.ChunkLength), ("chunk_start_offset", index.ChunkStartOffset),
        ("compressed_size", index.CompressedSize), ("compression", index.Compression), ("message_end_time", index.MessageEndTime),
        ("message_index_length", index.MessageIndexLength), ("message_index_offsets", index.MessageIndexOffsets),
        ("message_start_time", index.MessageStartTime), ("uncompressed_size", index.UncompressedSize));

    private static JsonObject Of(AttachmentIndex index) => Json(
        "AttachmentIndex", ("create_time", index.CreateTime), ("data_size", index.DataSize), ("length", index.Length),
        ("log_time", index.LogTime), ("media_type", index.MediaType), ("name", index.Name), ("offset", index.Offset));

    private static JsonObject Of(MetadataIndex index) => Json("MetadataIndex", ("length", index.Length), ("name", index.Name), ("offset", index.Offset));

    private static JsonObject Of(SummaryOffset offset) => Json(
        "SummaryOffset", ("group_length", offset.GroupLength), ("group_opcode", (byte)offset.GroupOpcode), ("group_start", offset.GroupStart));

    private static JsonObject Json(string type, params (string Name, object Value)[] fields) => new()
    {
        ["type"] = type,
        ["fields"] = new JsonArray(fields.Select(field => (JsonNode)new JsonArray(field.Name, Value(field.Value))).ToArray()),
    };

    private static JsonNode Value(object value) => value switch
    {
        string text => text,
        ReadOnlyMemory<byte> bytes => new JsonArray(bytes.ToArray().Select(one => (JsonNode)one.ToString()).ToArray()),
        ChannelMap map => Map(map.Select(pair => (pair.Key.ToString(), pair.Value.ToString()))),
        IReadOnlyDictionary<string, string> pairs => Map(pairs.Select(pair => (pair.Key, pair.Value))),
        _ => value.ToString()!,
    };

    private static JsonObject Map(IEnumerable<(string Key, string Value)> pairs) =>
        new(pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
}
