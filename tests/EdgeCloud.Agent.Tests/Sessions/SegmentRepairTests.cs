using EdgeCloud.Agent.Configuration;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sessions;

/// <summary>A disk that does not give back what it took, while the session records on.</summary>
public sealed class SegmentRepairTests
{
    [Theory]
    [InlineData(false, Custody.Quarantined, 0)]
    [InlineData(true, Custody.Sealed, 19)]
    public async Task What_the_disk_altered_is_lost_and_counted_and_holds_nothing_after_it_up(bool isLater, Custody custody, int left)
    {
        await using var bench = SessionBench.Create(new RecordingSettings { BoundMs = isLater ? 5 : 2000 });
        var session = await bench.StartAsync();
        var open = Path.Combine(session.Folder, "000001.mcap.open");
        long damage = 30; // in the first commit, without which the file is none
        if (isLater)
        {
            await SendAsync(10);
            damage = (LastByte() + 4095) / 4096 * 4096 + 60; // in the message
            await SendAsync(1);
            await SendAsync(9);
        }
        else
        {
            // Two commits would be joined, and the first bytes be written anew from what is known of them.
            await SendAsync(20);
        }
        using (var file = new FileStream(open, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = damage;
            var was = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)~was);
            file.Flush(flushToDisk: true);
        }

        await bench.Desk.SealAsync();
        bench.Send("/a", 5);
        await bench.Desk.SealAsync();
        await Eventually.Holds(() => session.Segments.Count == 2, TimeSpan.FromSeconds(60), "both segments are in the chain");
        await bench.Desk.FinishAsync(session);

        Assert.Equal([(1, custody), (2, Custody.Sealed)], session.Segments.Select(s => (s.Sequence, s.Custody)));
        var ledger = SessionBench.Ledger(session, "/a");
        Assert.Equal((25, left + 5, 20 - left), (ledger.Received, ledger.Recorded, ledger.DroppedDisk));
        var lost = isLater ? [11] : Enumerable.Range(1, 20);
        Assert.Equal(Enumerable.Range(1, 25).Except(lost), SessionBench.Read(session)["/a"].Select(n => (int)n));
        Assert.Single(bench.Alarms.Current, alarm => alarm.Contains("messages", StringComparison.Ordinal));
        Assert.Contains(bench.Alarms.Current, alarm => alarm.Contains($"with its 20 messages, {left} are left", StringComparison.Ordinal));
        Assert.True(session.IsComplete);

        async Task SendAsync(int count)
        {
            var log = Assert.Single(bench.Recorder.Live).Log;
            var messages = log.DurableMessages + count;
            bench.Send("/a", count);
            await Eventually.Holds(() => log.DurableMessages == messages, TimeSpan.FromSeconds(60), $"{messages} messages are durable");
        }

        long LastByte() => File.ReadAllBytes(open).AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
    }
}
