/** A guest's hold lapses by itself when nobody renews it. Added: programs before it make no holds that lapse. */
export const SQL = "alter table task add column lease_ms real not null default 0;";
