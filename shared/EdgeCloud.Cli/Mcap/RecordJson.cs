using System.Globalization;
using System.Text.Json;
using EdgeCloud.Mcap;

namespace EdgeCloud.Cli.Mcap;

/// <summary>
/// Records in the JSON of the public conformance suite: fields by name, numbers as decimal strings, bytes as arrays of decimal strings,
/// maps sorted by key. Chunks are opened by the reader, and message indexes are left out, as the suite does.
/// </summary>
internal static class RecordJson
{
    public static void Write(Utf8JsonWriter json, McapRecord record)
    {
        if (record.Opcode == Opcode.MessageIndex)
            return;
        json.WriteStartObject();
        json.WriteString("type", Enum.IsDefined(record.Opcode) ? record.Opcode.ToString() : "Unknown");
        json.WriteStartArray("fields");
        WriteFields(new Fields(json), record);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteFields(Fields fields, McapRecord record)
    {
        switch (record.Opcode)
        {
            case Opcode.Header:
                var header = record.ToHeader();
                fields.Text("library", header.Library).Text("profile", header.Profile);
                break;
            case Opcode.Footer:
                var footer = record.ToFooter();
                fields.Number("summary_crc", footer.SummaryCrc).Number("summary_offset_start", footer.SummaryOffsetStart)
                    .Number("summary_start", footer.SummaryStart);
                break;
            case Opcode.Schema:
                var schema = record.ToSchema();
                fields.Bytes("data", schema.Data).Text("encoding", schema.Encoding).Number("id", schema.Id).Text("name", schema.Name);
                break;
            case Opcode.Channel:
                var channel = record.ToChannel();
                fields.Number("id", channel.Id).Text("message_encoding", channel.MessageEncoding).Pairs("metadata", channel.Metadata)
                    .Number("schema_id", channel.SchemaId).Text("topic", channel.Topic);
                break;
            case Opcode.Message:
                var message = record.ToMessage();
                fields.Number("channel_id", message.ChannelId).Bytes("data", message.Data).Number("log_time", message.LogTime)
                    .Number("publish_time", message.PublishTime).Number("sequence", message.Sequence);
                break;
            case Opcode.Attachment:
                var attachment = record.ToAttachment();
                fields.Number("create_time", attachment.CreateTime).Bytes("data", attachment.Data).Number("log_time", attachment.LogTime)
                    .Text("media_type", attachment.MediaType).Text("name", attachment.Name);
                break;
            case Opcode.Metadata:
                var metadata = record.ToMetadata();
                fields.Pairs("metadata", metadata.Pairs).Text("name", metadata.Name);
                break;
            case Opcode.DataEnd:
                fields.Number("data_section_crc", record.ToDataEnd().DataSectionCrc);
                break;
            default:
                WriteIndexFields(fields, record);
                break;
        }
    }

    private static void WriteIndexFields(Fields fields, McapRecord record)
    {
        switch (record.Opcode)
        {
            case Opcode.Statistics:
                var counts = record.ToStatistics();
                fields.Number("attachment_count", counts.AttachmentCount).Number("channel_count", counts.ChannelCount)
                    .Map("channel_message_counts", counts.ChannelMessageCounts).Number("chunk_count", counts.ChunkCount)
                    .Number("message_count", counts.MessageCount).Number("message_end_time", counts.MessageEndTime)
                    .Number("message_start_time", counts.MessageStartTime).Number("metadata_count", counts.MetadataCount)
                    .Number("schema_count", counts.SchemaCount);
                break;
            case Opcode.ChunkIndex:
                var chunk = record.ToChunkIndex();
                fields.Number("chunk_length", chunk.ChunkLength).Number("chunk_start_offset", chunk.ChunkStartOffset)
                    .Number("compressed_size", chunk.CompressedSize).Text("compression", chunk.Compression)
                    .Number("message_end_time", chunk.MessageEndTime).Number("message_index_length", chunk.MessageIndexLength)
                    .Map("message_index_offsets", chunk.MessageIndexOffsets).Number("message_start_time", chunk.MessageStartTime)
                    .Number("uncompressed_size", chunk.UncompressedSize);
                break;
            case Opcode.AttachmentIndex:
                var attachment = record.ToAttachmentIndex();
                fields.Number("create_time", attachment.CreateTime).Number("data_size", attachment.DataSize)
                    .Number("length", attachment.Length).Number("log_time", attachment.LogTime).Text("media_type", attachment.MediaType)
                    .Text("name", attachment.Name).Number("offset", attachment.Offset);
                break;
            case Opcode.MetadataIndex:
                var metadata = record.ToMetadataIndex();
                fields.Number("length", metadata.Length).Text("name", metadata.Name).Number("offset", metadata.Offset);
                break;
            case Opcode.SummaryOffset:
                var offset = record.ToSummaryOffset();
                fields.Number("group_length", offset.GroupLength).Number("group_opcode", (byte)offset.GroupOpcode)
                    .Number("group_start", offset.GroupStart);
                break;
            default:
                fields.Bytes("data", record.Content).Number("opcode", (byte)record.Opcode);
                break;
        }
    }

    /// <summary>Writes <c>[name, value]</c> pairs.</summary>
    private readonly struct Fields(Utf8JsonWriter json)
    {
        public Fields Text(string name, string value)
        {
            Begin(name);
            json.WriteStringValue(value);
            return End();
        }

        public Fields Number(string name, ulong value)
        {
            Begin(name);
            json.WriteStringValue(Decimal(value));
            return End();
        }

        public Fields Bytes(string name, ReadOnlyMemory<byte> value)
        {
            Begin(name);
            json.WriteStartArray();
            foreach (var one in value.Span)
                json.WriteStringValue(Decimal(one));
            json.WriteEndArray();
            return End();
        }

        public Fields Pairs(string name, IEnumerable<KeyValuePair<string, string>> pairs)
        {
            Begin(name);
            json.WriteStartObject();
            foreach (var (key, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(key, value);
            json.WriteEndObject();
            return End();
        }

        public Fields Map(string name, ChannelMap map) =>
            Pairs(name, map.Select(pair => KeyValuePair.Create(Decimal(pair.Key), Decimal(pair.Value))));

        private static string Decimal(ulong value) => value.ToString(CultureInfo.InvariantCulture);

        private void Begin(string name)
        {
            json.WriteStartArray();
            json.WriteStringValue(name);
        }

        private Fields End()
        {
            json.WriteEndArray();
            return this;
        }
    }
}
