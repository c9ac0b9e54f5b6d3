namespace EdgeCloud.Contracts.Tests;

public class LossLedgerTests
{
    [Fact]
    public void Ledgers_sum_by_topic_and_losses_leave_pauses_out()
    {
        var sum = LedgerEntry.Sum(
        [
            new LedgerEntry { Topic = "/b", Received = 1, Recorded = 1 },
            new LedgerEntry { Topic = "/a", Received = 10, Recorded = 5, DroppedQueue = 3, Paused = 2 },
            new LedgerEntry { Topic = "/a", Received = 5, Recorded = 5, LostTransport = 1 },
        ]);

        Assert.Equal(["/a", "/b"], sum.Select(e => e.Topic));
        Assert.Equal(15, sum[0].Received);
        Assert.Equal(3 + 1, sum[0].Lost());
    }
}
