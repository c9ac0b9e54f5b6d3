using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// An event has no segments of its own, so its row learns what its parent's hold in its time: the search asks one row for its topics and types,
/// whatever it is. Whichever is announced last, the event or the segment, looks for the other after its own transaction, so that none is missed.
/// </summary>
internal static class EventTopics
{
    /// <summary>An event was announced.</summary>
    public static async Task LearnAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var made = await db.Sessions.FromSql($"select * from sessions where id = {id} for update").IgnoreQueryFilters().SingleAsync(cancellation);
        var source = await SessionSource.OfAsync(db, made, cancellation);
        made.Learn(await SourceTimes.Of([source]).TopicsAsync(db, isSafe: false, cancellation));
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>A segment was announced: every event of its time learns.</summary>
    public static async Task LearnAsync(CatalogueDb db, SegmentManifest segment, CancellationToken cancellation)
    {
        var events = await db.Database.SqlQuery<Guid>(
            $"""
            select id from sessions
            where parent = {segment.Session} and robot = {segment.Robot} and purged_at is null
              and (manifest -> 'event' ->> 'from_ns')::bigint <= {segment.LogTimeEndNs}
              and (manifest -> 'event' ->> 'to_ns')::bigint >= {segment.LogTimeStartNs}
            """).ToListAsync(cancellation);
        foreach (var id in events)
            await LearnAsync(db, id, cancellation);
    }
}
