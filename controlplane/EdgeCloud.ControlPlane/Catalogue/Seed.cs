using System.Diagnostics;
using Npgsql;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>
/// <c>edgecloud-controlplane seed --robots N --sessions N --segments N [--days N]</c>: fills an empty catalogue with as much as a large
/// fleet makes in a season, so that pages and queries can be measured at that size. The rows are made up inside PostgreSQL, deterministic
/// and plausible (several topics per segment, losses now and then, tags, notes, events); there are no objects behind them.
/// </summary>
internal static class Seed
{
    private const string Prefix = "seed-";

    public static async Task<int> RunAsync(WebApplication app)
    {
        var configuration = app.Configuration;
        var (robots, sessions, segments, days) = (
            configuration.Number("robots", 1000, 1, 99_999), configuration.Number("sessions", 100_000, 1, 10_000_000),
            configuration.Number("segments", 5_000_000, 1, 1_000_000_000), configuration.Number("days", 90, 1, 3650));
        await CatalogueSetup.MigrateAsync(app.Services, CancellationToken.None);
        var source = app.Services.GetRequiredService<NpgsqlDataSource>();
        await using var connection = await source.OpenConnectionAsync();
        if (await ScalarAsync(connection, $"select count(*) from robots where id like '{Prefix}%'") > 0)
            throw new ConfigurationException($"The catalogue holds robots '{Prefix}…' already; seed an empty one.");
        var watch = Stopwatch.StartNew();
        await FillAsync(connection, robots, sessions, segments, days, Console.WriteLine);
        Console.WriteLine($"{robots} robots, {sessions} sessions and {segments} segments over {days} days in {watch.Elapsed.TotalSeconds:0} s");
        return 0;
    }

