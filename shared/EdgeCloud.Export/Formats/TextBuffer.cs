using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace EdgeCloud.Export.Formats;

/// <summary>UTF-8 text that grows and is kept.</summary>
internal sealed class TextBuffer
{
    private const int NumberBytesMax = 32;
    private byte[] _bytes = new byte[64 << 10];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Clear() => Length = 0;

    public void Append(byte value)
    {
        if (Length == _bytes.Length)
            Grow(1);
        _bytes[Length++] = value;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Grow(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    public void Append(long value)
    {
        Grow(NumberBytesMax);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    public void Append(ulong value)
    {
        Grow(NumberBytesMax);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    /// <summary>The shortest text that reads back the same.</summary>
    public void Append(double value)
    {
        Grow(NumberBytesMax);
        value.TryFormat(_bytes.AsSpan(Length), out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>The shortest text that reads back the same.</summary>
    public void Append(float value)
    {
        Grow(NumberBytesMax);
        value.TryFormat(_bytes.AsSpan(Length), out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>Makes room for more bytes and gives it to be filled; <see cref="Advance"/> says how many were.</summary>
    public Span<byte> Reserve(int bytes)
    {
        Grow(bytes);
        return _bytes.AsSpan(Length);
    }

    public void Advance(int bytes) => Length += bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Grow(int more)
    {
        if (_bytes.Length - Length < more)
            Enlarge(more);
    }

    private void Enlarge(int more) =>
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)Length + more, 2L * _bytes.Length)));
}
