/** `lockyard why TASK|RESOURCE|PATH`. */
import { neutralise } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { type Counter, explain, isFinal, type StoreView, strangersText, type TaskRow } from "../../edges/store.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { declarersOf, declarersText } from "../look/declared-rows.ts";
import { findTasks } from "../look/find-task.ts";
import { inferredFrom } from "../look/inferred.ts";
import { type LookContext, lookAt, type ResourceLook } from "../look/resource-look.ts";
import { modeText } from "../look/status-lines.ts";
import { ownerNames } from "../look/status-report.ts";
import { workspaceRoot } from "../look/workspace.ts";
import { noStoreText, openShared } from "../store/shared-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { count, duration } from "../terminal/duration.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

export async function whyCommand(what: string, options: CommonOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out, cwd } = surroundings;
  const json = options.json === true;
  const shared = await openShared(options, surroundings);
  if ("none" in shared) {
    if (json) out.json({ type: "why", what, none: shared.none, holders: [], waiting: [] });
    else out.line(noStoreText(shared));
    return EXIT.ok;
  }
  const { store, clock } = shared;
  try {
    return store.view((view) => {
      const context = { nowMs: clock.nowMs(), root: workspaceRoot(cwd), cwd };
      const { tasks, look } = meant(view, what, context);
      const [task] = tasks;
      if (task !== undefined && tasks.length > 1) return tellSeveral(tasks, what, surroundings, json);
      if (task !== undefined) return tellTask(view, task, { ...context, out, json });
      return tellResource(look, { nowMs: context.nowMs, out, json, what });
    });
  } finally {
    await store.close();
  }
}

/** Tasks of this name, and the resource. */
function meant(view: StoreView, what: string, context: LookContext) {
  const found = findTasks(view, what);
  const look = lookAt(view, what, context);
  // A task that has ended does not hide what is held, waited for or declared under its name.
  const isAboutResource = look.counter !== null || look.holders.length > 0 || look.waiting.length > 0;
  return { look, tasks: isAboutResource ? found.filter(({ status }) => !isFinal(status)) : found };
}

/** The same as data: what `--json` prints. */
export function whyJson(view: StoreView, what: string, context: LookContext): object {
  const { tasks, look } = meant(view, what, context);
  const [task] = tasks;
  if (task !== undefined && tasks.length > 1) return severalJson(tasks, what);
  return task === undefined ? resourceJson(look, what) : taskJson(view, task, context);
}

function severalJson(tasks: readonly TaskRow[], what: string) {
  return {
    type: "error",
    code: "INVALID_OPTION",
    message: `${what} is in ${tasks.length} workflows`,
    candidates: tasks.map(({ workflowId, taskId }) => `${workflowId}/${taskId}`),
    faults: [],
  };
}

function taskJson(view: StoreView, row: TaskRow, { nowMs, root }: Pick<LookContext, "nowMs" | "root">) {
  const result = isFinal(row.status) ? view.result(row.workflowId, row.taskId) : undefined;
  const claims = row.claims.map(({ node }) => resourceId(node, root));
  return {
    type: "why",
    status: row.status,
    claims,
    inferred: Object.fromEntries([...inferredFrom(row)].filter(([name]) => claims.includes(name))),
    owner: ownerNames(view, nowMs).get(row.ownerId) ?? "",
    ...explain(view, row, { nowMs, root, typicalMs: (other) => view.typicalRunMs(other) }),
    ...(result === undefined ? {} : { result }),
  };
}

function resourceJson({ resourceId: id, counter, holders, waiting }: ResourceLook, what: string) {
  return {
    type: "why",
    what,
    resourceId: id,
    capacity: counter?.capacity ?? null,
    used: counter?.used ?? null,
    declaredBy: counter === null ? [] : declarersOf(counter),
    holders,
    waiting,
  };
}

function tellSeveral(tasks: readonly TaskRow[], what: string, { out, err }: Surroundings, json: boolean): ExitCode {
  const names = tasks.map(({ workflowId, taskId }) => `${workflowId}/${taskId}`);
  if (json) out.json(severalJson(tasks, what));
  else {
    err.line(`error: ${neutralise(what)} is the id of a task in ${tasks.length} workflows. Say which:`);
    err.lines(names.slice(0, 20).map((name) => `  lockyard why ${neutralise(name)}`));
  }
  return EXIT.usage;
}

interface TaskContext {
  readonly nowMs: number;
  readonly root: string;
  readonly out: Output;
  readonly json: boolean;
}

