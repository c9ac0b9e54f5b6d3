using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// Writes one message as classic little-endian CDR (XCDR1): a four-byte header, then primitives aligned to their own size counted from
/// the end of the header. The buffer is kept between messages and grows when one needs more.
/// </summary>
internal sealed class CdrWriter
{
    private const int HeaderBytes = 4;
    private byte[] _buffer = new byte[1024];
    private int _length;

    public ReadOnlySpan<byte> Message => _buffer.AsSpan(0, _length);

    /// <summary>Starts a message.</summary>
    public void Begin()
    {
        _buffer[0] = 0;
        _buffer[1] = 1;
        _buffer[2] = 0;
        _buffer[3] = 0;
        _length = HeaderBytes;
    }

    public void Byte(byte value) => Take(1, 1)[0] = value;

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2, 2), value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4, 4), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4, 4), value);

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8, 8), value);

    /// <summary>A fixed array: no count.</summary>
    public void Doubles(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
            Double(value);
    }

    /// <summary>A text with its length (terminator included) and its terminator.</summary>
    public void Text(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        UInt32((uint)bytes + 1);
        var span = Take(bytes + 1, 1);
        Encoding.UTF8.GetBytes(value, span);
        span[bytes] = 0;
    }

    /// <summary>A sequence of bytes with its count; the caller fills it before the next call.</summary>
    public Span<byte> ByteSequence(int count)
    {
        UInt32((uint)count);
        return Take(count, 1);
    }

    /// <summary>A stamp as <c>builtin_interfaces/Time</c>.</summary>
    public void Time(long stampNs)
    {
        Int32((int)(stampNs / 1_000_000_000));
        UInt32((uint)(stampNs % 1_000_000_000));
    }

    /// <summary>A <c>std_msgs/Header</c>.</summary>
    public void Header(long stampNs, string frame)
    {
        Time(stampNs);
        Text(frame);
    }

    /// <summary>Three doubles: <c>geometry_msgs/Vector3</c> or <c>Point</c>.</summary>
    public void Vector(double x, double y, double z)
    {
        Double(x);
        Double(y);
        Double(z);
    }

    /// <summary>A <c>geometry_msgs/Quaternion</c> that turns by <paramref name="yaw"/> about z, rad.</summary>
    public void Yaw(double yaw)
    {
        Vector(0, 0, Math.Sin(yaw / 2));
        Double(Math.Cos(yaw / 2));
    }

    private Span<byte> Take(int count, int alignment)
    {
        var padding = -(_length - HeaderBytes) & (alignment - 1);
        var end = _length + padding + count;
        if (end > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(end, _buffer.Length * 2));
        _buffer.AsSpan(_length, padding).Clear();
        _length = end;
        return _buffer.AsSpan(end - count, count);
    }
}
