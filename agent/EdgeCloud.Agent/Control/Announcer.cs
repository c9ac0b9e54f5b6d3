using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>
/// Tells the control plane of sessions and segments, again and again until it answers: the broker may drop what it was given. Each has at
/// most one announcement waiting, that of its newest state.
/// </summary>
/// <param name="clock">The wall clock.</param>
/// <param name="alarms">Where a segment is named whose file cannot be read: it is tried again, and the others are told of.</param>
/// <param name="onRefused">Told of a segment whose object was refused, before it is sealed again: it should not go up again at once.</param>
internal sealed class Announcer(TimeProvider clock, Alarms alarms, Action<Segment, string> onRefused)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid Session, int Sequence), Pending> _pending = [];

    /// <summary>Set when something new waits.</summary>
    public Signal Wake { get; } = new();

    /// <summary>What has not been answered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _pending.Count;
        }
    }

    public void Enqueue(Segment segment)
    {
        if (!IsAnnounced(segment.Custody) || segment.State.Noted == segment.Custody)
            return;
        Put((segment.Session.Id, segment.Sequence), new Pending(segment.Session, segment));
    }

    public void Enqueue(Session session)
    {
        if (!session.File.Noted)
            Put((session.Id, 0), new Pending(session, null));
    }

    /// <summary>Everything is due now: the connection is new, and nobody knows what the last one lost.</summary>
    public void RestartAll()
    {
        lock (_gate)
        {
            foreach (var pending in _pending.Values)
            {
                pending.Due = default;
                pending.Attempts = 0;
            }
        }
        Wake.Set();
    }

    /// <summary>Payloads of at most <paramref name="limit"/> announcements that are due, sessions and older ones first.</summary>
    public IReadOnlyList<byte[]> TakeDue(int limit, string robot, Func<Revision> nextRevision, out TimeSpan untilNext)
    {
        List<byte[]> payloads = [];
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            foreach (var (_, pending) in _pending.Where(p => p.Value.Due <= now).OrderBy(p => p.Key).Take(limit))
            {
                var revision = nextRevision();
                pending.FirstRevision ??= revision;
                pending.Due = now + Backoff.After(++pending.Attempts);
                if (TryWrite(pending, robot, revision) is { } payload)
                    payloads.Add(payload);
            }
            var next = _pending.Count == 0 ? now + Backoff.Longest : _pending.Values.Min(p => p.Due);
            untilNext = next > now ? next - now : TimeSpan.Zero;
        }
        return payloads;
    }

    /// <summary>
    /// Takes the control plane's answer. Answers to what is no longer so, and about other files, change nothing.
    /// </summary>
    /// <returns>What happened, for the log; null when there is nothing to say.</returns>
    public string? Answer(CustodyMessage answer)
    {
        Pending? pending = null;
        try
        {
            lock (_gate)
            {
                if (!_pending.TryGetValue((answer.Session, answer.Sequence ?? 0), out pending)
                    || pending.FirstRevision is not { } first || first.IsNewerThan(answer.Revision))
                    return null;
                if (pending.Segment is { } known && answer.Sha256.Length > 0 && answer.Sha256 != known.Manifest.Sha256)
                    return $"segment {known.Sequence} of {answer.Session}: an answer about another file ({answer.Sha256}) is ignored";
                _pending.Remove((answer.Session, answer.Sequence ?? 0));
            }
            return pending.Segment is { } segment ? Settle(segment, pending.Custody, answer) : Settle(pending, answer);
        }
        catch (Exception e) when (e is IOException or StateFileException)
        {
            // Unless it changed meanwhile.
            lock (_gate)
                _pending.TryAdd((answer.Session, answer.Sequence ?? 0), pending!);
            return $"an answer about {answer.Session} cannot be written down, so it is asked for again: {e.Message}";
        }
    }

    private byte[]? TryWrite(Pending pending, string robot, Revision revision)
    {
        var alarm = $"announce.{pending.Session.Id}.{pending.Segment?.Sequence ?? 0}";
        try
        {
            var payload = pending.Write(robot, revision);
            alarms.Clear(alarm);
            return payload;
        }
        catch (Exception e) when (e is IOException or StateFileException)
        {
            alarms.Raise(alarm, $"the control plane cannot be told of it: {e.Message}; at the agent's next start the recording is read again");
            return null;
        }
    }

    private static string? Settle(Pending pending, CustodyMessage answer)
    {
        // Unless it changed while the answer was on its way.
        pending.Session.UpdateQuietly(f => ReferenceEquals(f.Manifest, pending.Announced) ? f with { Noted = true } : f);
        return answer.Decision is CustodyDecision.Refused ? $"session {answer.Session} was refused: {answer.Reason}" : null;
    }

    private string? Settle(Segment segment, Custody announced, CustodyMessage answer)
    {
        switch (answer.Decision)
        {
            case CustodyDecision.Refused when announced is Custody.Uploaded:
                onRefused(segment, answer.Reason);
                segment.TryAdvance(Custody.Sealed, $"refused: {answer.Reason}");
                return $"segment {segment.Sequence} of {answer.Session} was refused and goes up again: {answer.Reason}";
            case CustodyDecision.Acknowledged when announced is Custody.Uploaded && answer.Sha256 == segment.Manifest.Sha256:
                segment.TryAdvance(Custody.Acknowledged);
                return null;
            default:
                segment.Note(announced);
                return answer.Decision is CustodyDecision.Refused
                    ? $"segment {segment.Sequence} of {answer.Session} was refused as {announced}: {answer.Reason}" : null;
        }
    }

    // Acknowledged came from the control plane itself; uploading is over before it would be answered.
    private static bool IsAnnounced(Custody custody) =>
        custody is Custody.Sealed or Custody.Uploaded or Custody.Released or Custody.Discarded or Custody.Quarantined;

    private void Put((Guid, int) key, Pending pending)
    {
        lock (_gate)
            _pending[key] = pending;
        Wake.Set();
    }

    private sealed class Pending(Session session, Segment? segment)
    {
        public Session Session { get; } = session;
        public Segment? Segment { get; } = segment;
        public SessionManifest Announced { get; } = session.File.Manifest;
        public Custody Custody { get; } = segment?.Custody ?? default;
        public DateTimeOffset Due { get; set; }
        public int Attempts { get; set; }
        public Revision? FirstRevision { get; set; }

        public byte[] Write(string robot, Revision revision) => Segment is null
            ? ContractJson.Write(new SessionAnnouncement { Robot = robot, Revision = revision, Manifest = Session.Describe() })
            : ContractJson.Write(new SegmentAnnouncement
            {
                Robot = robot,
                Revision = revision,
                Custody = Custody,
                Reason = Segment.State.Reason,
                Manifest = Segment.Manifest,
            });
    }
}
