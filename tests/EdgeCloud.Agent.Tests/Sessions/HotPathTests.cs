using EdgeCloud.Agent.Sources;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sessions;

public sealed class HotPathTests
{
    [Fact]
    public async Task A_message_from_source_to_log_allocates_nothing_in_steady_state()
    {
        await using var bench = SessionBench.Create();
        await bench.StartAsync();
        await bench.StartAsync("/b");
        var topic = bench.Recorder.TopicAppeared(new SourceTopic { Topic = "/b", MessageEncoding = "cdr" });
        var payload = new byte[1000];
        // Until the steady state is there. A log that lags once more than before takes memory that it keeps: that is not the message's.
        var allocated = long.MaxValue;
        for (var round = 0; round < 20 || round < 200 && allocated > 0; round++)
        {
            var logs = bench.Recorder.Live.Select(r => r.Log).ToList();
            await Eventually.Holds(() => logs.TrueForAll(l => l.WaitingBytes == 0), TimeSpan.FromSeconds(60), "the log has written everything");
            allocated = Deliver();
        }
        Assert.Equal(0, allocated);

        long Deliver()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 2_000; i++)
            {
                var room = bench.Recorder.RoomAsync(payload.Length, CancellationToken.None).AsTask();
                if (!room.IsCompletedSuccessfully)
                    return long.MaxValue;
                bench.Recorder.Message(topic, new MessageTimes(1, 1, 1), payload);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
