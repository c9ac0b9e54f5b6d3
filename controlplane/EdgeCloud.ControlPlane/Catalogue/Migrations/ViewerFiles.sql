-- Which export is the merged file of a part of a session, by a hash over what it is made of: asked for twice, it is made once.
create table viewer_files (
    hash      text not null constraint pk_viewer_files primary key,
    export_id uuid not null constraint fk_viewer_files_export_id references exports (id) on delete cascade
);
create index ix_viewer_files_export_id on viewer_files (export_id);
