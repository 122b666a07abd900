/**
 * L10: every wait explains itself in one sentence: what is in the way, who holds it, since when, the place in line, the
 * estimate, what to do.
 */
import { EXCLUSIVE, LIMIT, RATE, UNITS } from "./claims.ts";
import type { Counter } from "./command.ts";
import { NOTE } from "./message.ts";
import { resourceId } from "./paths.ts";
import type { StoreView } from "./ports.ts";
import type { TaskRow } from "./row.ts";

export interface Explanation {
  readonly taskId: string;
  readonly workflowId: string;
  /** One sentence, or two. */
  readonly reason: string;
  readonly resourceId: string;
  readonly blockedBy: readonly {
    readonly taskId: string;
    readonly workflowId: string;
    readonly label: string;
    readonly sinceMs: number;
    readonly quarantined: boolean;
  }[];
  /** 1 for the next. */
  readonly position: number;
  readonly estimatedStartMs: number | null;
  /** What a person can do, when there is something. */
  readonly hint: string | null;
}

export interface ExplainContext {
  readonly nowMs: number;
  /** Paths are shown relative to it. */
  readonly root: string;
  /** What a run of this holder usually takes, when known. */
  readonly typicalMs?: (row: TaskRow) => number | null;
}

/** Holders named in a sentence; more are counted. */
const NAMED = 3;

export function explain(view: StoreView, row: TaskRow, context: ExplainContext): Explanation {
  const node = row.watch.endsWith("/") ? row.watch.slice(0, -1) : row.watch;
  const id = node === "" ? "" : resourceId(node, context.root);
  const holders = holdersOf(view, row, node);
  const position = row.watch === "" ? 0 : view.position(row) + 1;
  const estimate = estimateMs(holders, position, context);
  const base = {
    taskId: row.taskId,
    workflowId: row.workflowId,
    resourceId: id,
    blockedBy: holders.map((holder) => ({
      taskId: holder.taskId,
      workflowId: holder.workflowId,
      label: holder.label,
      sinceMs: Math.max(0, context.nowMs - holder.admittedAtMs),
      quarantined: holder.quarantined,
    })),
    position,
    estimatedStartMs: estimate,
  };
  if (row.watch === "") return { ...base, ...standing(view, row) };
  const quarantined = holders.find((holder) => holder.quarantined);
  if (quarantined !== undefined) {
    return {
      ...base,
      estimatedStartMs: null,
      reason: `${id} is quarantined: its last holder (${nameOf(quarantined)}) could not be stopped.`,
      hint: quarantineHint(view, quarantined, { node, id }),
    };
  }
  const place =
    position > 1
      ? ` You are ${ordinal(position)}${estimate === null ? "" : `, about ${duration(estimate)}`}.`
      : estimate === null
        ? ""
        : ` About ${duration(estimate)}.`;
  return { ...base, reason: `waiting for ${id}: ${inTheWay(view, row, holders, context)}.${place}`, hint: null };
}

function holdersOf(view: StoreView, row: TaskRow, node: string): TaskRow[] {
  if (row.watchMode === LIMIT || row.watchMode === RATE || node === "") return [];
  const wanted = row.claims.filter((claim) => claim.mode <= UNITS);
  const rows = new Set<TaskRow>();
  for (const hold of view.holds({ node, limit: 64 })) {
    if (hold.row.holderKey === row.key || row.ancestors.includes(hold.row.holderKey)) continue;
    const isInTheWay = wanted.some(
      (claim) => claim.mode === UNITS || claim.mode === EXCLUSIVE || hold.claim.mode === EXCLUSIVE,
    );
    if (isInTheWay) rows.add(hold.row);
  }
  return [...rows].sort((a, b) => a.admittedAtMs - b.admittedAtMs);
}

function inTheWay(view: StoreView, row: TaskRow, holders: readonly TaskRow[], context: ExplainContext): string {
  const counter = view.counters().find((other) => other.node === row.watch);
  if (row.watchMode === LIMIT)
    return counter?.capacity === 0
      ? "nothing is started at present (paused)"
      : `${counter?.used ?? 0} of ${counter?.capacity ?? 0} slots are in use`;
  const wanted = row.claims.find(({ node }) => node === row.watch)?.units ?? 0;
  if (counter !== undefined && wanted > counter.capacity)
    return `it wants ${wanted} units and there ${counter.capacity === 1 ? "is" : "are"} ${counter.capacity} now`;
  if (row.watchMode === RATE) {
    const readyMs = Math.max(0, (counter?.dueAtMs ?? 0) - context.nowMs);
    const restsMs = (counter?.overload?.untilMs ?? 0) - context.nowMs;
    return restsMs > 0
      ? `its provider is overloaded and asked everybody to wait; the next in ${duration(readyMs)}`
      : `the rate allows the next in ${duration(readyMs)}`;
  }
  const strangers = counter === undefined ? "" : strangersText(counter, context.nowMs);
  if (holders.length === 0 && strangers !== "") return strangers;
  if (holders.length === 0) return "it is reserved for a task that was passed too often";
  const named = holders.slice(0, NAMED).map((holder) => {
    const usualMs = context.typicalMs?.(holder) ?? null;
    const usually = usualMs === null ? "" : `, usually ${duration(usualMs)}`;
    return `${nameOf(holder)} for ${duration(Math.max(0, context.nowMs - holder.admittedAtMs))}${usually}`;
  });
  const more = holders.length > NAMED ? ` and ${holders.length - NAMED} more` : "";
  const units = counter === undefined ? "" : ` (${counter.used} of ${counter.capacity} in use)`;
  return `in use by ${named.join(", ")}${more}${units}${strangers === "" ? "" : `; ${strangers}`}`;
}

