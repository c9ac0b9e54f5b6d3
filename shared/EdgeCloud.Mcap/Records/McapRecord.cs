using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap;

/// <summary>
/// One record as it lies in a file or in a chunk: its opcode and its content, not yet decoded. A view: the content is valid until
/// the reader moves on, and so is every <c>Data</c> decoded from it. The <c>To...</c> methods throw <see cref="McapException"/>
/// when the content is not what the opcode asks for.
/// </summary>
public readonly struct McapRecord
{
    /// <summary>A record of the given content.</summary>
    public McapRecord(Opcode opcode, ReadOnlyMemory<byte> content, RecordPosition position)
    {
        Opcode = opcode;
        Content = content;
        Position = position;
    }

    /// <summary>Kind of record; perhaps one this library does not know.</summary>
    public Opcode Opcode { get; }

    /// <summary>The bytes after opcode and length.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Where the record begins.</summary>
    public RecordPosition Position { get; }

    /// <summary>Bytes of the whole record, opcode and length included.</summary>
    public long Length => McapFormat.RecordPrefixBytes + Content.Length;

    /// <summary>Decodes a header.</summary>
    public Header ToHeader()
    {
        var fields = Fields(Opcode.Header);
        return new(fields.String("profile"), fields.String("library"));
    }

    /// <summary>Decodes a footer.</summary>
    public Footer ToFooter()
    {
        var fields = Fields(Opcode.Footer);
        return new(fields.UInt64("summary_start"), fields.UInt64("summary_offset_start"), fields.UInt32("summary_crc"));
    }

    /// <summary>Decodes a schema, copying its data, since schemas outlive the buffer they come in.</summary>
    public Schema ToSchema()
    {
        var fields = Fields(Opcode.Schema);
        return new(fields.UInt16("id"), fields.String("name"), fields.String("encoding"), fields.ShortBytes("data").ToArray());
    }

    /// <summary>Decodes a channel.</summary>
    public Channel ToChannel()
    {
        var fields = Fields(Opcode.Channel);
        return new(
            fields.UInt16("id"), fields.UInt16("schema_id"), fields.String("topic"), fields.String("message_encoding"),
            fields.StringMap("metadata"));
    }

    /// <summary>Decodes a message without copying or allocating.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Message ToMessage()
    {
        if (Opcode != Opcode.Message || Content.Length < McapFormat.MessageHeaderBytes)
            ThrowNoMessage();
        return MessageAt(Content);
    }

    /// <summary>Decodes a chunk; its records stay as stored.</summary>
    public Chunk ToChunk()
    {
        var fields = Fields(Opcode.Chunk);
        return new(
            fields.UInt64("message_start_time"), fields.UInt64("message_end_time"), fields.UInt64("uncompressed_size"),
            fields.UInt32("uncompressed_crc"), fields.String("compression"), fields.LongBytes("records"));
    }

    /// <summary>Decodes a message index; its entries are a view.</summary>
    public MessageIndex ToMessageIndex()
    {
        var fields = Fields(Opcode.MessageIndex);
        return new(fields.UInt16("channel_id"), fields.IndexEntries("records"));
    }

    /// <summary>Decodes a chunk index; its map is a view.</summary>
    public ChunkIndex ToChunkIndex()
    {
        var fields = Fields(Opcode.ChunkIndex);
        return new(
            fields.UInt64("message_start_time"), fields.UInt64("message_end_time"), fields.UInt64("chunk_start_offset"),
            fields.UInt64("chunk_length"), fields.ChannelMap("message_index_offsets"), fields.UInt64("message_index_length"),
            fields.String("compression"), fields.UInt64("compressed_size"), fields.UInt64("uncompressed_size"));
    }

    /// <summary>Decodes an attachment; its data is a view.</summary>
    /// <param name="verifyCrc">Whether a CRC that is not 0 must hold.</param>
    public Attachment ToAttachment(bool verifyCrc = true)
    {
        var fields = Fields(Opcode.Attachment);
        var (logTime, createTime) = (fields.UInt64("log_time"), fields.UInt64("create_time"));
        var (name, mediaType) = (fields.String("name"), fields.String("media_type"));
        var data = fields.LongBytes("data");
        var covered = fields.Consumed;
        var crc = fields.UInt32("crc");
        if (verifyCrc && crc != 0)
        {
            var actual = Crc32.Compute(Content.Span[..covered]);
            if (actual != crc)
                throw new McapException("Attachment crc", Position, $"{crc:x8}", $"bytes with CRC-32 {actual:x8}");
        }
        return new(logTime, createTime, name, mediaType, data, crc);
    }

    /// <summary>Decodes an attachment index.</summary>
    public AttachmentIndex ToAttachmentIndex()
    {
        var fields = Fields(Opcode.AttachmentIndex);
        return new(
            fields.UInt64("offset"), fields.UInt64("length"), fields.UInt64("log_time"), fields.UInt64("create_time"),
            fields.UInt64("data_size"), fields.String("name"), fields.String("media_type"));
    }

    /// <summary>Decodes statistics; the map is a view.</summary>
    public Statistics ToStatistics()
    {
        var fields = Fields(Opcode.Statistics);
        return new(
            fields.UInt64("message_count"), fields.UInt16("schema_count"), fields.UInt32("channel_count"),
            fields.UInt32("attachment_count"), fields.UInt32("metadata_count"), fields.UInt32("chunk_count"),
            fields.UInt64("message_start_time"), fields.UInt64("message_end_time"), fields.ChannelMap("channel_message_counts"));
    }

    /// <summary>Decodes a metadata record.</summary>
    public Metadata ToMetadata()
    {
        var fields = Fields(Opcode.Metadata);
        return new(fields.String("name"), fields.StringMap("metadata"));
    }

    /// <summary>Decodes a metadata index.</summary>
    public MetadataIndex ToMetadataIndex()
    {
        var fields = Fields(Opcode.MetadataIndex);
        return new(fields.UInt64("offset"), fields.UInt64("length"), fields.String("name"));
    }

    /// <summary>Decodes a summary offset.</summary>
    public SummaryOffset ToSummaryOffset()
    {
        var fields = Fields(Opcode.SummaryOffset);
        return new((Opcode)fields.Byte("group_opcode"), fields.UInt64("group_start"), fields.UInt64("group_length"));
    }

    /// <summary>Decodes a data end.</summary>
    public DataEnd ToDataEnd()
    {
        var fields = Fields(Opcode.DataEnd);
        return new(fields.UInt32("data_section_crc"));
    }

    /// <summary>The record's name in the specification, or its opcode in hexadecimal.</summary>
    public static string NameOf(Opcode opcode) =>
        Enum.IsDefined(opcode) ? opcode.ToString() : $"record 0x{(byte)opcode:x2}";

    /// <summary>Decodes a message's content, whose length has been checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Message MessageAt(ReadOnlyMemory<byte> content) =>
        MessageAt(ref MemoryMarshal.GetReference(content.Span), content[McapFormat.MessageHeaderBytes..]);

    /// <summary>Decodes a message's content, which lies in an array and whose length has been checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Message MessageAt(byte[] array, int offset, int length) =>
        MessageAt(ref array[offset], new(array, offset + McapFormat.MessageHeaderBytes, length - McapFormat.MessageHeaderBytes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Message MessageAt(ref byte first, ReadOnlyMemory<byte> data) =>
        new(Little<ushort>(ref first, 0), Little<uint>(ref first, 2), Little<ulong>(ref first, 6), Little<ulong>(ref first, 14), data);

    /// <summary>The number that lies <paramref name="at"/> bytes behind <paramref name="first"/>; the caller has checked that it does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Little<T>(ref byte first, int at) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var value = Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref first, at));
        if (BitConverter.IsLittleEndian)
            return value;
        return T.ReadLittleEndian(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref first, at), Unsafe.SizeOf<T>()), true);
    }

    private FieldReader Fields(Opcode wanted) =>
        Opcode == wanted
            ? new FieldReader(Content, Opcode, Position)
            : throw new InvalidOperationException($"A {NameOf(Opcode)} cannot be decoded as a {NameOf(wanted)}.");

    private void ThrowNoMessage()
    {
        if (Opcode != Opcode.Message)
            throw new InvalidOperationException($"A {NameOf(Opcode)} cannot be decoded as a Message.");
        throw new McapException(
            "Message", Position, $"at least {McapFormat.MessageHeaderBytes} bytes of content", $"{Content.Length}");
    }
}
