using System.Globalization;
using EdgeCloud.Agent.Upload;

namespace EdgeCloud.Agent.Tests.Upload;

public sealed class UploadWindowsTests
{
    // 2026-11-25 is a Wednesday.
    [Theory]
    [InlineData("", "2026-11-25 03:00", true)]
    [InlineData("22:00-06:00", "2026-11-25 03:00", true)]
    [InlineData("22:00-06:00", "2026-11-25 06:00", false)]
    [InlineData("22:00-06:00", "2026-11-25 22:00", true)]
    [InlineData("mon-fri 12:00-13:00", "2026-11-25 12:59", true)]
    [InlineData("mon-fri 12:00-13:00", "2026-11-28 12:30", false)]
    [InlineData("sat,sun 00:00-24:00", "2026-11-29 23:59", true)]
    [InlineData("sat 22:00-06:00", "2026-11-29 05:59", true)]
    [InlineData("sat 22:00-06:00", "2026-11-29 06:00", false)]
    [InlineData("fri-mon 01:00-02:00", "2026-11-29 01:30", true)]
    [InlineData("fri-mon 01:00-02:00", "2026-11-24 01:30", false)]
    [InlineData("01:00-02:00; Wed 03:00-04:00", "2026-11-25 03:30", true)]
    public void They_are_open_at_the_times_that_they_name(string windows, string local, bool open)
    {
        Assert.True(UploadWindows.TryParse(windows, out var parsed));
        Assert.Equal(open, parsed.AreOpen(At(local)));
    }

    [Theory]
    [InlineData("22:00-06:00", "2026-11-25 03:00:00", "03:00:00")]
    [InlineData("22:00-06:00", "2026-11-25 06:00:30", "15:59:30")]
    [InlineData("sun 10:00-11:00", "2026-11-25 10:00:00", "4.00:00:00")]
    [InlineData("sat 22:00-06:00", "2026-11-29 05:00:00", "01:00:00")]
    public void The_next_opening_or_closing_is_foreseen(string windows, string local, string wait)
    {
        Assert.True(UploadWindows.TryParse(windows, out var parsed));
        Assert.Equal(TimeSpan.Parse(wait, CultureInfo.InvariantCulture), parsed.UntilChange(At(local)));
    }

    [Theory, InlineData("always"), InlineData("22:00"), InlineData("25:00-26:00"), InlineData("10:60-11:00"), InlineData("10:00-10:00"), InlineData("tag 10:00-11:00")]
    public void What_names_no_time_is_refused(string windows) => Assert.False(UploadWindows.TryParse(windows, out _));

    private static DateTimeOffset At(string local) => new(DateTime.Parse(local, CultureInfo.InvariantCulture), TimeSpan.FromHours(1));
}
