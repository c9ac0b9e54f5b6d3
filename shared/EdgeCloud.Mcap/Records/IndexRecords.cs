namespace EdgeCloud.Mcap;

/// <summary>Where a chunk and its message indexes lie (op 0x08).</summary>
/// <param name="MessageStartTime">Least log time in the chunk, ns; 0 when it holds no message.</param>
/// <param name="MessageEndTime">Greatest log time in the chunk, ns; 0 when it holds no message.</param>
/// <param name="ChunkStartOffset">Offset of the chunk record.</param>
/// <param name="ChunkLength">Bytes of the chunk record, opcode and length included.</param>
/// <param name="MessageIndexOffsets">Offset of the message index record of each channel; empty when there is no message index.</param>
/// <param name="MessageIndexLength">Bytes of all message index records after the chunk.</param>
/// <param name="Compression">As in the chunk.</param>
/// <param name="CompressedSize">Bytes of the chunk's records as stored.</param>
/// <param name="UncompressedSize">Bytes of the chunk's records once decompressed.</param>
public sealed record ChunkIndex(
    ulong MessageStartTime, ulong MessageEndTime, ulong ChunkStartOffset, ulong ChunkLength, ChannelMap MessageIndexOffsets,
    ulong MessageIndexLength, string Compression, ulong CompressedSize, ulong UncompressedSize);

/// <summary>Where the messages of one channel lie in the chunk before it (op 0x07).</summary>
/// <param name="ChannelId">The channel.</param>
/// <param name="Records">Log time and offset, within the chunk's uncompressed records, of each message.</param>
public sealed record MessageIndex(ushort ChannelId, MessageIndexEntries Records);

/// <summary>Where an attachment lies (op 0x0A).</summary>
/// <param name="Offset">Offset of the attachment record.</param>
/// <param name="Length">Bytes of the attachment record, opcode and length included.</param>
/// <param name="LogTime">As in the attachment.</param>
/// <param name="CreateTime">As in the attachment.</param>
/// <param name="DataSize">Bytes of the attachment's data.</param>
/// <param name="Name">As in the attachment.</param>
/// <param name="MediaType">As in the attachment.</param>
public sealed record AttachmentIndex(
    ulong Offset, ulong Length, ulong LogTime, ulong CreateTime, ulong DataSize, string Name, string MediaType);

/// <summary>Where a metadata record lies (op 0x0D).</summary>
/// <param name="Offset">Offset of the metadata record.</param>
/// <param name="Length">Bytes of the metadata record, opcode and length included.</param>
/// <param name="Name">As in the metadata record.</param>
public sealed record MetadataIndex(ulong Offset, ulong Length, string Name);

/// <summary>Where the summary's records of one kind lie (op 0x0E).</summary>
/// <param name="GroupOpcode">Their opcode.</param>
/// <param name="GroupStart">Offset of the first.</param>
/// <param name="GroupLength">Bytes of all.</param>
public sealed record SummaryOffset(Opcode GroupOpcode, ulong GroupStart, ulong GroupLength);
