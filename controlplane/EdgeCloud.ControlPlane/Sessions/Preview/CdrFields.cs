using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// Takes the fields of a CDR payload (XCDR1, either byte order) one after the other, for the few messages whose layout is fixed and whose
/// bulk must not be decoded value by value. Never reads past the end.
/// </summary>
internal ref struct CdrFields
{
    private const int HeaderBytes = 4;

    private readonly ReadOnlySpan<byte> _data;
    private readonly bool _isBig;
    private int _at = HeaderBytes;

    /// <exception cref="FormatException">The encapsulation is another one.</exception>
    public CdrFields(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < HeaderBytes || payload[0] != 0 || payload[1] > 1)
            throw new FormatException($"the payload of {payload.Length} bytes does not begin like plain CDR");
        _data = payload;
        _isBig = payload[1] == 0;
    }

    /// <summary>Byte of the payload at which the next field is looked for.</summary>
    public readonly int Position => _at;

    public byte UInt8() => Take(1, 1)[0];

    public uint UInt32()
    {
        var bytes = Take(4, 4);
        return _isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>A text, its closing zero left out.</summary>
    public string Text()
    {
        var length = UInt32();
        var bytes = Take(length, 1);
        return Encoding.UTF8.GetString(bytes.Length > 0 && bytes[^1] == 0 ? bytes[..^1] : bytes);
    }

    /// <summary>A sequence of bytes.</summary>
    public ReadOnlySpan<byte> ByteSequence() => Take(UInt32(), 1);

    /// <summary>Passes over a <c>std_msgs/Header</c>.</summary>
    public void Header()
    {
        UInt32();
        UInt32();
        Text();
    }

    private ReadOnlySpan<byte> Take(uint length, int alignment)
    {
        var from = _at + ((alignment - ((_at - HeaderBytes) % alignment)) % alignment);
        if (length > (uint)Math.Max(0, _data.Length - from))
            throw new FormatException($"the payload ends at byte {_data.Length}; {length} more are needed at byte {from}");
        _at = from + (int)length;
        return _data.Slice(from, (int)length);
    }
}
