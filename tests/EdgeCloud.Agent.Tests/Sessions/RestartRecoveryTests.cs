using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sessions;

public sealed class RestartRecoveryTests
{
    [Fact]
    public async Task A_sealed_segment_whose_state_was_not_written_is_read_from_its_file()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        var before = session.Segments[1].Manifest;
        File.Delete(Path.Combine(session.Folder, "000002.json"));
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var restarted = again.Book.Find(session.Id)!;
        Assert.Equal(3, restarted.Segments.Count);
        var after = restarted.Segments[1].Manifest;
        Assert.Equal((before.Sha256, before.ETag, before.Bytes, before.PreviousSha256), (after.Sha256, after.ETag, after.Bytes, after.PreviousSha256));
        Assert.Equal(before.Clock, after.Clock);
        Assert.Equal((before.Messages, before.LogTimeStartNs, before.LogTimeEndNs), (after.Messages, after.LogTimeStartNs, after.LogTimeEndNs));
        Assert.Equal(before.Topics, after.Topics);
        Assert.Equal(before.Ledger, after.Ledger);
        Assert.True(restarted.IsComplete);
    }

    [Fact]
    public async Task Counts_that_a_sealed_file_already_holds_are_not_counted_twice()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 1);
        await bench.Desk.PauseAsync(session);
        bench.Send("/a", 5);
        foreach (var recording in bench.Recorder.Live)
            recording.Save();
        var saved = File.ReadAllBytes(Path.Combine(session.Folder, "session.json"));
        await bench.Desk.ResumeAsync(session);
        bench.Send("/a", 1);
        await bench.Desk.FinishAsync(session);
        // As if the agent had died before it wrote anything after the second segment was sealed.
        File.WriteAllBytes(Path.Combine(session.Folder, "session.json"), saved);
        File.Delete(Path.Combine(session.Folder, "000002.json"));
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var ledger = SessionBench.Ledger(again.Book.Find(session.Id)!, "/a");
        Assert.Equal((7, 2, 5), (ledger.Received, ledger.Recorded, ledger.Paused));
    }

    [Fact]
    public async Task Counts_of_a_pause_that_no_segment_holds_survive_any_number_of_restarts()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        await bench.Desk.PauseAsync(session);
        bench.Send("/a", 4);
        await bench.Desk.DisposeAsync();
        await using var second = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        second.Send("/a", 4);
        await second.Desk.DisposeAsync();
        await using var third = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        await third.Desk.DisposeAsync();
        await using var fourth = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var ledger = SessionBench.Ledger(fourth.Book.Find(session.Id)!, "/a");
        Assert.Equal((11, 3, 8), (ledger.Received, ledger.Recorded, ledger.Paused));
    }

    [Fact]
    public async Task Counts_of_a_segment_that_recovery_seals_survive_the_restart_after_it()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        await bench.Desk.PauseAsync(session);
        await Eventually.Holds(() => session.Segments.Count == 1, TimeSpan.FromSeconds(60), "the segment before the pause is sealed");
        bench.Send("/a", 8);
        await bench.Desk.ResumeAsync(session);
        bench.Send("/a", 2);
        await Eventually.Holds(() => bench.Recorder.Live[0].Log.DurableMessages == 5, TimeSpan.FromSeconds(60), "all of them are durable");
        bench.Recorder.Live[0].Save();
        using var folder = new TemporaryFolder();
        await bench.CrashIntoAsync(folder.Path);
        await using var second = await SessionBench.RestartAsync(folder.Path);
        await second.Desk.DisposeAsync();
        await using var third = await SessionBench.RestartAsync(folder.Path);
        var ledger = SessionBench.Ledger(third.Book.Find(session.Id)!, "/a");
        Assert.Equal((13, 5, 8), (ledger.Received, ledger.Recorded, ledger.Paused));
    }

    [Fact]
    public async Task What_was_damaged_in_the_middle_costs_itself_and_every_start_that_reads_it_says_so()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        await SendAsync(5);
        var end = File.ReadAllBytes(Path.Combine(session.Folder, "000001.mcap.open")).AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        await SendAsync(1);
        await SendAsync(4);
        using var folder = new TemporaryFolder();
        await bench.CrashIntoAsync(folder.Path);
        using (var file = File.OpenWrite(Assert.Single(Directory.GetFiles(folder.Path, "000001.mcap.open", SearchOption.AllDirectories))))
        {
            file.Position = (end + 4095) / 4096 * 4096 + 60; // in the sixth message
            file.Write(new byte[8]);
        }
        await using (var second = await SessionBench.RestartAsync(folder.Path))
        {
            Check(second);
            await second.Desk.DisposeAsync();
        }
        // As if the agent had died before it wrote down what it had recovered.
        File.Delete(Assert.Single(Directory.GetFiles(folder.Path, "000001.json", SearchOption.AllDirectories)));
        await using var third = await SessionBench.RestartAsync(folder.Path);
        Check(third);

        void Check(SessionBench after)
        {
            Assert.Equal([1u, 2, 3, 4, 5, 7, 8, 9, 10], SessionBench.Read(after.Book.Find(session.Id)!)["/a"]);
            Assert.Contains("1 of its messages are lost, 9 are left", Assert.Single(after.Alarms.Current), StringComparison.Ordinal);
        }

        async Task SendAsync(int count)
        {
            var log = bench.Recorder.Live[0].Log;
            var messages = log.DurableMessages + count;
            bench.Send("/a", count);
            await Eventually.Holds(() => log.DurableMessages == messages, TimeSpan.FromSeconds(60), $"{messages} messages are durable");
        }
    }

    [Fact]
    public async Task A_broken_and_a_missing_segment_keep_their_place_in_quarantine_and_the_rest_goes_on()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        File.Delete(Path.Combine(session.Folder, "000001.json"));
        File.Delete(Path.Combine(session.Folder, "000001.mcap"));
        File.Delete(Path.Combine(session.Folder, "000002.json"));
        using (var file = File.OpenWrite(Path.Combine(session.Folder, "000002.mcap")))
        {
            file.Position = 200;
            file.Write(new byte[64]);
        }
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var restarted = again.Book.Find(session.Id)!;
        Assert.Equal([Custody.Quarantined, Custody.Quarantined, Custody.Sealed], restarted.Segments.Select(s => s.Custody));
        Assert.Equal("its file is missing", restarted.Segments[0].State.Reason);
        Assert.NotEmpty(restarted.Segments[1].State.Reason);
        Assert.Equal(2, again.Alarms.Current.Count);
        Assert.StartsWith("000002.mcap", Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Combine(bench.Configuration.DataDir, "quarantine")))), StringComparison.Ordinal);
        Assert.True(restarted.IsComplete);
    }

    [Fact]
    public async Task A_segment_that_the_disk_does_not_give_keeps_its_place_in_quarantine_and_the_rest_goes_on()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        File.Delete(Path.Combine(session.Folder, "000002.json"));
        File.Delete(session.Segments[1].MediaPath);
        File.CreateSymbolicLink(session.Segments[1].MediaPath, "/proc/self/mem"); // reading it is an input/output error
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var restarted = again.Book.Find(session.Id)!;
        Assert.Equal([Custody.Sealed, Custody.Quarantined, Custody.Sealed], restarted.Segments.Select(s => s.Custody));
        Assert.StartsWith("it cannot be read: Input/output error", restarted.Segments[1].State.Reason, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(Path.Combine(bench.Configuration.DataDir, "quarantine")));
        Assert.True(restarted.IsComplete);
    }

    [Fact]
    public async Task Recovery_waits_for_a_full_disk()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        var before = SessionBench.Ledger(session, "/a");
        File.Delete(Path.Combine(session.Folder, "000002.json"));
        var book = SessionBook.Open(bench.Configuration.DataDir, Assert.Fail);
        var recovery = new RestartRecovery(
            bench.Configuration, book, bench.Alarms, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        recovery.Survey();
        Task recovering;
        using (new FullDisk(Path.Combine(session.Folder, "000002.json")))
        {
            recovering = recovery.RunAsync(TestContext.Current.CancellationToken);
            await Eventually.Holds(() => bench.Alarms.Current.Count == 1, TimeSpan.FromSeconds(60), "the alarm");
        }
        await recovering.WaitAsync(TimeSpan.FromSeconds(60));
        var restarted = book.Find(session.Id)!;
        Assert.Equal(before, SessionBench.Ledger(restarted, "/a"));
        Assert.True(restarted.IsComplete);
        Assert.Empty(bench.Alarms.Current);
    }

    [Fact]
    public async Task A_session_whose_state_is_damaged_is_over_and_what_it_recorded_is_delivered()
    {
        await using var bench = SessionBench.Create();
        var (damaged, sound) = (await RecordAsync(bench), await RecordAsync(bench));
        File.WriteAllText(Path.Combine(damaged.Folder, "session.json"), "{}");
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        Assert.Equal(2, again.Book.All.Count);
        Assert.Equal(SessionState.Finishing, again.Book.Find(sound.Id)!.State);
        var salvaged = again.Book.Find(damaged.Id)!;
        Assert.Equal((SessionState.Failed, 3, damaged.File.Manifest.ObjectPrefix, true),
            (salvaged.State, salvaged.Segments.Count, salvaged.File.Manifest.ObjectPrefix, salvaged.IsComplete));
        Assert.Contains("session.json is damaged", Assert.Single(again.Damage), StringComparison.Ordinal);
        Assert.StartsWith("session.json", Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Combine(bench.Configuration.DataDir, "quarantine")))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_of_which_nothing_can_be_read_goes_to_quarantine_whole()
    {
        await using var bench = SessionBench.Create();
        var folder = Path.Combine(bench.Configuration.DataDir, "sessions", "of-somebody-else");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "mine");
        File.WriteAllText(Path.Combine(bench.Configuration.DataDir, "sessions", "todo.txt"), "mine too");
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        Assert.Empty(again.Book.All);
        Assert.Equal(2, again.Damage.Count);
        Assert.True(File.Exists(Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(bench.Configuration.DataDir, "quarantine"))), "notes.txt")));
    }

    [Fact]
    public async Task A_segment_whose_state_is_damaged_is_read_again_from_its_recording()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        var before = session.Segments.Select(s => s.Manifest.Sha256).ToList();
        File.WriteAllText(Path.Combine(session.Folder, "000002.json"), "{ \"custody\": \"sea");
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var restarted = again.Book.Find(session.Id)!;
        Assert.Equal(before, restarted.Segments.Select(s => s.Manifest.Sha256));
        Assert.Equal(session.Segments.Select(s => s.Manifest.PreviousSha256), restarted.Segments.Select(s => s.Manifest.PreviousSha256));
        Assert.All(restarted.Segments, s => Assert.Equal(Custody.Sealed, s.Custody));
        Assert.Contains("000002.json is damaged", Assert.Single(again.Damage), StringComparison.Ordinal);
        Assert.Equal(SessionBench.Ledger(session, "/a"), SessionBench.Ledger(restarted, "/a"));
    }

    [Fact]
    public async Task What_others_put_into_a_sessions_folder_is_moved_aside_and_named_and_is_no_segment()
    {
        await using var bench = SessionBench.Create();
        var (session, other) = (await RecordAsync(bench), await RecordAsync(bench));
        File.WriteAllText(Path.Combine(session.Folder, "readme.txt"), "what is this?");
        File.Copy(other.Segments[0].MediaPath, Path.Combine(session.Folder, "000004.mcap"));
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var restarted = again.Book.Find(session.Id)!;
        Assert.Equal([Custody.Sealed, Custody.Sealed, Custody.Sealed, Custody.Quarantined], restarted.Segments.Select(s => s.Custody));
        Assert.Contains($"is a recording of session {other.Id}", restarted.Segments[3].State.Reason, StringComparison.Ordinal);
        Assert.Equal(2, again.Alarms.Current.Count);
        Assert.Contains(again.Alarms.Current, a => a.Contains("readme.txt is no file of this agent", StringComparison.Ordinal));
        Assert.Equal(["000004.mcap", "readme.txt"],
            Directory.GetFiles(Path.Combine(bench.Configuration.DataDir, "quarantine")).Select(f => Path.GetFileName(f)[..^19]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_chain_is_linked_in_order_whatever_order_segments_come_in()
    {
        await using var bench = SessionBench.Create();
        var source = await RecordAsync(bench);
        var files = source.Segments.Select(s => s.Read() with { Manifest = s.Manifest with { PreviousSha256 = null } }).ToList();
        var target = bench.Book.Create(source.File.Manifest with { Session = Guid.CreateVersion7(), State = SessionState.Finishing });
        target.AddToChain(files[2]);
        Assert.Empty(target.Segments);
        Assert.False(target.IsComplete);
        target.AddToChain(files[0]);
        Assert.Single(target.Segments);
        target.AddToChain(files[1]);
        Assert.Equal([null, files[0].Manifest.Sha256, files[1].Manifest.Sha256], target.Segments.Select(s => s.Manifest.PreviousSha256));
        Assert.True(target.IsComplete);
    }

    [Fact]
    public async Task A_segment_that_is_in_the_chain_before_its_session_knows_is_added_again_and_is_there_once()
    {
        await using var bench = SessionBench.Create();
        var source = await RecordAsync(bench);
        var files = source.Segments.Select(s => s.Read() with { Manifest = s.Manifest with { PreviousSha256 = null } }).ToList();
        var target = bench.Book.Create(source.File.Manifest with { Session = Guid.CreateVersion7(), State = SessionState.Finishing, LastSequence = 0 });
        target.AddToChain(files[1]);
        using (new FullDisk(Path.Combine(target.Folder, "session.json")))
        {
            Assert.Throws<IOException>(() => target.AddToChain(files[0]));
            Assert.Throws<IOException>(() => target.AddToChain(files[0]));
        }
        target.AddToChain(files[0]);
        Assert.True(target.IsComplete);
        Assert.Equal((2, 2), (target.Segments.Count, target.File.Manifest.LastSequence));
        Assert.Equal(2, Session.Load(target.Folder).File.LedgerThrough);
    }

    [Fact]
    public async Task What_was_to_be_deleted_when_the_agent_died_is_deleted()
    {
        await using var bench = SessionBench.Create();
        var session = await RecordAsync(bench);
        var path = session.Segments[0].MediaPath;
        var content = File.ReadAllBytes(path);
        Assert.True(session.Segments[0].TryDiscard("test"));
        File.WriteAllBytes(path, content);
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        Assert.False(File.Exists(path));
        Assert.Equal(Custody.Discarded, again.Book.Find(session.Id)!.Segments[0].Custody);
    }

    private static async Task<Session> RecordAsync(SessionBench bench)
    {
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        await bench.Desk.SealAsync();
        bench.Send("/a", 4);
        bench.Lose("/a", 1);
        await bench.Desk.SealAsync();
        bench.Send("/b", 5);
        await bench.Desk.FinishAsync(session);
        Assert.Equal(3, session.Segments.Count);
        return session;
    }
}
