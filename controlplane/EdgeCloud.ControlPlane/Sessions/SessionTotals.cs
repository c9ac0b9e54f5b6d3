using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// What the announced segments of a session add up to; of an event, its parent's that hold it. Messages of one that it covers in part count
/// in proportion; losses, which the robot counts by segment, and bytes count whole.
/// </summary>
/// <param name="Segments">How many.</param>
/// <param name="Messages">Messages in them.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Lost">Messages lost, by their ledgers.</param>
/// <param name="BytesByCustody">Bytes by where they are; absent states hold none.</param>
public sealed record SessionTotals(int Segments, long Messages, long Bytes, long Lost, IReadOnlyDictionary<Custody, long> BytesByCustody)
{
    /// <summary>No segment.</summary>
    public static readonly SessionTotals None = new(0, 0, 0, 0, new Dictionary<Custody, long>());

    /// <summary>Totals by session; sessions without segments are absent. One query, on the partitions of the sessions' dates, and one for events.</summary>
    public static async Task<Dictionary<Guid, SessionTotals>> OfAsync(
        CatalogueDb db, IReadOnlyList<Session> sessions, CancellationToken cancellation)
    {
        var dates = sessions.Select(s => s.Date).Distinct().ToList();
        var ids = sessions.Select(s => s.Id).ToList();
        var groups = await db.Segments
            .Where(s => dates.Contains(s.SessionDate) && ids.Contains(s.SessionId))
            .GroupBy(s => new { s.SessionId, s.Custody })
            .Select(g => new Group(g.Key.SessionId, g.Key.Custody, g.Count(), g.Sum(s => s.Messages), g.Sum(s => s.Bytes), g.Sum(s => s.Lost)))
            .ToListAsync(cancellation);
        if (sessions.Where(s => s.Parent is not null).ToList() is { Count: > 0 } events)
            groups.AddRange(await OfEventsAsync(db, SourceTimes.Of(await SessionSource.OfAsync(db, events, cancellation)), cancellation));
        return groups.GroupBy(g => g.SessionId).ToDictionary(g => g.Key, g => new SessionTotals(
            g.Sum(c => c.Segments),
            g.Sum(c => c.Messages),
            g.Sum(c => c.Bytes),
            g.Sum(c => c.Lost),
            g.ToDictionary(c => c.Custody, c => c.Bytes)));
    }

    /// <summary>The session's ledger as the robot told it, or the sum of the segments' ledgers while only those are known.</summary>
    public static async Task<IReadOnlyList<LedgerEntry>> LedgerAsync(CatalogueDb db, Session session, CancellationToken cancellation)
    {
        if (session is { Manifest: { } manifest, Parent: null })
            return manifest.Ledger;
        var source = await SessionSource.OfAsync(db, session, cancellation);
        var ledgers = new List<LedgerEntry>();
        // One manifest at a time: those of a long session do not fit into memory together.
        await foreach (var segment in source.Segments(db).AsNoTracking().Select(s => s.Manifest).AsAsyncEnumerable().WithCancellation(cancellation))
            ledgers = [.. LedgerEntry.Sum(ledgers.Concat(segment.Ledger))];
        return ledgers;
    }

    /// <summary>What the segments of sessions hold, by topic, in order of topic name.</summary>
    public static async Task<IReadOnlyList<TopicSummary>> TopicsAsync(CatalogueDb db, IReadOnlyList<Session> sessions, CancellationToken cancellation)
    {
        var topics = await SourceTimes.Of(await SessionSource.OfAsync(db, sessions, cancellation)).TopicsAsync(db, isSafe: false, cancellation);
        // A topic whose definition changed is one topic.
        return [.. topics.GroupBy(t => t.Topic, StringComparer.Ordinal).Select(g => g.Aggregate(Add))];
    }

    private static async Task<IEnumerable<Group>> OfEventsAsync(CatalogueDb db, SourceTimes times, CancellationToken cancellation)
    {
        var rows = await db.Database.SqlQuery<EventGroup>(
            $"""
            select w.id as "SessionId", s.custody as "Custody", count(*)::int as "Segments",
                   round(sum(s.messages * case
                       when s.log_time_start_ns >= w.from_ns and s.log_time_end_ns < w.to_ns then 1
                       else (least(s.log_time_end_ns, w.to_ns) - greatest(s.log_time_start_ns, w.from_ns))::numeric
                            / (s.log_time_end_ns - s.log_time_start_ns) end))::bigint as "Messages",
                   sum(s.bytes)::bigint as "Bytes", sum(s.lost)::bigint as "Lost"
            from unnest({times.Ids}, {times.Dates}, {times.Holders}, {times.Froms}, {times.Tos}) as w (id, date, holder, from_ns, to_ns)
            join segments s on s.session_date = w.date and s.session_id = w.holder
            where s.session_date = any({times.Dates}) and s.session_id = any({times.Holders}) and s.messages > 0
              and s.log_time_end_ns >= w.from_ns and s.log_time_start_ns < w.to_ns
            group by w.id, s.custody
            """).ToListAsync(cancellation);
        return rows.Select(r => new Group(r.SessionId, Enum.Parse<Custody>(r.Custody, ignoreCase: true), r.Segments, r.Messages, r.Bytes, r.Lost));
    }

    private static TopicSummary Add(TopicSummary a, TopicSummary b) => b.Messages == 0 ? a : a.Messages == 0 ? b : a with
    {
        Messages = a.Messages + b.Messages,
        Bytes = a.Bytes + b.Bytes,
        FirstLogTimeNs = Math.Min(a.FirstLogTimeNs, b.FirstLogTimeNs),
        LastLogTimeNs = Math.Max(a.LastLogTimeNs, b.LastLogTimeNs),
    };

    private sealed record Group(Guid SessionId, Custody Custody, int Segments, long Messages, long Bytes, long Lost);

    // SQL knows words.
    private sealed record EventGroup(Guid SessionId, string Custody, int Segments, long Messages, long Bytes, long Lost);
}
