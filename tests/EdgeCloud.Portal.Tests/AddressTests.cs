using EdgeCloud.ControlPlane.Sessions.Pages;
using EdgeCloud.ControlPlane.Shell;
using EdgeCloud.ControlPlane.Shell.Components;

namespace EdgeCloud.Portal.Tests;

public sealed class AddressTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-03-01T08:41:07.123Z", "2026-03-01T08:41:07.123Z")]
    [InlineData("2026-03-01T09:41:07.123+01:00", "2026-03-01T08:41:07.123Z")]
    [InlineData("now", "2026-03-01T12:00:00.000Z")]
    [InlineData("now-90s", "2026-03-01T11:58:30.000Z")]
    [InlineData("now-6h", "2026-03-01T06:00:00.000Z")]
    [InlineData("now-2d", "2026-02-27T12:00:00.000Z")]
    public void Moments_are_read_and_written(string text, string written) =>
        Assert.Equal(written, AddressTime.Write(AddressTime.Parse(text, Now)!.Value));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("now-")]
    [InlineData("now-5y")]
    [InlineData("now-99999999999999s")]
    [InlineData("9999-12-31T00:00:00Z")]
    [InlineData("'; drop table sessions; --")]
    public void What_is_no_moment_is_absent(string? text) => Assert.Null(AddressTime.Parse(text, Now));

    [Fact]
    public void What_somebody_looks_at_survives_its_address()
    {
        var view = new SessionAddress
        {
            Session = Guid.NewGuid(),
            FromNs = 1_700_000_000_123_000_000,
            ToNs = 1_700_000_100_000_000_000,
            Topics = ["/a&b=c", "/ä/#?"],
            CursorNs = 1_700_000_000_123_456_789,
            Panel = "gaps",
            Page = 3,
        };
        var query = System.Web.HttpUtility.ParseQueryString(view.Address().Split('?', 2)[1]);

        var read = SessionAddress.Of(view.Session, query["from"], query["to"], query["topics"], query["t"], query["panel"], query["page"], Now);

        Assert.Equal(view with { Topics = [] }, read with { Topics = [] });
        Assert.Equal(view.Topics, read.Topics);
        Assert.Equal($"/sessions/{view.Session}", new SessionAddress { Session = view.Session }.Address());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.9, 1)]
    [InlineData(3.4, 4)]
    [InlineData(97, 150)]
    [InlineData(100, 150)]
    [InlineData(1e9, 1.5e9)]
    public void Axes_start_at_zero_and_end_a_little_above_the_greatest_value_at_a_round_one(double greatest, double max)
    {
        var axis = ChartAxis.For(greatest);

        Assert.Equal(max, axis.Max, max * 1e-9);
        Assert.InRange(axis.Labels().Count(), 3, 7);
        Assert.Equal(0, axis.Labels().First());
    }
}