function tellTask(view: StoreView, row: TaskRow, { nowMs, root, out, json }: TaskContext): ExitCode {
  if (json) {
    out.json(taskJson(view, row, { nowMs, root }));
    return EXIT.ok;
  }
  const claims = row.claims.map(({ node }) => resourceId(node, root));
  const inferred = [...inferredFrom(row)].filter(([name]) => claims.includes(name));
  const owner = ownerNames(view, nowMs).get(row.ownerId) ?? "";
  const result = isFinal(row.status) ? view.result(row.workflowId, row.taskId) : undefined;
  const explanation = explain(view, row, { nowMs, root, typicalMs: (other) => view.typicalRunMs(other) });
  const { style } = out;
  const name = style.bold(neutralise(`${row.workflowId}/${row.taskId}`));
  const rows: string[][] = [];
  if (isFinal(row.status)) {
    out.line(`${name} ${row.status === "timed_out" ? "timed out" : `has ended: ${row.status}`}.`);
    const message = errorMessage(result);
    if (message !== null)
      out.lines(
        neutralise(message)
          .split("\n")
          .map((line) => `  ${line}`),
      );
    return EXIT.ok;
  }
  if (row.status === "waiting" || row.watch !== "") {
    out.line(`${name} is ${neutralise(explanation.reason)}`);
    rows.push([
      "waits",
      `${duration(nowMs - row.waitingSinceMs)}${row.passed > 0 ? `, passed by ${count(row.passed, "time")}` : ""}`,
    ]);
    rows.push([
      "behind",
      explanation.blockedBy
        .map(({ workflowId, taskId, sinceMs }) => `${workflowId}/${taskId} (for ${duration(sinceMs)})`)
        .join(", "),
    ]);
    rows.push(["place", String(explanation.position)]);
  } else if (row.status === "running" || row.status === "starting") {
    out.line(`${name} does not wait: it has been ${row.status} for ${duration(nowMs - row.admittedAtMs)}.`);
  } else out.line(`${name} ${neutralise(explanation.reason)}.`);
  rows.push([row.holdsClaims ? "holds" : "wants", claims.join(", ") || "nothing"], ["owner", owner]);
  rows.push(["inferred", inferred.map(([resource, from]) => `${resource} from ${from}`).join(", ")]);
  if (explanation.hint !== null) rows.push(["do", explanation.hint]);
  const told = rows
    .filter(([, text]) => text !== "")
    .map(([key = "", text = ""]) => [style.dim(key), neutralise(text)]);
  out.lines(table(told, { columns: out.columns(), indent: 2 }));
  return EXIT.ok;
}

function errorMessage(result: unknown): string | null {
  return typeof result === "object" &&
    result !== null &&
    "errorMessage" in result &&
    typeof result.errorMessage === "string"
    ? result.errorMessage
    : null;
}

interface ResourceContext {
  readonly nowMs: number;
  readonly out: Output;
  readonly json: boolean;
  readonly what: string;
}

function tellResource(look: ResourceLook, { nowMs, out, json, what }: ResourceContext): ExitCode {
  const { counter, holders, waiting } = look;
  if (json) {
    out.json(resourceJson(look, what));
    return EXIT.ok;
  }
  const { style } = out;
  const name = style.bold(neutralise(look.resourceId));
  const units =
    counter === null
      ? ""
      : ` (${counter.used} of ${count(counter.capacity, counter.kind === "pool" ? "member" : "unit")} in use)`;
  if (holders.length === 0 && waiting.length === 0) {
    out.line(`${name} is free${units}: nobody holds it, nobody waits for it.`);
    out.lines(declaredLines(counter, { out, nowMs }));
    return EXIT.ok;
  }
  out.line(
    `${name}${units} is ${holders.length === 0 ? "free" : heldBy(holders)}, ${waiting.length === 0 ? "and nobody waits" : `and ${count(waiting.length, "task")} ${waiting.length === 1 ? "waits" : "wait"}`}.`,
  );
  const held = holders.map((lock) => [
    style.dim("held by"),
    neutralise(lock.label),
    `for ${duration(lock.forMs)}`,
    `${modeText(lock)}${lock.resourceId === look.resourceId ? "" : ` on ${neutralise(lock.resourceId)}`}${lock.quarantined ? ", quarantined" : ""}`,
    style.dim(neutralise(lock.owner)),
  ]);
  const line = waiting.map((row, at) => [
    style.dim(`${at + 1}.`.padStart(7)),
    neutralise(row.label),
    `since ${duration(row.waitingMs)}`,
    row.estimatedStartMs === null ? "" : `about ${duration(row.estimatedStartMs)}`,
    "",
  ]);
  out.lines(table([...held, ...line], { columns: out.columns(), indent: 2 }));
  out.lines(declaredLines(counter, { out, nowMs }));
  const quarantined = holders.find((lock) => lock.quarantined);
  if (quarantined !== undefined) {
    out.line(
      neutralise(
        `${look.resourceId} is quarantined: its last holder (${quarantined.workflowId}/${quarantined.taskId}, ${quarantined.owner}) could not be stopped.`,
      ),
    );
  } else if (holders[0]?.isSession === true) {
    const free = `A session lets a file go when it has left it alone for 90s or its turn ends. To take it now: lockyard unlock ${look.resourceId} --force`;
    out.line(style.dim(neutralise(free)));
  } else if (holders[0] !== undefined && waiting.length > 0) {
    out.line(style.dim(neutralise(`To free it now: lockyard cancel ${holders[0].workflowId}/${holders[0].taskId}`)));
  }
  return EXIT.ok;
}

/** A session holds a file for each of its edits at most: it is counted once. */
function heldBy(holders: ResourceLook["holders"]): string {
  const names = new Set(holders.map(({ label }) => label));
  const areSessions = holders.every(({ isSession }) => isSession);
  const areTasks = holders.every(({ isSession }) => !isSession);
  return `held by ${count(areTasks ? holders.length : names.size, areSessions ? "session" : areTasks ? "task" : "holder")}`;
}

/** Who said how many there are, and what strangers use of it. */
function declaredLines(
  counter: Counter | null,
  { out, nowMs }: Pick<ResourceContext, "out" | "nowMs">,
): readonly string[] {
  if (counter === null) return [];
  const restsMs = (counter.overload?.untilMs ?? 0) - nowMs;
  const rows = [
    ["declared", declarersText(declarersOf(counter))],
    ["taken", strangersText(counter, nowMs)],
    ["rests", restsMs > 0 ? `its provider is overloaded and asked everybody to wait ${duration(restsMs)}` : ""],
  ].filter(([, text]) => text !== "");
  return table(
    rows.map(([key = "", text = ""]) => [out.style.dim(key), neutralise(text)]),
    { columns: out.columns(), indent: 2 },
  );
}
