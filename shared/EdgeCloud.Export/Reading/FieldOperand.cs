using System.Globalization;
using System.Text;
using EdgeCloud.Contracts;

namespace EdgeCloud.Export.Reading;

/// <summary>What a filter compares a field with: a text, and the number that it is read as; null where it is none.</summary>
internal sealed record FieldOperand(FilterComparison Comparison, string Text, double? Number)
{
    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(Text);

    public static FieldOperand Of(FieldFilter filter) => new(filter.Comparison, filter.Value, filter.Value switch
    {
        "true" => 1,
        "false" => 0,
        _ => double.TryParse(filter.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
    });

    /// <summary>Whether it asks for equality or its opposite, the only comparisons that texts know.</summary>
    public bool IsEquality => Comparison is FilterComparison.Equal or FilterComparison.NotEqual;

    /// <summary>Whether a number compares so; NaN as in IEEE 754. It is never equal to what is no number.</summary>
    public bool Meets(double value) => Number is not { } number ? Comparison == FilterComparison.NotEqual : Comparison switch
    {
        FilterComparison.Equal => value == number,
        FilterComparison.NotEqual => value != number,
        FilterComparison.Less => value < number,
        FilterComparison.LessOrEqual => value <= number,
        FilterComparison.Greater => value > number,
        _ => value >= number,
    };

    /// <summary>Whether a text compares so.</summary>
    public bool Meets(ReadOnlySpan<byte> utf8) => Comparison switch
    {
        FilterComparison.Equal => utf8.SequenceEqual(_utf8),
        FilterComparison.NotEqual => !utf8.SequenceEqual(_utf8),
        _ => false,
    };

    /// <summary>Refuses what no field of that kind can be compared with.</summary>
    /// <exception cref="ArgumentException">It does not fit; the text says why.</exception>
    public void Demand(string field, bool isText)
    {
        if (isText && !IsEquality)
            throw new ArgumentException($"{field} is text, which is only compared for equality");
        if (!isText && Number is null)
            throw new ArgumentException($"{field} is a number and cannot be compared with '{Text}'");
    }
}
