using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What the session page shows.</summary>
public sealed record SessionDetail
{
    public const int SegmentsPerPage = 50;

    public required Guid Id { get; init; }
    public required string Robot { get; init; }
    public required bool RobotOnline { get; init; }
    public required string Name { get; init; }
    public required SessionState State { get; init; }
    public required string Reason { get; init; }
    public required string Issuer { get; init; }
    public required string ObjectPrefix { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset? EndedAt { get; init; }
    public required long Lost { get; init; }
    /// <summary>The ledger by topic; empty until the session itself was announced.</summary>
    public required IReadOnlyList<LedgerEntry> Ledger { get; init; }
    /// <summary>What its segments hold, by topic, in order of topic name.</summary>
    public required IReadOnlyList<TopicSummary> Topics { get; init; }
    public required SessionTotals Totals { get; init; }
    public required Coverage Coverage { get; init; }
    /// <summary>One page of segments, in order.</summary>
    public required IReadOnlyList<SegmentRow> Segments { get; init; }

    public bool IsOver => State is SessionState.Finished or SessionState.Cancelled or SessionState.Failed;
}

/// <summary>A segment in the table.</summary>
public sealed record SegmentRow
{
    public required int Sequence { get; init; }
    public required long FromNs { get; init; }
    public required long ToNs { get; init; }
    public required long Messages { get; init; }
    public required long Lost { get; init; }
    public required long Bytes { get; init; }
    public required Custody Custody { get; init; }
    public required string Reason { get; init; }
    public required string Sha256 { get; init; }
    public required string ObjectKey { get; init; }
    public required DateTimeOffset? AcknowledgedAt { get; init; }
    /// <summary>Bytes that recovery cut off after a crash.</summary>
    public required long CutBytes { get; init; }
}

/// <summary>The queries behind the session page.</summary>
internal static class SessionQueries
{
    public static async Task<SessionDetail?> DetailAsync(
        CatalogueDb db, Guid id, int page, DateTimeOffset now, CancellationToken cancellation)
    {
        var session = await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation);
        if (session is null)
            return null;
        var segments = db.Segments.AsNoTracking().Where(s => s.SessionDate == session.Date && s.SessionId == id);
        var spans = await segments.OrderBy(s => s.Sequence)
            .Select(s => new SegmentSpan(s.Sequence, s.LogTimeStartNs, s.LogTimeEndNs, s.Custody, s.Lost)).ToListAsync(cancellation);
        var shown = await segments.OrderBy(s => s.Sequence)
            .Skip((page - 1) * SessionDetail.SegmentsPerPage).Take(SessionDetail.SegmentsPerPage).ToListAsync(cancellation);
        var isOver = session.EndedAt is not null;
        return new SessionDetail
        {
            Id = id,
            Robot = session.Robot,
            RobotOnline = await db.Robots.Where(r => r.Id == session.Robot).Select(r => r.Online).SingleOrDefaultAsync(cancellation),
            Name = session.Name,
            State = session.State,
            Reason = session.Reason,
            Issuer = session.Issuer,
            ObjectPrefix = session.ObjectPrefix,
            StartedAt = session.StartedAt,
            EndedAt = session.EndedAt,
            Lost = session.Lost,
            Ledger = session.Manifest?.Ledger ?? [],
            Topics = await SessionTotals.TopicsAsync(db, session, cancellation),
            Totals = (await SessionTotals.OfAsync(db, [session], cancellation)).GetValueOrDefault(id, SessionTotals.None),
            Coverage = Coverage.Of(
                UnixTime.ToNanoseconds(session.StartedAt), UnixTime.ToNanoseconds(session.EndedAt ?? now), isOver, spans,
                session.Manifest?.Pauses ?? []),
            Segments = [.. shown.Select(Row)],
        };
    }

    private static SegmentRow Row(Segment segment) => new()
    {
        Sequence = segment.Sequence,
        FromNs = segment.LogTimeStartNs,
        ToNs = segment.LogTimeEndNs,
        Messages = segment.Messages,
        Lost = segment.Lost,
        Bytes = segment.Bytes,
        Custody = segment.Custody,
        Reason = segment.Reason,
        Sha256 = segment.Manifest.Sha256,
        ObjectKey = segment.ObjectKey,
        AcknowledgedAt = segment.AcknowledgedAt,
        CutBytes = segment.Manifest.RecoveredCutBytes,
    };
}
