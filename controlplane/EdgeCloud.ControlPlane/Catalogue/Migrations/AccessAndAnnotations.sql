-- Indexes for text that contains another; trusted, so that the owner of the database may make it.
create extension if not exists pg_trgm;

-- Robots ---------------------------------------------------------------------------------------------------------------------------

alter table robots add column tags text[] not null default '{}';

-- Sessions: tags, search, deletion -------------------------------------------------------------------------------------------------

alter table sessions
    add column tags       text[]      not null default '{}',
    add column topics     text[]      not null default '{}',
    add column types      text[]      not null default '{}',
    add column search     text        not null default '',
    add column deleted_at timestamptz,
    add column deleted_by text        not null default '',
    add column purge_at   timestamptz,
    add column purged_at  timestamptz;
-- A session's row changes with every segment; room in its page keeps those changes out of the indexes.
alter table sessions set (fillfactor = 80);
create index ix_sessions_tags on sessions using gin (tags);
create index ix_sessions_topics on sessions using gin (topics);
create index ix_sessions_types on sessions using gin (types);
create index ix_sessions_search on sessions using gin (search gin_trgm_ops);
create index ix_sessions_lost_id on sessions (lost, id);
create index ix_sessions_ended_at on sessions (ended_at);
create index ix_sessions_purge_at on sessions (purge_at) where purge_at is not null;

-- Every topic and type that any session holds, to choose among and to resolve patterns.
create table known_topics (
    name text not null,
    type text not null,
    constraint pk_known_topics primary key (name, type)
);

create table session_notes (
    id         uuid        not null constraint pk_session_notes primary key,
    session_id uuid        not null constraint fk_session_notes_session_id references sessions (id) on delete cascade,
    author     text        not null,
    at         timestamptz not null,
    edited_at  timestamptz,
    text       text        not null,
    version    integer     not null
);
create index ix_session_notes_session_id_at_id on session_notes (session_id, at, id);

-- What the free text of a search is compared with.
create function session_search(session uuid, robot text, name text, tags text[]) returns text language sql stable as $$
    select concat_ws(E'\n', session::text, robot, name, array_to_string(tags, ' '),
                     (select string_agg(n.text, E'\n' order by n.at, n.id) from session_notes n where n.session_id = session))
$$;
create function set_session_search() returns trigger language plpgsql as $$
begin
    new.search := session_search(new.id, new.robot, new.name, new.tags);
    return new;
end $$;
create trigger sessions_inserted before insert on sessions for each row execute function set_session_search();
create trigger sessions_renamed before update on sessions for each row
    when (new.name is distinct from old.name or new.tags is distinct from old.tags) execute function set_session_search();
create function notes_into_session() returns trigger language plpgsql as $$
begin
    update sessions s set search = session_search(s.id, s.robot, s.name, s.tags) where s.id = coalesce(new.session_id, old.session_id);
    return null;
end $$;
create trigger session_notes_changed after insert or update or delete on session_notes for each row execute function notes_into_session();
update sessions set search = session_search(id, robot, name, tags);
with seen as (
    select g.session_id, t ->> 'topic' as name, coalesce(t ->> 'type', '') as type
    from segments g cross join jsonb_array_elements(g.manifest -> 'topics') t
    where length(t ->> 'topic') <= 255 and length(coalesce(t ->> 'type', '')) <= 255),
known as (insert into known_topics select distinct name, type from seen),
by_session as (
    select session_id, array_agg(distinct name) as topics, array_agg(distinct type) filter (where type <> '') as types
    from seen group by session_id)
update sessions s set topics = b.topics, types = coalesce(b.types, '{}') from by_session b where b.session_id = s.id;

-- Events ---------------------------------------------------------------------------------------------------------------------------

-- A session is not a key of another table here: a robot may tell of an event before its session is announced.
create table events (
    id         uuid        not null constraint pk_events primary key,
    robot      text        not null constraint fk_events_robot references robots (id) on delete cascade,
    session    uuid,
    time_ns    bigint      not null,
    end_ns     bigint,
    kind       text        not null,
    text       text        not null,
    author     text        not null,
    created_at timestamptz not null,
    version    integer     not null
);
create index ix_events_robot_time_ns_id on events (robot, time_ns, id);
create index ix_events_session_time_ns_id on events (session, time_ns, id);
create index ix_events_time_ns_id on events (time_ns, id);

-- Saved views and recipes ----------------------------------------------------------------------------------------------------------

create table saved_views (
    id         uuid        not null constraint pk_saved_views primary key,
    user_id    uuid        not null constraint fk_saved_views_user_id references users (id) on delete cascade,
    page       text        not null,
    name       text        not null,
    query      text        not null,
    shared     boolean     not null,
    created_at timestamptz not null,
    version    integer     not null
);
create unique index ix_saved_views_user_id_page_name on saved_views (user_id, page, name);

create table export_recipes (
    id         uuid        not null constraint pk_export_recipes primary key,
    name       text        not null,
    owner      text        not null,
    request    jsonb       not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version    integer     not null
);
create unique index ix_export_recipes_name on export_recipes (name);

-- Keys, audit, repeated requests ---------------------------------------------------------------------------------------------------

alter table api_keys add column scopes text[] not null default '{}';
-- Keys that are there keep what they could do.
update api_keys set scopes = '{read,annotate,export,command,delete,account,administer}';

create index ix_audit_entries_actor_id on audit_entries (actor, id);
create index ix_audit_entries_action_id on audit_entries (action, id);
create index ix_audit_entries_subject_id on audit_entries (subject, id);

