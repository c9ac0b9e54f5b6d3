-- Exports: an export is made in parts, each by whichever worker is free ------------------------------------------------------------

drop index ix_exports_lease_until;
alter table exports
    drop column attempt,
    drop column worker,
    drop column lease_until,
    add column plan_hash     text        not null default '',
    add column is_incomplete boolean     not null default false,
    add column problems      jsonb       not null default '[]',
    add column files         integer     not null default 0,
    add column parts_done    integer     not null default 0,
    add column parts_total   integer     not null default 0,
    add column expires_at    timestamptz,
    add column swept_at      timestamptz;
-- Whatever was under way is made anew: the old worker kept no parts.
update exports set state = 'queued', started_at = null, input_bytes = 0, input_bytes_done = 0, messages = 0, bytes = 0 where state = 'running';
update exports set files = 1 where state = 'succeeded';
update exports set expires_at = finished_at + interval '30 days' where finished_at is not null;
alter table exports
    alter column plan_hash drop default,
    alter column is_incomplete drop default,
    alter column problems drop default,
    alter column files drop default,
    alter column parts_done drop default,
    alter column parts_total drop default;
create index ix_exports_expires_at on exports (expires_at) where swept_at is null;
create index ix_exports_state on exports (state) where state in ('queued', 'running');

create table export_parts (
    export_id        uuid        not null constraint fk_export_parts_export_id references exports (id) on delete cascade,
    number           integer     not null,
    kind             text        not null,
    name             text        not null,
    state            text        not null,
    fence            bigint      not null,
    attempts         integer     not null,
    worker           text        not null,
    heartbeat_at     timestamptz,
    due_at           timestamptz not null,
    input_bytes      bigint      not null,
    input_bytes_done bigint      not null,
    messages         bigint      not null,
    bytes            bigint      not null,
    error            text        not null,
    result           jsonb,
    started_at       timestamptz,
    finished_at      timestamptz,
    constraint pk_export_parts primary key (export_id, number)
);
create index ix_export_parts_due_at on export_parts (due_at) where state in ('queued', 'running');

create table export_files (
    export_id    uuid    not null,
    upload_id    text    not null,
    part         integer not null,
    fence        bigint  not null,
    path         text    not null,
    object_key   text    not null,
    state        text    not null,
    etags        jsonb   not null,
    bytes        bigint  not null,
    sha256       text    not null,
    constraint pk_export_files primary key (export_id, upload_id),
    constraint fk_export_files_export_id_part foreign key (export_id, part) references export_parts (export_id, number) on delete cascade
);
create index ix_export_files_export_id_part on export_files (export_id, part);

-- What is queued begins with its plan; what succeeded before keeps its one file.
insert into export_parts
    (export_id, number, kind, name, state, fence, attempts, worker, due_at, input_bytes, input_bytes_done, messages, bytes, error)
    select id, 0, 'plan', 'plan', case state when 'queued' then 'queued' when 'succeeded' then 'succeeded' else 'cancelled' end, 0, 0, '', now(), 0, 0, 0, 0, ''
    from exports;
insert into export_files (export_id, upload_id, part, fence, path, object_key, state, etags, bytes, sha256)
    select id, 'before parts', 0, 0, file_name, object_key, 'complete', '[]', bytes, '' from exports where state = 'succeeded';
alter table exports drop column object_key;

-- The scheduler (Quartz 4.7) ---------------------------------------------------------------------------------------------------------
-- In a schema of its own: these tables belong to the library, and a test compares them with what it would make itself.

create schema quartz;

create table quartz.qrtz_job_details (
    sched_name        text         not null,
    job_name          text         not null,
    job_group         text         not null,
    description       text,
    job_class_name    text         not null,
    is_durable        boolean      not null,
    is_nonconcurrent  boolean      not null,
    is_update_data    boolean      not null,
    requests_recovery boolean      not null,
    job_data          bytea,
    primary key (sched_name, job_name, job_group)
);

