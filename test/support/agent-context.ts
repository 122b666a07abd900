/** A context to run an agent by itself, which remembers what the agent said. */
import { systemClock } from "../../src/clock/system-clock.ts";
import type { AgentContext, OwnedProcess } from "../../src/core/ports.ts";
import type { AgentTask, JsonValue } from "../../src/core/task.ts";

export interface HeardContext {
  readonly ctx: AgentContext;
  readonly progress: [number, string | undefined][];
  readonly chunks: JsonValue[];
  readonly logs: { readonly level: string; readonly message: string }[];
  readonly owned: OwnedProcess[];
  heartbeats: number;
  abort(): void;
  /** Resolves when `isTrue` holds after something was said; looks at once, too. */
  until(isTrue: () => boolean): Promise<void>;
}

export function heardContext(fields: Partial<AgentContext> = {}): HeardContext {
  const controller = new AbortController();
  const waiters = new Set<() => void>();
  const said = () => {
    for (const look of waiters) look();
  };
  const log = (level: string) => (message: string) => {
    heard.logs.push({ level, message });
    said();
  };
  const refuse = () => Promise.reject(new Error("not offered here"));
  const ctx: AgentContext = {
    signal: controller.signal,
    taskId: "task-1",
    instanceId: "instance-1",
    workflowId: "workflow-1",
    attempt: 1,
    fence: 7,
    env: { LOCKYARD_TASK: "task-1" },
    dependencies: {},
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    clock: systemClock(),
    owns: (process) => {
      heard.owned.push(process);
      said();
    },
    progress: (fraction, detail) => {
      heard.progress.push([fraction, detail]);
      said();
    },
    heartbeat: () => {
      heard.heartbeats++;
      said();
    },
    emit: (chunk) => {
      heard.chunks.push(chunk);
      said();
    },
    run: refuse,
    lock: refuse,
    ask: refuse,
    rate: refuse,
    ...fields,
  };
  const heard: HeardContext = {
    ctx,
    progress: [],
    chunks: [],
    logs: [],
    owned: [],
    heartbeats: 0,
    abort: () => controller.abort(),
    until: (isTrue) =>
      new Promise((resolve) => {
        const look = () => {
          if (!isTrue()) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
  };
  return heard;
}

export function someTask(fields: Partial<AgentTask> = {}): AgentTask {
  return {
    agentId: "worker_1",
    taskType: "work",
    description: "Do it",
    taskId: "task-1",
    workflowId: "workflow-1",
    group: "general",
    contextData: {},
    ...fields,
  };
}
