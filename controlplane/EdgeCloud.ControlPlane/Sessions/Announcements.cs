using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Takes announcements of sessions and segments into the catalogue, under a lock of the row. A segment may come before its session: then
/// the session begins with what the segment tells of it.
/// </summary>
public sealed class Announcements(
    IDbContextFactory<CatalogueDb> catalogue, BucketSettings bucket, SegmentChecks checks, TimeProvider clock)
{
    /// <summary>Applies the announcement and returns the answer; null when nobody waits for one.</summary>
    /// <exception cref="ContractException">Its manifest is wrong in itself.</exception>
    /// <exception cref="AnnouncementException">It contradicts what is known.</exception>
    public async Task<CustodyMessage?> ApplyAsync(SessionAnnouncement announcement, CancellationToken cancellation)
    {
        var manifest = announcement.Manifest;
        Require(manifest.Robot == announcement.Robot, $"it announces a session of '{manifest.Robot}'");
        Payloads.Check(manifest);
        var date = SessionPlace.DateOf(bucket.Prefix, manifest.Robot, manifest.Session, manifest.ObjectPrefix);
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await LockSessionAsync(
            db, manifest.Robot, manifest.Session, date, manifest.ObjectPrefix, UnixTime.ToDateTimeOffset(manifest.StartedNs), now, cancellation);
        var isNews = session.Apply(announcement, now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        if (session.Parent is not null)
            await EventTopics.LearnAsync(db, session.Id, cancellation);
        // What is older than the catalogue's knowledge needs no answer, but a repetition does: the first answer may be lost.
        return isNews || session.Revision == announcement.Revision
            ? new CustodyMessage
            {
                Robot = session.Robot,
                Session = session.Id,
                Revision = announcement.Revision,
                Decision = CustodyDecision.Noted,
            }
            : null;
    }

    /// <summary>Applies the announcement and returns the answer; null when it follows after the check of the object, or nobody waits for one.</summary>
    /// <exception cref="ContractException">Its manifest is wrong in itself.</exception>
    /// <exception cref="AnnouncementException">It contradicts what is known.</exception>
    public async Task<CustodyMessage?> ApplyAsync(SegmentAnnouncement announcement, CancellationToken cancellation)
    {
        var manifest = announcement.Manifest;
        Require(manifest.Robot == announcement.Robot, $"it announces a segment of '{manifest.Robot}'");
        Payloads.Check(manifest);
        var folder = SessionPlace.FolderOf(manifest.ObjectKey, manifest.Sequence);
        var date = SessionPlace.DateOf(bucket.Prefix, manifest.Robot, manifest.Session, folder);
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await LockSessionAsync(
            db, manifest.Robot, manifest.Session, date, folder, UnixTime.ToDateTimeOffset(manifest.Clock.WallNs), now, cancellation);
        var segment = await FindAsync(db, date, manifest.Session, manifest.Sequence, cancellation);
        if (segment is null)
        {
            segment = new Segment
            {
                SessionDate = date,
                SessionId = manifest.Session,
                Sequence = manifest.Sequence,
                Robot = manifest.Robot,
                AnnouncedAt = now,
            };
            db.Segments.Add(segment);
        }
        if (segment.Apply(announcement, now))
            await RememberAsync(db, session.Learn(manifest.Topics), cancellation);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        await EventTopics.LearnAsync(db, manifest, cancellation);
        if (segment.Custody == Custody.Uploaded)
            checks.Ask(SegmentKey.Of(segment));
        return segment.AnswerTo(announcement);
    }

    /// <summary>A segment's row. Its session's row is the lock for all its segments.</summary>
    internal static Task<Segment?> FindAsync(CatalogueDb db, DateOnly date, Guid session, int sequence, CancellationToken cancellation) =>
        db.Segments.SingleOrDefaultAsync(s => s.SessionDate == date && s.SessionId == session && s.Sequence == sequence, cancellation);

    /// <summary>Locks a session's row until the transaction ends; makes it when it is not there.</summary>
    private static async Task<Session> LockSessionAsync(
        CatalogueDb db, string robot, Guid id, DateOnly date, string folder, DateTimeOffset startedAt, DateTimeOffset now,
        CancellationToken cancellation)
    {
        await Ingestion.RegisterAsync(db, robot, now, cancellation);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer,
                                  started_at, lost, created_at, updated_at)
            values ({id}, {robot}, {date}, {folder}, 0, 0, '', 'recording', '', '', {startedAt}, 0, {now}, {now})
            on conflict (id) do nothing
            """,
            cancellation);
        var session = await db.Sessions.FromSql($"select * from sessions where id = {id} for update").IgnoreQueryFilters().SingleAsync(cancellation);
        Require(session.Robot == robot, $"session {id} belongs to another robot");
        Require(session.ObjectPrefix == folder, $"session {id} lies in '{session.ObjectPrefix}' and not in '{folder}'");
        return session;
    }

    /// <summary>Keeps topics to choose among. In order, so that two transactions with the same news wait for each other in one direction.</summary>
    private static async Task RememberAsync(CatalogueDb db, IReadOnlyList<KnownTopic> topics, CancellationToken cancellation)
    {
        if (topics.Count == 0)
            return;
        string[] names = [.. topics.Select(t => t.Name)], types = [.. topics.Select(t => t.Type)];
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into known_topics (name, type)
            select distinct name, type from unnest({names}, {types}) t (name, type) order by name, type
            on conflict do nothing
            """,
            cancellation);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new AnnouncementException(otherwise);
    }
}
