/** What the edge finds out about pools and rates; members are remembered by name, so that a pool may be declared anew. */
export const SQL = `
-- Members that something else on the machine uses, and until when, as JSON; empty for none.
alter table counter add column out_of_order text not null default '';
-- Until when an overloaded provider wants to be left alone, as JSON; empty for never.
alter table counter add column overload text not null default '';

update hold set members = (
  select json_group_array(json_extract(counter.members, '$[' || held.value || ']'))
  from json_each(hold.members) as held, counter where counter.node = hold.node
) where members <> '';

update task set members = (
  select json_group_object(pool.key, json(coalesce((
    select json_group_array(json_extract(counter.members, '$[' || held.value || ']'))
    from json_each(pool.value) as held, counter where counter.node = pool.key
  ), '[]')))
  from json_each(task.members) as pool
) where members not in ('', '{}');
`;
