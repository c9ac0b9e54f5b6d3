using System.Buffers.Binary;
using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The record that ends a commit: an application-defined MCAP record (opcode 0x80), which readers skip.
/// <code>
/// u8   opcode    0x80
/// u64  length    of what follows, padding included
/// 16 B salt      random, the segment's own: old contents of a recycled file never carry it
/// u64  number    of the commit in its segment, from 0
/// u64  messages  in the segment up to and with this commit, repeats of latched messages excluded
/// u32  crc32     over every byte of the commit before this field, from the first byte after the previous commit
///      padding   zeros, so that the next commit starts on a block: a direct write never touches a block that holds acknowledged data
/// </code>
/// All numbers are little endian, the CRC is that of IEEE 802.3, as everywhere in MCAP.
/// A commit counts when its record has the segment's salt, the number that is due and a CRC that fits; nothing else does.
/// </summary>
public readonly record struct CommitRecord(UInt128 Salt, ulong Number, ulong Messages)
{
    /// <summary>Opcode: the first of those that MCAP leaves to applications.</summary>
    public const byte Opcode = 0x80;

    /// <summary>Bytes of the record's opcode and length.</summary>
    public const int PrefixBytes = 9;

    /// <summary>Bytes of the content before the padding.</summary>
    public const int ContentBytes = 16 + 8 + 8 + 4;

    /// <summary>Bytes of a record without padding.</summary>
    public const int LeastBytes = PrefixBytes + ContentBytes;

    private const int CoveredBytes = LeastBytes - 4;

    /// <summary>Bytes that <paramref name="bodyBytes"/> take on disk with their commit record and padding.</summary>
    public static int PaddedBytes(int bodyBytes, int blockBytes) => (bodyBytes + LeastBytes + blockBytes - 1) / blockBytes * blockBytes;

    /// <summary>Writes the record to all of <paramref name="destination"/>, the rest as padding.</summary>
    /// <param name="destination">At least <see cref="LeastBytes"/>.</param>
    /// <param name="bodyCrc">CRC32 of the commit's bytes before this record.</param>
    public void Write(Span<byte> destination, uint bodyCrc)
    {
        destination[0] = Opcode;
        BinaryPrimitives.WriteUInt64LittleEndian(destination[1..], (ulong)(destination.Length - PrefixBytes));
        BinaryPrimitives.WriteUInt128LittleEndian(destination[9..], Salt);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[25..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[33..], Messages);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[41..], Crc32.Append(bodyCrc, destination[..CoveredBytes]));
        destination[LeastBytes..].Clear();
    }

    /// <summary>Reads a record and checks its CRC; false when it does not fit what was read before it.</summary>
    /// <param name="record">The record's first <see cref="LeastBytes"/> bytes.</param>
    /// <param name="bodyCrc">CRC32 of the commit's bytes before this record.</param>
    /// <param name="commit">The record.</param>
    public static bool TryRead(ReadOnlySpan<byte> record, uint bodyCrc, out CommitRecord commit)
    {
        commit = default;
        if (record.Length < LeastBytes || record[0] != Opcode) return false;
        if (BinaryPrimitives.ReadUInt64LittleEndian(record[1..]) < ContentBytes) return false;
        commit = new CommitRecord(
            BinaryPrimitives.ReadUInt128LittleEndian(record[9..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[25..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[33..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(record[41..]) == Crc32.Append(bodyCrc, record[..CoveredBytes]);
    }
}
