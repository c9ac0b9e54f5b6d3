using System.Text;
using EdgeCloud.Agent.Sources.Ros;

namespace EdgeCloud.Agent.Tests.Sources.Ros;

public sealed class OverlapTests
{
    private readonly Overlap _overlap = new();

    [Fact]
    public void What_both_bring_is_new_once_whoever_is_first()
    {
        Assert.True(First("a"));
        Assert.False(Second("a"));
        Assert.True(Second("b"));
        Assert.False(First("b"));
    }

    [Fact]
    public void Equal_messages_count_as_often_as_one_of_the_two_brings_them()
    {
        Assert.True(First("same"));
        Assert.True(First("same"));
        Assert.False(Second("same"));
        Assert.False(Second("same"));
        Assert.True(Second("same"));
    }

    [Fact]
    public void What_the_second_brings_late_is_still_known_after_the_first_has_ended()
    {
        First("a");
        Second("a");
        First("b");
        First("c");
        _overlap.FirstEnded();
        Assert.False(Second("b"));
        Assert.False(Second("c"));
        Assert.True(Second("d"));
    }

    [Fact]
    public void What_the_second_never_got_hides_no_equal_message_later()
    {
        First("same"); // before publishers knew the second
        First("a");
        Second("a");
        _overlap.FirstEnded();
        Assert.True(Second("same"));
        Assert.True(Second("same"));
    }

    [Fact]
    public void Of_equal_messages_the_second_missed_the_earliest()
    {
        for (var i = 0; i < 5; i++)
            First("same");
        Second("same"); // the fifth
        _overlap.FirstEnded();
        Assert.True(Second("same"));
    }

    private bool First(string text) => _overlap.IsNewOfFirst(Encoding.UTF8.GetBytes(text));

    private bool Second(string text) => _overlap.IsNewOfSecond(Encoding.UTF8.GetBytes(text));
}
