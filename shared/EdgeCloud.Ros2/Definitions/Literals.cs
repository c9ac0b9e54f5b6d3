using System.Globalization;

namespace EdgeCloud.Ros2.Definitions;

/// <summary>Numbers and booleans as definitions write them.</summary>
internal static class Literals
{
    /// <summary>The value as <see cref="bool"/>, <see cref="long"/>, <see cref="ulong"/> or <see cref="double"/>; null if it is none or out of range.</summary>
    public static object? Parse(FieldKind kind, string text) => kind switch
    {
        FieldKind.Bool => text.ToLowerInvariant() switch
        {
            "true" or "1" => true,
            "false" or "0" => false,
            _ => null,
        },
        FieldKind.Float32 or FieldKind.Float64 or FieldKind.LongDouble => ParseFloat(text),
        _ => TryParseInteger(text, out Int128 value) ? Fit(kind, value) : null,
    };

    /// <summary>The integer as <see cref="long"/> or <see cref="ulong"/>, or null where the kind cannot hold it.</summary>
    public static object? Fit(FieldKind kind, Int128 value) => kind switch
    {
        FieldKind.Int8 when value >= sbyte.MinValue && value <= sbyte.MaxValue => (long)value,
        FieldKind.UInt8 or FieldKind.Byte or FieldKind.Char when value >= 0 && value <= byte.MaxValue => (long)value,
        FieldKind.Int16 when value >= short.MinValue && value <= short.MaxValue => (long)value,
        FieldKind.UInt16 or FieldKind.WChar when value >= 0 && value <= ushort.MaxValue => (long)value,
        FieldKind.Int32 when value >= int.MinValue && value <= int.MaxValue => (long)value,
        FieldKind.UInt32 when value >= 0 && value <= uint.MaxValue => (long)value,
        FieldKind.Int64 when value >= long.MinValue && value <= long.MaxValue => (long)value,
        FieldKind.UInt64 when value >= 0 && value <= ulong.MaxValue => (ulong)value,
        _ => null,
    };

    /// <summary>Decimal, 0x, 0o and 0b integers with an optional sign.</summary>
    public static bool TryParseInteger(string text, out Int128 value)
    {
        bool negative = text.StartsWith('-');
        ReadOnlySpan<char> digits = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        int radix = digits.Length > 2 && digits[0] == '0'
            ? char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 }
            : 10;
        if (radix != 10)
            digits = digits[2..];
        value = 0;
        if (digits.Length is 0 or > 64)
            return false;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix || value > ulong.MaxValue)
                return false;
            value = (value * radix) + digit;
        }

        value = negative ? -value : value;
        return true;
    }

    private static object? ParseFloat(string text) => text.TrimStart('+', '-').ToLowerInvariant() switch
    {
        "nan" => double.NaN,
        "inf" or "infinity" => text.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null,
    };
}

/// <summary>Comment blocks of definitions.</summary>
internal static class Comments
{
    /// <summary>
    /// Joins comment lines, without common indentation and outer blank lines. One bracket without a comma
    /// (<c>[m/s]</c>) is taken out as the unit, as rosidl does.
    /// </summary>
    public static string? Join(List<string> lines, out string? unit)
    {
        unit = null;
        string text = string.Join('\n', lines.Select(line => line.TrimEnd()));
        int open = text.IndexOf('[');
        int close = open < 0 ? -1 : text.IndexOf(']', open);
        if (close > open + 1 && !text[open..close].Contains(',') && text.IndexOf('[', close) < 0)
        {
            unit = text[(open + 1)..close].Trim();
            text = text[..open].TrimEnd(' ') + text[(close + 1)..];
        }

        string[] kept = text.Trim('\n').Split('\n');
        int indent = kept.Where(line => line.Trim().Length > 0).Select(line => line.Length - line.TrimStart(' ').Length).DefaultIfEmpty(0).Min();
        text = string.Join('\n', kept.Select(line => line.Length >= indent ? line[indent..] : ""));
        return text.Trim().Length == 0 ? null : text;
    }
}
