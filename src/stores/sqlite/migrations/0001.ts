/**
 * The first schema. A migration is never changed once released: what is wrong in it is put right by the next.
 *
 * Rows of finished tasks stay for a while and must cost nothing, so every index that decides is partial. Columns are only
 * added, with defaults, so that every release of a major version works on one file.
 */
export const SQL = `
create table meta (
  one integer primary key check (one = 1),
  format integer not null,
  -- Oldest format of a program that may write here.
  min_writer integer not null,
  boot_id text not null,
  last_now_ms real not null,
  next_key integer not null,
  next_fence integer not null,
  carry text not null
);

create table task (
  key integer primary key,
  workflow_id text not null,
  task_id text not null,
  agent_id text not null,
  kind text not null,
  wants text not null,
  parent_key integer not null,
  ancestors text not null,
  holder_key integer not null,
  holder text not null,
  claims text not null,
  limits text not null,
  gate text not null,
  queue_timeout_ms real not null,
  orphan text not null,
  place_key text not null,
  label text not null,
  submitted_at_ms real not null,
  owner_id text not null,
  status text not null,
  rank real not null,
  holds_limits integer not null,
  holds_claims integer not null,
  watch text not null,
  watch_mode integer not null,
  delegate_of text not null,
  passed integer not null,
  reserved integer not null,
  fence integer not null,
  members text not null,
  stop text not null,
  quarantined integer not null,
  waiting_since_ms real not null,
  watch_since_ms real not null,
  lock_wait_ms real not null,
  admitted_at_ms real not null,
  due_at_ms real not null,
  -- 0 once finished.
  live integer not null,
  finished_wall_ms real not null,
  -- Last, because it may be large: what does not ask for it does not read it.
  payload text not null
);
create unique index task_id on task (workflow_id, task_id);
create index task_watch on task (watch, watch_mode, gate, rank) where watch <> '';
create index task_reserved on task (rank) where reserved = 1;
create index task_passed on task (rank) where passed >= 16 and reserved = 0 and watch <> '' and watch_mode not in (4, 5);
create index task_owner on task (owner_id) where live = 1;
create index task_status on task (status) where live = 1;
create index task_due on task (due_at_ms) where due_at_ms > 0;
create index task_inside on task (key) where ancestors <> '' and watch <> '';
-- Few, and what people look for among very many.
create index task_unsuccessful on task (key) where live = 0 and status <> 'succeeded';
create index task_request on task (holder_key) where kind = 'request' and live = 1;

-- Tasks of a workflow by status, kept in step with the rows: a million finished ones need not be counted.
create table tally (
  workflow_id text not null,
  status text not null,
  tasks integer not null,
  primary key (workflow_id, status)
) without rowid;

create table hold (
  node text not null,
  row_key integer not null,
  holder_key integer not null,
  mode integer not null,
  units integer not null,
  -- Indexes into a pool's members, as JSON; empty for everything else.
  members text not null,
  primary key (node, row_key)
) without rowid;

create table counter (
  node text primary key,
  kind text not null,
  capacity integer not null,
  used integer not null,
  interval_ms real not null,
  next_at_ms real not null,
  due_at_ms real not null,
  declarations text not null,
  members text not null
) without rowid;
create index counter_due on counter (due_at_ms) where due_at_ms > 0;

create table declared (
  declared_by text not null,
  node text not null,
  primary key (declared_by, node)
) without rowid;

create table owner (
  owner_id text primary key,
  pid integer not null,
  start_time integer not null,
  boot_id text not null,
  pid_namespace text not null,
  machine text not null,
  label text not null,
  beat_at_ms real not null
) without rowid;

create table place (
  place_key text primary key,
  rank real not null,
  until_ms real not null
) without rowid;

create table result (
  key integer primary key,
  body text not null
);

-- What others' turns did to an owner's rows: read by that owner, and gone once it has.
create table notice (
  sequence integer primary key autoincrement,
  owner_id text not null,
  key integer not null,
  effect text not null
);
create index notice_owner on notice (owner_id, sequence);

-- For people and pages; nothing that decides reads it. One row for each turn.
create table event (
  sequence integer primary key autoincrement,
  at_ms real not null,
  wall_ms real not null,
  body text not null
);
`;
