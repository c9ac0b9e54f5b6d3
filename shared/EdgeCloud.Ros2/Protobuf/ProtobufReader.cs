using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Ros2.Protobuf;

/// <summary>How a field's value is laid out (protobuf.dev, "Encoding").</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Group = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// <summary>One field as it stands in a message.</summary>
/// <param name="Number">Field number.</param>
/// <param name="Wire">Layout.</param>
/// <param name="Bits">Value of a number.</param>
/// <param name="Start">First byte of a <see cref="WireType.Bytes"/> value.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct ProtobufField(int Number, WireType Wire, ulong Bits, int Start, int Length);

/// <summary>Walks the fields of a protobuf message. Never reads past its end.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> data)
{
    private const int GroupDepthMax = 64;

    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;

    /// <summary>Whether everything was read.</summary>
    public readonly bool IsAtEnd => _at >= _data.Length;

    /// <summary>Reads the next field; groups are passed over.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="FormatException">The message is damaged.</exception>
    public bool Read(out ProtobufField field)
    {
        while (!IsAtEnd)
        {
            (int number, WireType wire) = Tag();
            if (wire != WireType.Group)
            {
                field = Value(number, wire);
                return true;
            }

            SkipGroup();
        }

        field = default;
        return false;
    }

    /// <summary>Reads a number of a packed field.</summary>
    public ulong Number(WireType wire) => Value(1, wire).Bits;

    /// <summary>The bytes of a field.</summary>
    public readonly ReadOnlySpan<byte> Bytes(in ProtobufField field) => _data.Slice(field.Start, field.Length);

    /// <summary>The text of a field.</summary>
    public readonly string Text(in ProtobufField field) => Encoding.UTF8.GetString(Bytes(field));

    private (int Number, WireType Wire) Tag()
    {
        ulong tag = Varint();
        if (tag >> 3 is 0 or > int.MaxValue || (tag & 7) > 5)
            throw Fault($"the tag {tag} is none of protobuf");
        return ((int)(tag >> 3), (WireType)(tag & 7));
    }

    private ProtobufField Value(int number, WireType wire)
    {
        switch (wire)
        {
            case WireType.Varint:
                return new(number, wire, Varint(), 0, 0);
            case WireType.Fixed64:
                ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                return new(number, wire, bits, 0, 0);
            case WireType.Fixed32:
                return new(number, wire, BinaryPrimitives.ReadUInt32LittleEndian(Take(4)), 0, 0);
            case WireType.Bytes:
                ulong length = Varint();
                int start = _at;
                Take(length);
                return new(number, wire, 0, start, (int)length);
            default:
                throw Fault("a group ends that did not begin");
        }
    }

    private void SkipGroup()
    {
        int depth = 1;
        while (depth > 0)
        {
            (int number, WireType wire) = Tag();
            if (wire == WireType.Group)
                depth++;
            else if (wire == WireType.EndGroup)
                depth--;
            else
                Value(number, wire);
            if (depth > GroupDepthMax)
                throw Fault($"more than {GroupDepthMax} groups in groups");
        }
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw Fault("a number of more than ten bytes");
    }

    private ReadOnlySpan<byte> Take(ulong size)
    {
        if (size > (ulong)(_data.Length - _at))
            throw Fault($"needs {size} bytes, but only {_data.Length - _at} are left");
        ReadOnlySpan<byte> taken = _data.Slice(_at, (int)size);
        _at += (int)size;
        return taken;
    }

    private readonly FormatException Fault(string problem) => new($"protobuf, byte {_at}: {problem}");
}
