namespace EdgeCloud.Mcap;

/// <summary>First record of a file (op 0x01).</summary>
/// <param name="Profile">Agreed rules that the file keeps, such as <c>ros2</c>; may be empty.</param>
/// <param name="Library">What wrote the file; free text.</param>
public sealed record Header(string Profile, string Library);

/// <summary>Last record of a file (op 0x02).</summary>
/// <param name="SummaryStart">Offset of the summary section; 0 when there is none.</param>
/// <param name="SummaryOffsetStart">Offset of the summary offset section; 0 when there is none.</param>
/// <param name="SummaryCrc">CRC-32 from the summary's start through <paramref name="SummaryOffsetStart"/>; 0 when not available.</param>
public sealed record Footer(ulong SummaryStart, ulong SummaryOffsetStart, uint SummaryCrc);

/// <summary>End of the data section (op 0x0F).</summary>
/// <param name="DataSectionCrc">CRC-32 of the file from its first byte up to this record; 0 when not available.</param>
public sealed record DataEnd(uint DataSectionCrc);

/// <summary>A file within the file (op 0x09). <see cref="Data"/> is a view, valid until the reader moves on.</summary>
/// <param name="LogTime">When it was recorded, ns.</param>
/// <param name="CreateTime">When it was created, ns; 0 when unknown.</param>
/// <param name="Name">Such as <c>calibration.yaml</c>.</param>
/// <param name="MediaType">Such as <c>text/plain</c>.</param>
/// <param name="Data">Its bytes.</param>
/// <param name="Crc">CRC-32 of the fields before it; 0 when not available. Writers compute it.</param>
public sealed record Attachment(
    ulong LogTime, ulong CreateTime, string Name, string MediaType, ReadOnlyMemory<byte> Data, uint Crc = 0);

/// <summary>Named key-value pairs (op 0x0C).</summary>
/// <param name="Name">Such as <c>rosbag2</c>.</param>
/// <param name="Pairs">The record's field <c>metadata</c>, in file order.</param>
public sealed record Metadata(string Name, IReadOnlyDictionary<string, string> Pairs);

/// <summary>
/// A batch of schemas, channels and messages (op 0x06), still as stored. <see cref="Records"/> is a view, valid until the reader moves on.
/// </summary>
/// <param name="MessageStartTime">Least log time in it, ns; 0 when it holds no message.</param>
/// <param name="MessageEndTime">Greatest log time in it, ns; 0 when it holds no message.</param>
/// <param name="UncompressedSize">Bytes of the records once decompressed.</param>
/// <param name="UncompressedCrc">CRC-32 of the decompressed records; 0 when not available.</param>
/// <param name="Compression"><c>zstd</c>, <c>lz4</c>, or empty.</param>
/// <param name="Records">The records, compressed with that.</param>
public sealed record Chunk(
    ulong MessageStartTime, ulong MessageEndTime, ulong UncompressedSize, uint UncompressedCrc, string Compression,
    ReadOnlyMemory<byte> Records);

/// <summary>Counts and times of the whole file (op 0x0B).</summary>
/// <param name="MessageCount">Messages.</param>
/// <param name="SchemaCount">Schemas with different ids, 0 not counted.</param>
/// <param name="ChannelCount">Channels with different ids.</param>
/// <param name="AttachmentCount">Attachments.</param>
/// <param name="MetadataCount">Metadata records.</param>
/// <param name="ChunkCount">Chunks.</param>
/// <param name="MessageStartTime">Least log time, ns; 0 without messages.</param>
/// <param name="MessageEndTime">Greatest log time, ns; 0 without messages.</param>
/// <param name="ChannelMessageCounts">Messages by channel id; empty when not available.</param>
public sealed record Statistics(
    ulong MessageCount, ushort SchemaCount, uint ChannelCount, uint AttachmentCount, uint MetadataCount, uint ChunkCount,
    ulong MessageStartTime, ulong MessageEndTime, ChannelMap ChannelMessageCounts);
