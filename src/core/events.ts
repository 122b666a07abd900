/** The one event union that feeds terminal, metrics, logs and trackers. Stable and versioned: fields are only added. */
import type { AgentResult, FinalStatus, JsonValue, LockType } from "./task.ts";

export const EVENT_VERSION = 1;

interface EventBase {
  /** Grows by one for each reader's source; a gap means events were dropped. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly workflowId: string;
}
interface TaskEvent extends EventBase {
  readonly taskId: string;
  readonly agentId: string;
}
interface InstanceEvent extends TaskEvent {
  readonly instanceId: string;
}

export type LockyardEvent =
  | (TaskEvent & { readonly type: "task-submitted"; readonly description: string })
  | (TaskEvent & { readonly type: "task-waiting"; readonly resourceId: string; readonly reason: string })
  | (InstanceEvent & {
      readonly type: "task-started";
      readonly attempt: number;
      readonly queuedMs: number;
      readonly lockWaitMs: number;
    })
  | (InstanceEvent & {
      readonly type: "task-progress";
      readonly progress: number;
      readonly detail: string;
      readonly estimatedCompletionAt: string | null;
    })
  | (InstanceEvent & { readonly type: "task-output"; readonly chunk: JsonValue })
  | (TaskEvent & {
      readonly type: "task-retrying";
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    })
  | (InstanceEvent & { readonly type: "task-needs-input"; readonly question: string })
  | (TaskEvent & { readonly type: "task-finished"; readonly status: FinalStatus; readonly result: AgentResult })
  | (InstanceEvent & {
      readonly type: "lock-granted" | "lock-released" | "lock-expired" | "lock-quarantined";
      readonly resourceId: string;
      readonly lockType: LockType;
      readonly fence: number;
    })
  | (EventBase & {
      readonly type: "limit-changed";
      readonly name: string;
      readonly limit: number;
      readonly reason: string;
    })
  | (EventBase & { readonly type: "budget-paused"; readonly reason: string })
  | (EventBase & {
      readonly type: "workflow-started" | "workflow-paused" | "workflow-finished";
      readonly tasks: number;
    })
  /** The reader was too slow: so many events before this one are lost to it. Nothing else is. */
  | (EventBase & { readonly type: "events-dropped"; readonly count: number });

export type EventType = LockyardEvent["type"];

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An event before its source stamps sequence and time on it. */
export type EventDraft = DistributiveOmit<LockyardEvent, "sequence" | "at" | "workflowId">;