/** `3000 and 3001 are used by programs Lockyard did not start, and tried again in 4s`; empty when there are none. */
export function strangersText({ out }: Counter, nowMs: number): string {
  if (out.length === 0) return "";
  const shown = out.slice(0, NAMED).map(({ member }) => member);
  const more = out.length > NAMED ? ` and ${out.length - NAMED} more` : "";
  const soonestMs = Math.max(0, Math.min(...out.map(({ untilMs }) => untilMs)) - nowMs);
  const [are, program] = out.length === 1 ? ["is", "a program"] : ["are", "programs"];
  return `${shown.join(", ")}${more} ${are} used by ${program} Lockyard did not start, and tried again in ${duration(soonestMs)}`;
}

/** The shortest remaining typical run among the holders, and one typical run for each place before. */
function estimateMs(holders: readonly TaskRow[], position: number, context: ExplainContext): number | null {
  let soonest: number | null = null;
  for (const holder of holders) {
    const typicalMs = context.typicalMs?.(holder) ?? null;
    if (typicalMs === null) return null;
    const leftMs = Math.max(0, typicalMs - (context.nowMs - holder.admittedAtMs)) + typicalMs * (position - 1);
    if (soonest === null || leftMs < soonest) soonest = leftMs;
  }
  return soonest;
}

function nameOf(row: TaskRow): string {
  return row.label === "" ? row.taskId : row.label;
}

/** What a person can do about a holder that could not be stopped, and how many wait for that. */
function quarantineHint(
  view: StoreView,
  holder: TaskRow,
  { node, id }: { readonly node: string; readonly id: string },
): string {
  const waiting = view.watchers(node, WAITING_COUNTED).length;
  const wait = waiting === 1 ? "1 task waits" : `${waiting}${waiting === WAITING_COUNTED ? " or more" : ""} tasks wait`;
  const pid = view.owners().find(({ ownerId }) => ownerId === holder.ownerId)?.pid;
  return `${wait}. ${pid === undefined ? "" : `Check: ps ${pid}. `}Then: lockyard unlock ${id}`;
}

const WAITING_COUNTED = 1_000;

/** Of a row that watches nothing. */
function standing(view: StoreView, row: TaskRow): Pick<Explanation, "reason" | "hint"> {
  const { workflowId, taskId, key } = row;
  switch (row.status) {
    case "blocked":
      return { reason: "waits for the tasks it depends on", hint: null };
    case "suspended": {
      const why = textOf(view.note(NOTE.pause(workflowId)), "reason");
      const reason =
        row.ownerId === ""
          ? "is suspended: the process that ran it is gone"
          : `is suspended: ${workflowId} is paused${why === "" ? "" : ` (${why.replace(/\.$/, "")})`}`;
      return { reason, hint: `lockyard resume ${workflowId}` };
    }
    case "retrying":
      return { reason: "waits before its next attempt", hint: null };
    case "needs_input": {
      const question = textOf(view.note(NOTE.question(key)), "question");
      const reason = question === "" ? "waits for an answer" : `waits for an answer: "${question}"`;
      return { reason, hint: `lockyard answer ${workflowId}/${taskId} "…"` };
    }
    case "ending":
      return { reason: row.quarantined ? "did not stop and is quarantined" : "is being stopped", hint: null };
    default:
      return { reason: `is ${row.status}`, hint: null };
  }
}

function textOf(note: unknown, field: string): string {
  const value =
    typeof note === "object" && note !== null ? (note as Readonly<Record<string, unknown>>)[field] : undefined; // read by shape
  return typeof value === "string" ? value : "";
}

/** `1st`, `22nd`. */
export function ordinal(position: number): string {
  const tail = position % 100 > 10 && position % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][position % 10] ?? "th");
  return `${position}${tail}`;
}

/** `850ms`, `14s`, `2m10s`, `1h05m`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600)
    return seconds % 60 === 0
      ? `${seconds / 60}m`
      : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(seconds / 3_600)}h${String(Math.floor((seconds % 3_600) / 60)).padStart(2, "0")}m`;
}
