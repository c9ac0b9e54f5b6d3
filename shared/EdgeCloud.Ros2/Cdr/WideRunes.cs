using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>Characters of wide text, surrogates joined; a lone surrogate is U+FFFD.</summary>
internal ref struct WideRunes(ReadOnlySpan<byte> units, int unitSize, bool swap)
{
    private readonly ReadOnlySpan<byte> _units = units;
    private int _at;

    public Rune Current { get; private set; }

    public readonly WideRunes GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_at >= _units.Length)
            return false;
        char first = Unit(_at);
        _at += unitSize;
        if (Rune.TryCreate(first, out Rune rune))
        {
            Current = rune;
        }
        else if (_at < _units.Length && Rune.TryCreate(first, Unit(_at), out rune))
        {
            _at += unitSize;
            Current = rune;
        }
        else
        {
            Current = Rune.ReplacementChar;
        }

        return true;
    }

    private readonly char Unit(int at)
    {
        bool isBigEndian = swap == BitConverter.IsLittleEndian;
        ReadOnlySpan<byte> unit = _units.Slice(at, unitSize);
        if (unitSize == 2)
            return (char)(isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(unit) : BinaryPrimitives.ReadUInt16LittleEndian(unit));
        return (char)(isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(unit) : BinaryPrimitives.ReadUInt32LittleEndian(unit));
    }
}
