/** From what a caller hands over to records that may be submitted: everything is checked before anything starts. */
import { BOUNDS } from "../core/bounds.ts";
import type { ResolvedClaim } from "../core/claims.ts";
import { LockyardError } from "../core/errors.ts";
import type { Agent } from "../core/ports.ts";
import type { Claim, JsonObject, StandardSchema } from "../core/task.ts";
import type { AgentTable } from "./agent-table.ts";
import type { Attempt } from "./attempt.ts";
import { pathText } from "./containment.ts";
import { linkDependencies } from "./dependencies.ts";
import { Faults } from "./faults.ts";
import type { ManagerParts } from "./parts.ts";
import type { ResourceClaims } from "./resource-claims.ts";
import { Task } from "./task.ts";
import { idFault } from "./task-call.ts";
import { TaskRecord } from "./task-record.ts";
import type { TaskTable } from "./task-table.ts";

export interface SubmissionWiring {
  readonly parts: ManagerParts;
  readonly agents: AgentTable;
  readonly table: TaskTable;
  readonly newTaskId: () => string;
  /** The manager's own method, which a subclass may override. */
  readonly identify: (task: Task) => ResourceClaims;
}

export interface PreparedTasks {
  /** One for each call, in order. A call that joins a task in flight or finished by its idempotency key has that one. */
  readonly places: readonly Place[];
  /** What must be submitted. */
  readonly fresh: readonly TaskRecord[];
  /** Ties them to tasks submitted before; called when nothing was refused. */
  readonly commit: () => void;
}

/** A record, or the id of a finished task whose result stands for it. */
export type Place = TaskRecord | string;

export class Submission {
  readonly #wiring: SubmissionWiring;

  constructor(wiring: SubmissionWiring) {
    this.#wiring = wiring;
  }

  /** Checks every call. Throws one LockyardError that lists all faults; `subject` is how the caller calls the list. */
  prepare(calls: readonly unknown[], subject: string, parent: Attempt | null): PreparedTasks {
    if (!Array.isArray(calls)) {
      throw new LockyardError("INVALID_TASK_CALL", `${subject} must be a list of task calls.`, {
        hint: "Hand over [call], even for one.",
      });
    }
    const { parts, table } = this.#wiring;
    checkCounts(calls.length, subject, table.size);
    const faults = new Faults(subject);
    const places: (Place | undefined)[] = [];
    const records: (TaskRecord | undefined)[] = [];
    const fresh: TaskRecord[] = [];
    const own = new Map<string, TaskRecord>();
    const byKey = new Map<string, TaskRecord>();
    const aliases = new Map<string, Place>();
    const nowMs = Math.floor(parts.clock.nowMs());
    for (let index = 0; index < calls.length; index++) {
      faults.index = index;
      const task = Task.from(calls[index], faults);
      const key = task?.idempotencyKey;
      const joined = key === undefined ? undefined : (byKey.get(key) ?? this.#ownerOfKey(key));
      const record =
        task === undefined || joined !== undefined ? undefined : this.#record(task, { faults, own, parent });
      if (record !== undefined) {
        record.submittedAtMs = nowMs;
        fresh.push(record);
        if (key !== undefined) byKey.set(key, record);
      }
      // Others may depend on it by the id it was handed over with.
      if (joined !== undefined && task !== undefined && task.taskId !== "") aliases.set(task.taskId, joined);
      records.push(record);
      places.push(joined ?? record);
    }
    const known = (taskId: string) => {
      const place = aliases.get(taskId) ?? taskId;
      if (typeof place !== "string") return place;
      return table.get(place) ?? table.resultOf(place) ?? parts.earlier?.resultOf(place);
    };
    const commit = linkDependencies(records, known, faults);
    faults.throwIfAny();
    // Without a fault every call has its place: a cast to say so.
    return { places: places as Place[], fresh, commit };
  }

  #ownerOfKey(key: string): Place | undefined {
    return this.#wiring.table.ownerOfKey(key);
  }

