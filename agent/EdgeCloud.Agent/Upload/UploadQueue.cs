using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// What waits to go up, in the order in which it goes: what was asked for; then sessions of greater priority, classes that matter more, and the
/// oldest. Segments of one upload policy wait in one lane, so that a policy which says no costs nothing, however much waits. Behind a session's
/// last segment its certificate follows.
/// </summary>
internal sealed class UploadQueue(TimeProvider clock)
{
    /// <summary>The lane of what goes up whatever the policy: what was asked for, and what of a cancelled session is to be cleared away.</summary>
    public const string Asked = "";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedSet<Standing>> _lanes = new(StringComparer.Ordinal) { [Asked] = [] };
    private readonly Dictionary<Segment, (string Lane, Standing Place)> _places = [];
    private readonly HashSet<Session> _certificates = [];
    private readonly HashSet<object> _taken = [];
    private readonly Dictionary<object, (int Failures, DateTimeOffset Due)> _pauses = [];

    /// <summary>The lane in which a segment waits, now.</summary>
    public static string LaneOf(Segment segment) =>
        segment.Session.State is SessionState.Cancelled || segment.Session.IsRequested(segment) ? Asked : segment.Session.File.Manifest.Upload;

    /// <summary>A segment was added or changed custody.</summary>
    public void Put(Segment segment)
    {
        lock (_gate)
        {
            Place(segment);
            PlaceCertificate(segment.Session);
        }
    }

    /// <summary>A session changed: what is wanted of it may be something else now.</summary>
    public void Put(Session session)
    {
        lock (_gate)
        {
            foreach (var segment in session.Segments)
                Place(segment);
            PlaceCertificate(session);
        }
    }

    /// <summary>
    /// Takes out the segment, or the session whose certificate is due, that goes up next, until it is given back; null when nothing may, and
    /// then <paramref name="wait"/> says when a pause is over.
    /// </summary>
    public object? Take(Func<string, bool> mayGo, out TimeSpan wait)
    {
        wait = Backoff.Longest;
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            if (First(_lanes[Asked], now, ref wait) is { } asked)
                return TakeOut(asked.Segment);
            Standing? best = null;
            foreach (var (lane, places) in _lanes)
            {
                if (lane != Asked && places.Count > 0 && mayGo(lane) && First(places, now, ref wait) is { } first
                    && (best is not { } other || first.CompareTo(other) < 0))
                    best = first;
            }
            if (best is { } next)
                return TakeOut(next.Segment);
            foreach (var session in _certificates)
            {
                if (!IsDue(session, now, ref wait))
                    continue;
                _certificates.Remove(session);
                _taken.Add(session);
                return session;
            }
        }
        return null;
    }

    /// <summary>Whoever took it is done with it, for now or for good.</summary>
    public void GiveBack(object work)
    {
        lock (_gate)
        {
            _taken.Remove(work);
            if (work is Segment segment)
                Place(segment);
            PlaceCertificate((work as Segment)?.Session ?? (Session)work);
        }
    }

    /// <summary>A segment, or a session with everything of it, is not to be tried for a while.</summary>
    public void Pause(object work, bool isPermanent)
    {
        lock (_gate)
        {
            var failures = _pauses.GetValueOrDefault(work).Failures + 1;
            _pauses[work] = (failures, clock.GetUtcNow() + (isPermanent ? Backoff.Longest : Backoff.After(failures)));
        }
    }

    /// <summary>It went through, or is not wanted any more.</summary>
    public void Forget(object work)
    {
        lock (_gate)
            _pauses.Remove(work);
    }

    /// <summary>Everything may be tried at once.</summary>
    public void ForgetPauses()
    {
        lock (_gate)
            _pauses.Clear();
    }

    private void Place(Segment segment)
    {
        if (_places.Remove(segment, out var at))
            _lanes[at.Lane].Remove(at.Place);
        if (segment.IsSettled)
            _pauses.Remove(segment);
        if (segment.Custody is not Custody.Sealed || _taken.Contains(segment))
            return;
        var lane = LaneOf(segment);
        if (!_lanes.TryGetValue(lane, out var places))
            _lanes.Add(lane, places = []);
        var place = Standing.Of(segment);
        places.Add(place);
        _places[segment] = (lane, place);
    }

    private Segment TakeOut(Segment segment)
    {
        if (_places.Remove(segment, out var at))
            _lanes[at.Lane].Remove(at.Place);
        _taken.Add(segment);
        return segment;
    }

    private void PlaceCertificate(Session session)
    {
        if (!session.File.Certified && !_taken.Contains(session) && session.IsComplete && session.Segments.All(s => s.IsSettled))
            _certificates.Add(session);
        else
            _certificates.Remove(session);
        if (session.File.Certified)
            _pauses.Remove(session);
    }

    private Standing? First(SortedSet<Standing> places, DateTimeOffset now, ref TimeSpan wait)
    {
        foreach (var place in places)
        {
            if (IsDue(place.Segment, now, ref wait) && IsDue(place.Segment.Session, now, ref wait))
                return place;
        }
        return null;
    }

    private bool IsDue(object work, DateTimeOffset now, ref TimeSpan wait)
    {
        if (_pauses.Count == 0 || !_pauses.TryGetValue(work, out var pause) || pause.Due <= now)
            return true;
        wait = pause.Due - now < wait ? pause.Due - now : wait;
        return false;
    }

    /// <summary>Where a segment stands among those of its lane. What it is made of is fixed when it is put there.</summary>
    private readonly record struct Standing(int Priority, TopicClass Class, long TimeNs, int Sequence, Segment Segment) : IComparable<Standing>
    {
        public static Standing Of(Segment segment) => new(
            segment.Session.File.Manifest.Priority, segment.State.Class, segment.State.LogTimeStartNs, segment.Sequence, segment);

        public int CompareTo(Standing other)
        {
            var order = other.Priority.CompareTo(Priority);
            order = order != 0 ? order : Class.CompareTo(other.Class);
            order = order != 0 ? order : TimeNs.CompareTo(other.TimeNs);
            order = order != 0 ? order : Segment.Session.Id.CompareTo(other.Segment.Session.Id);
            return order != 0 ? order : Sequence.CompareTo(other.Sequence);
        }
    }
}
