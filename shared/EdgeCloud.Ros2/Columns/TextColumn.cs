using System.Text;
using System.Text.Unicode;
using EdgeCloud.Ros2.Cdr;

namespace EdgeCloud.Ros2.Columns;

/// <summary>Texts: all bytes in one buffer, with the place where each row starts.</summary>
public sealed class TextColumn : Column
{
    private byte[] _bytes = [];
    private int[] _offsets = new int[1];
    private int _used;

    internal TextColumn(ColumnType type)
        : base(type)
    {
    }

    /// <summary>Where each row starts in <see cref="Bytes"/>, and where the last one ends: one more than rows.</summary>
    public ReadOnlySpan<int> Offsets => _offsets.AsSpan(0, Count + 1);

    /// <summary>Valid UTF-8 of all rows.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _used);

    /// <summary>The UTF-8 of one row.</summary>
    public ReadOnlySpan<byte> this[int row] => _bytes.AsSpan(_offsets[row], _offsets[row + 1] - _offsets[row]);

    /// <summary>Adds a row; what is no UTF-8 becomes U+FFFD.</summary>
    public void Append(ReadOnlySpan<byte> utf8)
    {
        if (Utf8.IsValid(utf8))
        {
            Reserve(ref _bytes, _used, utf8.Length);
            utf8.CopyTo(_bytes.AsSpan(_used));
            _used += utf8.Length;
        }
        else
        {
            while (!utf8.IsEmpty)
            {
                // The replacement comes with a failed decoding, too.
                _ = Rune.DecodeFromUtf8(utf8, out Rune rune, out int taken);
                utf8 = utf8[taken..];
                AppendRune(rune);
            }
        }

        CloseRow();
    }

    /// <summary>Adds a row of wide text; lone surrogates become U+FFFD.</summary>
    internal void AppendWide(ReadOnlySpan<byte> units, int unitSize, bool swap)
    {
        foreach (Rune rune in new WideRunes(units, unitSize, swap))
            AppendRune(rune);
        CloseRow();
    }

    private void AppendRune(Rune rune)
    {
        Reserve(ref _bytes, _used, 4);
        _used += rune.EncodeToUtf8(_bytes.AsSpan(_used));
    }

    private void CloseRow()
    {
        Reserve(ref _offsets, Count + 1, 1);
        _offsets[++Count] = _used;
    }

    private protected override void AppendValueFrom(Column source, int row) => Append(((TextColumn)source)[row]);

    private protected override void AppendDefault() => CloseRow();

    private protected override void TruncateValues(int count) => _used = _offsets[count];
}
