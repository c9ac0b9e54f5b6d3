using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sessions;

public sealed class SessionDeskTests
{
    [Fact]
    public async Task What_passes_in_a_pause_is_counted_and_not_recorded()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 10);
        await bench.Desk.PauseAsync(session);
        Assert.Equal(SessionState.Paused, session.State);
        Assert.Null(Assert.Single(session.File.Manifest.Pauses).ToNs);
        bench.Send("/a", 7);
        bench.Send("/b", 2);
        await bench.Desk.ResumeAsync(session);
        Assert.NotNull(Assert.Single(session.File.Manifest.Pauses).ToNs);
        bench.Send("/a", 5);
        await bench.Desk.FinishAsync(session);

        Assert.Equal(2, session.Segments.Count);
        Assert.Equal(Numbers(1, 10).Concat(Numbers(18, 22)), SessionBench.Read(session)["/a"]);
        var (a, b) = (SessionBench.Ledger(session, "/a"), SessionBench.Ledger(session, "/b"));
        Assert.Equal((22, 15, 7), (a.Received, a.Recorded, a.Paused));
        Assert.Equal((2, 0, 2), (b.Received, b.Recorded, b.Paused));
        Assert.Equal(SessionState.Finishing, session.State);
        Assert.True(session.IsComplete);
    }

    [Fact]
    public async Task A_sealed_segment_makes_the_sessions_account_due_again()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        session.UpdateQuietly(f => f with { Noted = true });
        bench.Send("/a", 3);
        await bench.Desk.SealAsync();
        await Eventually.Holds(() => !session.File.Noted, TimeSpan.FromSeconds(60), "the session is to be announced");
        Assert.Equal(3, session.Describe().Messages);
        Assert.Equal(1, session.File.Manifest.LastSequence);
    }

    [Theory]
    [InlineData(SessionState.Recording), InlineData(SessionState.Paused)]
    public async Task A_session_that_the_agents_end_interrupted_is_finished_where_that_is_configured(SessionState state)
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        if (state is SessionState.Paused)
            await bench.Desk.PauseAsync(session);
        else
            await bench.Desk.SealAsync(session);
        await Eventually.Holds(() => session.Segments.Count == 1, TimeSpan.FromSeconds(60), "the first segment is sealed");
        using var copy = new TemporaryFolder();
        if (state is SessionState.Recording)
            bench.Send("/a", 2);
        await bench.CrashIntoAsync(copy.Path);
        await using var again = await SessionBench.RestartAsync(copy.Path, new RecordingSettings { BoundMs = 5, OnRestart = RestartBehaviour.Finish });
        var finished = again.Book.Find(session.Id)!;
        Assert.Equal(SessionState.Finishing, finished.State);
        Assert.True(finished.IsComplete);
        Assert.Empty(finished.File.Manifest.Gaps);
        Assert.Empty(again.Recorder.Live);
        again.Send("/a", 1);
        Assert.Equal(Numbers(1, 3), SessionBench.Read(finished)["/a"].Take(3));
        Assert.All(finished.Segments, s => Assert.Equal(Custody.Sealed, s.Custody));
    }

    [Fact]
    public async Task What_passed_after_the_last_segment_is_in_the_sessions_ledger_and_survives_a_restart()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 3);
        await bench.Desk.PauseAsync(session);
        await Eventually.Holds(() => session.Segments.Count == 1, TimeSpan.FromSeconds(60), "the segment before the pause is sealed");
        bench.Send("/a", 4);
        bench.Lose("/a", 9);
        await bench.Desk.FinishAsync(session);
        Assert.Equal((7, 3, 4), Counts(SessionBench.Ledger(session, "/a")));
        Assert.Equal(3, Assert.Single(session.Segments).Manifest.Ledger.Sum(e => e.Received));

        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        Assert.Equal((7, 3, 4), Counts(SessionBench.Ledger(again.Book.Find(session.Id)!, "/a")));
    }

    [Fact]
    public async Task Sessions_side_by_side_record_what_each_selects()
    {
        await using var bench = SessionBench.Create();
        var all = await bench.StartAsync();
        bench.Send("/a", 5);
        var some = await bench.StartAsync("/b*");
        bench.Send("/a", 5);
        bench.Send("/b1", 5);
        await bench.Desk.PauseAsync(all);
        bench.Send("/b1", 5);
        bench.Send("/b2", 1);
        await bench.Desk.FinishAsync(all);
        bench.Send("/b2", 1);
        await bench.Desk.FinishAsync(some);

        Assert.Equal((10, 10, 0), Counts(SessionBench.Ledger(all, "/a")));
        Assert.Equal((10, 5, 5), Counts(SessionBench.Ledger(all, "/b1")));
        Assert.Equal((1, 0, 1), Counts(SessionBench.Ledger(all, "/b2")));
        Assert.Equal((0, 0, 0), Counts(SessionBench.Ledger(some, "/a")));
        Assert.Equal((10, 10, 0), Counts(SessionBench.Ledger(some, "/b1")));
        Assert.Equal(["/b1", "/b2"], SessionBench.Read(some).Keys.Order());
    }

    [Fact]
    public async Task A_segment_repeats_the_last_latched_message_also_when_it_came_before_the_session_or_in_a_pause()
    {
        await using var bench = SessionBench.Create();
        bench.Send("/tf_static", 2, latched: true);
        var session = await bench.StartAsync();
        bench.Send("/a", 1);
        await bench.Desk.PauseAsync(session);
        bench.Send("/tf_static", 1);
        await bench.Desk.ResumeAsync(session);
        bench.Send("/a", 1);
        await bench.Desk.SealAsync();
        bench.Send("/tf_static", 1);
        bench.Send("/a", 1);
        await bench.Desk.SealAsync();
        bench.Send("/a", 1);
        await bench.Desk.FinishAsync(session);

        Assert.Equal([2u, 3u, 3u, 4u], SessionBench.Read(session, repeats: true)["/tf_static"]);
        Assert.Equal([4u], SessionBench.Read(session)["/tf_static"]);
        Assert.Equal((2, 1, 1), Counts(SessionBench.Ledger(session, "/tf_static")));
    }

    [Fact]
    public async Task Lost_in_transport_is_told_in_the_segment_during_which_it_happened()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 5);
        bench.Lose("/a", 3);
        await bench.Desk.SealAsync();
        bench.Send("/a", 5);
        await bench.Desk.FinishAsync(session);
        Assert.Equal([3, 0], session.Segments.Select(s => s.Manifest.Ledger.Single().LostTransport));
        Assert.Equal(3, SessionBench.Ledger(session, "/a").LostTransport);
    }

    [Fact]
    public async Task What_the_log_has_no_memory_for_is_counted_as_dropped_and_the_rest_is_recorded()
    {
        await using var bench = SessionBench.Create();
        // Nothing is given back to memory before all were offered.
        using var offered = new ManualResetEventSlim();
        await using var desk = new SessionDesk(
            bench.Configuration, bench.Book, bench.Recorder, bench.Alarms, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
        {
            Committed = (_, _) => offered.Wait(),
        };
        var session = await desk.StartAsync(Guid.CreateVersion7(), "test", TopicSelection.All, "test");
        var topic = bench.Recorder.TopicAppeared(new SourceTopic { Topic = "/big", MessageEncoding = "cdr" });
        var payload = new byte[4 << 20];
        for (uint i = 0; i < 60; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(payload, i);
            bench.Recorder.Message(topic, new MessageTimes(i + 1, i + 1, i), payload);
        }
        offered.Set();
        await desk.FinishAsync(session);
        var ledger = SessionBench.Ledger(session, "/big");
        Assert.Equal((60, 60 - ledger.DroppedQueue), (ledger.Received, ledger.Recorded));
        Assert.InRange(ledger.DroppedQueue, 1, 59);
        Assert.Equal(ledger.Recorded, SessionBench.Read(session)["/big"].Count);
    }

    [Fact]
    public async Task While_the_disk_is_guarded_messages_are_counted_as_dropped()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 5);
        bench.Recorder.DiskGuarded = true;
        bench.Send("/a", 6);
        bench.Recorder.DiskGuarded = false;
        bench.Send("/a", 7);
        await bench.Desk.FinishAsync(session);
        var ledger = SessionBench.Ledger(session, "/a");
        Assert.Equal((18, 12, 6), (ledger.Received, ledger.Recorded, ledger.DroppedDisk));
    }

    [Fact]
    public async Task Cancel_discards_what_is_not_uploaded()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 5);
        await bench.Desk.SealAsync();
        bench.Send("/a", 5);
        await Testing.Eventually.Holds(() => session.Segments.Count == 1, TimeSpan.FromSeconds(60), "the first segment");
        var uploaded = session.Segments[0];
        Assert.True(uploaded.TryAdvance(Custody.Uploading));
        Assert.True(uploaded.TryAdvance(Custody.Uploaded));
        await bench.Desk.CancelAsync(session, "cancelled by test");

        Assert.Equal((SessionState.Cancelled, "cancelled by test"), (session.State, session.File.Manifest.Reason));
        Assert.Equal([Custody.Uploaded, Custody.Discarded], session.Segments.Select(s => s.Custody));
        Assert.Equal([true, false], session.Segments.Select(s => File.Exists(s.MediaPath)));
        Assert.Equal("cancelled", session.Segments[1].State.Reason);
    }

    [Theory]
    [InlineData(CommandKind.Resume, "the session is recording already")]
    [InlineData(CommandKind.Pause, "the session is paused already", CommandKind.Pause)]
    [InlineData(CommandKind.Resume, "the session is finishing: only cancel is possible", CommandKind.Finish)]
    [InlineData(CommandKind.Finish, "the session is finishing: only cancel is possible", CommandKind.Pause, CommandKind.Finish)]
    [InlineData(CommandKind.Finish, "the session was cancelled", CommandKind.Finish, CommandKind.Cancel)]
    public async Task An_illegal_transition_is_refused_with_the_reason_and_changes_nothing(
        CommandKind refused, string reason, params CommandKind[] before)
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        foreach (var command in before)
            await Do(bench, session, command);
        var state = session.State;
        Assert.Equal(reason, (await Assert.ThrowsAsync<RefusedException>(() => Do(bench, session, refused))).Message);
        Assert.Equal(state, session.State);
    }

    [Fact]
    public async Task A_command_without_a_session_means_the_only_live_one()
    {
        await using var bench = SessionBench.Create();
        Assert.Equal("no session is recording or paused", Assert.Throws<RefusedException>(() => bench.Desk.Resolve(null)).Message);
        var first = await bench.StartAsync();
        Assert.Same(first, bench.Desk.Resolve(null));
        var second = await bench.StartAsync();
        Assert.Contains("2 sessions are recording or paused", Assert.Throws<RefusedException>(() => bench.Desk.Resolve(null)).Message, StringComparison.Ordinal);
        Assert.Same(second, bench.Desk.Resolve(second.Id));
        Assert.Contains("there is no session", Assert.Throws<RefusedException>(() => bench.Desk.Resolve(Guid.NewGuid())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RefusedException>(() => bench.Desk.StartAsync(first.Id, "", TopicSelection.All, "test"));
    }

    [Fact]
    public async Task Recording_and_paused_sessions_go_on_after_a_restart_in_a_new_segment()
    {
        await using var bench = SessionBench.Create();
        var (recording, paused) = (await bench.StartAsync(), await bench.StartAsync());
        bench.Send("/a", 5);
        await bench.Desk.PauseAsync(paused);
        bench.Send("/a", 5);
        await bench.Desk.DisposeAsync();

        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        var (first, second) = (again.Book.Find(recording.Id)!, again.Book.Find(paused.Id)!);
        Assert.Equal((SessionState.Recording, SessionState.Paused), (first.State, second.State));
        again.Send("/a", 4);
        await again.Desk.ResumeAsync(second);
        again.Send("/a", 3);
        await again.Desk.FinishAsync(first);
        await again.Desk.FinishAsync(second);
        Assert.Equal((17, 17, 0), Counts(SessionBench.Ledger(first, "/a")));
        Assert.Equal((17, 8, 9), Counts(SessionBench.Ledger(second, "/a")));
        Assert.Equal((2, 2), (first.Segments.Count, second.Segments.Count));
    }

    [Fact]
    public async Task A_disk_that_is_full_while_a_session_ends_delays_its_end_and_takes_nothing()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 5);
        await bench.Desk.PauseAsync(session);
        bench.Send("/a", 3);
        FullDisk? full = null;
        session.Changed += s =>
        {
            if (s.State is SessionState.Finishing)
                full ??= new FullDisk(Path.Combine(s.Folder, "session.json"));
        };
        var finishing = bench.Desk.FinishAsync(session);
        await Assert.ThrowsAsync<TimeoutException>(() => finishing.WaitAsync(TimeSpan.FromSeconds(1)));
        full!.Dispose();
        await finishing.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(session.IsComplete);
        Assert.Equal((8, 5, 3), Counts(SessionBench.Ledger(Session.Load(session.Folder), "/a")));
    }

    [Fact]
    public async Task A_full_disk_is_an_alarm_while_a_session_goes_on_and_its_counts_are_written_afterwards()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        bench.Send("/a", 5);
        await bench.Desk.PauseAsync(session);
        await Eventually.Holds(() => session.Segments.Count == 1, TimeSpan.FromSeconds(60), "the segment before the pause is sealed");
        bench.Send("/a", 3);
        using var end = new CancellationTokenSource();
        var watching = bench.Desk.WatchAsync(end.Token);
        using (new FullDisk(Path.Combine(session.Folder, "session.json")))
        {
            await Eventually.Holds(() => bench.Alarms.Current.Count == 1, TimeSpan.FromSeconds(60), "the alarm");
            Assert.Contains("cannot be written down: No space left on device", bench.Alarms.Current[0], StringComparison.Ordinal);
            await Assert.ThrowsAsync<IOException>(() => bench.Desk.ResumeAsync(session));
            Assert.Equal(SessionState.Paused, session.State);
        }
        await Eventually.Holds(() => bench.Alarms.Current.Count == 0, TimeSpan.FromSeconds(60), "the alarm is over");
        Assert.Equal(3, Session.Load(session.Folder).File.Unsegmented.Single().Paused);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task A_session_whose_segments_cannot_be_taken_into_the_chain_fails_with_an_alarm_and_others_go_on()
    {
        await using var bench = SessionBench.Create();
        var (broken, sound) = (await bench.StartAsync("/a"), await bench.StartAsync("/b"));
        Directory.CreateDirectory(Path.Combine(broken.Folder, "000001.json.tmp"));
        using var end = new CancellationTokenSource();
        var watching = bench.Desk.WatchAsync(end.Token);
        bench.Send("/a", 5);
        bench.Send("/b", 5);
        await bench.Desk.SealAsync();
        await Eventually.Holds(() => broken.State is SessionState.Failed, TimeSpan.FromSeconds(60), "the session has failed");
        await Eventually.Holds(() => bench.Alarms.Current.Count == 1, TimeSpan.FromSeconds(60), "the alarm");
        Assert.StartsWith($"recording of session {broken.Id} broke", bench.Alarms.Current[0], StringComparison.Ordinal);
        Assert.False(broken.IsComplete);
        bench.Send("/a", 5);
        bench.Send("/b", 5);
        await bench.Desk.FinishAsync(sound);
        Assert.Equal((10, 10, 0), Counts(SessionBench.Ledger(sound, "/b")));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);

        Directory.Delete(Path.Combine(broken.Folder, "000001.json.tmp"));
        await using var again = await SessionBench.RestartAsync(bench.Configuration.DataDir);
        Assert.Equal((5, 5, 0), Counts(SessionBench.Ledger(again.Book.Find(broken.Id)!, "/a")));
    }

    [Fact]
    public async Task A_log_that_breaks_fails_its_session_and_neither_source_nor_desk_notice_more_than_drops()
    {
        await using var bench = SessionBench.Create();
        await using var desk = new SessionDesk(
            bench.Configuration, bench.Book, bench.Recorder, bench.Alarms, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
        {
            Committed = (_, _) => throw new InvalidOperationException("nobody expected this"),
        };
        var session = await desk.StartAsync(Guid.CreateVersion7(), "test", TopicSelection.All, "test");
        bench.Send("/a", 1);
        await Eventually.Holds(() => bench.Recorder.Live[0].Log.Ended.IsFaulted, TimeSpan.FromSeconds(60), "the log is broken");
        bench.Send("/a", 4);
        Assert.Equal(4, session.Describe().Ledger.Single().DroppedQueue);
        using var end = new CancellationTokenSource();
        var watching = desk.WatchAsync(end.Token);
        await Eventually.Holds(() => bench.Alarms.Current.Count == 1, TimeSpan.FromSeconds(60), "the alarm");
        Assert.Contains("broke: nobody expected this", bench.Alarms.Current[0], StringComparison.Ordinal);
        Assert.Equal(SessionState.Failed, session.State);
        Assert.Equal(4, Session.Load(session.Folder).Describe().Ledger.Single().DroppedQueue);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task A_source_that_waits_for_room_loses_no_message_however_large()
    {
        await using var bench = SessionBench.Create();
        var session = await bench.StartAsync();
        var topic = bench.Recorder.TopicAppeared(new SourceTopic { Topic = "/big", MessageEncoding = "cdr", Class = TopicClass.Bulk });
        var random = new Random(1);
        for (uint i = 0; i < 200; i++)
        {
            var payload = new byte[i % 8 == 7 ? 9 << 20 : 1 + random.Next(2 << 20)];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(payload.Length < 4 ? new byte[4] : payload, i);
            await bench.Recorder.RoomAsync(payload.Length, TestContext.Current.CancellationToken);
            bench.Recorder.Message(topic, new MessageTimes(i + 1, i + 1, i), payload);
        }
        await bench.Desk.FinishAsync(session);
        Assert.Equal((200, 200, 0), Counts(session.Describe().Ledger.Single()));
    }

    [Fact]
    public async Task Random_orders_of_commands_and_messages_keep_every_count_right()
    {
        for (var seed = 0; seed < 15; seed++)
            await RunRandomAsync(seed);
    }

    private static async Task RunRandomAsync(int seed)
    {
        var random = new Random(seed);
        var bench = SessionBench.Create(new RecordingSettings { BoundMs = 1 });
        List<(Session Session, Dictionary<string, (long Recorded, long Paused)> Expected)> model = [];
        for (var step = 0; step < 60; step++)
        {
            if (model.Count == 0 || random.Next(12) == 0)
                model.Add((await bench.StartAsync(random.Next(2) == 0 ? [] : ["/a"]), []));
            var (session, _) = model[random.Next(model.Count)];
            switch (random.Next(8))
            {
                case 0:
                    await Try(() => bench.Desk.PauseAsync(session));
                    break;
                case 1:
                    await Try(() => bench.Desk.ResumeAsync(session));
                    break;
                case 2 when random.Next(4) == 0:
                    await Try(() => bench.Desk.FinishAsync(session));
                    break;
                case 3:
                    await bench.Desk.SealAsync();
                    break;
                default:
                    var (topic, count) = (random.Next(2) == 0 ? "/a" : "/b", random.Next(1, 50));
                    bench.Send(topic, count);
                    foreach (var (each, expected) in model.Where(m => m.Session.File.Manifest.Selection.Selects(topic)))
                    {
                        var (recorded, paused) = expected.GetValueOrDefault(topic);
                        if (each.State is SessionState.Recording)
                            expected[topic] = (recorded + count, paused);
                        else if (each.State is SessionState.Paused)
                            expected[topic] = (recorded, paused + count);
                    }
                    break;
            }
        }
        await bench.Desk.DisposeAsync();
        foreach (var (session, expected) in model)
        {
            foreach (var (topic, (recorded, paused)) in expected)
            {
                var ledger = SessionBench.Ledger(session, topic);
                Assert.True((recorded + paused, recorded, paused) == Counts(ledger), $"seed {seed}, {topic}: expected {recorded}+{paused}, found {ledger}");
                Assert.Equal(recorded, SessionBench.Read(session).GetValueOrDefault(topic)?.Count ?? 0);
            }
        }
        await bench.DisposeAsync();
    }

    private static async Task Try(Func<Task> command)
    {
        try
        {
            await command();
        }
        catch (RefusedException)
        {
        }
    }

    private static Task Do(SessionBench bench, Session session, CommandKind command) => command switch
    {
        CommandKind.Pause => bench.Desk.PauseAsync(session),
        CommandKind.Resume => bench.Desk.ResumeAsync(session),
        CommandKind.Finish => bench.Desk.FinishAsync(session),
        _ => bench.Desk.CancelAsync(session, "test"),
    };

    private static IEnumerable<uint> Numbers(uint first, uint last) => Enumerable.Range((int)first, (int)(last - first + 1)).Select(n => (uint)n);

    private static (long Received, long Recorded, long Paused) Counts(LedgerEntry entry) => (entry.Received, entry.Recorded, entry.Paused);
}
