-- Which segments have an excerpt in the bucket (derived data: rows and objects may be deleted at any time), or why they cannot be read.
-- Tied to the session and not to the segment: rows of segments move between partitions, and that is no reason to forget anything.
create table segment_excerpts (
    session_date date        not null,
    session_id   uuid        not null,
    sequence     integer     not null,
    sha256       text        not null,
    object_key   text        not null,
    bytes        bigint      not null,
    e_tag        text        not null,
    error        text        not null,
    made_at      timestamptz not null,
    constraint pk_segment_excerpts primary key (session_date, session_id, sequence),
    constraint fk_segment_excerpts_session_date_session_id foreign key (session_date, session_id) references sessions (date, id) on delete cascade
);
