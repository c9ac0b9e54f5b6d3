using EdgeCloud.Agent.Control;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Tests.Sessions;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Control;

public sealed class AnnouncerTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly List<string> _refused = [];
    private readonly SessionBench _bench = SessionBench.Create();
    private readonly Announcer _announcer;
    private Session _session = null!;
    private Segment _segment = null!;
    private long _number;

    public AnnouncerTests() => _announcer = new Announcer(_clock, _bench.Alarms, (segment, reason) => _refused.Add($"{segment.Sequence}: {reason}"));

    public async ValueTask InitializeAsync()
    {
        _session = await _bench.StartAsync();
        // The last of those who are told: when it knows, nobody is told of the segment any more.
        var isTold = false;
        _session.Changed += s => Volatile.Write(ref isTold, s.File.Manifest.LastSequence == 1);
        _bench.Send("/a", 1);
        await _bench.Desk.SealAsync();
        await Eventually.Holds(() => Volatile.Read(ref isTold), TimeSpan.FromSeconds(60), "a segment, and the session knows");
        _segment = _session.Segments[0];
        _bench.Book.SegmentChanged += _announcer.Enqueue;
        _bench.Book.SessionChanged += _announcer.Enqueue;
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public void An_announcement_is_repeated_with_growing_pauses_until_it_is_answered()
    {
        _announcer.Enqueue(_segment);
        var times = new List<double>();
        for (var second = 0; second < 600; second++)
        {
            foreach (var _ in Take())
                times.Add(second);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        var pauses = times.Zip(times.Skip(1), (a, b) => b - a).ToList();
        Assert.InRange(pauses[0], 1, 2);
        Assert.InRange(pauses[^1], 60, 121);
        Answer(CustodyDecision.Noted);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(Take());
        Assert.Equal(Custody.Sealed, _segment.State.Noted);
    }

    [Fact]
    public void A_segment_whose_file_cannot_be_read_is_an_alarm_and_the_others_are_told_of()
    {
        var restarted = Session.Load(_session.Folder);
        _announcer.Enqueue(restarted.Segments[0]);
        Assert.Single(Take());
        // Damaged before anybody has read more of it than a start needs, and again when the answer is there.
        var file = Path.Combine(_session.Folder, "000001.json");
        var sound = File.ReadAllBytes(file);
        restarted = Session.Load(_session.Folder);
        _announcer.Enqueue(restarted.Segments[0]);
        _session.Update(f => f);
        File.WriteAllText(file, "{");
        Assert.Single(Take());
        Assert.Contains("000001.json is damaged", Assert.Single(_bench.Alarms.Current), StringComparison.Ordinal);
        Assert.Contains("is damaged", Answer(CustodyDecision.Noted, sha256: new string('a', 64)), StringComparison.Ordinal);

        File.WriteAllBytes(file, sound);
        _announcer.RestartAll();
        Assert.Equal(2, Take().Count);
        Assert.Empty(_bench.Alarms.Current);
        Answer(CustodyDecision.Noted);
        Assert.Equal(Custody.Sealed, restarted.Segments[0].State.Noted);
    }

    [Fact]
    public void A_new_connection_makes_everything_due_at_once()
    {
        _announcer.Enqueue(_segment);
        Assert.Single(Take());
        Assert.Empty(Take());
        _announcer.RestartAll();
        Assert.Single(Take());
    }

    [Fact]
    public void An_acknowledgement_of_the_uploaded_object_moves_custody_and_one_of_another_file_does_not()
    {
        Upload();
        Take();
        Assert.Contains("about another file", Answer(CustodyDecision.Acknowledged, sha256: new string('0', 64)), StringComparison.Ordinal);
        Assert.Equal(Custody.Uploaded, _segment.Custody);
        Assert.Null(Answer(CustodyDecision.Acknowledged));
        Assert.Equal(Custody.Acknowledged, _segment.Custody);
        Assert.Equal(0, _announcer.Count);
    }

    [Fact]
    public void An_answer_to_an_earlier_state_does_not_end_the_announcement_of_the_present_one()
    {
        _announcer.Enqueue(_segment);
        Take();
        var sealedAt = new Revision(1, _number);
        Upload();
        Answer(CustodyDecision.Noted, sealedAt);
        Take();
        Answer(CustodyDecision.Noted, sealedAt);
        Assert.Equal(1, _announcer.Count);
        Assert.Null(_segment.State.Noted);
        Answer(CustodyDecision.Acknowledged);
        Assert.Equal(0, _announcer.Count);
    }

    [Fact]
    public void An_answer_that_a_full_disk_does_not_take_is_asked_for_again()
    {
        Upload();
        Take();
        using (new FullDisk(Path.Combine(_session.Folder, "000001.json")))
            Assert.Contains("asked for again: No space left", Answer(CustodyDecision.Acknowledged), StringComparison.Ordinal);
        Assert.Equal((Custody.Uploaded, 1), (_segment.Custody, _announcer.Count));
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(Take());
        Assert.Null(Answer(CustodyDecision.Acknowledged));
        Assert.Equal((Custody.Acknowledged, 0), (_segment.Custody, _announcer.Count));
    }

    [Fact]
    public void An_answer_to_any_repetition_counts()
    {
        _announcer.Enqueue(_segment);
        Take();
        var first = new Revision(1, _number);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Take();
        Answer(CustodyDecision.Noted, first);
        Assert.Equal(0, _announcer.Count);
    }

    [Fact]
    public void A_refused_object_goes_back_to_sealed_and_is_announced_again()
    {
        Upload();
        Take();
        Assert.Contains("was refused and goes up again: it is missing", Answer(CustodyDecision.Refused, reason: "it is missing"), StringComparison.Ordinal);
        Assert.Equal(Custody.Sealed, _segment.Custody);
        Assert.Equal(["1: it is missing"], _refused);
        Assert.Equal(Custody.Sealed, ContractJson.Read<SegmentAnnouncement>(Assert.Single(Take())).Custody);
    }

    [Fact]
    public async Task A_session_that_changed_before_its_answer_came_is_announced_again()
    {
        _announcer.Enqueue(_session);
        Take();
        var first = new Revision(1, _number);
        await _bench.Desk.PauseAsync(_session);
        Answer(CustodyDecision.Noted, first, session: true);
        Assert.False(_session.File.Noted);
        var announced = Take().Select(p => ContractJson.SchemaOf(p) == SessionAnnouncement.SchemaId ? ContractJson.Read<SessionAnnouncement>(p) : null)
            .First(a => a is not null)!;
        Assert.Equal(SessionState.Paused, announced.Manifest.State);
        _announcer.Answer(new CustodyMessage
        {
            Robot = "amr-01",
            Session = _session.Id,
            Revision = announced.Revision,
            Decision = CustodyDecision.Noted,
        });
        Assert.True(_session.File.Noted);
    }

    [Fact]
    public void What_was_answered_before_a_restart_is_not_announced_again()
    {
        _announcer.Enqueue(_segment);
        Take();
        Answer(CustodyDecision.Noted);
        var restarted = Session.Load(_session.Folder);
        var again = new Announcer(_clock, _bench.Alarms, (_, _) => { });
        again.Enqueue(restarted.Segments[0]);
        Assert.Equal(0, again.Count);
        Upload();
        again.Enqueue(Session.Load(_session.Folder).Segments[0]);
        Assert.Equal(1, again.Count);
    }

    private void Upload()
    {
        Assert.True(_segment.TryAdvance(Custody.Uploading));
        Assert.True(_segment.TryAdvance(Custody.Uploaded));
    }

    private IReadOnlyList<byte[]> Take() => _announcer.TakeDue(100, "amr-01", () => new Revision(1, ++_number), out _);

    private string? Answer(CustodyDecision decision, Revision? revision = null, string? sha256 = null, string reason = "", bool session = false) =>
        _announcer.Answer(new CustodyMessage
        {
            Robot = "amr-01",
            Session = _session.Id,
            Sequence = session ? null : 1,
            Revision = revision ?? new Revision(1, _number),
            Decision = decision,
            Sha256 = sha256 ?? (session ? "" : _segment.Manifest.Sha256),
            Reason = reason,
        });
}
