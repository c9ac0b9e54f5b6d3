using System.Collections.Immutable;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>A session command that may not be carried out now, and why.</summary>
internal sealed class RefusedException(string reason) : Exception(reason);

/// <summary>
/// Carries out what sessions are told: start, pause, resume, finish, cancel, seal. One at a time; each step is on disk before the next, so
/// that a crash leaves a state from which the same command leads on.
/// </summary>
internal sealed partial class SessionDesk(
    AgentConfiguration configuration, SessionBook book, Recorder recorder, Alarms alarms, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    private const int SecondsBetweenSaves = 5;
    private const int MaxGaps = 1000;
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly SegmentRepair _repair = new(configuration, alarms, log);
    private readonly ClockWatch _clockWatch = new(clock); // from before the first session
    private ImmutableList<LiveSession> _live = []; // replaced by commands only

    /// <summary>A rule fired on what a ring session records, at a log time in ns since the Unix epoch. Told under the recorder's gate.</summary>
    public event Action<Session, TriggerRule, long>? RuleFired;

    /// <summary>Told after each sync what of a session is durable, on the log's threads; set before sessions are started.</summary>
    public Action<Session, DurableCommit>? Committed { get; init; }

    /// <summary>The session that a command means.</summary>
    /// <exception cref="RefusedException">There is none, or several.</exception>
    public Session Resolve(Guid? id)
    {
        if (id is { } known)
            return book.Find(known) ?? throw new RefusedException($"there is no session {known} on this robot");
        var live = book.All.Where(s => s.State.IsLive()).ToList();
        return live.Count switch
        {
            1 => live[0],
            0 => throw new RefusedException("no session is recording or paused"),
            _ => throw new RefusedException($"{live.Count} sessions are recording or paused: say which ({string.Join(", ", live.Select(s => s.Id))})"),
        };
    }

    /// <summary>Starts a session.</summary>
    /// <exception cref="RefusedException">There is one of that id.</exception>
    public Task<Session> StartAsync(
        Guid id, string name, TopicSelection selection, string issuer, bool paused = false, string upload = UploadPolicy.Now, int priority = 0,
        RingSettings? ring = null, int? boundMs = null) => Exclusively(() =>
    {
        if (ring is { IsValid: false })
            throw new RefusedException($"a ring needs {RingSettings.Rule}");
        if (boundMs is < 0 or > 60_000)
            throw new RefusedException("a durability bound is 0 to 60,000 ms");
        if (book.Find(id) is not null)
            throw new RefusedException($"session {id} exists already");
        var now = clock.GetUtcNow();
        var session = book.Create(new SessionManifest
        {
            Robot = configuration.Robot,
            Session = id,
            Name = name,
            State = paused ? SessionState.Paused : SessionState.Recording,
            Pauses = paused ? [new PauseInterval(WallClock.ToNs(now), null)] : [],
            Issuer = issuer,
            ObjectPrefix = ObjectKeys.SessionPrefix(configuration.S3?.Prefix ?? "", configuration.Robot, now, id),
            StartedNs = WallClock.ToNs(now),
            Selection = selection,
            // What a ring keeps for a while goes up only when somebody asks for it.
            Upload = ring is null ? upload : UploadPolicy.OnDemand,
            Ring = ring,
            BoundMs = boundMs,
            Priority = priority,
            AgentVersion = AgentVersion.Text,
        });
        GoLive(session);
        LogStarted(id, name, issuer);
        return Task.FromResult(session);
    });

    /// <summary>Stops recording and goes on counting; the open segment is sealed.</summary>
    /// <exception cref="RefusedException">It is not recording.</exception>
    public Task PauseAsync(Session session) => Exclusively(async () =>
    {
        Check(session, CommandKind.Pause);
        var live = LiveOf(session);
        var now = clock.NowNs();
        session.Update(f => f with
        {
            Manifest = f.Manifest with { State = SessionState.Paused, Pauses = [.. f.Manifest.Pauses, new PauseInterval(now, null)] },
        });
        recorder.SetPaused(live.Recording, true);
        await live.Recording.Log.RotateAsync(SealReason.Pause);
        return session;
    });

    /// <summary>Records again.</summary>
    /// <exception cref="RefusedException">It is not paused.</exception>
    public Task ResumeAsync(Session session) => Exclusively(() =>
    {
        Check(session, CommandKind.Resume);
        var now = clock.NowNs();
        session.Update(f => f with { Manifest = EndPause(f.Manifest, now) with { State = SessionState.Recording } });
        recorder.SetPaused(LiveOf(session).Recording, false);
        return Task.FromResult(session);
    });

    /// <summary>Ends a session: its last segment is sealed when this completes, and everything will be delivered.</summary>
    /// <exception cref="RefusedException">It is over, or finishing.</exception>
    public Task FinishAsync(Session session) => Exclusively(async () =>
    {
        Check(session, CommandKind.Finish);
        await EndAsync(session, SessionState.Finishing, "");
        return session;
    });

    /// <summary>Ends a session and discards what is not uploaded.</summary>
    /// <exception cref="RefusedException">It is over.</exception>
    public Task CancelAsync(Session session, string reason) => Exclusively(async () =>
    {
        Check(session, CommandKind.Cancel);
        await EndAsync(session, SessionState.Cancelled, reason);
        // One of which parts are in the bucket is left to the upload, which clears them away.
        foreach (var segment in session.Segments.Where(s => s.Custody is Custody.Sealed && s.State.Multipart is null))
            segment.TryDiscard("cancelled");
        return session;
    });

    /// <summary>
    /// Seals the open segments of all sessions, or of one, so that what was recorded up to now can be delivered. Answers each session's last
    /// segment, which may not be in the chain yet.
    /// </summary>
    public Task<IReadOnlyDictionary<Session, int>> SealAsync(Session? only = null) => Exclusively(async () =>
    {
        foreach (var live in _live.Where(l => l.Failure is null && (only is null || l.Recording.Session == only)))
            await live.Recording.Log.RotateAsync(SealReason.Sync);
        return (IReadOnlyDictionary<Session, int>)(only is null ? book.All : [only]).ToDictionary(s => s, LastEnded);
    });

    /// <summary>
    /// Takes up a session that was recording or paused when the agent stopped: it goes on, with the time between on record as a gap, or it is
    /// finished, as configured.
    /// </summary>
    public Task ContinueAsync(Session session) => Exclusively(async () =>
    {
        if (_live.Exists(l => l.Recording.Session == session))
            return session;
        if (configuration.Recording.OnRestart is RestartBehaviour.Finish)
        {
            await EndAsync(session, SessionState.Finishing, "");
            return session;
        }
        RecordingGap? gap = null;
        if (session.State is SessionState.Recording)
        {
            gap = GapBefore(session);
            session.Update(f => f with { Manifest = f.Manifest with { Gaps = [.. f.Manifest.Gaps.TakeLast(MaxGaps - 1), gap] } });
        }
        GoLive(session, gap);
        LogContinued(session.Id, session.State);
        return session;
    });

    /// <summary>
    /// Looks after live sessions: writes down counts that a crash would lose, and tells of disks that refuse. Ends when cancelled; a log or a
    /// chain that met something it cannot handle ends its session as failed.
    /// </summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        for (var second = 0; await timer.WaitForNextTickAsync(cancellation); second++)
        {
            foreach (var live in _live)
            {
                WatchDisk(live.Recording);
                if (second % SecondsBetweenSaves == 0)
                    Save(live.Recording);
            }
            if (_live.Exists(l => l.Failure is not null))
                await FailBrokenAsync();
        }
    }

    /// <summary>Watches the wall clock: when it is set, every recording goes on in a new segment, and the session notes it. Ends when cancelled.</summary>
    public async Task WatchClockAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200), clock);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (_clockWatch.Look() is not 0 and var byNs)
                await ClockJumpedAsync(byNs);
        }
    }

    /// <summary>Ends the present segment of every live session because the wall clock was set.</summary>
    public Task ClockJumpedAsync(long byNs) => Exclusively(async () =>
    {
        LogClockJumped(byNs / 1e9);
        foreach (var live in _live.Where(l => l.Failure is null))
        {
            await live.Recording.RotateForClockJumpAsync(new ClockJump(clock.NowNs(), byNs));
            Save(live.Recording);
        }
        return true;
    });

    /// <summary>Seals everything; sessions stay in their state and go on at the next start.</summary>
    public async ValueTask DisposeAsync() => await Exclusively(async () =>
    {
        foreach (var live in _live)
            await CloseAsync(live);
        return true;
    });

    private static void Check(Session session, CommandKind command)
    {
        if (SessionRules.Refusal(session.State, command) is { } reason)
            throw new RefusedException(reason);
    }

    private LiveSession LiveOf(Session session) => _live.Find(l => l.Recording.Session == session && l.Failure is null)
        ?? throw new RefusedException($"session {session.Id} is not running");

    private int LastEnded(Session session) => Math.Max(
        session.Segments.Select(s => s.Sequence).DefaultIfEmpty(0).Max(),
        _live.Find(l => l.Recording.Session == session)?.Recording.LastEnded ?? 0);

    /// <summary>The time since the last sign of life of a session's recording.</summary>
    private RecordingGap GapBefore(Session session)
    {
        var now = clock.NowNs();
        var written = Directory.EnumerateFiles(session.Folder, "*.mcap*").Select(f => WallClock.ToNs(File.GetLastWriteTimeUtc(f))).DefaultIfEmpty(0).Max();
        var from = Math.Max(written, session.Segments is [.., var last] ? last.State.LogTimeEndNs : session.File.Manifest.StartedNs);
        var boot = session.Segments.LastOrDefault(s => s.Manifest.Clock.BootId.Length > 0)?.Manifest.Clock.BootId;
        var reason = boot is null ? "the agent did not run" : boot == SegmentClock.Now().BootId ? "the agent was restarted" : "the robot was restarted";
        return new RecordingGap(Math.Min(from, now), now, reason);
    }

    private void GoLive(Session session, RecordingGap? gap = null)
    {
        var triggers = new TriggerWatch(
            session.File.Manifest.Ring is null ? [] : configuration.Recording.Triggers,
            (rule, atNs) => RuleFired?.Invoke(session, rule, atNs),
            (rule, error) =>
            {
                LogRuleUnfit(rule.Name, error);
                alarms.Raise($"trigger.{rule.Name}", $"recording.triggers.{rule.Name} does not work: {error}");
            });
        var live = LiveSession.Open(session, recorder.Gate, configuration, triggers, _repair, alarms, gap, Committed);
        _live = _live.Add(live);
        recorder.Add(live.Recording);
    }

    private async Task EndAsync(Session session, SessionState end, string reason)
    {
        var live = _live.Find(l => l.Recording.Session == session);
        var now = clock.NowNs();
        session.Update(f => f with
        {
            Manifest = EndPause(f.Manifest, now) with { State = end, Reason = reason, EndedNs = f.Manifest.EndedNs ?? now },
        });
        if (live is not null)
            await CloseAsync(live);
        LogEnded(session.Id, end, reason);
    }

    /// <summary>Seals the rest, and leaves in the session's file what no segment accounts for.</summary>
    private async Task CloseAsync(LiveSession live)
    {
        recorder.Remove(live.Recording);
        _live = _live.Remove(live);
        await live.CloseAsync();
        alarms.Clear(AlarmName(live.Recording.Session));
        alarms.Clear(StateAlarm(live.Recording.Session));
    }

    private void WatchDisk(SessionRecording recording)
    {
        if (recording.Log.Fault is { } fault)
        {
            if (alarms.Raise(AlarmName(recording.Session), $"recording of session {recording.Session.Id}: {fault.Message}"))
                LogDiskRefuses(recording.Session.Id, fault.Message);
        }
        else
        {
            alarms.Clear(AlarmName(recording.Session));
        }
    }

    /// <summary>Writes down what is counted; what the disk refuses is an alarm, and tried again at the next time.</summary>
    private void Save(SessionRecording recording)
    {
        try
        {
            recording.Save();
            alarms.Clear(StateAlarm(recording.Session));
        }
        catch (IOException e)
        {
            TellRefused(recording.Session, e);
        }
    }

    private Task FailBrokenAsync() => Exclusively(async () =>
    {
        foreach (var live in _live)
        {
            if (live.Failure is not { } failure)
                continue;
            var session = live.Recording.Session;
            try
            {
                await EndAsync(session, SessionState.Failed, failure.Message);
            }
            catch (IOException e)
            {
                TellRefused(session, e);
                continue;
            }
            LogBroken(failure, session.Id);
            alarms.Raise(AlarmName(session), $"recording of session {session.Id} broke: {failure.Message}");
        }
        return true;
    });

    private void TellRefused(Session session, IOException e)
    {
        if (alarms.Raise(StateAlarm(session), $"what is known of session {session.Id} cannot be written down: {e.Message}"))
            LogNotWritten(session.Id, e.Message);
    }

    private async Task<T> Exclusively<T>(Func<Task<T>> action)
    {
        await _oneAtATime.WaitAsync();
        try
        {
            return await action();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private static SessionManifest EndPause(SessionManifest manifest, long now) =>
        manifest.Pauses is [.., { ToNs: null } open]
            ? manifest with { Pauses = [.. manifest.Pauses.SkipLast(1), open with { ToNs = now }] }
            : manifest;

    private static string AlarmName(Session session) => $"recording.{session.Id}";

    private static string StateAlarm(Session session) => $"state.{session.Id}";

    [LoggerMessage(EventId = 201, Level = LogLevel.Information, Message = "Session {Session} '{Name}' started by {Issuer}")]
    private partial void LogStarted(Guid session, string name, string issuer);

    [LoggerMessage(EventId = 202, Level = LogLevel.Information, Message = "Session {Session} goes on, {State}")]
    private partial void LogContinued(Guid session, SessionState state);

    [LoggerMessage(EventId = 203, Level = LogLevel.Information, Message = "Session {Session} ended: {State} {Reason}")]
    private partial void LogEnded(Guid session, SessionState state, string reason);

    [LoggerMessage(EventId = 207, Level = LogLevel.Error, Message = "Recording of session {Session} broke")]
    private partial void LogBroken(Exception failure, Guid session);

    [LoggerMessage(EventId = 208, Level = LogLevel.Error, Message = "What is known of session {Session} cannot be written down: {Error}; it is tried again")]
    private partial void LogNotWritten(Guid session, string error);

    [LoggerMessage(EventId = 205, Level = LogLevel.Warning, Message = "The wall clock was set, by {Seconds} s: recording goes on in new segments")]
    private partial void LogClockJumped(double seconds);

    [LoggerMessage(EventId = 206, Level = LogLevel.Error, Message = "Trigger {Rule} does not work: {Error}")]
    private partial void LogRuleUnfit(string rule, string error);

    [LoggerMessage(EventId = 204, Level = LogLevel.Error, Message = "Session {Session}: {Fault}; recording goes on when the disk takes writes again")]
    private partial void LogDiskRefuses(Guid session, string fault);
}
