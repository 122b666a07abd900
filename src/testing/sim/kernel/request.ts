/** A request for more, as the process knows it that made it. */
import type { ResolvedClaim } from "../../../core/claims.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { Job } from "./job.ts";

export type Members = Readonly<Record<string, readonly string[]>> | null;

export interface RequestAsk {
  readonly claims: readonly ResolvedClaim[];
  readonly queueTimeoutMs: number;
  /** Asks its task's slot back, and nothing else. */
  readonly wantsSlot: boolean;
}

/** A request for more, made by an agent in the middle of its work. */
export class Request {
  readonly taskId: string;
  readonly job: Job;
  readonly claims: readonly ResolvedClaim[];
  readonly wantsSlot: boolean;
  key = 0;
  fence = 0;
  members: Members = null;
  state: "sent" | "waiting" | "confirming" | "granted" | "over" = "sent";
  onGranted: (members: Members) => void = () => undefined;
  onDenied: (code: ErrorCode | null) => void = () => undefined;

  constructor(taskId: string, job: Job, { claims, wantsSlot }: RequestAsk) {
    this.taskId = taskId;
    this.job = job;
    this.claims = claims;
    this.wantsSlot = wantsSlot;
  }
}
