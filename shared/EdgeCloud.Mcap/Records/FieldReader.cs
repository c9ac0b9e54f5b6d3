using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Mcap;

/// <summary>
/// Reads the fields of one record's content in order and checks each length against what is left.
/// Bytes after the last known field are ignored, as the specification asks.
/// </summary>
internal ref struct FieldReader(ReadOnlyMemory<byte> content, Opcode opcode, RecordPosition position)
{
    private readonly ReadOnlySpan<byte> _span = content.Span;
    private int _at;

    public readonly int Consumed => _at;

    public byte Byte(string field) => Take(field, 1)[0];

    public ushort UInt16(string field) => BinaryPrimitives.ReadUInt16LittleEndian(Take(field, 2));

    public uint UInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Take(field, 4));

    public ulong UInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Take(field, 8));

    public string String(string field)
    {
        var bytes = Take(field, UInt32(field));
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Bytes with a 32-bit length before them.</summary>
    public ReadOnlyMemory<byte> ShortBytes(string field) => TakeMemory(field, UInt32(field));

    /// <summary>Bytes with a 64-bit length before them.</summary>
    public ReadOnlyMemory<byte> LongBytes(string field) => TakeMemory(field, UInt64(field));

    public ChannelMap ChannelMap(string field) => new(FixedEntries(field, Mcap.ChannelMap.EntryBytes));

    public MessageIndexEntries IndexEntries(string field) => new(FixedEntries(field, MessageIndexEntries.EntryBytes));

    public IReadOnlyDictionary<string, string> StringMap(string field)
    {
        var length = UInt32(field);
        Take(field, length);
        var end = _at;
        _at -= (int)length;
        var pairs = new Dictionary<string, string>();
        while (_at < end)
        {
            var key = String(field);
            pairs[key] = String(field);
        }
        if (_at != end)
            throw Fault(field, $"pairs of {length} bytes together", $"pairs that end at byte {_at} instead of {end}");
        return pairs;
    }

    private ReadOnlyMemory<byte> FixedEntries(string field, int entryBytes)
    {
        var entries = ShortBytes(field);
        if (entries.Length % entryBytes != 0)
            throw Fault(field, $"entries of {entryBytes} bytes", $"{entries.Length} bytes");
        return entries;
    }

    private ReadOnlyMemory<byte> TakeMemory(string field, ulong length)
    {
        var taken = Take(field, length).Length;
        return content.Slice(_at - taken, taken);
    }

    private ReadOnlySpan<byte> Take(string field, ulong length)
    {
        var left = (ulong)(_span.Length - _at);
        if (length > left)
            throw Fault(field, $"{length} bytes", $"{left} bytes left of the record's {_span.Length}");
        var taken = _span.Slice(_at, (int)length);
        _at += (int)length;
        return taken;
    }

    private readonly McapException Fault(string field, string expected, string actual) =>
        new($"{McapRecord.NameOf(opcode)} {field}", position, expected, actual);
}
