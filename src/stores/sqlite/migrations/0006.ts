/** The session book: who works through hooks, and what each last saw in which file. Added: nothing that decides reads it. */
export const SQL = `
create table session (
  session_id text primary key,
  seen_wall_ms real not null,
  -- The session, as JSON.
  body text not null
) without rowid;
create index session_seen on session (seen_wall_ms);

create table file_version (
  session_id text not null,
  subagent text not null,
  path text not null,
  hash text not null,
  seen_wall_ms real not null,
  -- 1 while an edit was let through and its end was not told.
  pending integer not null,
  wrote_hash text not null,
  wrote_wall_ms real not null,
  -- Last, because it may be large.
  lines blob,
  primary key (session_id, subagent, path)
);
create index file_version_path on file_version (path, wrote_wall_ms);

create table session_told (
  session_id text not null,
  topic text not null,
  primary key (session_id, topic)
) without rowid;
`;