    /// <summary>Makes the rows, and tells after each kind how long it took.</summary>
    internal static async Task FillAsync(NpgsqlConnection connection, int robots, int sessions, int segments, int days, Action<string> tell)
    {
        foreach (var (what, sql) in Steps(robots, sessions, segments, days))
        {
            var watch = Stopwatch.StartNew();
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
            tell($"{what,-12}{watch.Elapsed.TotalSeconds,8:0.0} s");
        }
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>
    /// The statements, each a transaction of its own. They make the rows where they are stored, in the order of the indexes, with the
    /// triggers that tell pages and webhooks of every row turned off meanwhile.
    /// </summary>
    private static IEnumerable<(string What, string Sql)> Steps(int robots, int sessions, int segments, int days)
    {
        // Every id says what it is of; sessions are spread evenly over robots and days, the last few still record.
        var id = "('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid";
        var start = $"date_trunc('hour', now()) - interval '1 hour' - ({sessions} - i) * (interval '{days} days' / {sessions})";
        yield return ("partitions",
            $"""
            select ensure_partition('segments', to_char(m, 'YYYY_MM'), m::date, (m + interval '1 month')::date)
            from generate_series(date_trunc('month', now() - interval '{days + 1} days'), date_trunc('month', now()), interval '1 month') m
            """);
        yield return ("robots",
            $$"""
            insert into robots (id, online, first_seen_at, last_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number, tags, state, telemetry)
            select '{{Prefix}}' || lpad(i::text, 5, '0'), i % 25 <> 0, now() - interval '{{days}} days', now() - (i % 90) * interval '1 second', 1, 1, 1, 1,
                   array['site-' || i % 12, case when i % 2 = 0 then 'amr' else 'arm' end],
                   jsonb_build_object('schema', 'edgecloud.state/1', 'robot', '{{Prefix}}' || lpad(i::text, 5, '0'), 'revision', '{"epoch": 1, "number": 1}'::jsonb,
                       'online', i % 25 <> 0, 'time_ns', (extract(epoch from now())::bigint) * 1000000000, 'agent_version', '0.1.0',
                       'alarms', case when i % 40 = 0 then '["upload refused: 403"]'::jsonb else '[]'::jsonb end,
                       'topics', (select jsonb_agg(jsonb_build_object('topic', t, 'type', 'sensor_msgs/msg/Imu')) from unnest(array['/imu/data', '/tf', '/odom', '/scan', '/camera/image_raw', '/diagnostics', '/battery', '/map', '/cmd_vel', '/rosout']) t)),
                   jsonb_build_object('schema', 'edgecloud.telemetry/1', 'robot', '{{Prefix}}' || lpad(i::text, 5, '0'), 'revision', '{"epoch": 1, "number": 1}'::jsonb,
                       'time_ns', (extract(epoch from now())::bigint) * 1000000000, 'interval_ms', 1000, 'messages_per_second', 1200 + i % 300, 'bytes_per_second', 9e6 + i * 1000,
                       'disk_free_bytes', 200000000000 - i * 150000000::bigint, 'disk_total_bytes', 250000000000, 'recordings_bytes', 20000000000)
            from generate_series(1, {{robots}}) i
            """);
        yield return ("topics",
            "insert into known_topics select '/' || a || '/' || b, 'sensor_msgs/msg/' || initcap(b) from unnest(array['front','rear','left','right','base']) a, unnest(array['imu','image','laserscan','pointcloud2','range','joy']) b on conflict do nothing");
        yield return ("sessions",
            $"""
            alter table sessions disable trigger sessions_changed;
            insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at, lost,
                                  created_at, updated_at, tags, topics, types)
            select {id}, r, (s at time zone 'UTC')::date, 'recordings/robot=' || r || '/date=' || to_char(s at time zone 'UTC', 'YYYY-MM-DD') || '/session=' || {id} || '/', 1, 1,
                   (array['patrol','mapping','delivery','inspection','night shift'])[1 + i % 5] || ' ' || i, case when i > {sessions} - {robots} / 3 then 'recording' when i % 97 = 0 then 'failed' when i % 53 = 0 then 'cancelled' else 'finished' end,
                   '', 'user:alice', s, case when i > {sessions} - {robots} / 3 then null else s + interval '50 minutes' end, case when i % 31 = 0 then i % 1000 else 0 end, s, s,
                   case when i % 20 = 0 then array['keep'] when i % 333 = 0 then array['fall', 'review'] else '{"{}"}' end,
                   array['/' || a || '/imu', '/' || a || '/image', '/base/laserscan', '/tf', '/odom'] || case when i % 5000 = 0 then array['/rare/topic'] else '{"{}"}' end,
                   array['sensor_msgs/msg/Imu', 'sensor_msgs/msg/Image', 'sensor_msgs/msg/Laserscan', 'tf2_msgs/msg/TFMessage', 'nav_msgs/msg/Odometry']
            from generate_series(1, {sessions}) i,
                 lateral (select '{Prefix}' || lpad((1 + i % {robots})::text, 5, '0') as r, {start} as s, (array['front','rear','left','right'])[1 + i % 4] as a) x;
            alter table sessions enable trigger sessions_changed;
            """);
        yield return ("notes",
            $"""
            insert into session_notes (id, session_id, author, at, text, version)
            select gen_random_uuid(), {id}, 'user:alice', now(), 'Looked at it: the gripper ' || (array['slipped','was fine','stalled'])[1 + i % 3] || ' in case ' || i, 1
            from generate_series(50, {sessions}, 50) i
            """);
        yield return ("events",
            $"""
            insert into events (id, robot, session, time_ns, kind, text, author, created_at, version)
            select gen_random_uuid(), s.robot, null, (extract(epoch from s.started_at)::bigint + 300) * 1000000000, 'bump', '', 'robot:' || s.robot, s.started_at, 1
            from sessions s where s.lost > 0 and s.robot like '{Prefix}%'
            """);
        foreach (var step in SegmentSteps(sessions, segments))
            yield return step;
        yield return ("telemetry",
            $"""
            insert into telemetry_samples (robot, at, messages_per_second, bytes_per_second, lost, disk_free_bytes, disk_total_bytes, recordings_bytes, system_cpu_percent, agent_cpu_percent,
                agent_memory_bytes, network_receive_bytes_per_second, network_send_bytes_per_second, backlog_bytes, backlog_segments, upload_bytes_per_second)
            select '{Prefix}' || lpad(i::text, 5, '0'), t, 1200, 9e6 + i, 0, 200000000000, 250000000000, 20000000000, 35, 9, 90000000, 1e6, 8e6, 0, 0, 8e6
            from generate_series(1, least({robots}, 50)) i, generate_series(now() - interval '24 hours', now(), interval '10 seconds') t on conflict do nothing
            """);
        yield return ("exports",
            $$"""
            insert into exports (id, request, owner, state, created_at, finished_at, input_bytes, input_bytes_done, messages, bytes, error, ledger, missing_segments,
                                 file_name, plan_hash, is_incomplete, problems, files, parts_done, parts_total, expires_at, swept_at)
            select gen_random_uuid(), jsonb_build_object('sessions', jsonb_build_array({{id}}), 'format', 'mcap'), 'user:alice', 'succeeded', now() - i * interval '1 minute', now(), 1, 1, 1000, 100000, '', '[]', '[]',
                   'x.mcap', '', false, '[]', 1, 1, 1, now(), now()
            from generate_series(1, least({{sessions}}, 2000)) i
            """);
        yield return ("analyze", "analyze");
    }

    private static IEnumerable<(string What, string Sql)> SegmentSteps(int sessions, int segments)
    {
        var per = Math.Max(1, segments / sessions);
        yield return ("segments",
            $$"""
            set maintenance_work_mem = '256MB'; set work_mem = '128MB';
            alter table segments disable trigger user;
            insert into segments (session_date, session_id, sequence, robot, custody, announced, revision_epoch, revision_number, reason, object_key, bytes, messages, lost,
                                  log_time_start_ns, log_time_end_ns, manifest, announced_at, acknowledged_at, updated_at)
            select s.date, s.id, n, s.robot, c, c, 1, n, '', s.object_prefix || lpad(n::text, 6, '0') || '.mcap', 8000000 + n * 1000, 60000, case when n = 3 then s.lost else 0 end, ns, ns + 59000000000,
                   jsonb_build_object('schema', 'edgecloud.segment/1', 'robot', s.robot, 'session', s.id, 'sequence', n, 'object_key', s.object_prefix || lpad(n::text, 6, '0') || '.mcap',
                       'bytes', 8000000 + n * 1000, 'sha256', repeat('ab', 32), 'e_tag', repeat('cd', 16), 'messages', 60000, 'log_time_start_ns', ns, 'log_time_end_ns', ns + 59000000000,
                       'topics', '[]'::jsonb, 'ledger', '[]'::jsonb,
                       'clock', jsonb_build_object('wall_ns', ns, 'monotonic_ns', 1, 'boot_id', ''), 'agent_version', '0.1.0'),
                   s.started_at + n * interval '1 minute', s.started_at + n * interval '65 seconds', s.started_at + n * interval '65 seconds'
            from sessions s, generate_series(1, {{per}}) n,
                 lateral (select case when s.ended_at is null and n > {{per}} * 3 / 4 then 'sealed' else 'released' end as c, ((extract(epoch from s.started_at)::bigint) + (n - 1) * 60) * 1000000000 as ns) x
            where s.robot like '{{Prefix}}%';
            alter table segments enable trigger user;
            """);
    }
}
