using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeCloud.Mcap.Writing;

/// <summary>
/// A buffer that records are serialised into, reused without allocation once it has grown. It makes no effort to keep the order that
/// the specification asks for: see <see cref="McapWriter"/> for that.
/// </summary>
public sealed class RecordBuffer
{
    private byte[] _bytes;
    private int _length;

    /// <summary>An empty buffer.</summary>
    /// <param name="capacity">Bytes to allocate at once.</param>
    public RecordBuffer(int capacity = 256) => _bytes = GC.AllocateUninitializedArray<byte>(Math.Max(capacity, 64));

    /// <summary>Bytes to which the buffer grows at once when its first ones do not suffice, instead of in many steps.</summary>
    internal int FullCapacity { get; init; }

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>What has been written; valid until the next write or <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => new(_bytes, 0, _length);

    /// <summary>What has been written, as a span.</summary>
    public ReadOnlySpan<byte> WrittenSpan => new(_bytes, 0, _length);

    /// <summary>Bytes that fit without growing.</summary>
    internal int Capacity => _bytes.Length;

    /// <summary>Put after the last field of each record that may be extended: the conformance suite's feature "pad".</summary>
    internal byte[] Padding { get; init; } = [];

    /// <summary>Forgets what was written and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <summary>Appends bytes as they are.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
    }

    /// <summary>Appends <paramref name="length"/> bytes for the caller to fill before the next write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int length)
    {
        if ((uint)length > (uint)(_bytes.Length - _length))
            Grow(length);
        var reserved = _bytes.AsSpan(_length, length);
        _length += length;
        return reserved;
    }

    /// <summary>Appends the eight bytes that begin and end a file.</summary>
    public void AppendMagic() => Append(McapFormat.Magic);

    /// <summary>Appends a record of any kind whose content the caller serialised.</summary>
    public void AppendRecord(Opcode opcode, ReadOnlySpan<byte> content)
    {
        RecordFraming.WritePrefix(Reserve(McapFormat.RecordPrefixBytes), opcode, content.Length);
        Append(content);
    }

    /// <summary>Appends a header.</summary>
    public void Append(Header header)
    {
        var start = Begin(Opcode.Header);
        String(header.Profile);
        String(header.Library);
        End(start);
    }

    /// <summary>Appends a schema.</summary>
    public void Append(Schema schema)
    {
        var start = Begin(Opcode.Schema);
        UInt16(schema.Id);
        String(schema.Name);
        String(schema.Encoding);
        UInt32((uint)schema.Data.Length);
        Append(schema.Data.Span);
        End(start);
    }

    /// <summary>Appends a channel.</summary>
    public void Append(Channel channel)
    {
        var start = Begin(Opcode.Channel);
        UInt16(channel.Id);
        UInt16(channel.SchemaId);
        String(channel.Topic);
        String(channel.MessageEncoding);
        StringMap(channel.Metadata);
        End(start);
    }

    /// <summary>Appends a message.</summary>
    public void Append(in Message message) =>
        message.Data.Span.CopyTo(
            BeginMessage(message.ChannelId, message.Sequence, message.LogTime, message.PublishTime, message.Data.Length));

    /// <summary>Appends a message whose payload the caller fills in before the next write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> BeginMessage(ushort channelId, uint sequence, ulong logTime, ulong publishTime, int length)
    {
        var record = Reserve(McapFormat.MessagePrefixBytes + length);
        WriteMessagePrefix(ref MemoryMarshal.GetReference(record[..McapFormat.MessagePrefixBytes]), channelId, sequence, logTime, publishTime, length);
        return record[McapFormat.MessagePrefixBytes..];
    }

    /// <summary>Appends a message for which there is room: the caller has looked at <see cref="Capacity"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AppendMessageInRoom(ushort channelId, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data)
    {
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_bytes), _length);
        WriteMessagePrefix(ref first, channelId, sequence, logTime, publishTime, data.Length);
        data.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref first, McapFormat.MessagePrefixBytes), data.Length));
        _length += McapFormat.MessagePrefixBytes + data.Length;
    }

    /// <summary>Appends an attachment with the CRC of its fields; <see cref="Attachment.Crc"/> is not looked at.</summary>
    public void Append(Attachment attachment)
    {
        var start = Begin(Opcode.Attachment);
        UInt64(attachment.LogTime);
        UInt64(attachment.CreateTime);
        String(attachment.Name);
        String(attachment.MediaType);
        UInt64((ulong)attachment.Data.Length);
        Append(attachment.Data.Span);
        UInt32(Crc32.Compute(_bytes.AsSpan(start, _length - start)));
        End(start);
    }

    /// <summary>Appends a metadata record.</summary>
    public void Append(Metadata metadata)
    {
        var start = Begin(Opcode.Metadata);
        String(metadata.Name);
        StringMap(metadata.Pairs);
        End(start);
    }

    /// <summary>Appends a message index.</summary>
    public void Append(MessageIndex index) => AppendMessageIndex(index.ChannelId, index.Records.Bytes, Padding);

    /// <summary>Appends a chunk index.</summary>
    public void Append(ChunkIndex index)
    {
        var start = Begin(Opcode.ChunkIndex);
        UInt64(index.MessageStartTime);
        UInt64(index.MessageEndTime);
        UInt64(index.ChunkStartOffset);
        UInt64(index.ChunkLength);
        Entries(index.MessageIndexOffsets.Bytes);
        UInt64(index.MessageIndexLength);
        String(index.Compression);
        UInt64(index.CompressedSize);
        UInt64(index.UncompressedSize);
        End(start);
    }

    /// <summary>Appends an attachment index.</summary>
    public void Append(AttachmentIndex index)
    {
        var start = Begin(Opcode.AttachmentIndex);
        UInt64(index.Offset);
        UInt64(index.Length);
        UInt64(index.LogTime);
        UInt64(index.CreateTime);
        UInt64(index.DataSize);
        String(index.Name);
        String(index.MediaType);
        End(start);
    }

    /// <summary>Appends statistics.</summary>
    public void Append(Statistics statistics)
    {
        var start = Begin(Opcode.Statistics);
        UInt64(statistics.MessageCount);
        UInt16(statistics.SchemaCount);
        UInt32(statistics.ChannelCount);
        UInt32(statistics.AttachmentCount);
        UInt32(statistics.MetadataCount);
        UInt32(statistics.ChunkCount);
        UInt64(statistics.MessageStartTime);
        UInt64(statistics.MessageEndTime);
        Entries(statistics.ChannelMessageCounts.Bytes);
        End(start);
    }

    /// <summary>Appends a metadata index.</summary>
    public void Append(MetadataIndex index)
    {
        var start = Begin(Opcode.MetadataIndex);
        UInt64(index.Offset);
        UInt64(index.Length);
        String(index.Name);
        End(start);
    }

    /// <summary>Appends a summary offset.</summary>
    public void Append(SummaryOffset offset)
    {
        var start = Begin(Opcode.SummaryOffset);
        Reserve(1)[0] = (byte)offset.GroupOpcode;
        UInt64(offset.GroupStart);
        UInt64(offset.GroupLength);
        End(start);
    }

    /// <summary>Appends a data end.</summary>
    public void Append(DataEnd end)
    {
        RecordFraming.WritePrefix(Reserve(McapFormat.RecordPrefixBytes), Opcode.DataEnd, 4);
        UInt32(end.DataSectionCrc);
    }

    /// <summary>Appends a footer as it is.</summary>
    public void Append(Footer footer)
    {
        RecordFraming.WritePrefix(Reserve(McapFormat.RecordPrefixBytes), Opcode.Footer, McapFormat.FooterContentBytes);
        UInt64(footer.SummaryStart);
        UInt64(footer.SummaryOffsetStart);
        UInt32(footer.SummaryCrc);
    }

    internal void AppendMessageIndex(ushort channelId, ReadOnlySpan<byte> entries, ReadOnlySpan<byte> padding)
    {
        const int fixedBytes = 2 + 4;
        RecordFraming.WritePrefix(
            Reserve(McapFormat.RecordPrefixBytes), Opcode.MessageIndex, fixedBytes + entries.Length + padding.Length);
        UInt16(channelId);
        Entries(entries);
        Append(padding);
    }

    /// <summary>Direct access for <see cref="ChunkBuilder"/>, which fills in a header it could not know before.</summary>
    internal Span<byte> Slice(int start, int length) => _bytes.AsSpan(0, _length).Slice(start, length);

    /// <summary>Takes back the end of what was written.</summary>
    internal void Truncate(int length) => _length = length;

    /// <summary>Begins a record; <see cref="End"/> fills in its length.</summary>
    /// <returns>Where its content begins.</returns>
    internal int Begin(Opcode opcode)
    {
        RecordFraming.WritePrefix(Reserve(McapFormat.RecordPrefixBytes), opcode, 0);
        return _length;
    }

    internal void End(int contentStart)
    {
        Append(Padding);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(contentStart - 8), _length - contentStart);
    }

    internal void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(2), value);

    internal void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    internal void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    internal void String(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        UInt32((uint)length);
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    private void StringMap(IReadOnlyDictionary<string, string> pairs)
    {
        var lengthAt = _length;
        UInt32(0);
        foreach (var (key, value) in pairs)
        {
            String(key);
            String(value);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(lengthAt), (uint)(_length - lengthAt - 4));
    }

    private void Entries(ReadOnlySpan<byte> entries)
    {
        UInt32((uint)entries.Length);
        Append(entries);
    }

    /// <summary>Writes all of a message's record but its payload; the caller has made sure that it fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteMessagePrefix(ref byte first, ushort channelId, uint sequence, ulong logTime, ulong publishTime, int length)
    {
        first = (byte)Opcode.Message;
        Little(ref first, 1, (long)McapFormat.MessageHeaderBytes + length);
        Little(ref first, 9, channelId);
        Little(ref first, 11, sequence);
        Little(ref first, 15, logTime);
        Little(ref first, 23, publishTime);
    }

    /// <summary>Writes a number <paramref name="at"/> bytes behind <paramref name="first"/>; the caller has made sure that it fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Little<T>(ref byte first, int at, T value) where T : unmanaged, IBinaryInteger<T>
    {
        if (BitConverter.IsLittleEndian)
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref first, at), value);
        else
            value.WriteLittleEndian(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref first, at), Unsafe.SizeOf<T>()));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int more)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(more);
        var needed = (long)_length + more;
        if (needed > McapFormat.RecordBytesLimit)
            throw new InvalidOperationException(
                $"The records would take {needed} bytes, and one buffer holds {McapFormat.RecordBytesLimit}: write smaller chunks or payloads.");
        var capacity = Math.Max(Math.Max(needed, FullCapacity), 2L * _bytes.Length);
        var grown = GC.AllocateUninitializedArray<byte>((int)Math.Min(McapFormat.RecordBytesLimit, capacity));
        _bytes.AsSpan(0, _length).CopyTo(grown);
        _bytes = grown;
    }
}
