namespace EdgeCloud.Contracts.Tests;

public class RevisionTests
{
    [Fact]
    public void The_will_comes_after_its_own_connection_and_before_the_next()
    {
        var last = new Revision(10, 4_000);
        var will = new Revision(10, Revision.WillNumber);
        var next = new Revision(11, 1);

        Assert.True(will.IsNewerThan(last));
        Assert.True(next.IsNewerThan(will));
        Assert.False(last.IsNewerThan(last));
    }
}
