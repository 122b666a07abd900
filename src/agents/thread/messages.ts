/**
 * What an agent and its threads say to each other, and the cells of memory they share.
 *
 * To a thread: one message for all that is asked in a turn of the loop. From a thread: each message at once, on a quiet
 * port that raises no event; a bell is rung only when the agent has heard the last one, and then it takes all there is.
 * So messages come in batches as large as the agent is slow, and none waits for a batch to fill.
 */
import type { MessagePort } from "node:worker_threads";
import type { TaskError } from "../../core/errors.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { AgentTask } from "../../core/task.ts";

/**
 * Shared cells. Each place in line of a thread has one that says who may decide about the call in it: the thread starts
 * what is QUEUED, the agent takes back what is QUEUED, and the first to write wins. So a call is started once, whatever
 * happens to the thread, and it is known without asking whether it was.
 */
export const CELLS = {
  /** Grows whenever the thread's loop turns or begins a call. */
  tick: 0,
  /** Droppable messages the agent has taken. */
  taken: 1,
  /** 1 while a bell is on its way. */
  bell: 2,
  firstPlace: 3,
} as const;

export const FREE = 0;
export const QUEUED = 1;
export const STARTED = 2;
/** Taken back; the thread will pass over it and say so. */
export const RECALLED = 3;

/** Chunks, log lines and progress on their way; above it a thread drops its own and counts them. */
export const DROPPABLE_IN_FLIGHT = 10_000;

/** The part of the context that is data and not already in the task. */
export type ThreadFacts = Pick<AgentContext, "instanceId" | "attempt" | "fence" | "env" | "dependencies">;

/** A call, written flat: copying the keys of objects would cost more than all else. `readRun` puts it together again. */
type Fixed = [
  place: number,
  taskId: string,
  agentId: string,
  taskType: string,
  description: string,
  workflowId: string,
  group: AgentTask["group"],
  contextData: AgentTask["contextData"],
  rest: Partial<AgentTask> | undefined,
  instanceId: string,
  attempt: number,
  fence: number,
  dependencies: ThreadFacts["dependencies"] | undefined,
];

/** After the fixed part, names and values of the environment by turns. */
export type RunMessage = readonly [...Fixed, ...string[]];

export type ToThread =
  | RunMessage
  | { readonly abort: number }
  /** Makes the loop turn: proof of life. */
  | "ping";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** An output, flat like a call; everything rarer is an object. */
export type DoneMessage = readonly [place: number, output: unknown];

export type FromThread =
  | DoneMessage
  | { readonly type: "ready" }
  /** The module could not be loaded, or exports no `run`. */
  | { readonly type: "broken"; readonly message: string }
  | { readonly type: "report"; readonly place: number; readonly report: object }
  | { readonly type: "failed"; readonly place: number; readonly error: TaskError }
  /** Something nobody caught ends the thread; `place` is the call that started it, -1 when that is not known. */
  | { readonly type: "crashed"; readonly place: number; readonly error: TaskError }
  /** Something nobody caught came from a call that had ended. */
  | { readonly type: "stray"; readonly message: string }
  | { readonly type: "passed-over"; readonly place: number }
  | { readonly type: "heartbeat"; readonly place: number }
  | DroppableMessage;

export type DroppableMessage =
  | {
      readonly type: "progress";
      readonly place: number;
      readonly fraction: number;
      readonly detail: string | undefined;
    }
  | { readonly type: "emit"; readonly place: number; readonly chunk: unknown }
  | {
      readonly type: "log";
      readonly place: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    };

export interface ThreadData {
  readonly module: string;
  readonly cells: SharedArrayBuffer;
  /** Where the thread says everything but the bell. */
  readonly port: MessagePort;
  readonly tasksPerThread: number;
}

export function isDone(message: FromThread): message is DoneMessage {
  return Array.isArray(message);
}

export function writeRun(place: number, task: AgentTask, ctx: AgentContext): RunMessage {
  const { taskId, agentId, taskType, description, workflowId, group, contextData } = task;
  const { instanceId, attempt, fence, env } = ctx;
  const rest = restOf(task);
  const dependencies = orNothing(ctx.dependencies);
  const message: [...Fixed, ...string[]] = [
    place,
    taskId,
    agentId,
    taskType,
    description,
    workflowId,
    group,
    contextData,
    rest,
    instanceId,
    attempt,
    fence,
    dependencies,
  ];
  for (const name in env) message.push(name, env[name] ?? "");
  return message;
}

export function readRun(message: RunMessage): { readonly task: AgentTask; readonly facts: ThreadFacts } {
  const contextData = message[7];
  const task = {
    taskId: message[1],
    agentId: message[2],
    taskType: message[3],
    description: message[4],
    workflowId: message[5],
    group: message[6],
    ...(contextData === undefined ? undefined : { contextData }),
    ...message[8],
  };
  const env: Record<string, string> = {};
  for (let index = FIRST_PAIR; index < message.length; index += 2) {
    env[String(message[index])] = String(message[index + 1]);
  }
  const dependencies = message[12] ?? {};
  return { task, facts: { instanceId: message[9], attempt: message[10], fence: message[11], env, dependencies } };
}

const FIRST_PAIR = 13;

/** Members that stand in the message by themselves. */
const WRITTEN: ReadonlySet<string> = new Set(
  "taskId agentId taskType description workflowId group contextData".split(" "),
);

/** The rarer members. Without the schema: it is functions, which cannot be copied, and the thread has no use for it. */
function restOf(task: AgentTask): Partial<AgentTask> | undefined {
  let rest: Record<string, unknown> | undefined;
  for (const name in task) {
    if (WRITTEN.has(name) || name === "outputSchema") continue;
    rest ??= {};
    rest[name] = task[name as keyof AgentTask]; // a name of the task: it was just listed
  }
  return rest;
}

function orNothing<Value extends object>(value: Value): Value | undefined {
  for (const _ in value) return value;
  return undefined;
}
