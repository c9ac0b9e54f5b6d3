using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>Numbers in a payload's byte order.</summary>
internal static class WireNumber
{
    /// <summary>Reads an unsigned number of 2, 4 or 8 bytes.</summary>
    /// <param name="bytes">At least as many bytes as <typeparamref name="T"/> has.</param>
    /// <param name="swap">Whether it is in the other byte order than the machine's.</param>
    public static T Read<T>(ReadOnlySpan<byte> bytes, bool swap)
        where T : unmanaged
        => Order(MemoryMarshal.Read<T>(bytes), swap);

    /// <summary>Turns the bytes of a number around where asked to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Order<T>(T value, bool swap)
        where T : unmanaged
    {
        if (!swap)
            return value;
        if (typeof(T) == typeof(ushort))
            return (T)(object)BinaryPrimitives.ReverseEndianness((ushort)(object)value);
        if (typeof(T) == typeof(uint))
            return (T)(object)BinaryPrimitives.ReverseEndianness((uint)(object)value);
        return (T)(object)BinaryPrimitives.ReverseEndianness((ulong)(object)value);
    }
}
