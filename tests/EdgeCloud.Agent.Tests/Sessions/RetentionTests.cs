using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Sessions;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);
    private static readonly DiskSettings Keep = new() { KeepAcknowledged = true, MinimumFreeBytes = 0 };

    [Fact]
    public async Task Only_acknowledged_segments_go_and_at_once_unless_they_are_to_be_kept()
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Custody.Sealed, Custody.Acknowledged, Custody.Uploaded, Custody.Acknowledged, Custody.Released);
        Assert.Equal([2, 4], Plan(session, Keep with { KeepAcknowledged = false }));
        Assert.Empty(Plan(session, Keep));
    }

    [Fact]
    public async Task The_oldest_go_first_by_age_by_size_and_by_free_space()
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Enumerable.Repeat(Custody.Acknowledged, 6).ToArray());
        // Segment n ends n hours after the first; all are of 100 bytes.
        Assert.Equal([1, 2], Plan(session, Keep with { KeepHours = 4 }));
        Assert.Equal([1, 2, 3], Plan(session, Keep with { KeepBytes = 350 }));
        Assert.Equal([1, 2], Plan(session, Keep, missing: 150));
        Assert.Equal([1, 2, 3, 4], Plan(session, Keep with { KeepHours = 4, KeepBytes = 200 }, missing: 50));
    }

    [Fact]
    public async Task What_an_event_holds_on_to_goes_last_and_never_by_age()
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Enumerable.Repeat(Custody.Acknowledged, 4).ToArray());
        session.Pin(Guid.NewGuid(), session.Segments[0].State.LogTimeStartNs, session.Segments[0].State.LogTimeEndNs);
        Assert.Equal([2, 3], Plan(session, Keep with { KeepHours = 1 }));
        Assert.Equal([2, 3, 4, 1], Plan(session, Keep, missing: 400));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("the certificate is not in the bucket", false)]
    [InlineData("the control plane has not answered the session", false)]
    [InlineData("nor a segment", false)]
    [InlineData("a recording is on this disk", false)]
    [InlineData("an event refers to it", false)]
    public async Task A_session_is_forgotten_when_nothing_of_it_is_left_to_do_or_to_tell(string but, bool isForgotten)
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Custody.Released, Custody.Discarded, but == "a recording is on this disk" ? Custody.Acknowledged : Custody.Released);
        foreach (var segment in session.Segments.Skip(but == "nor a segment" ? 1 : 0))
            segment.Note(segment.Custody);
        session.UpdateQuietly(f => f with
        {
            Certified = but != "the certificate is not in the bucket",
            Noted = but != "the control plane has not answered the session",
            Manifest = f.Manifest with { State = SessionState.Finished },
        });
        if (but == "an event refers to it")
        {
            bench.Book.Create(session.File.Manifest with
            {
                Session = Guid.CreateVersion7(),
                State = SessionState.Finishing,
                Event = new EventClip { Parent = session.Id, FromNs = 1, ToNs = 2, Triggers = [] },
            });
        }
        using var guard = Guard(bench);
        guard.Check();
        Assert.Equal(isForgotten, bench.Book.Find(session.Id) is null);
        Assert.Equal(isForgotten, !Directory.Exists(session.Folder));
        Assert.Equal(isForgotten, SessionBook.Open(bench.Configuration.DataDir, Assert.Fail).Find(session.Id) is null);
    }

    [Fact]
    public async Task What_a_crash_left_of_a_forgotten_session_is_deleted_at_the_next_start()
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Custody.Released, Custody.Released);
        var forgotten = Path.Combine(bench.Configuration.DataDir, "forgotten");
        Directory.CreateDirectory(forgotten);
        Directory.Move(session.Folder, Path.Combine(forgotten, session.Id.ToString("D")));
        File.Delete(Path.Combine(forgotten, session.Id.ToString("D"), "session.json"));
        Assert.Empty(SessionBook.Open(bench.Configuration.DataDir, Assert.Fail).All);
        Assert.False(Directory.Exists(forgotten));
    }

    [Fact]
    public async Task A_disk_that_somebody_else_filled_is_freed_first_and_that_is_written_down_when_there_is_room()
    {
        await using var bench = SessionBench.Create();
        var session = Fill(bench, Custody.Acknowledged, Custody.Acknowledged, Custody.Sealed);
        foreach (var segment in session.Segments)
            File.WriteAllBytes(segment.MediaPath, new byte[100]);
        using var guard = Guard(bench, keepAcknowledged: false);
        using (new FullDisk(Path.Combine(session.Folder, "000001.json")))
        {
            guard.Check();
            Assert.Equal([false, false, true], session.Segments.Select(s => File.Exists(s.MediaPath)));
            Assert.Equal([Custody.Acknowledged, Custody.Released, Custody.Sealed], session.Segments.Select(s => s.Custody));
            Assert.Contains("what was freed cannot be written down", Assert.Single(bench.Alarms.Current), StringComparison.Ordinal);
        }
        guard.Check();
        Assert.Equal([Custody.Released, Custody.Released, Custody.Sealed], session.Segments.Select(s => s.Custody));
        Assert.Empty(bench.Alarms.Current);
    }

    [Fact]
    public async Task What_is_discarded_makes_the_room_for_the_words_that_say_so()
    {
        await using var bench = SessionBench.Create();
        var segment = Fill(bench, Custody.Sealed).Segments[0];
        File.WriteAllBytes(segment.MediaPath, new byte[100]);
        using (new FullDisk(segment.MediaPath.Replace(".mcap", ".json", StringComparison.Ordinal)))
            Assert.Throws<IOException>(() => segment.TryDiscard("test"));
        Assert.False(File.Exists(segment.MediaPath));
        Assert.Equal(Custody.Sealed, segment.Custody);
        Assert.True(segment.TryDiscard("test"));
        Assert.Equal((Custody.Discarded, "test"), (segment.Custody, segment.State.Reason));
    }

    private static DiskGuard Guard(SessionBench bench, bool keepAcknowledged = true) => new(
        new() { MinimumFreeBytes = 0, KeepAcknowledged = keepAcknowledged }, bench.Configuration.DataDir, bench.Book, bench.Recorder, bench.Alarms,
        () => new DiskSpace(0, 1L << 40), TimeProvider.System, NullLogger.Instance);

    private static IEnumerable<int> Plan(Session session, DiskSettings settings, long missing = 0) =>
        Retention.Plan([session], settings, missing, Now).Select(e => e.Segment.Sequence);

    private static Session Fill(SessionBench bench, params Custody[] custodies)
    {
        var id = Guid.CreateVersion7();
        var session = bench.Book.Create(new SessionManifest
        {
            Robot = "amr-01",
            Session = id,
            State = SessionState.Finishing,
            ObjectPrefix = ObjectKeys.SessionPrefix("", "amr-01", Now, id),
            StartedNs = 1,
            AgentVersion = "test",
        });
        var first = WallClock.ToNs(Now.AddHours(-custodies.Length));
        for (var i = 0; i < custodies.Length; i++)
        {
            session.AddToChain(new SegmentFile
            {
                Custody = custodies[i],
                PartBytes = 5 << 20,
                Manifest = new SegmentManifest
                {
                    Robot = "amr-01",
                    Session = id,
                    Sequence = i + 1,
                    ObjectKey = ObjectKeys.Segment(session.File.Manifest.ObjectPrefix, i + 1),
                    Bytes = 100,
                    Sha256 = new string('a', 64),
                    ETag = "",
                    LogTimeStartNs = first + i * 3_600_000_000_000,
                    LogTimeEndNs = first + (i + 1) * 3_600_000_000_000 - 1,
                    Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "" },
                    AgentVersion = "test",
                },
            });
        }
        return session;
    }
}
