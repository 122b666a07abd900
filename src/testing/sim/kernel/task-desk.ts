/**
 * The tasks of one simulated process: the client's side of the store's protocol. It submits, confirms, starts agents,
 * settles, and finds out what became of what it does not know.
 */
import { ADMISSION } from "../../../core/bounds.ts";
import type { ResolvedClaim } from "../../../core/claims.ts";
import type { Command } from "../../../core/command.ts";
import type { FinalStatus } from "../../../core/task.ts";
import type { Notice } from "../notice.ts";
import type { Seen } from "../sim-store.ts";
import { Job, type JobHost } from "./job.ts";
import { type Submitter, taskRow } from "./job-rows.ts";
import type { TaskPlan } from "./plan.ts";
import type { Members, Request, RequestAsk } from "./request.ts";
import { RequestDesk, type RequestDeskHost } from "./request-desk.ts";
import type { SimProcess } from "./sim-process.ts";
import type { KernelWorld } from "./world.ts";

const GRACE_MS = 1_000;

export class TaskDesk implements JobHost, RequestDeskHost {
  readonly jobs = new Map<string, Job>();
  readonly #process: SimProcess;
  readonly #requests: RequestDesk;
  #dueAtMs = 0;

  constructor(process: SimProcess) {
    this.#process = process;
    this.#requests = new RequestDesk(this);
  }

