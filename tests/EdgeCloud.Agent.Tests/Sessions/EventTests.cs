using System.Buffers.Binary;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Sessions;

/// <summary>Ring sessions and the events that triggers cut out of them. Segments of these tests last two seconds of log time.</summary>
public sealed class EventTests : IAsyncLifetime
{
    private const long Second = 1_000_000_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly SessionBench _bench = SessionBench.Create(new RecordingSettings
    {
        BoundMs = 5,
        Triggers = [TriggerRule.Parse("faults", "/diagnostics level >= ERROR")],
    });
    private EventDesk _events = null!;
    private Session _ring = null!;

    public async ValueTask InitializeAsync()
    {
        _events = Events(_bench);
        _ring = await _bench.Desk.StartAsync(
            Guid.CreateVersion7(), "always", TopicSelection.All, "test", ring: new RingSettings { Minutes = 0.1 }); // six seconds
    }

    public async ValueTask DisposeAsync()
    {
        _events.Dispose();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task What_the_ring_runs_over_is_discarded_in_chain_and_ledger_and_the_newest_stays()
    {
        await RecordAsync(segments: 8);
        Ring.RunOver(_ring);
        var custody = _ring.Segments.Select(s => s.Custody).ToList();
        Assert.Equal([.. Enumerable.Repeat(Custody.Discarded, 4), .. Enumerable.Repeat(Custody.Sealed, 4)], custody);
        Assert.All(_ring.Segments.Take(4), s => Assert.Equal("ring: older than 0.1 minutes", s.State.Reason));
        Assert.All(_ring.Segments, s => Assert.Equal(s.HasMedia, File.Exists(s.MediaPath)));
        var entry = SessionBench.Ledger(_ring, "/a");
        Assert.Equal((16_000, 16_000, 8_000), (entry.Received, entry.Recorded, entry.Discarded));
        Assert.DoesNotContain(_ring.Segments, _ring.IsRequested);
    }

    [Fact]
    public async Task An_event_is_complete_at_no_moment_before_its_time_is_over()
    {
        await RecordAsync(segments: 2);
        var complete = new List<bool>();
        // As the upload sees it, which certifies what is complete.
        _bench.Book.SessionChanged += session =>
        {
            if (session != _ring)
                complete.Add(session.IsComplete);
        };

        Trigger(pre: 1, post: 1);

        Assert.NotEmpty(complete);
        Assert.DoesNotContain(true, complete);
    }

    [Fact]
    public async Task A_trigger_pins_what_came_before_and_after_and_nothing_else_goes_up()
    {
        await RecordAsync(segments: 4);
        var session = Trigger(pre: 3, post: 1);
        var clip = session.File.Manifest.Event!;
        Assert.Equal((_ring.Id, 4 * Second), (clip.Parent, clip.ToNs - clip.FromNs));
        Assert.Null(clip.Segments);
        _bench.Send("/a", 1500); // past the time after it, in the segment that is open
        await CompleteAsync(session);
        Assert.Equal([3, 4, 5], session.File.Manifest.Event!.Segments);
        await RecordAsync(segments: 8);
        Ring.RunOver(_ring);
        Assert.Equal([3, 4, 5], _ring.Segments.Where(_ring.IsRequested).Select(s => s.Sequence));
        Assert.All(_ring.Segments, s => Assert.Equal(s.Sequence is 3 or 4 or 5 or > 9, s.HasMedia));
        Assert.Equal(SessionState.Finishing, session.State);
        Assert.False(session.IsComplete);

        foreach (var segment in _ring.Segments.Where(_ring.IsRequested).ToList())
            Deliver(segment);
        await _events.CheckAsync();
        Assert.True(session.IsComplete);
        Assert.DoesNotContain(_ring.Segments, _ring.IsRequested);
    }

    [Fact]
    public async Task A_segment_with_a_message_that_reached_the_log_after_its_time_was_over_belongs_to_the_event_too()
    {
        await RecordAsync(segments: 4);
        var session = Trigger(pre: 3, post: 1);
        _bench.Send("/a", 1500);
        await CompleteAsync(session);
        var clip = session.File.Manifest.Event!;
        Assert.Equal([3, 4, 5], clip.Segments);

        var late = _bench.Recorder.TopicAppeared(new SourceTopic { Topic = "/late", MessageEncoding = "cdr" });
        _bench.Recorder.Message(late, new MessageTimes((ulong)clip.ToNs, 0, 0), [0, 0, 0, 0]);
        await _bench.Desk.SealAsync();
        await Eventually.Holds(() => _ring.Segments.Count == 6, Deadline, "the message's segment is in the chain");
        await _events.CheckAsync();

        Assert.Equal([3, 4, 5, 6], session.File.Manifest.Event!.Segments);
    }

    [Fact]
    public async Task Triggers_that_overlap_make_one_event_and_pins_of_several_are_counted()
    {
        await RecordAsync(segments: 2);
        var first = Trigger(pre: 2, post: 1);
        _bench.Send("/a", 500);
        Assert.Same(first, Trigger(pre: 1, post: 1));
        var clip = first.File.Manifest.Event!;
        Assert.Equal(2, clip.Triggers.Count);
        Assert.Equal(3 * Second + Second / 2, clip.ToNs - clip.FromNs);
        await RecordAsync(segments: 2);
        await CompleteAsync(first);
        foreach (var segment in _ring.Segments.Where(_ring.IsRequested).ToList())
            Deliver(segment);
        await _events.CheckAsync();

        // The first is over: what overlaps it now is an event of its own.
        var second = Trigger(pre: 4, post: 1);
        Assert.NotEqual(first, second);
        _bench.Send("/a", 6000);
        var third = Trigger(pre: 4.9, post: 0);
        Assert.NotEqual(second, third);
        _bench.Send("/a", 500);
        await CompleteAsync(third);
        Assert.Contains(_ring.Segments, s => _ring.PinsOn(s) == 2);
        await _bench.Desk.CancelAsync(second, "cancelled");
        await _events.CheckAsync();
        Assert.DoesNotContain(_ring.Segments, s => _ring.PinsOn(s) == 2);
        Assert.Contains(_ring.Segments, s => _ring.PinsOn(s) == 1);
    }

    [Fact]
    public async Task Pins_hold_across_a_restart_and_the_event_is_completed_after_it()
    {
        await RecordAsync(segments: 4);
        var session = Trigger(pre: 3, post: 2);
        using var copy = new TemporaryFolder();
        await _bench.CrashIntoAsync(copy.Path);
        await using var again = await SessionBench.RestartAsync(copy.Path);
        using var events = Events(again);
        events.Restore();
        var (ring, restored) = (again.Book.Find(_ring.Id)!, again.Book.Find(session.Id)!);
        Assert.Equal(SessionState.Recording, ring.State);
        var gap = Assert.Single(ring.File.Manifest.Gaps);
        Assert.True(gap.FromNs < gap.ToNs);
        again.Send("/a", 20_000);
        await again.Desk.SealAsync();
        await Eventually.Holds(() => ring.Segments.Sum(s => s.Manifest.Messages) == 28_000, Deadline, "everything is in the chain");
        Ring.RunOver(ring);
        Assert.Equal([3, 4], ring.Segments.Where(s => s.HasMedia && ring.PinsOn(s) > 0 && s.Sequence <= 4).Select(s => s.Sequence));
        await CompleteAsync(restored, events);
        Assert.Equal([3, 4, 5], restored.File.Manifest.Event!.Segments);
    }

    [Fact]
    public async Task What_was_run_over_and_is_known_to_be_is_forgotten_and_chain_and_ledger_go_on()
    {
        await RecordAsync(segments: 8);
        Ring.RunOver(_ring);
        var (sha256, before) = (_ring.Segments[3].Manifest.Sha256, _ring.Describe());
        _ring.ForgetRunOver(atLeast: 4);
        Assert.Equal(8, _ring.Segments.Count); // the control plane does not know yet
        foreach (var segment in _ring.Segments.Take(4))
            segment.Note(Custody.Discarded);
        _ring.ForgetRunOver(atLeast: 4);
        Assert.Equal([5, 6, 7, 8], _ring.Segments.Select(s => s.Sequence));
        Assert.Equal(sha256, _ring.Segments[0].Manifest.PreviousSha256);
        Assert.Equal(before.Ledger, _ring.Describe().Ledger);
        Assert.Equal((before.Messages, 8, 4), (_ring.Describe().Messages, _ring.Describe().LastSequence, _ring.Describe().RunOverThrough));
        Assert.False(File.Exists(Path.Combine(_ring.Folder, "000004.json")));

        using var copy = new TemporaryFolder();
        await _bench.CrashIntoAsync(copy.Path);
        await using var again = await _bench.GoOnAsync(copy.Path);
        var ring = again.Book.Find(_ring.Id)!;
        again.Send("/a", 10);
        await again.Desk.FinishAsync(ring);
        Assert.Equal([5, 6, 7, 8, 9], ring.Segments.Select(s => s.Sequence));
        Assert.All(ring.Segments, s => Assert.Equal(Custody.Sealed, s.Custody));
        Assert.Equal(16_010, ring.Describe().Messages);
        Assert.Equal(8000, Assert.Single(ring.Describe().Ledger).Discarded);
        Assert.Equal([5, 6, 7, 8, 9], ring.Certify().Segments!.Select(s => s.Sequence));
    }

    [Fact]
    public async Task A_rule_on_a_field_fires_when_it_begins_to_hold()
    {
        var level = _bench.Recorder.TopicAppeared(new SourceTopic
        {
            Topic = "/diagnostics",
            MessageEncoding = "cdr",
            Schema = new SourceSchema("test/msg/Status", "ros2msg", "byte OK=0\nbyte ERROR=2\nbyte level\nstring name\n"u8.ToArray()),
        });
        ulong time = 1_700_000_000_000_000_000;
        foreach (var value in new byte[] { 0, 2, 2, 0, 3 })
            _bench.Recorder.Message(level, new MessageTimes(time += (ulong)(100 * Second), 0, 0), [0, 1, 0, 0, value, 0, 0, 0, 1, 0, 0, 0, 0]);
        await _events.CheckAsync();
        var events = _bench.Book.All.Where(s => s.File.Manifest.Event is not null).ToList();
        Assert.Equal(2, events.Count);
        Assert.All(events, e => Assert.Equal("rule:faults", Assert.Single(e.File.Manifest.Event!.Triggers).Issuer));
        Assert.Equal("/diagnostics level >= ERROR", events[0].File.Manifest.Name);
        Assert.Empty(_bench.Alarms.Current);
    }

    [Theory]
    [InlineData("/a level >=", "3 words")]
    [InlineData("a level >= 2", "no topic")]
    [InlineData("/a level => 2", "none of ==")]
    [InlineData("/a level >= 2 pre x", "no number of seconds")]
    [InlineData("/a level >= 2 before 3", "neither 'pre' nor 'post'")]
    [InlineData("/a level >= 2 post 4000", "0 to 3600 seconds")]
    [InlineData("/a name == \"x", "no closing quote")]
    public void A_rule_that_is_none_says_why(string text, string words) =>
        Assert.Contains(words, Assert.Throws<FormatException>(() => TriggerRule.Parse("x", text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/a none >= 2", "no field 'none'")]
    [InlineData("/a level >= FATAL", "no constant")]
    [InlineData("/a name < \"x\"", "== or !=")]
    public void A_rule_that_does_not_fit_its_topic_says_why(string text, string words)
    {
        var topic = new SourceTopic
        {
            Topic = "/a",
            MessageEncoding = "cdr",
            Schema = new SourceSchema("test/msg/Status", "ros2msg", "byte OK=0\nbyte level\nstring name\n"u8.ToArray()),
        };
        Assert.Contains(words, Assert.Throws<FormatException>(() => TriggerRule.Parse("x", text).Compile(topic)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_compares_texts_and_several_values()
    {
        var topic = new SourceTopic
        {
            Topic = "/a",
            MessageEncoding = "cdr",
            Schema = new SourceSchema("test/msg/Names", "ros2msg", "string name\nuint8[] levels\n"u8.ToArray()),
        };
        var name = TriggerRule.Parse("x", "/a name == \"e stop\"").Compile(topic);
        var levels = TriggerRule.Parse("x", "/a levels[] > 4").Compile(topic);
        Assert.False(name.Fires(Payload("idle", 1, 2), 0));
        Assert.True(name.Fires(Payload("e stop", 1, 2), 0));
        Assert.False(name.Fires(Payload("e stop", 1, 2), 0));
        Assert.False(levels.Fires(Payload("x", 1, 4), 0));
        Assert.True(levels.Fires(Payload("x", 1, 5), 0));
        Assert.False(levels.Fires([0, 1, 0, 0, 255, 255, 255, 255], 0));
        Assert.Equal(1, levels.Unreadable);

        // One that comes and goes fires once a second, also when the clock is set back.
        int FiredIn(long fromNs, int messages) => Enumerable.Range(0, messages)
            .Count(i => levels.Fires(Payload("x", (byte)(i % 2 == 0 ? 5 : 4)), fromNs + i * (Second / 100)));
        levels.Fires(Payload("x", 1), 0);
        Assert.Equal(3, FiredIn(10 * Second, 300));
        Assert.Equal(2, FiredIn(5 * Second, 200));
    }

    [Fact]
    public async Task A_trigger_that_a_full_disk_refuses_is_carried_out_when_there_is_room()
    {
        await RecordAsync(segments: 2);
        var session = Trigger(pre: 2, post: 1);
        using (new FullDisk(Path.Combine(session.Folder, "session.json")))
        {
            Assert.Null(_events.Trigger(new TriggerMessage
            {
                Robot = "amr-01",
                Session = _ring.Id,
                Reason = "bumper",
                Span = new TriggerSpan { PreSeconds = 2, PostSeconds = 1 },
            }));
            await Assert.ThrowsAsync<IOException>(_events.CheckAsync);
            Assert.Single(session.File.Manifest.Event!.Triggers);
        }
        await _events.CheckAsync();
        Assert.Equal(["test", "bumper"], session.File.Manifest.Event!.Triggers.Select(t => t.Reason));
    }

    [Fact]
    public async Task A_full_disk_takes_the_oldest_of_the_ring_before_recording_stops()
    {
        await RecordAsync(segments: 4);
        Trigger(pre: 1, post: 0); // pins the last one
        var free = 50L << 20;
        using var guard = new DiskGuard(
            new() { MinimumFreeBytes = 100 << 20 }, _bench.Configuration.DataDir, _bench.Book, _bench.Recorder, _bench.Alarms,
            () => new DiskSpace(free + (_ring.Segments.Count(s => !s.HasMedia) * (20L << 20)), 1L << 40), TimeProvider.System, NullLogger.Instance);
        guard.Check();
        Assert.Equal([Custody.Discarded, Custody.Discarded, Custody.Discarded, Custody.Sealed], _ring.Segments.Select(s => s.Custody));
        Assert.StartsWith("disk: ", _ring.Segments[0].State.Reason, StringComparison.Ordinal);
        Assert.False(_bench.Recorder.DiskGuarded);
        Assert.Contains("ring sessions gave up 3 segments", Assert.Single(_bench.Alarms.Current), StringComparison.Ordinal);
        free = 10L << 20;
        guard.Check();
        Assert.Equal(Custody.Sealed, _ring.Segments[3].Custody);
        Assert.True(_bench.Recorder.DiskGuarded);
        free = 1L << 30;
        guard.Check();
        Assert.False(_bench.Recorder.DiskGuarded);
    }

    [Fact]
    public async Task Recordings_take_at_most_their_share_of_the_disk()
    {
        await RecordAsync(segments: 3);
        var bytes = _ring.Segments.Sum(s => s.Manifest.Bytes);
        using var guard = new DiskGuard(
            new() { MinimumFreeBytes = 0, MaximumShare = 0.5 }, _bench.Configuration.DataDir, _bench.Book, _bench.Recorder, _bench.Alarms,
            () => new DiskSpace(1L << 40, 2 * bytes - 2), TimeProvider.System, NullLogger.Instance);
        guard.Check();
        Assert.Equal([Custody.Discarded, Custody.Sealed, Custody.Sealed], _ring.Segments.Select(s => s.Custody));
        Assert.Contains("disk.maximum_share", _ring.Segments[0].State.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ring_that_ends_keeps_only_what_is_pinned()
    {
        await RecordAsync(segments: 2);
        var session = Trigger(pre: 1, post: 0);
        await _bench.Desk.FinishAsync(_ring);
        Ring.RunOver(_ring);
        Assert.Equal([Custody.Discarded, Custody.Sealed], _ring.Segments.Select(s => s.Custody));
        await CompleteAsync(session);
        Deliver(_ring.Segments[1]);
        await _events.CheckAsync();
        Assert.True(session.IsComplete);
    }

    private static EventDesk Events(SessionBench bench) =>
        new(bench.Configuration, bench.Book, bench.Recorder, bench.Desk, TimeProvider.System, NullLogger.Instance);

    private Session Trigger(double pre, double post) => _events.Trigger(
        _ring, new TriggerSpan { PreSeconds = pre, PostSeconds = post }, new TriggerNote { AtNs = 0, Reason = "test", Issuer = "test" });

    private async Task RecordAsync(int segments)
    {
        for (var i = 0; i < segments; i++)
        {
            var before = _ring.Segments.Count;
            _bench.Send("/a", 2000);
            await _bench.Desk.SealAsync();
            await Eventually.Holds(() => _ring.Segments.Count > before, Deadline, "the segment is in the chain");
        }
    }

    private Task CompleteAsync(Session session) => CompleteAsync(session, _events);

    private static Task CompleteAsync(Session session, EventDesk events) => Eventually.Holds(async () =>
    {
        await events.CheckAsync();
        return session.File.Manifest.Event!.Segments is not null;
    }, Deadline, "the event knows its segments");

    private static void Deliver(Segment segment)
    {
        Assert.True(segment.TryAdvance(Custody.Uploading));
        Assert.True(segment.TryAdvance(Custody.Uploaded));
        Assert.True(segment.TryAdvance(Custody.Acknowledged));
    }

    private static byte[] Payload(string name, params byte[] levels)
    {
        var length = name.Length + 1;
        var padded = (length + 3) / 4 * 4;
        var payload = new byte[4 + 4 + padded + 4 + levels.Length];
        payload[1] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), length);
        System.Text.Encoding.ASCII.GetBytes(name, payload.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(8 + padded), levels.Length);
        levels.CopyTo(payload.AsSpan(12 + padded));
        return payload;
    }
}
