using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Mcap;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>A segment as previews need it.</summary>
internal sealed record PreviewSegment(SegmentKey Key, Custody Custody, SegmentManifest Manifest, SegmentExcerpt? Excerpt)
{
    public int Sequence => Key.Sequence;

    /// <summary>Whether its object is in storage and checked.</summary>
    public bool IsHere => Custody is Custody.Acknowledged or Custody.Released;

    public PreviewFile File => PreviewFile.Of(Manifest);

    public TopicSummary? Topic(string name) => Manifest.Topics.FirstOrDefault(t => t.Topic == name);

    public bool Overlaps(long fromNs, long toNs) => Manifest.LogTimeStartNs < toNs && Manifest.LogTimeEndNs >= fromNs;
}

/// <summary>A session and those of its segments that hold messages of a range; of an event nothing outside of its time is in the range.</summary>
/// <param name="Id">Session id.</param>
/// <param name="FromNs">Start of the range, ns since the Unix epoch.</param>
/// <param name="ToNs">End of the range, exclusive, ns since the Unix epoch.</param>
/// <param name="Segments">Segments with messages in it, in order of sequence, wherever they are.</param>
/// <param name="Pauses">The session's pauses.</param>
internal sealed record PreviewSession(
    Guid Id, long FromNs, long ToNs, IReadOnlyList<PreviewSegment> Segments, IReadOnlyList<PauseInterval> Pauses)
{
    /// <summary>Marks channels that repeat a latched message at the start of a segment; repeats are in no count and no plot.</summary>
    private const string RepeatKey = "edgecloud.repeat";

    public static bool IsRepeat(Channel channel) => channel.Metadata.GetValueOrDefault(RepeatKey) == "true";

    /// <summary>Reads it from the catalogue. Without a range it is the whole session.</summary>
    /// <exception cref="RequestException">There is no such session, or the range is none.</exception>
    public static async Task<PreviewSession> OfAsync(CatalogueDb db, Guid id, long? fromNs, long? toNs, CancellationToken cancellation)
    {
        if (fromNs < 0)
            throw RequestException.Invalid("from_ns", "nanoseconds since the Unix epoch, not negative");
        if (toNs <= (fromNs ?? 0))
            throw RequestException.Invalid("to_ns", "later than from_ns");
        var session = await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no session {id}.");
        var source = await SessionSource.OfAsync(db, session, cancellation);
        var holder = source.Holder;
        (fromNs, toNs) = source.Within(fromNs, toNs);
        var (from, to) = (fromNs ?? 0, toNs ?? long.MaxValue);
        var rows = await source.Segments(db).AsNoTracking()
            .Where(s => s.Messages > 0 && s.LogTimeStartNs < to && s.LogTimeEndNs >= from)
            .OrderBy(s => s.Sequence)
            .Select(s => new { s.Sequence, s.Custody, s.Manifest })
            .ToListAsync(cancellation);
        var excerpts = await db.SegmentExcerpts.AsNoTracking()
            .Where(e => e.SessionDate == holder.Date && e.SessionId == holder.Id)
            .ToDictionaryAsync(e => e.Sequence, cancellation);
        var segments = rows.Select(r => new PreviewSegment(
            new SegmentKey(holder.Date, holder.Id, r.Sequence), r.Custody, r.Manifest,
            excerpts.GetValueOrDefault(r.Sequence) is { } excerpt && excerpt.Sha256 == r.Manifest.Sha256 ? excerpt : null)).ToList();
        if (segments.Count > 0)
        {
            from = fromNs ?? segments.Min(s => s.Manifest.LogTimeStartNs);
            to = toNs ?? segments.Max(s => s.Manifest.LogTimeEndNs) + 1;
        }
        return new PreviewSession(id, from, Math.Max(from, to), segments, holder.Manifest?.Pauses ?? []);
    }

    /// <summary>The parts of the range whose data is not in storage, and why.</summary>
    public IEnumerable<Contracts.Api.PreviewHole> Absent() =>
        Segments.Where(s => !s.IsHere).Select(s => new Contracts.Api.PreviewHole(s.Manifest.LogTimeStartNs, s.Manifest.LogTimeEndNs, s.Custody switch
        {
            Custody.Discarded => $"segment {s.Sequence} was given up before it was safe",
            Custody.Quarantined => $"segment {s.Sequence} could not be repaired",
            Custody.Uploaded => $"segment {s.Sequence} is in storage and not checked yet",
            _ => $"segment {s.Sequence} is only on the robot",
        }));

    /// <summary>A topic of the session over all its segments.</summary>
    /// <exception cref="RequestException">The session has no such topic in the range.</exception>
    public TopicSummary Require(string topic) =>
        Segments.Select(s => s.Topic(topic)).FirstOrDefault(t => t is { Messages: > 0 })
            ?? throw RequestException.NotFound($"The session has no messages of the topic '{topic}' in this range.");
}
