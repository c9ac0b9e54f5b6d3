-- What was slow with 1,000 robots, 100,000 sessions and 5,000,000 segments (infra/decisions/0502).

-- Losses of the last day: few segments have any.
create index ix_segments_announced_at on segments (announced_at) where lost > 0;
-- How many sessions there are, without their rows.
create index ix_sessions_id on sessions (id) where deleted_at is null;
-- Which tags there are, likewise.
create index ix_sessions_tags_id on sessions (tags, id) where cardinality(tags) > 0;
