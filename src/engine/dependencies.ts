/** What waits for what: cycles are refused at submission, the rest is judged as results come in. */
import type { AgentResult } from "../core/task.ts";
import type { Faults } from "./faults.ts";
import type { Stop, TaskRecord } from "./task-record.ts";

/**
 * Ties the records of one submission to what they depend on, and refuses unknown ids and cycles (only tasks handed over
 * together can form one). `known` finds a task handed over before, or its result. What it returns ties them to tasks of
 * earlier submissions: called when nothing was refused.
 */
export function linkDependencies(
  records: readonly (TaskRecord | undefined)[],
  known: (taskId: string) => TaskRecord | AgentResult | undefined,
  faults: Faults,
): () => void {
  if (!records.some((record) => record?.task.dependsOn !== undefined)) return nothing;
  const earlier: { readonly record: TaskRecord; readonly dependency: TaskRecord }[] = [];
  const together = new Map<string, TaskRecord>();
  for (const record of records) if (record !== undefined) together.set(record.task.taskId, record);
  for (const [index, record] of records.entries()) {
    const ids = record?.task.dependsOn;
    if (record === undefined || ids === undefined) continue;
    faults.index = index;
    for (const id of ids) {
      const found = together.get(id) ?? known(id);
      if (found === undefined) {
        faults.add("UNKNOWN_DEPENDENCY", {
          path: ".dependsOn",
          what: `depends on ${JSON.stringify(id)}, which is no task of this call or this workflow`,
          hint: near(id, together.keys()),
        });
        continue;
      }
      const result = "success" in found ? found : found.result;
      const foundId = "success" in found ? found.taskId : found.task.taskId;
      if (foundId !== id) record.linked().aliases.push([id, foundId]);
      if (result !== null) noteResult(record, foundId, result);
      else if (!("success" in found)) {
        record.linked().waitingFor++;
        if (together.get(foundId) === found) found.linked().dependents.push(record);
        else earlier.push({ record, dependency: found });
      }
    }
  }
  refuseCycles(records, faults);
  return () => {
    for (const { record, dependency } of earlier) {
      const links = dependency.linked();
      links.dependents.push(record);
      links.criticalPathMs = -1;
    }
  };
}

function nothing(): void {}

function near(id: string, ids: Iterable<string>): string | undefined {
  const similar = [...ids].find(
    (other) => other.toLowerCase() === id.toLowerCase() || other.startsWith(id) || id.startsWith(other),
  );
  return similar === undefined ? undefined : `Did you mean ${JSON.stringify(similar)}?`;
}

/** Takes away, again and again, what depends on nothing that is left (Kahn 1962). What cannot be taken away is a cycle. */
function refuseCycles(records: readonly (TaskRecord | undefined)[], faults: Faults): void {
  const left = new Map<TaskRecord, number>();
  for (const record of records) if (record?.links) left.set(record, record.links.waitingFor);
  // What was handed over before is no part of a cycle: only edges inside this submission count.
  const inside = new Map<TaskRecord, number>();
  for (const record of left.keys())
    for (const dependent of record.links?.dependents ?? []) inside.set(dependent, (inside.get(dependent) ?? 0) + 1);
  const free = [...left.keys()].filter((record) => !inside.has(record));
  for (const record of free) {
    left.delete(record);
    for (const dependent of record.links?.dependents ?? []) {
      const count = (inside.get(dependent) ?? 0) - 1;
      inside.set(dependent, count);
      if (count === 0) free.push(dependent);
    }
  }
  const first = left.keys().next().value;
  if (first === undefined) return;
  faults.index = records.indexOf(cycleThrough(first, left)[0]);
  const path = cycleThrough(first, left).map((record) => record.task.taskId);
  const shown = path.length > 8 ? [...path.slice(0, 8), `… (${path.length} tasks)`] : [...path, path[0] ?? ""];
  faults.add("DEPENDENCY_CYCLE", {
    path: ".dependsOn",
    what: `forms a cycle: ${shown.join(" → ")}`,
    hint: "Let one of them not depend on the next.",
  });
}

/** The tasks of one cycle, each depending on the next. */
function cycleThrough(start: TaskRecord, left: ReadonlyMap<TaskRecord, number>): TaskRecord[] {
  const byId = new Map([...left.keys()].map((record) => [record.task.taskId, record]));
  const path: TaskRecord[] = [];
  const seen = new Set<TaskRecord>();
  let record: TaskRecord | undefined = start;
  while (record !== undefined && !seen.has(record)) {
    seen.add(record);
    path.push(record);
    record = record.task.dependsOn?.map((id) => byId.get(id)).find((found) => found !== undefined);
  }
  return record === undefined ? path : path.slice(path.indexOf(record));
}

/** A dependency ended. */
export function noteResult(record: TaskRecord, id: string, result: AgentResult): void {
  const links = record.linked();
  // By the name it asked for: the task that answers may bear another.
  const names = links.aliases.filter(([, found]) => found === id).map(([asked]) => asked);
  if (names.length === 0 || record.task.dependsOn?.includes(id) === true) names.push(id);
  for (const name of names) links.results[name] = result;
  if (!result.success) links.hasFailed = true;
}

/** What becomes of a blocked task now: `run`, `wait`, or how it is skipped. */
export function judge(record: TaskRecord): "run" | "wait" | Stop {
  const { links, task } = record;
  if (links === null) return "run";
  const when = task.when ?? "success";
  // No need to wait for the others: it can never run.
  if (when === "success" && links.hasFailed)
    return { status: "skipped", code: "DEPENDENCY_FAILED", message: failedMessage(record) };
  if (links.waitingFor > 0) return "wait";
  if (when === "failure" && !links.hasFailed) {
    return {
      status: "skipped",
      code: "CONDITION_NOT_MET",
      message: `Task ${task.taskId} runs when one of ${(task.dependsOn ?? []).slice(0, 5).join(", ")} fails, and all succeeded.`,
    };
  }
  return "run";
}

function failedMessage({ task, links }: TaskRecord): string {
  const failed = Object.entries(links?.results ?? {}).find(([, result]) => !result.success);
  const [id, result] = failed ?? ["", undefined];
  const why = result?.success === false ? `${result.status} (${result.error.code})` : "did not succeed";
  return `Task ${task.taskId} was skipped because ${id} ${why === "did not succeed" ? why : `ended ${why}`}.`;
}

/**
 * Milliseconds predicted for the longest chain from this task to the end, itself included. Worked out when a scheduler asks
 * and remembered in the links; depth first without recursion, because a chain may be as long as a call.
 */
export function criticalPathMs(start: TaskRecord, predictedMs: (record: TaskRecord) => number): number {
  const stack = [start];
  for (let record = stack.at(-1); record !== undefined; record = stack.at(-1)) {
    const { links } = record;
    const unknown = links?.dependents.filter((dependent) => dependent.linked().criticalPathMs < 0) ?? [];
    if (unknown.length > 0) {
      for (const dependent of unknown) stack.push(dependent);
      continue;
    }
    stack.pop();
    if (links === null) continue;
    let longest = 0;
    for (const dependent of links.dependents) longest = Math.max(longest, dependent.links?.criticalPathMs ?? 0);
    links.criticalPathMs = predictedMs(record) + longest;
  }
  return start.links?.criticalPathMs ?? predictedMs(start);
}