create table idempotency_keys (
    user_id      uuid        not null constraint fk_idempotency_keys_user_id references users (id) on delete cascade,
    key          text        not null,
    request      bytea       not null,
    created_at   timestamptz not null,
    status       integer,
    content_type text        not null,
    location     text        not null,
    body         bytea       not null,
    constraint pk_idempotency_keys primary key (user_id, key)
);
create index ix_idempotency_keys_created_at on idempotency_keys (created_at);

-- Webhooks -------------------------------------------------------------------------------------------------------------------------

create table webhooks (
    id         uuid        not null constraint pk_webhooks primary key,
    name       text        not null,
    url        text        not null,
    secret     text        not null,
    events     text[]      not null,
    enabled    boolean     not null,
    created_by text        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version    integer     not null
);
create unique index ix_webhooks_name on webhooks (name);

create table webhook_deliveries (
    id              uuid        not null constraint pk_webhook_deliveries primary key,
    webhook_id      uuid        not null constraint fk_webhook_deliveries_webhook_id references webhooks (id) on delete cascade,
    event           text        not null,
    subject         text        not null,
    data            jsonb       not null,
    created_at      timestamptz not null,
    status          text        not null,
    attempts        integer     not null,
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    response_status integer,
    error           text        not null
);
create index ix_webhook_deliveries_webhook_id_created_at_id on webhook_deliveries (webhook_id, created_at, id);
create index ix_webhook_deliveries_next_attempt_at on webhook_deliveries (next_attempt_at) where status = 'pending';
create index ix_webhook_deliveries_created_at on webhook_deliveries (created_at);

-- Queues a delivery to every webhook that wants the event, in the transaction that brought it about, whoever wrote the row.
create function announce(happened text, about text, details jsonb) returns void language sql as $$
    insert into webhook_deliveries (id, webhook_id, event, subject, data, created_at, status, attempts, next_attempt_at, error)
    select gen_random_uuid(), w.id, happened, about, details, now(), 'pending', 0, now(), ''
    from webhooks w where w.enabled and happened = any (w.events)
$$;

create function announce_export() returns trigger language plpgsql as $$
declare
    e jsonb := to_jsonb(new);
begin
    perform announce('export.finished', format('export:%s', new.id), jsonb_build_object(
        'export', new.id, 'state', new.state, 'owner', new.owner, 'error', new.error, 'format', new.request -> 'format',
        'sessions', new.request -> 'sessions', 'messages', e -> 'messages', 'bytes', e -> 'bytes', 'file_name', e -> 'file_name'));
    return null;
end $$;
create trigger exports_finished after update on exports for each row
    when (old.state is distinct from new.state and new.state in ('succeeded', 'failed', 'cancelled')) execute function announce_export();

create function announce_connection() returns trigger language plpgsql as $$
begin
    perform announce(case when new.online then 'robot.online' else 'robot.offline' end, format('robot:%s', new.id),
                     jsonb_build_object('robot', new.id, 'last_seen_at', new.last_seen_at));
    return null;
end $$;
create trigger robots_connected after update on robots for each row
    when (old.online is distinct from new.online) execute function announce_connection();

create function announce_alarms() returns trigger language plpgsql as $$
declare
    risen jsonb;
begin
    select jsonb_agg(a) into risen from jsonb_array_elements_text(coalesce(new.state -> 'alarms', '[]')) a
        where not coalesce(old.state -> 'alarms' ? a, false);
    if risen is not null then
        perform announce('robot.alarm', format('robot:%s', new.id),
                         jsonb_build_object('robot', new.id, 'alarms', risen, 'active', new.state -> 'alarms'));
    end if;
    return null;
end $$;
create trigger robots_alarmed after update on robots for each row
    when (old.state -> 'alarms' is distinct from new.state -> 'alarms') execute function announce_alarms();

create function announce_session() returns trigger language plpgsql as $$
begin
    perform announce('session.finished', format('session:%s', new.id), jsonb_build_object(
        'session', new.id, 'robot', new.robot, 'name', new.name, 'state', new.state, 'reason', new.reason,
        'started_at', new.started_at, 'ended_at', new.ended_at, 'lost', new.lost));
    return null;
end $$;
create trigger sessions_finished after update on sessions for each row
    when (old.state is distinct from new.state and new.state in ('finished', 'cancelled', 'failed')) execute function announce_session();

create function announce_loss() returns trigger language plpgsql as $$
begin
    perform announce('loss.reported', format('session:%s', new.session_id), jsonb_build_object(
        'robot', new.robot, 'session', new.session_id, 'sequence', new.sequence, 'lost', new.lost,
        'log_time_start_ns', new.log_time_start_ns, 'log_time_end_ns', new.log_time_end_ns));
    return null;
end $$;
create trigger segments_with_loss after insert on segments for each row when (new.lost > 0) execute function announce_loss();
create trigger segments_lost_more after update on segments for each row when (new.lost > old.lost) execute function announce_loss();

-- Live changes ---------------------------------------------------------------------------------------------------------------------

create function notify_event() returns trigger language plpgsql as $$
declare
    e events := coalesce(new, old);
begin
    perform pg_notify('catalogue', format('event %s %s', e.robot, coalesce(e.session::text, '-')));
    return null;
end $$;
create trigger events_changed after insert or update or delete on events for each row execute function notify_event();

create function notify_delivery() returns trigger language plpgsql as $$
begin
    perform pg_notify('catalogue', format('webhook - %s', new.webhook_id));
    return null;
end $$;
create trigger webhook_deliveries_changed after insert or update on webhook_deliveries for each row execute function notify_delivery();
