using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Where what belongs to a session lies: in all of its own segments or, of an event (<see cref="EventClip"/>), in those segments of its
/// parent that hold messages of its time. Whoever reads recordings asks here, and takes of the segments no message outside of the time.
/// </summary>
public sealed class SessionSource
{
    private readonly EventClip? _clip;

    private SessionSource(Session session, Session? parent)
    {
        Session = session;
        _clip = session.Manifest?.Event;
        // A parent that is not known yet has no segments, and an event neither. A robot may only speak of its own.
        Holder = parent?.Robot == session.Robot ? parent : session;
        if (_clip is not null)
            (FromNs, ToNs) = (Math.Max(0, _clip.FromNs), Math.Max(0, _clip.ToNs + 1));
    }

    /// <summary>The session.</summary>
    public Session Session { get; }
    /// <summary>The session whose segments hold it: itself, or an event's parent.</summary>
    public Session Holder { get; }
    /// <summary>First log time that belongs to it, ns since the Unix epoch; null when everything in its segments does.</summary>
    public long? FromNs { get; }
    /// <summary>End of the log times that belong to it, exclusive; null likewise.</summary>
    public long? ToNs { get; }

    /// <summary>The events that are stretches of a session, in order of start; those that were deleted are not among them.</summary>
    public static IQueryable<Session> EventsOf(CatalogueDb db, Session session) =>
        db.Sessions.Where(e => e.Parent == session.Id && e.Robot == session.Robot).OrderBy(e => e.StartedAt).ThenBy(e => e.Id);

    /// <summary>The source of a session.</summary>
    public static async Task<SessionSource> OfAsync(CatalogueDb db, Session session, CancellationToken cancellation) =>
        (await OfAsync(db, [session], cancellation))[0];

    /// <summary>The sources of sessions, in their order.</summary>
    public static async Task<IReadOnlyList<SessionSource>> OfAsync(CatalogueDb db, IReadOnlyList<Session> sessions, CancellationToken cancellation)
    {
        var wanted = sessions.Select(s => s.Parent).OfType<Guid>().Distinct().ToList();
        // A parent that somebody deleted holds its events until it is purged, which waits for them.
        var parents = wanted.Count == 0
            ? []
            : await db.Sessions.IgnoreQueryFilters().AsNoTracking().Where(s => wanted.Contains(s.Id)).ToDictionaryAsync(s => s.Id, cancellation);
        return [.. sessions.Select(s => new SessionSource(s, s.Parent is { } parent ? parents.GetValueOrDefault(parent) : null))];
    }

    /// <summary>What of a range belongs to it.</summary>
    public TimeRange Within(long? fromNs, long? toNs) => new(fromNs is null || FromNs > fromNs ? FromNs : fromNs, toNs is null || ToNs < toNs ? ToNs : toNs);

    /// <summary>
    /// The segments that there must be of it when <paramref name="last"/> is the last one that is known: of an event that is not over, the
    /// next one too.
    /// </summary>
    public IEnumerable<int> Sequences(int last) =>
        _clip is null ? Enumerable.Range(1, Math.Max(last, Session.Manifest?.LastSequence ?? 0)) : _clip.Segments ?? [last + 1];

    /// <summary>Its segments. A file beside an event's that could not be read is among them, for it may have held some of the event.</summary>
    public IQueryable<Segment> Segments(CatalogueDb db)
    {
        var all = db.Segments.Where(s => s.SessionDate == Holder.Date && s.SessionId == Holder.Id);
        if (FromNs is not { } from || ToNs is not { } to)
            return all;
        var (first, last) = _clip!.Segments is { Count: > 0 } known ? (known.Min() - 1, known.Max() + 1) : (0, -1);
        return all.Where(s => (s.Messages > 0 && s.LogTimeStartNs < to && s.LogTimeEndNs >= from)
            || (s.Custody == Custody.Quarantined && s.LogTimeEndNs == 0 && s.Sequence >= first && s.Sequence <= last));
    }
}