create table quartz.qrtz_triggers (
    sched_name              text         not null,
    trigger_name            text         not null,
    trigger_group           text         not null,
    job_name                text         not null,
    job_group               text         not null,
    description             text,
    next_fire_time          bigint,
    prev_fire_time          bigint,
    priority                integer,
    trigger_state           text         not null,
    trigger_type            text         not null,
    start_time              bigint       not null,
    end_time                bigint,
    calendar_name           text,
    misfire_instr           smallint,
    misfire_orig_fire_time  bigint,
    execution_group         varchar(200),
    preferred_node          varchar(200),
    preferred_node_auto     boolean      not null default false,
    retry_policy            varchar(250),
    retry_attempt           integer,
    continues_trigger_name  text,
    continues_trigger_group text,
    continuation_condition  integer,
    overlap_policy          integer,
    pause_reason            varchar(250),
    paused_by               varchar(200),
    paused_at               bigint,
    misfire_threshold       bigint,
    fixed_delay             boolean,
    job_data                bytea,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, job_name, job_group) references quartz.qrtz_job_details (sched_name, job_name, job_group)
);

create table quartz.qrtz_simple_triggers (
    sched_name      text         not null,
    trigger_name    text         not null,
    trigger_group   text         not null,
    repeat_count    bigint       not null,
    repeat_interval bigint       not null,
    times_triggered bigint       not null,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, trigger_name, trigger_group) references quartz.qrtz_triggers (sched_name, trigger_name, trigger_group) on delete cascade
);

create table quartz.qrtz_cron_triggers (
    sched_name      text         not null,
    trigger_name    text         not null,
    trigger_group   text         not null,
    cron_expression text         not null,
    time_zone_id    text,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, trigger_name, trigger_group) references quartz.qrtz_triggers (sched_name, trigger_name, trigger_group) on delete cascade
);

create table quartz.qrtz_simprop_triggers (
    sched_name    text         not null,
    trigger_name  text         not null,
    trigger_group text         not null,
    str_prop_1    text,
    str_prop_2    text,
    str_prop_3    text,
    int_prop_1    integer,
    int_prop_2    integer,
    long_prop_1   bigint,
    long_prop_2   bigint,
    dec_prop_1    numeric,
    dec_prop_2    numeric,
    bool_prop_1   boolean,
    bool_prop_2   boolean,
    time_zone_id  text,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, trigger_name, trigger_group) references quartz.qrtz_triggers (sched_name, trigger_name, trigger_group) on delete cascade
);

create table quartz.qrtz_blob_triggers (
    sched_name    text         not null,
    trigger_name  text         not null,
    trigger_group text         not null,
    blob_data     bytea,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, trigger_name, trigger_group) references quartz.qrtz_triggers (sched_name, trigger_name, trigger_group) on delete cascade
);

create table quartz.qrtz_calendars (
    sched_name    text         not null,
    calendar_name text         not null,
    calendar      bytea        not null,
    primary key (sched_name, calendar_name)
);

create table quartz.qrtz_paused_trigger_grps (
    sched_name    text         not null,
    trigger_group text         not null,
    pause_reason  varchar(250),
    paused_by     varchar(200),
    paused_at     bigint,
    primary key (sched_name, trigger_group)
);

create table quartz.qrtz_paused_job_grps (
    sched_name   text         not null,
    job_group    text         not null,
    pause_reason varchar(250),
    paused_by    varchar(200),
    paused_at    bigint,
    primary key (sched_name, job_group)
);

create table quartz.qrtz_fired_triggers (
    sched_name               text         not null,
    entry_id                 text         not null,
    trigger_name             text         not null,
    trigger_group            text         not null,
    instance_name            text         not null,
    fired_time               bigint       not null,
    sched_time               bigint       not null,
    priority                 integer      not null,
    state                    text         not null,
    job_name                 text,
    job_group                text,
    is_nonconcurrent         boolean      not null,
    requests_recovery        boolean,
    execution_group          varchar(200),
    progress                 integer,
    progress_message         varchar(250),
    interrupt_requested_time bigint,
    primary key (sched_name, entry_id)
);

