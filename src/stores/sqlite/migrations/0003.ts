/** What is remembered for people and later processes: plans of runs, why a workflow is paused, questions of tasks. */
export const SQL = `
create table note (
  topic text primary key,
  body text not null,
  wall_ms real not null
) without rowid;
create index note_wall on note (wall_ms);
`;