  get #world(): KernelWorld {
    return this.#process.world;
  }

  send(command: Command): void {
    this.#process.send(command);
  }

  wasSubmitted(taskId: string): boolean {
    return this.#world.wasSubmitted(taskId);
  }

  submit(
    plan: TaskPlan,
    inside: { readonly parent: Job | null; readonly ancestors: readonly number[] } = { parent: null, ancestors: [] },
  ): Job {
    const job = new Job(this, plan, inside);
    this.jobs.set(plan.taskId, job);
    this.#world.plans.set(plan.taskId, plan);
    this.send({ type: "submit", row: taskRow(job, this.submitterOf(job)) });
    return job;
  }

  submitterOf({ plan }: Job): Submitter {
    return {
      ownerId: this.#process.ownerId,
      nowMs: this.#world.agenda.nowMs,
      limits: this.#world.limitsOf(plan, this.#process.ownerId),
    };
  }

  /** Takes over a task whose owner is gone. */
  adopt(seen: Seen): void {
    this.send({ type: "enqueue", key: seen.key, rank: this.#world.agenda.nowMs, ownerId: this.#process.ownerId });
    this.jobs.delete(seen.taskId);
    this.#jobFor(seen).phase = "sent";
  }

  #jobFor(seen: Seen): Job {
    const known = this.jobs.get(seen.taskId);
    if (known !== undefined && known.phase !== "over") return known;
    const plan = this.#world.plans.get(seen.taskId);
    if (plan === undefined) throw new Error(`nobody planned ${seen.taskId}`);
    const job = new Job(this, plan, { parent: null, ancestors: [] });
    job.key = seen.key;
    job.phase = "waiting";
    this.jobs.set(seen.taskId, job);
    return job;
  }

  onAnswer(commands: readonly Command[], notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (notice.type === "refused") {
        const command = commands[notice.index];
        if (command !== undefined) this.#refused(command, notice);
      } else if ("key" in notice && notice.ownerId === this.#process.ownerId) this.hear(notice);
    }
    for (const command of commands) if (command.type === "owner-join") this.#joined();
    this.#armDue();
  }

  #joined(): void {
    this.#world.sometimes.happened("owner rejoined after it was judged gone");
    this.reconcile();
  }

  /** Something it does not know was carried out, or not: it looks, and asks again for what did not happen. */
  onLostAnswer(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.type === "owner-beat" || command.type === "tick") continue;
      if (command.type === "submit" && this.#world.wasSubmitted(command.row.taskId)) continue;
      this.send(command);
    }
    this.reconcile();
  }

  /** A turn runs by itself when something in the store falls due. */
  #armDue(): void {
    const dueAtMs = this.#world.store.nextDueAtMs();
    if (dueAtMs === 0 || (this.#dueAtMs > 0 && this.#dueAtMs <= dueAtMs)) return;
    this.#dueAtMs = dueAtMs;
    this.#process.after(Math.max(1, dueAtMs - this.#process.nowMs()), () => {
      if (this.#dueAtMs !== dueAtMs) return;
      this.#dueAtMs = 0;
      this.send({ type: "tick" });
    });
  }

  #refused(command: Command, refusal: Extract<Notice, { readonly type: "refused" }>): void {
    const { code } = refusal;
    if (code === "BUG") return this.#askAgain(command);
    switch (command.type) {
      case "submit": {
        const { taskId } = command.row;
        if (code === "DUPLICATE_TASK") return this.reconcile();
        const request = this.#requests.get(taskId);
        if (request !== undefined) this.#requests.denied(request, code);
        else this.#over(this.jobs.get(taskId));
        return;
      }
      case "owner-beat":
        this.send({ type: "owner-join", owner: this.#process.owner });
        return;
      case "put-back":
        this.#world.strangers.stillThere(this.jobs.values(), command);
        return this.reconcile();
      case "retry":
      case "settle":
      case "confirm":
      case "give-slot":
      case "need-input":
      case "enqueue":
        return this.reconcile();
      default:
        return;
    }
  }

  #askAgain(command: Command): void {
    this.#world.sometimes.happened("command refused as a bug");
    if (command.type === "owner-gone") return;
    this.#process.after(1, () => this.send(command));
    if (command.type !== "retry") return;
    // What was to follow the retry could not.
    const job = [...this.jobs.values()].find(({ key }) => key === command.key);
    if (job?.phase !== "waiting") return;
    job.phase = "retrying";
    this.#process.after(50, () => {
      if (job.phase === "retrying") this.#enqueue(job);
    });
  }

  /** Something happened to a row of ours, in a turn of our own or of another. */
  hear(notice: Extract<Notice, { readonly key: number }>): void {
    const request = this.#requests.get(notice.taskId);
    if (request !== undefined) return this.#requests.hear(request, notice);
    const job = this.jobs.get(notice.taskId);
    if (job === undefined || (job.key !== 0 && job.key !== notice.key)) return;
    switch (notice.type) {
      case "submitted":
        return this.#submitted(job, notice.key);
      case "admitted":
        return this.#admitted(job, notice);
      case "confirmed":
        if (job.phase === "confirming" && job.fence === notice.fence) this.#start(job);
        return;
      case "requeued":
        if (job.phase !== "confirming") return;
        job.phase = "waiting";
        // Told late, it may speak of the grant before.
        return this.#process.after(1, () => this.reconcile());
      case "ended":
      case "suspended":
        return this.#over(job);
      case "stop-requested":
        return this.#stopAgent(job, "cancelled");
      case "quarantined":
        job.isQuarantined = true;
        return;
      case "waiting":
      case "reserved":
        return;
    }
  }

  #submitted(job: Job, key: number): void {
    job.key = key;
    if (job.phase !== "sent") return;
    if (job.plan.blockedMs === 0) {
      job.phase = "waiting";
      return;
    }
    job.phase = "blocked";
    this.#process.after(job.plan.blockedMs, () => this.#enqueue(job));
  }

  #enqueue(job: Job): void {
    if (job.phase === "over") return;
    job.phase = "waiting";
    this.send({ type: "enqueue", key: job.key, rank: this.#world.agenda.nowMs });
  }

  #admitted(job: Job, notice: Extract<Notice, { readonly type: "admitted" }>): void {
    if (job.phase === "running" || job.phase === "over") return;
    job.key = notice.key;
    job.fence = notice.fence;
    job.members = notice.members;
    if (notice.isOwn) return this.#start(job);
    this.#world.sometimes.happened("admitted by another owner's turn");
    this.#confirm(job);
  }

  #start(job: Job): void {
    if (job.stop !== null) return this.finish(job, job.stop);
    // The same grant is told again, and it is on its way back.
    if (job.sentBack?.fence === job.fence) return;
    const wrong = this.#world.strangers.wrongWith(job);
    if (wrong === null) return job.start();
    job.phase = "waiting";
    job.sentBack = { fence: job.fence, wrong };
    this.send({ type: "put-back", key: job.key, fence: job.fence, ...wrong });
  }

  #confirm(job: Job): void {
    job.phase = "confirming";
    this.send({ type: "confirm", key: job.key, fence: job.fence });
  }

  #over(job: Job | undefined): void {
    if (job === undefined || job.phase === "over") return;
    job.phase = "over";
    job.disown();
    for (const request of job.requests) this.#requests.forget(request);
    job.onOver?.();
  }

  /** Compares what it believes with what stands in the store. */
  reconcile(): void {
    if (this.#process.isCrashed) return;
    const seen = new Map(this.#world.store.rowsOf(this.#process.ownerId).map((row) => [row.taskId, row]));
    for (const row of seen.values()) if (row.kind === "task") this.#reconcileJob(this.#jobFor(row), row);
    for (const job of [...this.jobs.values()])
      if (job.phase !== "over" && !seen.has(job.plan.taskId) && job.phase !== "sent") this.#over(job);
    for (const job of [...this.jobs.values()])
      if (job.phase === "sent" && job.key === 0 && !seen.has(job.plan.taskId)) this.#unsent(job);
    this.#requests.reconcile(seen);
    this.#armDue();
  }

  /** Either still on its way, or ended before we learnt of it: asked once more, and refused when it is known. */
  #unsent(job: Job): void {
    const found = this.#world.store.find("w", job.plan.taskId);
    if (found !== undefined || this.#world.wasSubmitted(job.plan.taskId)) this.#over(job);
  }

  #reconcileJob(job: Job, row: Seen): void {
    job.key = row.key;
    switch (row.status) {
      case "starting":
      case "running":
      case "needs_input":
        if (job.phase === "running" || job.phase === "settling") return;
        // It gave this attempt up, and the store does not know yet.
        if (job.sentBack?.fence === row.fence)
          return this.send({ type: "put-back", key: row.key, fence: row.fence, ...job.sentBack.wrong });
        if (job.gaveUpFence === row.fence) return this.send({ type: "retry", key: row.key, fence: row.fence });
        job.fence = row.fence;
        job.members = row.members;
        return this.#confirm(job);
      case "ending":
        // Granted, and judged gone before it learnt of it: nothing of it ever ran.
        if (job.phase === "running" || job.phase === "settling") return;
        job.fence = row.fence;
        return this.finish(job, "failed");
      case "blocked":
        if (job.phase === "sent") this.#submitted(job, row.key);
        return;
      case "waiting":
        if (job.phase === "sent" || job.phase === "confirming") job.phase = "waiting";
        return;
      case "retrying":
        if (job.phase === "waiting") this.#enqueue(job);
        else if (job.phase === "settling")
          this.send({ type: "cancel", key: row.key, status: "cancelled", result: null });
        return;
      default:
        return;
    }
  }

  // ------------------------------------------------------------------ what agents ask for

  request(job: Job, ask: RequestAsk): Request {
    return this.#requests.make(job, ask);
  }

  release(request: Request): void {
    this.#requests.release(request);
  }

  later(job: Job, delayMs: number, fire: () => void): void {
    if (job.plan.holder === "owned") this.#world.agenda.after(delayMs, fire);
    else this.#process.after(delayMs, fire);
  }

  tell(_job: Job, what: () => void): void {
    this.#process.whenAwake(what);
  }

  claimsOf(plan: TaskPlan): readonly ResolvedClaim[] {
    return this.#world.strangers.claimsOf(plan);
  }

  mayTouch(job: Job): boolean {
    return this.#world.mayTouch(job);
  }

  touch(job: Job, touchId: string, claims: readonly ResolvedClaim[], members: Members): void {
    this.#world.touch(job, touchId, claims, members);
  }

  untouch(touchId: string): void {
    this.#world.untouch(touchId);
  }

  startChildren(job: Job, plans: readonly TaskPlan[]): readonly Job[] {
    return plans.map((plan) =>
      this.submit(this.#world.renamed(plan, `${job.plan.taskId}#${job.fence}`), {
        parent: job,
        ancestors: [job.key, ...job.ancestors],
      }),
    );
  }

  giveSlot(job: Job, asPerson: boolean): void {
    this.send({ type: asPerson ? "need-input" : "give-slot", key: job.key, fence: job.fence });
  }

  retry(job: Job, delayMs: number): void {
    this.#world.sometimes.happened("attempt retried");
    this.send({ type: "retry", key: job.key, fence: job.fence });
    if (this.#world.chance.is(this.#world.weather.duplicates)) {
      this.#process.sendLate({ type: "settle", key: job.key, fence: job.fence, status: "succeeded", result: null });
    }
    job.phase = "retrying";
    job.gaveUpFence = job.fence;
    this.#process.after(delayMs, () => {
      if (job.phase === "retrying") this.#enqueue(job);
    });
  }

  renew({ key, fence, plan: { leaseMs } }: Job): void {
    this.send({ type: "renew", key, fence, leaseMs });
  }

  finish(job: Job, status: FinalStatus): void {
    if (job.phase === "over") return;
    if (job.isQuarantined) this.#world.sometimes.happened("quarantined, then settled late");
    job.phase = "settling";
    this.send({ type: "settle", key: job.key, fence: job.fence, status, result: null });
  }

  cancelChild(child: Job): void {
    if (child.phase === "over") return;
    if (child.key > 0) this.send({ type: "cancel", key: child.key, status: "cancelled", result: null });
    // Its submission is on its way: asked again until it is known.
    else this.#process.after(ADMISSION.testsPerRelease, () => this.cancelChild(child));
  }

  #stopAgent(job: Job, status: FinalStatus): void {
    if (job.stop !== null || job.phase === "over") return;
    job.stop = status;
    // Between two attempts there is nobody to ask: it leaves by another cancel.
    if (job.phase === "retrying") return this.send({ type: "cancel", key: job.key, status: "cancelled", result: null });
    // It was granted and does not know it yet: it ends when it learns of it.
    if (job.phase !== "running") return;
    const { fence } = job;
    if (job.plan.ignoresAbort) this.#world.sometimes.happened("ignored being asked to stop");
    job.abort(this.#world.chance.pick(600));
    this.#process.after(GRACE_MS, () => this.#stillStopping(job, { type: "ending", key: job.key, fence }));
    this.#process.after(GRACE_MS * 3, () => this.#stillStopping(job, { type: "quarantine", key: job.key, fence }));
  }

  #stillStopping(job: Job, command: Command): void {
    if (job.phase === "running") this.send(command);
  }
}
