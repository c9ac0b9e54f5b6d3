-- Events that were announced before they learned what their parent's segments hold in their time.
with held as (
    select e.id,
           array_agg(distinct t.topic order by t.topic) filter (where length(t.topic) <= 255) as topics,
           array_agg(distinct t.type order by t.type) filter (where t.type <> '' and length(t.type) <= 255) as types
    from sessions e
    join sessions p on p.id = e.parent and p.robot = e.robot
    join segments s on s.session_date = p.date and s.session_id = p.id
        and s.log_time_end_ns >= (e.manifest -> 'event' ->> 'from_ns')::bigint
        and s.log_time_start_ns <= (e.manifest -> 'event' ->> 'to_ns')::bigint,
        jsonb_to_recordset(s.manifest -> 'topics') as t (topic text, type text, first_log_time_ns bigint, last_log_time_ns bigint)
    where e.parent is not null
      and t.last_log_time_ns >= (e.manifest -> 'event' ->> 'from_ns')::bigint
      and t.first_log_time_ns <= (e.manifest -> 'event' ->> 'to_ns')::bigint
    group by e.id)
update sessions set topics = coalesce(held.topics, '{}'), types = coalesce(held.types, '{}') from held where sessions.id = held.id;
