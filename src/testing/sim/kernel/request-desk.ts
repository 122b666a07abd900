/** Requests for more of one process: made, confirmed, granted or denied, let go. */
import type { Command } from "../../../core/command.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { Notice } from "../notice.ts";
import type { Seen } from "../sim-store.ts";
import type { Job } from "./job.ts";
import { requestRow, type Submitter } from "./job-rows.ts";
import { type Members, Request, type RequestAsk } from "./request.ts";

export interface RequestDeskHost {
  send(command: Command): void;
  submitterOf(job: Job): Submitter;
  /** Whether its submission has reached the store. */
  wasSubmitted(taskId: string): boolean;
}

export class RequestDesk {
  readonly #host: RequestDeskHost;
  readonly #requests = new Map<string, Request>();
  #count = 0;

  constructor(host: RequestDeskHost) {
    this.#host = host;
  }

  get(taskId: string): Request | undefined {
    return this.#requests.get(taskId);
  }

  make(job: Job, ask: RequestAsk): Request {
    const request = new Request(`${job.plan.taskId}~${++this.#count}`, job, ask);
    this.#requests.set(request.taskId, request);
    job.requests.add(request);
    this.#host.send({ type: "submit", row: requestRow(request, ask, this.#host.submitterOf(job)) });
    return request;
  }

  release(request: Request): void {
    if (request.state === "over") return;
    this.forget(request);
    this.#host.send({ type: "release", key: request.key });
  }

  forget(request: Request): void {
    request.state = "over";
    request.job.requests.delete(request);
    this.#requests.delete(request.taskId);
  }

  denied(request: Request, code: ErrorCode | null): void {
    if (request.state === "over") return;
    this.forget(request);
    // A slot that is refused is there already: the answer to an earlier wish was lost.
    if (request.wantsSlot && code === "STALE_FENCE") request.onGranted(null);
    else request.onDenied(code);
  }

  #granted(request: Request, fence: number, members: Members): void {
    request.state = "granted";
    request.fence = fence;
    if (request.wantsSlot) this.forget(request);
    request.onGranted(members);
  }

  hear(request: Request, notice: Extract<Notice, { readonly key: number }>): void {
    switch (notice.type) {
      case "submitted":
        request.key = notice.key;
        if (request.state === "sent") request.state = "waiting";
        return;
      case "admitted":
        if (request.state === "granted") return;
        request.key = notice.key;
        if (notice.isOwn) return this.#granted(request, notice.fence, notice.members);
        return this.#confirm(request, notice.fence, notice.members);
      case "confirmed":
        if (request.state === "confirming" && request.fence === notice.fence)
          this.#granted(request, notice.fence, request.members);
        return;
      case "requeued":
        if (request.state === "confirming") request.state = "waiting";
        return;
      case "ended":
        return this.denied(request, notice.code);
      default:
        return;
    }
  }

  #confirm(request: Request, fence: number, members: Members): void {
    request.state = "confirming";
    request.fence = fence;
    request.members = members;
    this.#host.send({ type: "confirm", key: request.key, fence });
  }

  /** Compares what it believes with what stands in the store. */
  reconcile(seen: ReadonlyMap<string, Seen>): void {
    for (const request of [...this.#requests.values()]) {
      const row = seen.get(request.taskId);
      if (row !== undefined) this.#reconcileWith(request, row);
      else if (this.#host.wasSubmitted(request.taskId))
        this.denied(request, request.wantsSlot ? "STALE_FENCE" : "CANCELLED");
    }
  }

  #reconcileWith(request: Request, row: Seen): void {
    request.key = row.key;
    const isHeld = row.status === "starting" || row.status === "running";
    if (isHeld && (request.state === "sent" || request.state === "waiting"))
      this.#confirm(request, row.fence, row.members);
  }
}
