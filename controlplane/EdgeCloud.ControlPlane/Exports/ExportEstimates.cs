using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
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
        var dates = sessions.Select(s => s.Date).Distinct().ToArray();
        var ids = sessions.Select(s => s.Id).ToArray();
        var from = request.FromNs ?? 0;
        var to = request.ToNs ?? long.MaxValue;
        var extent = await ExtentAsync(db, dates, ids, from, to, cancellation);
        var topics = await TopicsAsync(db, dates, ids, from, to, request.Selection ?? TopicSelection.All, cancellation);
        return new ExportEstimate
        {
            Sessions = sessions.Count,
            Segments = extent.Segments,
            InputBytes = extent.InputBytes,
            PayloadBytes = topics.Sum(t => t.Bytes),
            Messages = topics.Sum(t => t.Messages),
            Seconds = Math.Round(extent.Ns / Second, 3),
            SecondsMissing = Math.Round(extent.MissingNs / Second, 3),
            MissingSegments = extent.MissingSegments == 0 ? [] : await MissingAsync(db, dates, ids, from, to, cancellation),
            WorkSeconds = Math.Round(await SecondsPerGiBAsync(db, request.Format, cancellation) * extent.InputBytes / GiB, 1),
            Topics = topics,
            Refusal = await RefusalAsync(db, actor, sessions.Count, extent.InputBytes, cancellation),
        };
    }

    private static async Task<Extent> ExtentAsync(
        CatalogueDb db, DateOnly[] dates, Guid[] ids, long from, long to, CancellationToken cancellation) =>
        await db.Database.SqlQuery<Extent>(
            $"""
            select count(*) filter (where is_here)::int as "Segments",
                   coalesce(sum(bytes) filter (where is_here), 0)::bigint as "InputBytes",
                   coalesce(sum(ns) filter (where is_here), 0)::bigint as "Ns",
                   coalesce(sum(ns) filter (where not is_here), 0)::bigint as "MissingNs",
                   count(*) filter (where not is_here)::int as "MissingSegments"
            from (select bytes, custody in ('acknowledged', 'released') as is_here,
                         least(log_time_end_ns, {to}) - greatest(log_time_start_ns, {from}) as ns
                  from segments
                  where session_date = any({dates}) and session_id = any({ids}) and messages > 0
                    and log_time_end_ns >= {from} and log_time_start_ns < {to}) s
            """).SingleAsync(cancellation);

    private static async Task<IReadOnlyList<TopicSummary>> TopicsAsync(
        CatalogueDb db, DateOnly[] dates, Guid[] ids, long from, long to, TopicSelection selection, CancellationToken cancellation)
    {
        var rows = await db.Database.SqlQuery<TopicRow>(
            $"""
            select topic as "Topic", type as "Type", coalesce(schema_hash, '') as "SchemaHash", coalesce(encoding, '') as "Encoding",
                   round(sum(messages * share))::bigint as "Messages", round(sum(bytes * share))::bigint as "Bytes",
                   min(greatest(first_log_time_ns, {from})) as "FirstLogTimeNs", max(least(last_log_time_ns, {to})) as "LastLogTimeNs"
            from (select t.*, case when t.last_log_time_ns = t.first_log_time_ns then 1.0
                      else (least(t.last_log_time_ns, {to}) - greatest(t.first_log_time_ns, {from}))::numeric
                           / (t.last_log_time_ns - t.first_log_time_ns) end as share
                  from segments s, jsonb_to_recordset(s.manifest -> 'topics') as t (
                      topic text, type text, schema_hash text, encoding text, messages bigint, bytes bigint,
                      first_log_time_ns bigint, last_log_time_ns bigint)
                  where s.session_date = any({dates}) and s.session_id = any({ids}) and s.custody in ('acknowledged', 'released')
                    and s.log_time_end_ns >= {from} and s.log_time_start_ns < {to}
                    and t.messages > 0 and t.last_log_time_ns >= {from} and t.first_log_time_ns < {to}) q
            group by topic, type, schema_hash, encoding
            order by topic, type
            """).ToListAsync(cancellation);
        return [.. rows.Where(r => selection.Selects(r.Topic)).Select(r => new TopicSummary
        {
            Topic = r.Topic,
            Type = r.Type ?? "",
            SchemaHash = r.SchemaHash,
            Encoding = r.Encoding,
            Messages = r.Messages,
            Bytes = r.Bytes,
            FirstLogTimeNs = r.FirstLogTimeNs,
            LastLogTimeNs = r.LastLogTimeNs,
        })];
    }

    private static async Task<IReadOnlyList<string>> MissingAsync(
        CatalogueDb db, DateOnly[] dates, Guid[] ids, long from, long to, CancellationToken cancellation)
    {
        var missing = await db.Segments.AsNoTracking()
            .Where(s => dates.Contains(s.SessionDate) && ids.Contains(s.SessionId) && s.Messages > 0
                && s.LogTimeEndNs >= from && s.LogTimeStartNs < to
                && s.Custody != Custody.Acknowledged && s.Custody != Custody.Released)
            .OrderBy(s => s.SessionId).ThenBy(s => s.Sequence)
            .Select(s => new { s.SessionId, s.Sequence, s.Custody }).Take(MissingListed).ToListAsync(cancellation);
        return [.. missing.Select(s => $"{s.SessionId:D}/{s.Sequence}: {SnakeCaseNames.Of(s.Custody.ToString())}")];
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

    private sealed record TopicRow(
        string Topic, string? Type, string SchemaHash, string Encoding, long Messages, long Bytes, long FirstLogTimeNs, long LastLogTimeNs);
}
