using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>What the announced segments of a session add up to.</summary>
/// <param name="Segments">How many.</param>
/// <param name="Messages">Messages in them.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Lost">Messages lost, by their ledgers.</param>
/// <param name="BytesByCustody">Bytes by where they are; absent states hold none.</param>
public sealed record SessionTotals(int Segments, long Messages, long Bytes, long Lost, IReadOnlyDictionary<Custody, long> BytesByCustody)
{
    /// <summary>No segment.</summary>
    public static readonly SessionTotals None = new(0, 0, 0, 0, new Dictionary<Custody, long>());

    /// <summary>Totals by session; sessions without segments are absent. One query, on the partitions of the sessions' dates.</summary>
    public static async Task<Dictionary<Guid, SessionTotals>> OfAsync(
        CatalogueDb db, IReadOnlyList<Session> sessions, CancellationToken cancellation)
    {
        var dates = sessions.Select(s => s.Date).Distinct().ToList();
        var ids = sessions.Select(s => s.Id).ToList();
        var groups = await db.Segments
            .Where(s => dates.Contains(s.SessionDate) && ids.Contains(s.SessionId))
            .GroupBy(s => new { s.SessionId, s.Custody })
            .Select(g => new
            {
                g.Key.SessionId,
                g.Key.Custody,
                Segments = g.Count(),
                Messages = g.Sum(s => s.Messages),
                Bytes = g.Sum(s => s.Bytes),
                Lost = g.Sum(s => s.Lost),
            })
            .ToListAsync(cancellation);
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
        if (session.Manifest is { } manifest)
            return manifest.Ledger;
        var ledgers = new List<LedgerEntry>();
        await foreach (var segment in ManifestsAsync(db, session).WithCancellation(cancellation))
            ledgers = [.. LedgerEntry.Sum(ledgers.Concat(segment.Ledger))];
        return ledgers;
    }

    /// <summary>What the session's segments hold, by topic, in order of topic name.</summary>
    public static async Task<IReadOnlyList<TopicSummary>> TopicsAsync(CatalogueDb db, Session session, CancellationToken cancellation)
    {
        var topics = new SortedDictionary<string, TopicSummary>(StringComparer.Ordinal);
        await foreach (var segment in ManifestsAsync(db, session).WithCancellation(cancellation))
        {
            foreach (var topic in segment.Topics)
                topics[topic.Topic] = topics.TryGetValue(topic.Topic, out var sum) ? Add(sum, topic) : topic;
        }
        return [.. topics.Values];
    }

    // One manifest at a time: those of a long session do not fit into memory together.
    private static IAsyncEnumerable<SegmentManifest> ManifestsAsync(CatalogueDb db, Session session) =>
        db.Segments.AsNoTracking()
            .Where(s => s.SessionDate == session.Date && s.SessionId == session.Id)
            .OrderBy(s => s.Sequence)
            .Select(s => s.Manifest)
            .AsAsyncEnumerable();

    private static TopicSummary Add(TopicSummary a, TopicSummary b) => b.Messages == 0 ? a : a.Messages == 0 ? b : a with
    {
        Messages = a.Messages + b.Messages,
        Bytes = a.Bytes + b.Bytes,
        FirstLogTimeNs = Math.Min(a.FirstLogTimeNs, b.FirstLogTimeNs),
        LastLogTimeNs = Math.Max(a.LastLogTimeNs, b.LastLogTimeNs),
    };
}
