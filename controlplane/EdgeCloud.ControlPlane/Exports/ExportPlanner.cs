using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.Export;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Makes the plan of an export from the catalogue: which segments it reads, which of the range it has to do without.</summary>
internal static class ExportPlanner
{
    /// <summary>The plan, as the catalogue stands now. Sessions are in order of start.</summary>
    /// <exception cref="ExportException">A session is gone.</exception>
    public static async Task<ExportPlan> PlanAsync(CatalogueDb db, ExportJob export, CancellationToken cancellation)
    {
        var sessions = await SessionsAsync(db, export.Request, cancellation);
        foreach (var wanted in export.Request.Sessions)
        {
            if (sessions.All(s => s.Id != wanted))
                throw new ExportException($"Session {wanted} is no longer in the catalogue.");
        }
        var planned = new List<PlannedSession>();
        foreach (var source in await SessionSource.OfAsync(db, sessions, cancellation))
            planned.Add(await PlanAsync(db, source, export.Request, cancellation));
        return new ExportPlan { Id = export.Id, Settings = export.Request, Sessions = planned };
    }

    /// <summary>
    /// The sessions that a request means: those that it names, and those of its robots that recorded in the range; events only when they are
    /// named, since their parents hold all of theirs. In order of start.
    /// </summary>
    public static Task<List<Session>> SessionsAsync(CatalogueDb db, ExportRequest request, CancellationToken cancellation)
    {
        var from = Time(request.FromNs, DateTimeOffset.MinValue);
        var to = Time(request.ToNs, DateTimeOffset.MaxValue);
        return db.Sessions.AsNoTracking()
            .Where(s => request.Sessions.Contains(s.Id)
                || (request.Robots.Contains(s.Robot) && s.Parent == null && s.StartedAt < to && (s.EndedAt == null || s.EndedAt >= from)))
            .OrderBy(s => s.StartedAt).ThenBy(s => s.Id)
            .ToListAsync(cancellation);
    }

    /// <summary>Name under which the result downloads: robot, start of the first session, and the export's last digits.</summary>
    public static async Task<string> FileNameAsync(CatalogueDb db, ExportPlan plan, CancellationToken cancellation)
    {
        var ids = plan.Sessions.Select(s => s.Id).ToList();
        var startedAt = await db.Sessions.Where(s => ids.Contains(s.Id)).MinAsync(s => (DateTimeOffset?)s.StartedAt, cancellation);
        var robots = plan.Sessions.Select(s => s.Robot).Distinct().ToList();
        var who = robots.Count == 1 ? robots[0] : $"{robots.Count}-robots";
        return string.Create(CultureInfo.InvariantCulture, $"{who}-{startedAt?.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{plan.Id.ToString("N")[^6..]}");
    }

    private static async Task<PlannedSession> PlanAsync(CatalogueDb db, SessionSource source, ExportRequest request, CancellationToken cancellation)
    {
        var session = source.Session;
        var (from, to) = source.Within(request.FromNs, request.ToNs);
        var here = new List<PlannedSegment>();
        var topics = new HashSet<PlannedTopic>();
        var missing = new SortedDictionary<int, string>();
        var (known, last) = (new HashSet<int>(), 0);
        await foreach (var segment in source.Segments(db).AsNoTracking().OrderBy(s => s.Sequence).AsAsyncEnumerable().WithCancellation(cancellation))
        {
            known.Add(last = segment.Sequence);
            var candidate = PlannedSegment.Of(segment.Manifest);
            if (segment.IsAcknowledged)
            {
                here.Add(candidate);
                topics.UnionWith(PlannedTopic.Of(segment.Manifest));
            }
            // What holds no message is not missed; what could not be read may hold any.
            else if (segment.Manifest.Sha256.Length == 0 || (segment.Messages > 0 && candidate.Overlaps(from, to)))
            {
                missing[segment.Sequence] = $"{source.Holder.Id:D}/{segment.Sequence}: {SnakeCaseNames.Of(segment.Custody.ToString())}";
            }
        }
        foreach (var sequence in source.Sequences(last).Where(s => !known.Contains(s)))
            missing[sequence] = $"{source.Holder.Id:D}/{sequence}: not announced";
        return new PlannedSession
        {
            Id = session.Id,
            Robot = session.Robot,
            Name = session.Name,
            FromNs = source.FromNs,
            ToNs = source.ToNs,
            Segments = PlannedSegment.InRange(here, from, to),
            Topics = PlannedTopic.Union(topics.Where(t => (request.Selection ?? TopicSelection.All).Selects(t.Topic))),
            Missing = [.. missing.Values],
            Ledger = await SessionTotals.LedgerAsync(db, session, cancellation),
        };
    }

    private static DateTimeOffset Time(long? ns, DateTimeOffset otherwise) => ns is { } time ? UnixTime.ToDateTimeOffset(time) : otherwise;
}
