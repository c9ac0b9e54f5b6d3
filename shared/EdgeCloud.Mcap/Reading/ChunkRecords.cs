using System.Buffers.Binary;

namespace EdgeCloud.Mcap.Reading;

/// <summary>Walks the records of an opened chunk, or of a stretch of the data section.</summary>
internal static class ChunkRecords
{
    /// <summary>Takes the record at <paramref name="at"/> and moves on; false at the end.</summary>
    /// <param name="records">The chunk's uncompressed records.</param>
    /// <param name="at">Where the next record begins.</param>
    /// <param name="chunkOffset">Where the chunk lies in the file.</param>
    /// <param name="record">The record.</param>
    public static bool TryTake(ReadOnlyMemory<byte> records, ref int at, long chunkOffset, out McapRecord record)
    {
        var left = records.Span[at..];
        if (left.IsEmpty)
        {
            record = default;
            return false;
        }
        var opcode = (Opcode)left[0];
        var length = left.Length < McapFormat.RecordPrefixBytes ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(left[1..]);
        if (left.Length < McapFormat.RecordPrefixBytes || length > (ulong)(left.Length - McapFormat.RecordPrefixBytes)
            || !Allowed(opcode))
        {
            throw Fault(left, new(chunkOffset, at));
        }
        record = new(opcode, records.Slice(at + McapFormat.RecordPrefixBytes, (int)length), new(chunkOffset, at));
        at += McapFormat.RecordPrefixBytes + (int)length;
        return true;
    }

    /// <summary>Whether a record of that kind may lie in a chunk: the three the specification names, and those it does not know.</summary>
    public static bool Allowed(Opcode opcode) =>
        opcode is Opcode.Message or Opcode.Schema or Opcode.Channel || opcode > Opcode.DataEnd;

    /// <summary>Why the record that begins with <paramref name="left"/> cannot be taken.</summary>
    public static McapException Fault(ReadOnlySpan<byte> left, RecordPosition position)
    {
        if (left.Length < McapFormat.RecordPrefixBytes)
            return new McapException("record", position, $"{McapFormat.RecordPrefixBytes} bytes of opcode and length", $"{left.Length} bytes left of the chunk");
        var opcode = (Opcode)left[0];
        if (!Allowed(opcode))
            return new McapException("record in chunk", position, "Schema, Channel or Message", opcode == 0 ? "opcode 0x00" : McapRecord.NameOf(opcode));
        return new McapException(
            $"{McapRecord.NameOf(opcode)} length", position, $"at most {left.Length - McapFormat.RecordPrefixBytes}, the bytes left of the chunk",
            $"{BinaryPrimitives.ReadUInt64LittleEndian(left[1..])}");
    }
}
