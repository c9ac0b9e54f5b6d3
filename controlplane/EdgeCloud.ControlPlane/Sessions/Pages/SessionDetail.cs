using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Fleet.Pages;
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
    /// <summary>What makes it an event; null for a session that records.</summary>
    public required EventClip? Event { get; init; }
    /// <summary>The session that has its segments: itself, or an event's parent.</summary>
    public required SessionName Holder { get; init; }
    /// <summary>The events that are stretches of it, in order of start, the first of them.</summary>
    public required IReadOnlyList<SessionName> EventSessions { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset? EndedAt { get; init; }
    public required long Lost { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    /// <summary>When it was deleted; null when it was not.</summary>
    public required DateTimeOffset? DeletedAt { get; init; }
    public required string DeletedBy { get; init; }
    /// <summary>When the data of a deleted session goes for good.</summary>
    public required DateTimeOffset? PurgeAt { get; init; }
    /// <summary>The ledger by topic; empty until the session itself was announced.</summary>
    public required IReadOnlyList<LedgerEntry> Ledger { get; init; }
    /// <summary>What its segments hold, by topic, in order of topic name.</summary>
    public required IReadOnlyList<TopicSummary> Topics { get; init; }
    public required SessionTotals Totals { get; init; }
    public required Timeline Timeline { get; init; }
    /// <summary>The first segment that does not name the hash of the one before it; 0 when the chain holds.</summary>
    public required int ChainBreak { get; init; }
    /// <summary>One page of segments, in order.</summary>
    public required IReadOnlyList<SegmentRow> Segments { get; init; }
    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<NoteLine> Notes { get; init; }
    /// <summary>Events in its time, in order of time.</summary>
    public required IReadOnlyList<EventMark> Events { get; init; }

    /// <summary>The newest fetch of it; null when nobody asked for one.</summary>
    public required CommandRow? Fetch { get; init; }

    public bool IsOver => State is SessionState.Finished or SessionState.Cancelled or SessionState.Failed;

    /// <summary>True when the robot holds nothing of it any more that is not in storage.</summary>
    public bool IsGone => Holder.State is SessionState.Finished or SessionState.Cancelled;
}

/// <summary>A session that another one leads to.</summary>
public sealed record SessionName(Guid Id, string Name, SessionState State, DateTimeOffset StartedAt);

/// <summary>A note.</summary>
public sealed record NoteLine(Guid Id, string Author, DateTimeOffset At, DateTimeOffset? EditedAt, string Text);

/// <summary>An event on the timeline.</summary>
public sealed record EventMark(Guid Id, Guid? Session, long TimeNs, long? EndNs, string Kind, string Text, string Author);

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
    public required string? PreviousSha256 { get; init; }
    public required string ObjectKey { get; init; }
    public required DateTimeOffset? AcknowledgedAt { get; init; }
    /// <summary>Bytes that recovery cut off after a crash.</summary>
    public required long CutBytes { get; init; }
}

/// <summary>The queries behind the session page.</summary>
internal static class SessionQueries
{
    private const int MostNotes = 200;
    private const int MostEvents = 500;
    private const int MostEventSessions = 50;

    public static async Task<SessionDetail?> DetailAsync(
        CatalogueDb db, SessionAddress view, SessionParts parts, DateTimeOffset now, CancellationToken cancellation)
    {
        var id = view.Session;
        // One that was deleted can be looked at as long as it can be brought back.
        var session = await db.Sessions.IgnoreQueryFilters().AsNoTracking()
            .SingleOrDefaultAsync(s => s.Id == id && s.PurgedAt == null, cancellation);
        if (session is null)
            return null;
        var source = await SessionSource.OfAsync(db, session, cancellation);
        await parts.ReadAsync(db, source, cancellation);
        var shown = await source.Segments(db).AsNoTracking()
            .OrderBy(s => s.Sequence)
            .Skip((view.Page - 1) * SessionDetail.SegmentsPerPage).Take(SessionDetail.SegmentsPerPage).ToListAsync(cancellation);
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
            Event = session.Manifest?.Event,
            Holder = new SessionName(source.Holder.Id, source.Holder.Name, source.Holder.State, source.Holder.StartedAt),
            EventSessions = await SessionSource.EventsOf(db, session).Take(MostEventSessions)
                .Select(e => new SessionName(e.Id, e.Name, e.State, e.StartedAt)).ToListAsync(cancellation),
            StartedAt = session.StartedAt,
            EndedAt = session.EndedAt,
            Lost = session.Lost,
            Tags = session.Tags,
            DeletedAt = session.DeletedAt,
            DeletedBy = session.DeletedBy,
            PurgeAt = session.PurgeAt,
            Ledger = session.Parent is null ? session.Manifest?.Ledger ?? [] : await SessionTotals.LedgerAsync(db, session, cancellation),
            Topics = parts.Topics(),
            Totals = (await SessionTotals.OfAsync(db, [session], cancellation)).GetValueOrDefault(id, SessionTotals.None),
            Timeline = Timeline.Of(
                source.FromNs ?? UnixTime.ToNanoseconds(session.StartedAt), source.ToNs - 1 ?? UnixTime.ToNanoseconds(session.EndedAt ?? now),
                session.EndedAt is not null && (source.FromNs is null || parts.Has(source.Sequences(int.MaxValue - 1))),
                parts, source.Holder.Manifest?.Pauses ?? [], view),
            ChainBreak = parts.ChainBreak(),
            Segments = [.. shown.Select(Row)],
            Notes = await db.SessionNotes.Where(n => n.SessionId == id).OrderBy(n => n.At).ThenBy(n => n.Id).Take(MostNotes)
                .Select(n => new NoteLine(n.Id, n.Author, n.At, n.EditedAt, n.Text)).ToListAsync(cancellation),
            Events = await Sessions.Events.Of(db, session).OrderBy(e => e.TimeNs).ThenBy(e => e.Id).Take(MostEvents)
                .Select(e => new EventMark(e.Id, e.Session, e.TimeNs, e.EndNs, e.Kind, e.Text, e.Author)).ToListAsync(cancellation),
            Fetch = await RobotQueries.Rows(db.Commands.Where(c => c.Robot == session.Robot && c.Session == id && c.Kind == CommandKind.Fetch)
                .OrderByDescending(c => c.IssuedAt)).FirstOrDefaultAsync(cancellation),
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
        PreviousSha256 = segment.Manifest.PreviousSha256,
        ObjectKey = segment.ObjectKey,
        AcknowledgedAt = segment.AcknowledgedAt,
        CutBytes = segment.Manifest.RecoveredCutBytes,
    };
}
