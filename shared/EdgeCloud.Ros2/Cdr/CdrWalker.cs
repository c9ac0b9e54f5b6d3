using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>How writers lay out wide text, on which they disagree.</summary>
internal enum WideForm : byte
{
    /// <summary>A count of characters, then 4 bytes for each: every ROS 2 middleware in XCDR1.</summary>
    FourByteUnits,

    /// <summary>A count of bytes, then 2 bytes for each character: DDS-XTypes.</summary>
    Bytes,

    /// <summary>A count of characters, then 2 bytes for each: Fast CDR 2 outside ROS 2.</summary>
    TwoByteUnits,
}

/// <summary>
/// Reads one payload step by step. Never reads past the payload, never believes a count that the rest of the payload
/// cannot hold, and recurses only as deep as the definition is nested.
/// </summary>
internal ref partial struct CdrWalker
{
    private readonly ReadOnlySpan<byte> _data;
    private readonly WireProgram _program;
    private readonly WireOp[] _ops;
    private readonly bool _swap;
    private readonly bool _isVersion2;
    private readonly WideForm _wide;
    private int _at;
    private int _limit;
    private int _origin;
    private long _fillLeft;

    /// <summary>Starts after the encapsulation header.</summary>
    public CdrWalker(ReadOnlySpan<byte> payload, Encapsulation encapsulation, WireProgram program, WideForm wide)
    {
        _data = payload;
        _program = program;
        _ops = program.Ops;
        _swap = encapsulation.IsBigEndian == BitConverter.IsLittleEndian;
        _isVersion2 = encapsulation.Form >= WireForm.Plain2;
        _wide = wide;
        _at = Encapsulation.Size;
        _origin = Encapsulation.Size;
        _limit = payload.Length;
        _fillLeft = (1 << 20) + (64L * payload.Length);
    }

    /// <summary>Bytes that were not read.</summary>
    public readonly int BytesLeft => _limit - _at;

    /// <summary>Reads the whole message.</summary>
    public void Walk<TSink>(ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
        => Walk(0, _ops.Length, ref sink);

    /// <summary>Passes over the whole message.</summary>
    public void SkipAll() => Skip(0, _ops.Length);

    private void Walk<TSink>(int from, int to, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        for (int i = from; i < to;)
        {
            ref readonly WireOp op = ref _ops[i];
            switch (op.Code)
            {
                case WireCode.Bits1:
                    Take(i, 1);
                    if (op.Slot >= 0)
                        sink.Bits1(in op, _data[_at]);
                    _at++;
                    break;
                case WireCode.Bits2:
                    Align(2);
                    Take(i, 2);
                    if (op.Slot >= 0)
                        sink.Bits2(in op, Read<ushort>());
                    _at += 2;
                    break;
                case WireCode.Bits4:
                    Align(4);
                    Take(i, 4);
                    if (op.Slot >= 0)
                        sink.Bits4(in op, Read<uint>());
                    _at += 4;
                    break;
                case WireCode.Bits8:
                    Align(op.Align);
                    Take(i, 8);
                    if (op.Slot >= 0)
                        sink.Bits8(in op, Read<ulong>());
                    _at += 8;
                    break;
                case WireCode.Time:
                    Time(i, in op, ref sink);
                    break;
                case WireCode.Text:
                    Text(i, in op, ref sink);
                    break;
                case WireCode.WideText:
                    WideText(i, in op, ref sink);
                    break;
                case WireCode.Numbers:
                    Numbers(i, in op, ref sink);
                    break;
                case WireCode.List:
                    List(i, in op, ref sink);
                    break;
                case WireCode.Struct:
                    Struct(i, in op, ref sink);
                    break;
                case WireCode.Optional:
                    Optional(i, in op, ref sink);
                    break;
            }

            i = op.End;
        }
    }

    private void Time<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        if (op.Framing != Framing.None)
        {
            ListedTime(i, in op, ref sink);
            return;
        }

        Align(4);
        Take(i, 8);
        if (op.Slot >= 0)
        {
            int seconds = (int)Read<uint>();
            _at += 4;
            sink.Time(in op, seconds, Read<uint>());
            _at += 4;
        }
        else
        {
            _at += 8;
        }
    }

    private void Text<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int length = Length(i, 1);
        ReadOnlySpan<byte> text = _data.Slice(_at, length);
        _at += length;

        // The length counts a terminating zero; some writers leave it out.
        if (length > 0 && text[length - 1] == 0)
            text = text[..(length - 1)];
        if (op.Slot >= 0)
            sink.Text(in op, text);
    }

    private void WideText<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int unitSize = _wide == WideForm.FourByteUnits ? 4 : 2;
        int count = Length(i, _wide == WideForm.Bytes ? 1 : unitSize);
        if (_wide == WideForm.Bytes)
        {
            if ((count & 1) != 0)
                throw Fault(i, $"wide text of {count} bytes, which is no whole number of characters");
            count /= 2;
        }

        ReadOnlySpan<byte> units = _data.Slice(_at, count * unitSize);
        _at += units.Length;
        if (unitSize == 4 && HasHighHalf(units, _swap))
            throw Fault(i, "wide text with characters above 0xFFFF, which UTF-16 code units cannot be");
        if (op.Slot >= 0)
            sink.WideText(in op, units, unitSize, _swap);
    }

    private static bool HasHighHalf(ReadOnlySpan<byte> units, bool swap)
    {
        uint high = swap ? 0x0000_FFFFu : 0xFFFF_0000u;
        foreach (uint unit in MemoryMarshal.Cast<byte, uint>(units))
        {
            if ((unit & high) != 0)
                return true;
        }

        return false;
    }

    private void Numbers<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int outer = _limit;
        int end = op.HasSize ? Enter(i) : 0;
        int count = op.Count >= 0 ? op.Count : Length(i, op.Size);
        if (count > 0)
        {
            Align(op.Align);
            long size = (long)count * op.Size;
            Take(i, size);
            if (op.Slot >= 0)
                sink.Numbers(in op, _data.Slice(_at, (int)size), _swap && op.Size > 1);
            _at += (int)size;
        }
        else if (op.Slot >= 0)
        {
            sink.Numbers(in op, default, false);
        }

        if (op.HasSize)
            Leave(end, outer);
    }

    private void List<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int outer = _limit;
        int end = op.HasSize ? Enter(i) : 0;
        int count = op.Count >= 0 ? op.Count : Length(i, op.MinSize);
        Take(i, (long)count * op.MinSize);
        if (op.Slot >= 0)
            sink.BeginList(in op, count);
        for (int n = 0; n < count; n++)
        {
            if (op.Only >= 0 && op.Only != n)
                Skip(i + 1, op.End);
            else
                Walk(i + 1, op.End, ref sink);
        }

        if (op.Slot >= 0)
            sink.EndList(in op);
        if (op.HasSize)
            Leave(end, outer);
    }

    private void Skip(int from, int to)
    {
        NoSink none = default;
        Walk(from, to, ref none);
    }

    /// <summary>Reads a count and makes sure that the rest of the payload can hold as many elements.</summary>
    private int Length(int i, int elementSize)
    {
        Align(4);
        Take(i, 4);
        uint count = Read<uint>();
        _at += 4;
        if ((long)count * elementSize > _limit - _at)
            throw Fault(i, $"a count of {count}, but only {_limit - _at} bytes are left");
        return (int)count;
    }

    /// <summary>Reads a size in bytes and confines reading to it. Returns where it ends.</summary>
    private int Enter(int i)
    {
        int size = Length(i, 1);
        return _limit = _at + size;
    }

    private void Leave(int end, int outerLimit)
    {
        _at = end;
        _limit = outerLimit;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Align(int to) => _at += -(_at - _origin) & (to - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Take(int i, long size)
    {
        if (size > _limit - _at)
            ThrowShort(i, size);
    }

    /// <summary>The number at the current byte, which <see cref="Take"/> has found to be there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Read<T>()
        where T : unmanaged
    {
        ref byte at = ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), _at);
        return WireNumber.Order(Unsafe.ReadUnaligned<T>(ref at), _swap);
    }

    private readonly void ThrowShort(int i, long size) =>
        throw Fault(i, $"needs {size} bytes, but only {Math.Max(0, _limit - _at)} are left");

    private readonly CdrException Fault(int i, string problem) => new(_program.Paths[i], _at, problem);

    /// <summary>Passes over everything.</summary>
    private struct NoSink : IWireSink
    {
        public readonly void Bits1(in WireOp op, byte bits)
        {
        }

        public readonly void Bits2(in WireOp op, ushort bits)
        {
        }

        public readonly void Bits4(in WireOp op, uint bits)
        {
        }

        public readonly void Bits8(in WireOp op, ulong bits)
        {
        }

        public readonly void Time(in WireOp op, int seconds, uint nanoseconds)
        {
        }

        public readonly void Text(in WireOp op, ReadOnlySpan<byte> utf8)
        {
        }

        public readonly void WideText(in WireOp op, ReadOnlySpan<byte> units, int unitSize, bool swap)
        {
        }

        public readonly void Numbers(in WireOp op, ReadOnlySpan<byte> block, bool swap)
        {
        }

        public readonly void BeginList(in WireOp op, int count)
        {
        }

        public readonly void EndList(in WireOp op)
        {
        }

        public readonly void BeginStruct(in WireOp op)
        {
        }

        public readonly void EndStruct(in WireOp op)
        {
        }

        public readonly void Missing(in WireOp op)
        {
        }

        public readonly void Restart()
        {
        }
    }
}
