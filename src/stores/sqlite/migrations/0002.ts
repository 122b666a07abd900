/**
 * What is over is kept for a while and no longer, and a store knows which programs work on it. All of it is added: programs
 * of the first schema go on working here.
 */
export const SQL = `
-- The format its program knows: a change of meaning waits until nobody older is here.
alter table owner add column format integer not null default 1;

-- Release that raised min_writer, for whoever is refused.
alter table meta add column min_writer_release text not null default '';
-- What ended until then (wall time) has no prompt any more.
alter table meta add column prompts_forgotten_until_ms real not null default 0;

create index task_finished on task (finished_wall_ms) where live = 0;

-- The last row is never deleted, so numbers grow without a table that remembers the greatest.
create table journal (
  sequence integer primary key,
  at_ms real not null,
  wall_ms real not null,
  body text not null
);
insert into journal select sequence, at_ms, wall_ms, body from event;
drop table event;
alter table journal rename to event;
`;
