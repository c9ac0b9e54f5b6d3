using System.Buffers.Binary;

namespace EdgeCloud.Mcap.Writing;

/// <summary>
/// The frame around every record: <c>opcode (1 byte), content length (8 bytes), content</c>. For those who write records of their own
/// (opcode 0x80 and above), which readers of the format skip.
/// </summary>
public static class RecordFraming
{
    /// <summary>Bytes of opcode and length.</summary>
    public const int PrefixBytes = McapFormat.RecordPrefixBytes;

    /// <summary>Writes opcode and length to the start of <paramref name="target"/>; the content follows at <see cref="PrefixBytes"/>.</summary>
    public static void WritePrefix(Span<byte> target, Opcode opcode, long contentLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(contentLength);
        ArgumentOutOfRangeException.ThrowIfZero((byte)opcode, nameof(opcode));
        target[0] = (byte)opcode;
        BinaryPrimitives.WriteInt64LittleEndian(target[1..], contentLength);
    }

    /// <summary>Reads opcode and length from the start of <paramref name="source"/>; false when fewer than 9 bytes are there.</summary>
    public static bool TryReadPrefix(ReadOnlySpan<byte> source, out Opcode opcode, out ulong contentLength)
    {
        (opcode, contentLength) = (default, 0);
        if (source.Length < PrefixBytes)
            return false;
        opcode = (Opcode)source[0];
        contentLength = BinaryPrimitives.ReadUInt64LittleEndian(source[1..]);
        return true;
    }
}
