using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.ControlPlane.Tests.Sessions.Preview;

/// <summary>Writes little-endian CDR payloads for the tests, value by value.</summary>
internal sealed class CdrPayload
{
    private readonly List<byte> _bytes = [0, 1, 0, 0];

    public CdrPayload Byte(byte value) => Put([value], 1);

    public CdrPayload UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Put(bytes, 4);
    }

    public CdrPayload UInt64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return Put(bytes, 8);
    }

    public CdrPayload Float32(float value) => UInt32(BitConverter.SingleToUInt32Bits(value));

    public CdrPayload Float64(double value) => UInt64(BitConverter.DoubleToUInt64Bits(value));

    public CdrPayload Text(string value) => Bytes([.. Encoding.UTF8.GetBytes(value), 0]);

    public CdrPayload Bytes(byte[] value)
    {
        UInt32((uint)value.Length);
        return Put(value, 1);
    }

    /// <summary>A <c>std_msgs/Header</c>.</summary>
    public CdrPayload Header(string frame = "map") => UInt32(1).UInt32(2).Text(frame);

    public byte[] ToArray() => [.. _bytes];

    private CdrPayload Put(byte[] value, int alignment)
    {
        while ((_bytes.Count - 4) % alignment != 0)
            _bytes.Add(0);
        _bytes.AddRange(value);
        return this;
    }
}
