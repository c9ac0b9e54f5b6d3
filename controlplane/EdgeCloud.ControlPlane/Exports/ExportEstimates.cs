using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// What an export would be, by the catalogue alone: the segments' manifests tell what they hold, and PostgreSQL adds it up. A topic of a
/// segment that the range covers in part counts in proportion.
/// </summary>
public sealed class ExportEstimates(IDbContextFactory<CatalogueDb> catalogue, ExportPolicy policy, TimeProvider clock)
{
    private const int MissingListed = 1000;
    private const double Second = 1e9;
    private const long GiB = 1L << 30;

    // Until exports of a format were made here: what one worker takes for a GiB, s.
    private static readonly Dictionary<string, double> UsualSecondsPerGiB = new()
    {
        [ExportFormats.Mcap] = 15,
        [ExportFormats.Rosbag2] = 15,
        [ExportFormats.Numpy] = 20,
        [ExportFormats.TfRecord] = 20,
        [ExportFormats.Parquet] = 30,
        [ExportFormats.Csv] = 60,
        [ExportFormats.JsonLines] = 60,
    };

    /// <summary>The estimate of a request that was checked; <see cref="ExportEstimate.Refusal"/> holds the limit that it would hit.</summary>
    public async Task<ExportEstimate> OfAsync(ExportRequest request, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var sessions = await ExportPlanner.SessionsAsync(db, request, cancellation);
        var times = SourceTimes.Of(await SessionSource.OfAsync(db, sessions, cancellation), request.FromNs, request.ToNs);
        var selection = request.Selection ?? TopicSelection.All;
        var extent = await ExtentAsync(db, times, cancellation);
        var topics = (await times.TopicsAsync(db, isSafe: true, cancellation)).Where(t => t.Messages > 0 && selection.Selects(t.Topic)).ToList();
        return new ExportEstimate
        {
            Sessions = sessions.Count,
            Segments = extent.Segments,
            InputBytes = extent.InputBytes,
            PayloadBytes = topics.Sum(t => t.Bytes),
            Messages = topics.Sum(t => t.Messages),
            Seconds = Math.Round(extent.Ns / Second, 3),
            SecondsMissing = Math.Round(extent.MissingNs / Second, 3),
            MissingSegments = extent.MissingSegments == 0 ? [] : await MissingAsync(db, times, cancellation),
            WorkSeconds = Math.Round(await SecondsPerGiBAsync(db, request.Format, cancellation) * extent.InputBytes / GiB, 1),
            Topics = topics,
            Refusal = await RefusalAsync(db, actor, sessions.Count, extent.InputBytes, cancellation),
        };
    }

    private static async Task<Extent> ExtentAsync(CatalogueDb db, SourceTimes times, CancellationToken cancellation) =>
        await db.Database.SqlQuery<Extent>(
            $"""
            select count(*) filter (where is_here)::int as "Segments",
                   coalesce(sum(bytes) filter (where is_here), 0)::bigint as "InputBytes",
                   coalesce(sum(ns) filter (where is_here), 0)::bigint as "Ns",
                   coalesce(sum(ns) filter (where not is_here), 0)::bigint as "MissingNs",
                   count(*) filter (where not is_here)::int as "MissingSegments"
            from (select bytes, custody in ('acknowledged', 'released') as is_here,
                         least(log_time_end_ns, w.to_ns) - greatest(log_time_start_ns, w.from_ns) as ns
                  from unnest({times.Dates}, {times.Holders}, {times.Froms}, {times.Tos}) as w (date, holder, from_ns, to_ns)
                  join segments on session_date = w.date and session_id = w.holder
                  where session_date = any({times.Dates}) and session_id = any({times.Holders}) and messages > 0
                    and log_time_end_ns >= w.from_ns and log_time_start_ns < w.to_ns) s
            """).SingleAsync(cancellation);

    private static async Task<IReadOnlyList<string>> MissingAsync(CatalogueDb db, SourceTimes times, CancellationToken cancellation)
    {
        var missing = await db.Database.SqlQuery<Absent>(
            $"""
            select distinct session_id as "SessionId", sequence as "Sequence", custody as "Custody"
            from unnest({times.Dates}, {times.Holders}, {times.Froms}, {times.Tos}) as w (date, holder, from_ns, to_ns)
            join segments on session_date = w.date and session_id = w.holder
            where session_date = any({times.Dates}) and session_id = any({times.Holders}) and messages > 0
              and log_time_end_ns >= w.from_ns and log_time_start_ns < w.to_ns and custody not in ('acknowledged', 'released')
            order by session_id, sequence limit {MissingListed}
            """).ToListAsync(cancellation);
        return [.. missing.Select(s => $"{s.SessionId:D}/{s.Sequence}: {s.Custody}")];
    }

    /// <summary>What parts of this format took here of late, or what is usual.</summary>
    private async Task<double> SecondsPerGiBAsync(CatalogueDb db, string format, CancellationToken cancellation)
    {
        var since = clock.GetUtcNow() - TimeSpan.FromDays(30);
        var measured = await db.Database.SqlQuery<double?>(
            $"""
            select (sum(extract(epoch from p.finished_at - p.started_at)) / nullif(sum(p.input_bytes), 0))::float8 as "Value"
            from export_parts p join exports e on e.id = p.export_id
            where p.kind = 'data' and p.state = 'succeeded' and p.finished_at > {since} and p.input_bytes > {64L << 20}
              and e.request ->> 'format' = {format}
            """).SingleAsync(cancellation);
        return measured * GiB ?? UsualSecondsPerGiB[format];
    }

    private async Task<string> RefusalAsync(CatalogueDb db, Actor actor, int sessions, long inputBytes, CancellationToken cancellation)
    {
        if (sessions == 0)
            return "No session of these robots overlaps the range.";
        if (inputBytes > policy.BytesPerExport)
            return $"The export would read {inputBytes / GiB} GiB; one export may read {policy.BytesPerExport / GiB} GiB. Choose less time, or several exports.";
        var user = actor.User;
        var mine = db.Exports.Where(e => e.Owner == $"user:{user}" || e.Owner.StartsWith($"key:{user}/"));
        var waiting = await mine.CountAsync(e => e.State == ExportState.Queued || e.State == ExportState.Running, cancellation);
        if (waiting >= policy.WaitingPerUser)
            return $"{waiting} exports of {user} are not over yet, as many as one user may have. Wait for one of them, or cancel it.";
        var held = await mine
            .Where(e => e.State == ExportState.Succeeded || e.State == ExportState.Queued || e.State == ExportState.Running)
            .SumAsync(e => e.State == ExportState.Succeeded ? e.Bytes : Math.Max(e.Bytes, e.InputBytes), cancellation);
        return held + inputBytes > policy.BytesPerUser
            ? $"The exports of {user} hold {held / GiB} GiB; with this one it would be more than the {policy.BytesPerUser / GiB} GiB that one user may have. Delete one, or wait until one expires."
            : "";
    }

    private sealed record Extent(int Segments, long InputBytes, long Ns, long MissingNs, int MissingSegments);

    private sealed record Absent(Guid SessionId, int Sequence, string Custody);
}