  #record(
    task: Task,
    {
      faults,
      own,
      parent,
    }: { readonly faults: Faults; readonly own: Map<string, TaskRecord>; readonly parent: Attempt | null },
  ): TaskRecord | undefined {
    const { parts, agents, table, newTaskId } = this.#wiring;
    const { agentId, taskId, workflowId } = task;
    const found = agents.find(agentId);
    if (found === undefined) {
      faults.add("UNKNOWN_AGENT", {
        path: ".agentId",
        what: `names the agent ${JSON.stringify(agentId)}, which does not exist`,
        hint: agents.hint(agentId),
      });
    }
    const hasId = taskId !== "";
    if (hasId && (own.has(taskId) || table.has(taskId))) {
      faults.add("DUPLICATE_TASK", {
        path: ".taskId",
        what: `is ${JSON.stringify(taskId)}, which another task of this workflow has`,
        hint: "Leave taskId out to be given one, or use idempotencyKey to join the other task.",
      });
    }
    if (workflowId !== "" && workflowId !== parts.workflowId) {
      faults.add("INVALID_TASK_CALL", {
        path: ".workflowId",
        what: `is ${JSON.stringify(workflowId)} and this workflow is ${JSON.stringify(parts.workflowId)}`,
      });
    }
    if (found === undefined) return undefined;
    task.place(hasId ? taskId : (idOfKey(task.idempotencyKey) ?? newTaskId()), parts.workflowId);
    const context = parseContext(task, found.agent.context as StandardSchema<JsonObject> | undefined, faults);
    task.describe(parts.groupOf(task), context);
    const identified = this.#identified(task, faults);
    const asked = askedFor(task, { agent: found.agent, identified, faults });
    const record = new TaskRecord(task, found, this.#resolve(asked, faults));
    remember(record, asked, identified);
    // Ids made here collide with nothing.
    if (hasId) own.set(taskId, record);
    record.isNamed = hasId;
    if (parent !== null) {
      const links = record.linked();
      const above = parent.record;
      links.parent = parent;
      links.depth = (above.links?.depth ?? 0) + 1;
      links.ancestors = [above.key, ...above.ancestors];
    }
    return record;
  }

  #identified(task: Task, faults: Faults): readonly Claim[] {
    try {
      return this.#wiring.identify(task).claims;
    } catch (thrown) {
      refuseClaims(thrown, faults);
      return NOTHING;
    }
  }

  #resolve(asked: readonly Claim[], faults: Faults): readonly ResolvedClaim[] {
    try {
      // A copy of the right length: a list that was pushed into keeps room for 17, and waits with its task.
      return asked.length === 0 ? NOTHING : this.#wiring.parts.resolveClaims(asked).slice();
    } catch (thrown) {
      refuseClaims(thrown, faults);
      return NOTHING;
    }
  }
}

/** Everything the task asks for: what the call says, what the agent derives, what is identified. */
function askedFor(
  task: Task,
  {
    agent,
    identified,
    faults,
  }: { readonly agent: Agent; readonly identified: readonly Claim[]; readonly faults: Faults },
): readonly Claim[] {
  let asked = task.claims ?? NOTHING;
  try {
    const derived = agent.claims?.(task.contextData ?? {}, task);
    if (derived !== undefined && derived.length > 0) asked = [...asked, ...derived];
  } catch (thrown) {
    refuseClaims(thrown, faults);
  }
  return identified.length > 0 ? [...asked, ...identified] : asked;
}

/** What is rare: paths that are observed, and those that were inferred. */
function remember(record: TaskRecord, asked: readonly Claim[], identified: readonly Claim[]): void {
  for (const claim of asked)
    if ("observe" in claim) record.linked().observed = [...record.linked().observed, claim.observe];
  for (const claim of identified)
    if ("write" in claim || "read" in claim) record.linked().inferredPaths = [...record.linked().inferredPaths, claim];
}

function refuseClaims(thrown: unknown, faults: Faults): void {
  if (thrown instanceof LockyardError && thrown.code !== "BUG") return faults.adopt(thrown);
  faults.add("INVALID_CLAIM", {
    path: ".claims",
    what: `could not be worked out: ${messageOf(thrown)}`,
    hint: "agent.claims and identifyRequiredResources must not throw.",
  });
}

/** The same key makes the same id in every process: the store accepts one of them. Undefined when it makes no good id. */
function idOfKey(key: string | undefined): string | undefined {
  const id = key === undefined ? undefined : `key:${key}`;
  return id === undefined || idFault(id) !== undefined ? undefined : id;
}

const NOTHING: readonly never[] = [];

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function checkCounts(count: number, subject: string, live: number): void {
  if (count > BOUNDS.tasksPerCall) {
    throw new LockyardError(
      "LIMIT_EXCEEDED",
      `${subject} holds ${count.toLocaleString("en")} tasks and the limit is ${BOUNDS.tasksPerCall.toLocaleString("en")}.`,
      {
        hint: "Use batchTaskCalls and executeTaskBatches.",
      },
    );
  }
  if (live + count > BOUNDS.waitingInMemory) {
    throw new LockyardError(
      "LIMIT_EXCEEDED",
      `${(live + count).toLocaleString("en")} tasks would be live in this process and the limit is ${BOUNDS.waitingInMemory.toLocaleString("en")}.`,
    );
  }
}

/** The context as the agent's schema gives it back. */
function parseContext(
  call: Task,
  schema: StandardSchema<JsonObject> | undefined,
  faults: Faults,
): JsonObject | undefined {
  if (schema === undefined) return undefined;
  try {
    const result = schema["~standard"].validate(call.contextData ?? {});
    if (result instanceof Promise) {
      result.catch(() => undefined);
      faults.add("INVALID_CONTEXT", {
        path: ".contextData",
        what: `cannot be checked at once: the context schema of agent ${call.agentId} is asynchronous`,
        hint: "Use a schema without asynchronous refinements.",
      });
      return undefined;
    }
    if (result.issues === undefined) return result.value;
    for (const { message, path } of result.issues.slice(0, 20)) {
      faults.add("INVALID_CONTEXT", {
        path: ".contextData",
        what: `does not match the schema of agent ${call.agentId}: ${pathText(path)}${message}`,
      });
    }
  } catch (thrown) {
    faults.add("INVALID_CONTEXT", {
      path: ".contextData",
      what: `made the schema of agent ${call.agentId} throw: ${messageOf(thrown)}`,
    });
  }
  return undefined;
}
