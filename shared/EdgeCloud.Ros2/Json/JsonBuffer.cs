using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace EdgeCloud.Ros2.Json;

/// <summary>
/// Writes JSON into a buffer that grows and is kept. Commas are put by the buffer; what is no UTF-8 becomes U+FFFD;
/// integers are exact, floats the shortest text that reads back the same, NaN and infinities strings.
/// </summary>
public sealed class JsonBuffer
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (byte)c), (byte)'"', (byte)'\\']);

    private byte[] _bytes = new byte[1024];
    private int _used;
    private bool _needsComma;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _used);

    /// <summary>Forgets what was written.</summary>
    public void Clear()
    {
        _used = 0;
        _needsComma = false;
    }

    /// <summary>A member's name with quotes, escapes and colon, for <see cref="Name"/>.</summary>
    public static byte[] EncodeName(string name)
    {
        var buffer = new JsonBuffer();
        buffer.Text(Encoding.UTF8.GetBytes(name));
        buffer.Raw((byte)':');
        return buffer.Written.ToArray();
    }

    /// <summary>Starts a member.</summary>
    /// <param name="encoded">Result of <see cref="EncodeName"/>; empty in an array.</param>
    public void Name(ReadOnlySpan<byte> encoded)
    {
        Comma();
        Raw(encoded);
        _needsComma = false;
    }

    public void BeginObject() => Open((byte)'{');

    public void EndObject() => Close((byte)'}');

    public void BeginArray() => Open((byte)'[');

    public void EndArray() => Close((byte)']');

    public void Null() => Literal("null"u8);

    public void Bool(bool value) => Literal(value ? "true"u8 : "false"u8);

    public void Integer(long value) => Format(value);

    public void Integer(ulong value) => Format(value);

    public void Float(double value)
    {
        if (double.IsFinite(value))
            Format(value);
        else
            Literal(double.IsNaN(value) ? "\"NaN\""u8 : value > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);
    }

    public void Float(float value)
    {
        if (float.IsFinite(value))
            Format(value);
        else
            Float((double)value);
    }

    /// <summary>A string value.</summary>
    public void Text(ReadOnlySpan<byte> utf8)
    {
        Comma();
        Raw((byte)'"');
        if (Utf8.IsValid(utf8))
        {
            Escape(utf8);
        }
        else
        {
            Span<byte> encoded = stackalloc byte[4];
            while (!utf8.IsEmpty)
            {
                // The replacement comes with a failed decoding, too.
                _ = Rune.DecodeFromUtf8(utf8, out Rune rune, out int taken);
                utf8 = utf8[taken..];
                Escape(encoded[..rune.EncodeToUtf8(encoded)]);
            }
        }

        Raw((byte)'"');
    }

    /// <summary>Starts a string of <see cref="TextPart"/>s.</summary>
    public void BeginText()
    {
        Comma();
        Raw((byte)'"');
    }

    public void TextPart(Rune rune)
    {
        Span<byte> encoded = stackalloc byte[4];
        Escape(encoded[..rune.EncodeToUtf8(encoded)]);
    }

    public void EndText() => Raw((byte)'"');

    /// <summary>Bytes as a Base64 string.</summary>
    public void Base64(ReadOnlySpan<byte> bytes)
    {
        BeginText();
        Reserve((int)Math.Min(int.MaxValue, ((bytes.Length + 2L) / 3 * 4) + 1));
        OperationStatus status = System.Buffers.Text.Base64.EncodeToUtf8(bytes, _bytes.AsSpan(_used), out _, out int written);
        if (status != OperationStatus.Done)
            throw new InvalidOperationException($"{bytes.Length} bytes are too many for one JSON string");
        _used += written;
        EndText();
    }

    /// <summary>Bytes as an array of numbers.</summary>
    public void ByteArray(ReadOnlySpan<byte> bytes)
    {
        BeginArray();
        Reserve((int)Math.Min(int.MaxValue, (4L * bytes.Length) + 1));
        foreach (byte value in bytes)
        {
            if (value >= 100)
                _bytes[_used++] = (byte)('0' + (value / 100));
            if (value >= 10)
                _bytes[_used++] = (byte)('0' + (value / 10 % 10));
            _bytes[_used++] = (byte)('0' + (value % 10));
            _bytes[_used++] = (byte)',';
        }

        if (bytes.Length > 0)
            _used--; // the last comma
        EndArray();
    }

    /// <summary>A value that is JSON already.</summary>
    public void Literal(ReadOnlySpan<byte> json)
    {
        Comma();
        Raw(json);
    }

    private void Escape(ReadOnlySpan<byte> utf8)
    {
        while (!utf8.IsEmpty)
        {
            int plain = utf8.IndexOfAny(Escaped);
            if (plain < 0)
            {
                Raw(utf8);
                return;
            }

            Raw(utf8[..plain]);
            byte c = utf8[plain];
            utf8 = utf8[(plain + 1)..];
            switch (c)
            {
                case (byte)'"':
                    Raw("\\\""u8);
                    break;
                case (byte)'\\':
                    Raw("\\\\"u8);
                    break;
                case (byte)'\n':
                    Raw("\\n"u8);
                    break;
                case (byte)'\r':
                    Raw("\\r"u8);
                    break;
                case (byte)'\t':
                    Raw("\\t"u8);
                    break;
                default:
                    Raw([(byte)'\\', (byte)'u', (byte)'0', (byte)'0', HexDigit(c >> 4), HexDigit(c & 15)]);
                    break;
            }
        }
    }

    private static byte HexDigit(int value) => (byte)"0123456789abcdef"[value];

    private void Format<T>(T value)
        where T : IUtf8SpanFormattable
    {
        Comma();
        Reserve(40);
        value.TryFormat(_bytes.AsSpan(_used), out int written, default, CultureInfo.InvariantCulture);
        _used += written;
    }

    private void Open(byte bracket)
    {
        Comma();
        Raw(bracket);
        _needsComma = false;
    }

    private void Close(byte bracket)
    {
        Raw(bracket);
        _needsComma = true;
    }

    private void Comma()
    {
        if (_needsComma)
            Raw((byte)',');
        _needsComma = true;
    }

    private void Raw(byte value)
    {
        Reserve(1);
        _bytes[_used++] = value;
    }

    private void Raw(ReadOnlySpan<byte> value)
    {
        Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(_used));
        _used += value.Length;
    }

    private void Reserve(int more)
    {
        long needed = (long)_used + more;
        if (needed <= _bytes.Length)
            return;
        if (needed > Array.MaxLength)
            throw new InvalidOperationException($"the message is longer than {Array.MaxLength} bytes as JSON");
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * _bytes.Length)));
    }
}
