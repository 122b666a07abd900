/** A layer on a virtual clock, and agents that take a given time. */
import { functionAgent } from "../../src/agents/function-agent.ts";
import { type VirtualClock, virtualClock } from "../../src/clock/virtual-clock.ts";
import { MCPIntegrationLayer, type MCPIntegrationLayerOptions } from "../../src/compose.ts";
import type { Agents } from "../../src/core/agent-types.ts";
import type { AgentContext } from "../../src/core/ports.ts";
import type { AgentTask, TaskCall } from "../../src/core/task.ts";

export interface VirtualLayer<Given extends Agents> {
  readonly layer: MCPIntegrationLayer<Given>;
  readonly clock: VirtualClock;
}

export function virtualLayer<const Given extends Agents>(
  agents: Given,
  options: Omit<MCPIntegrationLayerOptions<Given>, "agents" | "clock"> & { readonly clock?: VirtualClock } = {},
): VirtualLayer<Given> {
  const clock = options.clock ?? virtualClock();
  return {
    clock,
    layer: new MCPIntegrationLayer<Given>({ workflowId: "test", root: "/project", ...options, agents, clock }),
  };
}

/** Waits `ms` of the task's own time; ends early, by throwing the reason, when the task is asked to stop. */
export function takes(ms: number, ctx: AgentContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = ctx.clock.setTimer(ms, () => {
      ctx.signal.removeEventListener("abort", stop);
      resolve();
    });
    const stop = () => {
      timer.cancel();
      reject(ctx.signal.reason);
    };
    if (ctx.signal.aborted) stop();
    else ctx.signal.addEventListener("abort", stop, { once: true });
  });
}

/** Takes the milliseconds its context names (`ms`, default 10) and returns its task id. */
export const worker = functionAgent(async (task: AgentTask, ctx: AgentContext) => {
  await takes(typeof task.contextData?.ms === "number" ? task.contextData.ms : 10, ctx);
  return task.taskId;
});

/** Never settles and heeds no signal, until `release` is called. */
export function stubborn() {
  let release: () => void = () => undefined;
  const done = new Promise<string>((resolve) => {
    release = () => resolve("late");
  });
  return { agent: functionAgent(() => done), release: () => release() };
}

/** A call of agent `worker` with little to write. */
export function call(taskId: string, more: Partial<TaskCall<"worker">> = {}): TaskCall<"worker"> {
  return { agentId: "worker", taskType: "work", description: taskId, taskId, ...more };
}
