/** The graph of a plan in a terminal: a row a task (or a whole `forEach`), rails for dependencies, layers as numbers. */
import { neutralise } from "../../edges/basics.ts";
import { layoutOf, taskGraph } from "../../edges/plan.ts";
import type { DeferredGroup } from "../../plan/expand.ts";
import { railsOf } from "../terminal/rails.ts";
import type { Style } from "../terminal/style.ts";
import { cut, pad, width } from "../terminal/width.ts";
import { claimText, PLAN, type PreviewedTask } from "./preview.ts";

export interface GraphOptions {
  readonly style: Style;
  readonly columns: number;
  /** Every member of a `forEach` gets its own row. */
  readonly isVerbose: boolean;
}

/** Members of a `forEach` that still get a row each. */
const SMALL_GROUP = 3;
const MAX_RAILS = 12;
const NAME_COLUMNS = 40;
/** Claims named on a row. */
const NAMED_CLAIMS = 3;

interface GraphRow {
  readonly id: string;
  readonly dependsOn: ReadonlySet<string>;
  readonly label: string;
  readonly agent: string;
  readonly claims: readonly string[];
  readonly note: string;
}

export function graphLines(
  tasks: readonly PreviewedTask[],
  deferred: readonly DeferredGroup[],
  { style, columns, isVerbose }: GraphOptions,
): readonly string[] {
  const rows = rowsOf(tasks, deferred, { style, isVerbose });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const graph = taskGraph(rows.map(({ id, dependsOn }) => ({ taskId: id, dependsOn: [...dependsOn] })));
  const ordered = layoutOf(graph).levels.flat();
  const places = new Map(ordered.map(({ taskId }, at) => [taskId, at]));
  const nodes = ordered.map(({ taskId }) => ({
    dependsOn: [...(byId.get(taskId)?.dependsOn ?? [])].flatMap((id) => places.get(id) ?? []),
  }));
  const rails = railsOf(nodes, { signs: style.signs, maxRails: MAX_RAILS });
  const names = Math.min(NAME_COLUMNS, Math.max(0, ...rows.map(({ label }) => width(label))));
  const agents = Math.min(NAME_COLUMNS, Math.max(0, ...rows.map(({ agent }) => width(agent))));
  let layer = -1;
  return ordered.flatMap(({ taskId, level }, at) => {
    const row = byId.get(taskId);
    if (row === undefined) return [];
    const number = level === layer ? "" : String(level + 1);
    layer = level;
    const after = rails === null && row.dependsOn.size > 0 ? `after ${[...row.dependsOn].join(", ")}` : "";
    const claims = row.claims.slice(0, isVerbose ? row.claims.length : NAMED_CLAIMS).join(", ");
    const more = !isVerbose && row.claims.length > NAMED_CLAIMS ? `, +${row.claims.length - NAMED_CLAIMS}` : "";
    const rest = [claims + more, row.note, after].filter((part) => part !== "").join("  ");
    const name = pad(cut(row.label, names), names);
    const line = `${style.dim(number.padStart(3))}  ${rails === null ? style.signs.running : (rails[at] ?? "")}  ${style.bold(name)}  ${style.dim(pad(cut(row.agent, agents), agents))}  ${rest}`;
    return [cut(line.trimEnd(), columns)];
  });
}

function rowsOf(
  tasks: readonly PreviewedTask[],
  deferred: readonly DeferredGroup[],
  { style, isVerbose }: Pick<GraphOptions, "style" | "isVerbose">,
): readonly GraphRow[] {
  const groups = new Map<string, PreviewedTask[]>();
  for (const task of tasks) {
    const members = groups.get(task.member.group);
    if (members === undefined) groups.set(task.member.group, [task]);
    else members.push(task);
  }
  const rowIds = new Map<string, string>();
  const isFolded = (members: readonly PreviewedTask[]) => !isVerbose && members.length > SMALL_GROUP;
  for (const [group, members] of groups) {
    for (const { member } of members) rowIds.set(member.call.taskId, isFolded(members) ? group : member.call.taskId);
  }
  const dependenciesOf = (members: readonly PreviewedTask[]) =>
    new Set(
      members.flatMap(({ member }) => [
        ...member.call.dependsOn.flatMap((id) => rowIds.get(id) ?? []),
        ...member.waitsFor,
      ]),
    );
  const rows: GraphRow[] = [];
  for (const [group, members] of groups) {
    for (const part of isFolded(members) ? [members] : members.map((task) => [task])) {
      const first = part[0];
      if (first === undefined) continue;
      const { call } = first.member;
      const id = part.length > 1 ? group : call.taskId;
      rows.push({
        id,
        dependsOn: dependenciesOf(part),
        label: neutralise(part.length > 1 ? `${group} ${style.signs.times}${part.length}` : call.taskId),
        agent: agentText(first),
        claims: claimsText(part),
        note: call.when === undefined || call.when === "success" ? "" : `if: ${call.when}`,
      });
    }
  }
  for (const { id, from, max } of deferred) {
    const note = `unfolds when ${neutralise(from)} has ended, to at most ${max}`;
    const dependsOn = new Set([rowIds.get(from) ?? from]);
    rows.push({ id, dependsOn, label: `${neutralise(id)} ${style.signs.times}?`, agent: "", claims: [], note });
  }
  return rows;
}

function agentText({ member }: PreviewedTask): string {
  return neutralise(member.agent === null ? member.call.description.replaceAll(/\s+/g, " ") : member.call.agentId);
}

/** Of one task all; of a group what its members have in common, and the first of the rest. */
function claimsText(part: readonly PreviewedTask[]): readonly string[] {
  const text = ({ claim, from }: PreviewedTask["claims"][number]) =>
    `${neutralise(claimText(claim))}${from === PLAN ? "" : " (inferred)"}`;
  const [first, ...others] = part.map(({ claims }) => claims.map(text));
  if (first === undefined) return [];
  return first.map((claim, at) => {
    const isShared = others.every((claims) => claims.includes(claim));
    const differs = others.some((claims) => claims[at] !== claim);
    return isShared || !differs ? claim : `${claim}, …`;
  });
}
