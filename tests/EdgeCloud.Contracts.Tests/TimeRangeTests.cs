namespace EdgeCloud.Contracts.Tests;

public sealed class TimeRangeTests
{
    [Theory]
    [InlineData(null, null, true), InlineData(10L, 20L, true), InlineData(20L, 21L, true), InlineData(null, 10L, false), InlineData(null, 11L, true)]
    [InlineData(21L, null, false), InlineData(20L, null, true), InlineData(12L, 12L, false), InlineData(12L, 13L, true)]
    public void The_first_time_is_in_it_and_the_last_is_not(long? from, long? to, bool overlaps) =>
        Assert.Equal(overlaps, new TimeRange(from, to).Overlaps(10, 20));

    [Fact]
    public void A_union_holds_the_same_times_in_the_fewest_ranges()
    {
        Assert.Equal(
            [new TimeRange(null, 5), new TimeRange(7, 12), new TimeRange(20, null)],
            TimeRange.Union([new(20, 30), new(7, 9), new(25, null), new(9, 12), new(3, 3), new(null, 5), new(8, 9)]));
        Assert.Equal([new TimeRange(null, null)], TimeRange.Union([new(1, 2), new(null, null), new(5, 6)]));
        Assert.Empty(TimeRange.Union([new(5, 4)]));
    }
}
