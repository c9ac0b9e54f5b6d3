using EdgeCloud.Agent.Configuration;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Cuts events out of sessions (<see cref="EventClip"/>). A trigger pins what was recorded before it at once, on disk before it is answered;
/// when the time after it is over, the parent's open segment is sealed and the event knows its segments; when all of them are delivered or given
/// up, the pins go and the event is finished like any session. Events that a stop interrupted are taken up again by <see cref="Restore"/>.
/// </summary>
internal sealed partial class EventDesk : IDisposable
{
    private const int NotesKept = 100, MostWaiting = 1000;
    // A message may still be on its way to the log when the clock passes its log time.
    private const long SettleNs = 200_000_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<OpenEvent> _open = [];
    private readonly Queue<Firing> _fired = []; // locked on itself
    private readonly Signal _wake = new();
    private readonly AgentConfiguration _configuration;
    private readonly SessionBook _book;
    private readonly Recorder _recorder;
    private readonly SessionDesk _sessions;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private bool _isRefused;

    public EventDesk(
        AgentConfiguration configuration, SessionBook book, Recorder recorder, SessionDesk sessions, TimeProvider clock, ILogger log)
    {
        (_configuration, _book, _recorder, _sessions, _clock, _log) = (configuration, book, recorder, sessions, clock, log);
        sessions.RuleFired += (parent, rule, atNs) =>
            Enqueue(new Firing(parent, rule.Span, new TriggerNote { AtNs = atNs, Reason = rule.ToString(), Issuer = $"rule:{rule.Name}" }));
        book.SegmentChanged += _ => _wake.Set();
    }

    /// <summary>Takes up the events that were not over when the agent stopped: their pins hold before anything is run over.</summary>
    public void Restore()
    {
        foreach (var session in _book.All)
        {
            if (session is { State: SessionState.Finishing, File: { Certified: false, Manifest.Event: { } clip } })
            {
                session.Hold();
                Open(session, clip);
            }
        }
    }

    /// <summary>Keeps what a session recorded around a moment; answers the event, which is durable. It may be one that was there already.</summary>
    /// <param name="parent">The session, which is live.</param>
    /// <param name="span">How much around it.</param>
    /// <param name="note">Why; its time is now when it is 0.</param>
    /// <exception cref="RefusedException">The session is over, or an event itself, or the span is too long.</exception>
    public Session Trigger(Session parent, TriggerSpan span, TriggerNote note)
    {
        if (SessionRules.Refusal(parent.State, CommandKind.Trigger) is { } reason)
            throw new RefusedException(reason);
        if (!span.IsValid)
            throw new RefusedException($"a trigger may keep 0 to {EventClip.MaxSeconds} seconds before and after");
        lock (_gate)
        {
            if (note.Command is { } command && _book.All.FirstOrDefault(s => s.File.Manifest.Event?.Triggers.Any(t => t.Command == command) ?? false) is { } done)
                return done;
            note = note with { AtNs = note.AtNs == 0 ? LogTimeNow(parent) : note.AtNs };
            var (fromNs, toNs) = (note.AtNs - (long)(span.PreSeconds * 1e9), note.AtNs + (long)(span.PostSeconds * 1e9));
            var merged = _open.Find(e => e.Session.State is SessionState.Finishing && e.CanTake(parent, fromNs, toNs))?.Session;
            var session = merged ?? Create(parent, fromNs, toNs, note);
            if (merged is not null)
                Extend(merged, fromNs, toNs, note);
            var clip = session.File.Manifest.Event!;
            parent.Pin(session.Id, clip.FromNs, clip.ToNs);
            LogTriggered(parent.Id, note.Reason, note.Issuer, session.Id);
            _wake.Set();
            return session;
        }
    }

    /// <summary>Carries out a trigger that arrived over MQTT, now or as soon as the disk takes it; answers why not, or null.</summary>
    public string? Trigger(TriggerMessage message)
    {
        try
        {
            var parent = _sessions.Resolve(message.Session);
            var note = new TriggerNote { AtNs = LogTimeNow(parent), Reason = message.Reason, Issuer = "mqtt" };
            try
            {
                Trigger(parent, message.Span, note);
            }
            catch (IOException)
            {
                Enqueue(new Firing(parent, message.Span, note));
            }
            return null;
        }
        catch (RefusedException e)
        {
            return e.Message;
        }
    }

