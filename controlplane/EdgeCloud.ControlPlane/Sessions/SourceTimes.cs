using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Sources of sessions as arrays for SQL: <c>unnest</c> makes of them a table of which segments' times belong to which session. The dates
/// and the ids of the holders stand alone beside it, so that the planner sees which partitions are meant.
/// </summary>
/// <param name="Ids">Sessions.</param>
/// <param name="Dates">Dates of those that hold them.</param>
/// <param name="Holders">Those that hold them.</param>
/// <param name="Froms">First log times, ns.</param>
/// <param name="Tos">Ends of the log times, ns, exclusive.</param>
internal sealed record SourceTimes(Guid[] Ids, DateOnly[] Dates, Guid[] Holders, long[] Froms, long[] Tos)
{
    /// <summary>The sources, within a range.</summary>
    public static SourceTimes Of(IReadOnlyList<SessionSource> sources, long? fromNs = null, long? toNs = null) => new(
        [.. sources.Select(s => s.Session.Id)],
        [.. sources.Select(s => s.Holder.Date)],
        [.. sources.Select(s => s.Holder.Id)],
        [.. sources.Select(s => Math.Max(s.FromNs ?? 0, fromNs ?? 0))],
        [.. sources.Select(s => Math.Min(s.ToNs ?? long.MaxValue, toNs ?? long.MaxValue))]);

    /// <summary>
    /// What their segments hold, by topic, type and definition, in order of topic name. A topic of a segment that the time covers in part
    /// counts in proportion.
    /// </summary>
    /// <param name="db">The catalogue.</param>
    /// <param name="isSafe">Only segments in storage.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<TopicSummary>> TopicsAsync(CatalogueDb db, bool isSafe, CancellationToken cancellation)
    {
        var rows = await db.Database.SqlQuery<TopicRow>(
            $"""
            select topic as "Topic", coalesce(type, '') as "Type", coalesce(schema_hash, '') as "SchemaHash", coalesce(encoding, '') as "Encoding",
                   round(sum(messages * share))::bigint as "Messages", round(sum(bytes * share))::bigint as "Bytes",
                   coalesce(min(greatest(first_log_time_ns, from_ns)) filter (where messages > 0), 0) as "FirstLogTimeNs",
                   coalesce(max(least(last_log_time_ns, to_ns - 1)) filter (where messages > 0), 0) as "LastLogTimeNs"
            from (select t.*, w.from_ns, w.to_ns,
                         case when t.first_log_time_ns >= w.from_ns and t.last_log_time_ns < w.to_ns then 1
                              else (least(t.last_log_time_ns, w.to_ns) - greatest(t.first_log_time_ns, w.from_ns))::numeric
                                   / (t.last_log_time_ns - t.first_log_time_ns) end as share
                  from unnest({Dates}, {Holders}, {Froms}, {Tos}) as w (date, holder, from_ns, to_ns)
                  join segments s on s.session_date = w.date and s.session_id = w.holder,
                      jsonb_to_recordset(s.manifest -> 'topics') as t (
                          topic text, type text, schema_hash text, encoding text, messages bigint, bytes bigint,
                          first_log_time_ns bigint, last_log_time_ns bigint)
                  where s.session_date = any({Dates}) and s.session_id = any({Holders})
                    and s.log_time_end_ns >= w.from_ns and s.log_time_start_ns < w.to_ns
                    and (not {isSafe} or s.custody in ('acknowledged', 'released'))
                    and t.last_log_time_ns >= w.from_ns and t.first_log_time_ns < w.to_ns) q
            group by topic, type, schema_hash, encoding
            order by topic collate "C", type, schema_hash, encoding
            """).ToListAsync(cancellation);
        return [.. rows.Select(r => new TopicSummary
        {
            Topic = r.Topic,
            Type = r.Type,
            SchemaHash = r.SchemaHash,
            Encoding = r.Encoding,
            Messages = r.Messages,
            Bytes = r.Bytes,
            FirstLogTimeNs = r.FirstLogTimeNs,
            LastLogTimeNs = r.LastLogTimeNs,
        })];
    }

    private sealed record TopicRow(
        string Topic, string Type, string SchemaHash, string Encoding, long Messages, long Bytes, long FirstLogTimeNs, long LastLogTimeNs);
}
