using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace EdgeCloud.Mcap;

/// <summary>
/// CRC-32 as MCAP, zlib and Ethernet use it (reflected polynomial 0xEDB88320, start and end inverted). Folds 256, 128 or 64 bytes a step
/// with carry-less multiplication, by the width that the processor has, uses ARM's CRC instructions there, and eight tables elsewhere.
/// </summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB8_8320;

    private static readonly uint[] Tables = CreateTables();

    // Folding 128 bits over a distance of d bits multiplies their halves by x^(d+32) and x^(d-32).
    private static readonly Vector128<ulong> By16Bytes = FoldConstants(128);
    private static readonly Vector128<ulong> By32Bytes = FoldConstants(256);
    private static readonly Vector128<ulong> By64Bytes = FoldConstants(512);
    private static readonly Vector128<ulong> By128Bytes = FoldConstants(1024);
    private static readonly Vector128<ulong> By256Bytes = FoldConstants(2048);

    /// <summary>The CRC-32 of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The CRC-32 of everything before, whose CRC-32 is <paramref name="crc"/> (0 for nothing), followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        if (Pclmulqdq.V512.IsSupported && bytes.Length >= 512)
        {
            var whole = bytes.Length & ~63;
            crc = FoldWide(crc, bytes[..whole]);
            bytes = bytes[whole..];
        }
        else if (Pclmulqdq.V256.IsSupported && bytes.Length >= 256)
        {
            var whole = bytes.Length & ~31;
            crc = FoldDouble(crc, bytes[..whole]);
            bytes = bytes[whole..];
        }
        if (Pclmulqdq.IsSupported && Sse41.IsSupported && bytes.Length >= 64)
        {
            var whole = bytes.Length & ~15;
            crc = Fold(crc, bytes[..whole]);
            bytes = bytes[whole..];
        }
        else if (ArmCrc32.Arm64.IsSupported)
        {
            return ~AppendArm(crc, bytes);
        }
        return ~AppendTables(crc, bytes);
    }

    /// <summary>The CRC-32 of two pieces of bytes, one after the other, from the CRC-32 of each.</summary>
    /// <param name="first">CRC-32 of the first piece.</param>
    /// <param name="second">CRC-32 of the second piece.</param>
    /// <param name="secondLength">Bytes of the second piece.</param>
    public static uint Combine(uint first, uint second, long secondLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(secondLength);
        var factor = PowerOfX(8 * (ulong)secondLength);
        return Multiply(factor, first) ^ second;
    }

    /// <summary>As <see cref="Fold"/> with four 512-bit lanes. Length: a multiple of 64, at least 256.</summary>
    private static uint FoldWide(uint state, ReadOnlySpan<byte> bytes)
    {
        ref var source = ref MemoryMarshal.GetReference(bytes);
        nuint at = 256;
        var length = (nuint)bytes.Length;
        var x0 = LoadWide(ref source, 0) ^ Vector512.CreateScalar(state).AsUInt64();
        var x1 = LoadWide(ref source, 64);
        var x2 = LoadWide(ref source, 128);
        var x3 = LoadWide(ref source, 192);
        var by256 = Wide(By256Bytes);
        for (; at + 256 <= length; at += 256)
        {
            x0 = FoldWideInto(x0, by256, LoadWide(ref source, at));
            x1 = FoldWideInto(x1, by256, LoadWide(ref source, at + 64));
            x2 = FoldWideInto(x2, by256, LoadWide(ref source, at + 128));
            x3 = FoldWideInto(x3, by256, LoadWide(ref source, at + 192));
        }
        var by64 = Wide(By64Bytes);
        x0 = FoldWideInto(x0, by64, x1);
        x0 = FoldWideInto(x0, by64, x2);
        x0 = FoldWideInto(x0, by64, x3);
        for (; at < length; at += 64)
            x0 = FoldWideInto(x0, by64, LoadWide(ref source, at));
        var (low, high) = (x0.GetLower(), x0.GetUpper());
        var x = FoldInto(low.GetLower(), By16Bytes, low.GetUpper());
        x = FoldInto(x, By16Bytes, high.GetLower());
        return Reduce(FoldInto(x, By16Bytes, high.GetUpper()));
    }

    /// <summary>As <see cref="Fold"/> with four 256-bit lanes. Length: a multiple of 32, at least 128.</summary>
    private static uint FoldDouble(uint state, ReadOnlySpan<byte> bytes)
    {
        ref var source = ref MemoryMarshal.GetReference(bytes);
        nuint at = 128;
        var length = (nuint)bytes.Length;
        var x0 = LoadDouble(ref source, 0) ^ Vector256.CreateScalar(state).AsUInt64();
        var x1 = LoadDouble(ref source, 32);
        var x2 = LoadDouble(ref source, 64);
        var x3 = LoadDouble(ref source, 96);
        var by128 = Vector256.Create(By128Bytes, By128Bytes);
        for (; at + 128 <= length; at += 128)
        {
            x0 = FoldDoubleInto(x0, by128, LoadDouble(ref source, at));
            x1 = FoldDoubleInto(x1, by128, LoadDouble(ref source, at + 32));
            x2 = FoldDoubleInto(x2, by128, LoadDouble(ref source, at + 64));
            x3 = FoldDoubleInto(x3, by128, LoadDouble(ref source, at + 96));
        }
        var by32 = Vector256.Create(By32Bytes, By32Bytes);
        x0 = FoldDoubleInto(x0, by32, x1);
        x0 = FoldDoubleInto(x0, by32, x2);
        x0 = FoldDoubleInto(x0, by32, x3);
        for (; at < length; at += 32)
            x0 = FoldDoubleInto(x0, by32, LoadDouble(ref source, at));
        return Reduce(FoldInto(x0.GetLower(), By16Bytes, x0.GetUpper()));
    }

    /// <summary>
    /// Folding by four 128-bit lanes, then one, then Barrett reduction, after Gopal et al., "Fast CRC Computation for Generic
    /// Polynomials Using PCLMULQDQ Instruction". Length: a multiple of 16, at least 64.
    /// </summary>
    private static uint Fold(uint state, ReadOnlySpan<byte> bytes)
    {
        ref var source = ref MemoryMarshal.GetReference(bytes);
        nuint at = 64;
        var length = (nuint)bytes.Length;
        var x0 = Load(ref source, 0) ^ Vector128.CreateScalar(state).AsUInt64();
        var x1 = Load(ref source, 16);
        var x2 = Load(ref source, 32);
        var x3 = Load(ref source, 48);
        var by64 = By64Bytes;
        for (; at + 64 <= length; at += 64)
        {
            x0 = FoldInto(x0, by64, Load(ref source, at));
            x1 = FoldInto(x1, by64, Load(ref source, at + 16));
            x2 = FoldInto(x2, by64, Load(ref source, at + 32));
            x3 = FoldInto(x3, by64, Load(ref source, at + 48));
        }
        var by16 = By16Bytes;
        x0 = FoldInto(x0, by16, x1);
        x0 = FoldInto(x0, by16, x2);
        x0 = FoldInto(x0, by16, x3);
        for (; at < length; at += 16)
            x0 = FoldInto(x0, by16, Load(ref source, at));
        return Reduce(x0);
    }

    /// <summary>The remainder of 128 bits modulo the polynomial.</summary>
    private static uint Reduce(Vector128<ulong> x)
    {
        var mask = Vector128.Create(uint.MaxValue, 0, 0, 0).AsUInt64();
        x = Pclmulqdq.CarrylessMultiply(x, Vector128.Create(0UL, 0x0_ccaa_009eUL), 0x10) ^ Sse2.ShiftRightLogical128BitLane(x, 8);
        x = Pclmulqdq.CarrylessMultiply(x & mask, Vector128.CreateScalar(0x1_63cd_6124UL), 0x00) ^ Sse2.ShiftRightLogical128BitLane(x, 4);
        var barrett = Vector128.Create(0x1_db71_0641UL, 0x1_f701_1641UL);
        var quotient = Pclmulqdq.CarrylessMultiply(x & mask, barrett, 0x10) & mask;
        x ^= Pclmulqdq.CarrylessMultiply(quotient, barrett, 0x00);
        return x.AsUInt32().GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> FoldInto(Vector128<ulong> lane, Vector128<ulong> constants, Vector128<ulong> next) =>
        Pclmulqdq.CarrylessMultiply(lane, constants, 0x00) ^ Pclmulqdq.CarrylessMultiply(lane, constants, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte source, nuint at) => Vector128.LoadUnsafe(ref source, at).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> FoldWideInto(Vector512<ulong> lane, Vector512<ulong> constants, Vector512<ulong> next) =>
        Pclmulqdq.V512.CarrylessMultiply(lane, constants, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(lane, constants, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> LoadWide(ref byte source, nuint at) => Vector512.LoadUnsafe(ref source, at).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> FoldDoubleInto(Vector256<ulong> lane, Vector256<ulong> constants, Vector256<ulong> next) =>
        Pclmulqdq.V256.CarrylessMultiply(lane, constants, 0x00) ^ Pclmulqdq.V256.CarrylessMultiply(lane, constants, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> LoadDouble(ref byte source, nuint at) => Vector256.LoadUnsafe(ref source, at).AsUInt64();

    private static Vector512<ulong> Wide(Vector128<ulong> constants)
    {
        var half = Vector256.Create(constants, constants);
        return Vector512.Create(half, half);
    }

    private static Vector128<ulong> FoldConstants(int distanceBits) =>
        Vector128.Create((ulong)PowerOfX((ulong)distanceBits + 32) << 1, (ulong)PowerOfX((ulong)distanceBits - 32) << 1);

    /// <summary>x^n modulo the polynomial, reflected: bit 31 stands for x^0.</summary>
    private static uint PowerOfX(ulong n)
    {
        var result = 0x8000_0000;
        for (var square = 0x4000_0000U; n != 0; n >>= 1, square = Multiply(square, square))
        {
            if ((n & 1) != 0)
                result = Multiply(result, square);
        }
        return result;
    }

    /// <summary>The product of two reflected polynomials modulo the polynomial.</summary>
    private static uint Multiply(uint a, uint b)
    {
        uint product = 0;
        for (; a != 0; a <<= 1)
        {
            if ((a & 0x8000_0000) != 0)
                product ^= b;
            b = (b >> 1) ^ ((b & 1) * Polynomial);
        }
        return product;
    }

    private static uint AppendArm(uint state, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            state = ArmCrc32.Arm64.ComputeCrc32(state, word);
        foreach (var rest in bytes[(words.Length * 8)..])
            state = ArmCrc32.ComputeCrc32(state, rest);
        return state;
    }

    private static uint AppendTables(uint state, ReadOnlySpan<byte> bytes)
    {
        var tables = Tables;
        while (bytes.Length >= 8)
        {
            var low = state ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            state = tables[1792 + (byte)low] ^ tables[1536 + (byte)(low >> 8)] ^ tables[1280 + (byte)(low >> 16)] ^ tables[1024 + (low >> 24)]
                ^ tables[768 + (byte)high] ^ tables[512 + (byte)(high >> 8)] ^ tables[256 + (byte)(high >> 16)] ^ tables[high >> 24];
            bytes = bytes[8..];
        }
        foreach (var value in bytes)
            state = tables[(byte)(state ^ value)] ^ (state >> 8);
        return state;
    }

    private static uint[] CreateTables()
    {
        var tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ ((value & 1) * Polynomial);
            tables[i] = value;
        }
        for (var i = 256; i < tables.Length; i++)
            tables[i] = (tables[i - 256] >> 8) ^ tables[tables[i - 256] & 0xFF];
        return tables;
    }
}