    /// <summary>Works until cancelled. What the disk refuses is tried again.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await CheckAsync();
                _isRefused = false;
            }
            catch (IOException e)
            {
                if (!_isRefused)
                    LogRefused(e.Message);
                _isRefused = true;
                await Task.Delay(Interval, cancellation);
            }
            await _wake.WaitAsync(Interval, cancellation);
        }
    }

    /// <summary>Turns what rules fired into events, and moves events on.</summary>
    public async Task CheckAsync()
    {
        while (NextFired() is { } firing)
        {
            // The session may have ended since.
            if (SessionRules.Refusal(firing.Parent.State, CommandKind.Trigger) is null)
                Trigger(firing.Parent, firing.Span, firing.Note);
            lock (_fired)
                _fired.Dequeue();
        }
        List<OpenEvent> open;
        lock (_gate)
            open = [.. _open];
        foreach (var each in open)
            await MoveOnAsync(each);
    }

    public void Dispose() => _wake.Dispose();

    private void Enqueue(Firing firing)
    {
        bool isTaken;
        lock (_fired)
        {
            isTaken = _fired.Count < MostWaiting;
            if (isTaken)
                _fired.Enqueue(firing);
        }
        if (!isTaken)
            LogTooMany(firing.Note.Reason, MostWaiting);
        _wake.Set();
    }

    private Firing? NextFired()
    {
        lock (_fired)
            return _fired.TryPeek(out var firing) ? firing : null;
    }

    /// <summary>Now, in the log times of a session: a replay with original times lives in another age.</summary>
    private long LogTimeNow(Session parent) =>
        _configuration.Source is { Kind: SourceKind.Replay, Times: ReplayTimes.Original } && RecordingOf(parent) is { LastLogTimeNs: > 0 } recording
            ? recording.LastLogTimeNs : _clock.NowNs();

    private SessionRecording? RecordingOf(Session session) => _recorder.Live.FirstOrDefault(r => r.Session == session);

    private Session Create(Session parent, long fromNs, long toNs, TriggerNote note)
    {
        var now = _clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var session = _book.Create(new SessionManifest
        {
            Robot = _configuration.Robot,
            Session = id,
            Name = note.Reason.Length is 0 or > 200 ? $"event in {(parent.File.Manifest.Name is { Length: > 0 } name ? name : parent.Id.ToString())}" : note.Reason,
            State = SessionState.Finishing,
            Issuer = note.Issuer,
            ObjectPrefix = ObjectKeys.SessionPrefix(_configuration.S3?.Prefix ?? "", _configuration.Robot, now, id),
            StartedNs = fromNs,
            EndedNs = toNs,
            Selection = parent.File.Manifest.Selection,
            Event = new EventClip { Parent = parent.Id, FromNs = fromNs, ToNs = toNs, Triggers = [note] },
            AgentVersion = AgentVersion.Text,
        }, isHeld: true);
        Open(session, session.File.Manifest.Event!);
        return session;
    }

    private static void Extend(Session session, long fromNs, long toNs, TriggerNote note) => session.Update(f =>
    {
        var clip = f.Manifest.Event!;
        clip = clip with
        {
            FromNs = Math.Min(clip.FromNs, fromNs),
            ToNs = Math.Max(clip.ToNs, toNs),
            Triggers = clip.Triggers.Count < NotesKept ? [.. clip.Triggers, note] : clip.Triggers,
            Segments = null,
        };
        return f with { Manifest = f.Manifest with { Event = clip, StartedNs = clip.FromNs, EndedNs = clip.ToNs } };
    });

    private void Open(Session session, EventClip clip)
    {
        _open.Add(new OpenEvent(session));
        _book.Find(clip.Parent)?.Pin(session.Id, clip.FromNs, clip.ToNs);
    }

    private async Task MoveOnAsync(OpenEvent each)
    {
        var clip = each.Session.File.Manifest.Event!;
        if (_book.Find(clip.Parent) is not { } parent || each.Session.State is not SessionState.Finishing)
        {
            Close(each, _book.Find(clip.Parent));
            return;
        }
        if (clip.Segments is null && !await IsRecordedAsync(each, parent, clip))
            return;
        lock (_gate)
        {
            // A trigger may have extended it meanwhile.
            var now = each.Session.File.Manifest.Event!;
            if (now.ToNs != clip.ToNs || now.FromNs != clip.FromNs)
                return;
            var range = new TimeRange(clip.FromNs, clip.ToNs + 1);
            var held = parent.Segments.Where(s => range.Overlaps(s.State.LogTimeStartNs, s.State.LogTimeEndNs)).ToList();
            // A message that reaches the log late brings its segment into an event whose segments were known already.
            var known = clip.Segments ?? [];
            int[] sequences = [.. held.Where(s => s.Custody is not (Custody.Discarded or Custody.Quarantined)).Select(s => s.Sequence).Union(known).Order()];
            if (clip.Segments is null || sequences.Length > known.Count)
            {
                each.Session.Update(f => f with { Manifest = f.Manifest with { Event = f.Manifest.Event! with { Segments = sequences } } });
                LogComplete(each.Session.Id, parent.Id, sequences.Length);
            }
            if (held.TrueForAll(s => s.IsSettled))
                Close(each, parent);
        }
    }

    /// <summary>True when everything up to the event's end is in the parent's chain.</summary>
    private async Task<bool> IsRecordedAsync(OpenEvent each, Session parent, EventClip clip)
    {
        if (RecordingOf(parent) is null)
            return parent.IsComplete;
        if (LogTimeNow(parent) < clip.ToNs + SettleNs)
            return false;
        if (each.SealedFor != clip.ToNs)
        {
            each.LastSequence = (await _sessions.SealAsync(parent))[parent];
            each.SealedFor = clip.ToNs;
        }
        return (parent.Segments is [.., var last] ? last.Sequence : 0) >= each.LastSequence;
    }

    private void Close(OpenEvent each, Session? parent)
    {
        lock (_gate)
            _open.Remove(each);
        parent?.Unpin(each.Session.Id);
        each.Session.Release();
    }

    [LoggerMessage(EventId = 231, Level = LogLevel.Information, Message = "Session {Parent} triggered ({Reason}) by {Issuer}: event {Session}")]
    private partial void LogTriggered(Guid parent, string reason, string issuer, Guid session);

    [LoggerMessage(EventId = 232, Level = LogLevel.Information, Message = "Event {Session} is recorded: it lies in {Segments} segments of session {Parent}")]
    private partial void LogComplete(Guid session, Guid parent, int segments);

    [LoggerMessage(EventId = 233, Level = LogLevel.Error, Message = "Events cannot be written down: {Error}; it is tried again")]
    private partial void LogRefused(string error);

    [LoggerMessage(EventId = 234, Level = LogLevel.Error, Message = "A trigger ({Reason}) is lost: {Waiting} others wait for the disk")]
    private partial void LogTooMany(string reason, int waiting);

    /// <summary>A trigger that waits to be carried out.</summary>
    private sealed record Firing(Session Parent, TriggerSpan Span, TriggerNote Note);

    /// <summary>An event that is not over.</summary>
    private sealed class OpenEvent(Session session)
    {
        public Session Session => session;

        /// <summary>The end for which the parent's open segment was sealed, and that segment.</summary>
        public long SealedFor { get; set; }
        public int LastSequence { get; set; }

        /// <summary>True when a stretch of a session overlaps it, and both together are not too long.</summary>
        public bool CanTake(Session parent, long fromNs, long toNs) => session.File.Manifest.Event is { } clip
            && clip.Parent == parent.Id && fromNs <= clip.ToNs && clip.FromNs <= toNs
            && Math.Max(toNs, clip.ToNs) - Math.Min(fromNs, clip.FromNs) <= EventClip.MaxSeconds * 1_000_000_000L;
    }
}