create table quartz.qrtz_scheduler_state (
    sched_name        text         not null,
    instance_name     text         not null,
    last_checkin_time bigint       not null,
    checkin_interval  bigint       not null,
    quartz_version    varchar(20),
    primary key (sched_name, instance_name)
);

create table quartz.qrtz_locks (
    sched_name text         not null,
    lock_name  text         not null,
    primary key (sched_name, lock_name)
);

create table quartz.qrtz_execution_history (
    sched_name          text         not null,
    entry_id            text         not null,
    instance_name       text         not null,
    job_name            text         not null,
    job_group           text         not null,
    trigger_name        text         not null,
    trigger_group       text         not null,
    fired_time          bigint       not null,
    run_time            bigint       not null,
    succeeded           boolean      not null,
    error_message       text,
    retry_attempt       integer      not null default 0,
    retry_scheduled     boolean      not null default false,
    execution_log       text,
    result              integer,
    summary             text,
    metrics             text,
    manual              boolean,
    fire_instance_id    text,
    job_input           text,
    job_input_too_large boolean,
    primary key (sched_name, entry_id)
);

create table quartz.qrtz_misfire_history (
    sched_name    text         not null,
    entry_id      text         not null,
    instance_name text         not null,
    trigger_name  text         not null,
    trigger_group text         not null,
    job_name      text,
    job_group     text,
    misfire_time  bigint       not null,
    sched_time    bigint,
    reason        integer,
    primary key (sched_name, entry_id)
);

create table quartz.qrtz_job_status (
    sched_name           text         not null,
    job_group            text         not null,
    job_name             text         not null,
    first_fired_time     bigint       not null,
    last_fired_time      bigint       not null,
    last_result          integer      not null,
    last_run_time        bigint       not null,
    last_instance_name   text         not null,
    last_entry_id        text,
    last_summary         text,
    last_success_time    bigint,
    last_failure_time    bigint,
    last_failure_message text,
    consecutive_failures integer      not null default 0,
    run_count            bigint       not null default 0,
    failure_count        bigint       not null default 0,
    primary key (sched_name, job_group, job_name)
);

create index idx_qrtz_j_g_n on quartz.qrtz_job_details (sched_name, job_group, job_name);
create index idx_qrtz_t_j on quartz.qrtz_triggers (sched_name, job_name, job_group);
create index idx_qrtz_t_g_n on quartz.qrtz_triggers (sched_name, trigger_group, trigger_name);
create index idx_qrtz_t_c on quartz.qrtz_triggers (sched_name, calendar_name);
create index idx_qrtz_t_nft_st on quartz.qrtz_triggers (sched_name, trigger_state, next_fire_time, priority desc, misfire_instr);
create index idx_qrtz_ft_inst_job_req_rcvry on quartz.qrtz_fired_triggers (sched_name, instance_name, requests_recovery);
create index idx_qrtz_ft_j_g on quartz.qrtz_fired_triggers (sched_name, job_name, job_group);
create index idx_qrtz_ft_t_g on quartz.qrtz_fired_triggers (sched_name, trigger_name, trigger_group);
create index idx_qrtz_eh_fired_time on quartz.qrtz_execution_history (sched_name, fired_time);
create index idx_qrtz_eh_inst on quartz.qrtz_execution_history (sched_name, instance_name);
create index idx_qrtz_mh_misfire_time on quartz.qrtz_misfire_history (sched_name, misfire_time);
create index idx_qrtz_mh_inst on quartz.qrtz_misfire_history (sched_name, instance_name);
create index idx_qrtz_eh_job_time on quartz.qrtz_execution_history (sched_name, job_group, job_name, fired_time);
create index idx_qrtz_eh_fire_inst on quartz.qrtz_execution_history (sched_name, fire_instance_id);
create index idx_qrtz_eh_trig_time on quartz.qrtz_execution_history (sched_name, trigger_group, trigger_name, fired_time);
