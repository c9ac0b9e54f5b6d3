using EdgeCloud.ControlPlane.Shell;

namespace EdgeCloud.Portal.Tests;

public sealed class FormatsTests
{
    [Theory]
    [InlineData(null, "–")]
    [InlineData(0L, "0 B")]
    [InlineData(1023L, "1023 B")]
    [InlineData(1024L, "1.00 KiB")]
    [InlineData(1_048_575L, "1.00 MiB")]
    [InlineData(47_815_066L, "45.6 MiB")]
    [InlineData(9_223_372_036_854_775_807L, "8.00 EiB")]
    public void Sizes_have_three_digits_and_binary_units(long? bytes, string words) => Assert.Equal(words, Formats.Bytes(bytes));

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0.0, "0 B/s")]
    [InlineData(340_000.0, "340 kB/s")]
    [InlineData(999_999.0, "1.00 MB/s")]
    [InlineData(12_400_000.0, "12.4 MB/s")]
    public void Rates_have_three_digits_and_decimal_units(double? rate, string words) => Assert.Equal(words, Formats.Rate(rate));

    [Theory]
    [InlineData(0.0, "0 %")]
    [InlineData(0.0001, "0.1 %")]
    [InlineData(5.94, "5.9 %")]
    [InlineData(92.7, "92 %")]
    [InlineData(99.99, "99.9 %")]
    [InlineData(100.0, "100 %")]
    public void A_share_is_only_nothing_or_everything_when_it_is(double percent, string words) => Assert.Equal(words, Formats.Percent(percent));

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(850, "850 ms")]
    [InlineData(7_400, "7 s")]
    [InlineData(2_467_000, "41 m 07 s")]
    [InlineData(7_500_000, "2 h 05 m")]
    [InlineData(273_600_000, "3 d 4 h")]
    public void Durations_name_their_two_greatest_units(int milliseconds, string words) =>
        Assert.Equal(words, Formats.Duration(TimeSpan.FromMilliseconds(milliseconds)));

    [Theory]
    [InlineData("user:maria", "maria")]
    [InlineData("key:maria/ci/x", "maria, key ci/x")]
    [InlineData("configuration", "configuration")]
    [InlineData("", "–")]
    public void Whoever_acted_is_named_as_people_say_it(string actor, string words) => Assert.Equal(words, Formats.Actor(actor));

    [Fact]
    public void Unknown_is_not_zero()
    {
        Assert.Equal("–", Formats.Count(null));
        Assert.Equal("0", Formats.Count(0));
        Assert.Equal("1\u2009234\u2009567", Formats.Count(1_234_567));
    }
}
