-- The session whose segments hold an event. No foreign key: an event may be announced before its parent.
alter table sessions add column parent uuid;
update sessions set parent = (manifest -> 'event' ->> 'parent')::uuid where manifest -> 'event' ->> 'parent' is not null;
create index ix_sessions_parent on sessions (parent) where parent is not null;
