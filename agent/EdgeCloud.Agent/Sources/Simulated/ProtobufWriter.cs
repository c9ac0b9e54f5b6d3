using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>Writes Protocol Buffers wire format: varints, 64-bit and length-delimited fields. The buffer is kept between messages.</summary>
internal sealed class ProtobufWriter
{
    private byte[] _buffer = new byte[256];
    private int _length;

    public ReadOnlySpan<byte> Message => _buffer.AsSpan(0, _length);

    public void Begin() => _length = 0;

    public void Integer(int field, long value)
    {
        Varint((uint)field << 3);
        Varint((ulong)value);
    }

    public void Double(int field, double value)
    {
        Varint((uint)field << 3 | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);
    }

    public void Text(int field, string value)
    {
        Varint((uint)field << 3 | 2);
        var bytes = Encoding.UTF8.GetByteCount(value);
        Varint((ulong)bytes);
        Encoding.UTF8.GetBytes(value, Take(bytes));
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((uint)field << 3 | 2);
        Varint((ulong)value.Length);
        value.CopyTo(Take(value.Length));
    }

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            Take(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }
        Take(1)[0] = (byte)value;
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_length + count, _buffer.Length * 2));
        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}
