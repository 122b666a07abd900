/**
 * One task as its process knows it, and the agent that performs it. The agent says when it begins to touch something and
 * when it stops; that is all the ghost believes about it.
 */
import type { ResolvedClaim } from "../../../core/claims.ts";
import type { FinalStatus } from "../../../core/task.ts";
import type { Step, TaskPlan } from "./plan.ts";
import type { Members, Request, RequestAsk } from "./request.ts";
import type { Wrong } from "./strangers.ts";

export type JobPhase = "sent" | "blocked" | "waiting" | "confirming" | "running" | "retrying" | "settling" | "over";

/** What an agent may ask of the process it runs in, and of the world. */
export interface JobHost {
  mayTouch(job: Job): boolean;
  /** What it claims by now. */
  claimsOf(plan: TaskPlan): readonly ResolvedClaim[];
  /** Time as this job's agent feels it: a child process runs on while its owner is stopped. */
  later(job: Job, delayMs: number, fire: () => void): void;
  /** Tells the owner; waits while it is stopped, is lost when it is dead. */
  tell(job: Job, what: () => void): void;
  touch(job: Job, touchId: string, claims: readonly ResolvedClaim[], members: Members): void;
  untouch(touchId: string): void;
  request(job: Job, ask: RequestAsk): Request;
  release(request: Request): void;
  startChildren(job: Job, plans: readonly TaskPlan[]): readonly Job[];
  giveSlot(job: Job, asPerson: boolean): void;
  retry(job: Job, delayMs: number): void;
  renew(job: Job): void;
  finish(job: Job, status: FinalStatus): void;
  cancelChild(child: Job): void;
}

export class Job {
  readonly plan: TaskPlan;
  readonly ancestors: readonly number[];
  readonly parent: Job | null;
  readonly #host: JobHost;
  key = 0;
  fence = 0;
  members: Members = null;
  /** Of the attempt after which it asked for another. */
  gaveUpFence = 0;
  /** Of the grant it has sent back, and why, until that was answered. */
  sentBack: { readonly fence: number; readonly wrong: Wrong } | null = null;
  phase: JobPhase = "sent";
  /** Requests that have not ended. */
  readonly requests = new Set<Request>();
  children: readonly Job[] = [];
  onOver: (() => void) | null = null;
  /** How it was asked to stop. */
  stop: FinalStatus | null = null;
  isQuarantined = false;
  #step = 0;
  /** Grows with each attempt and with its end: timers of an earlier one find that they are late. */
  #life = 0;
  readonly #touches = new Set<string>();

  constructor(
    host: JobHost,
    plan: TaskPlan,
    inside: { readonly parent: Job | null; readonly ancestors: readonly number[] },
  ) {
    this.#host = host;
    this.plan = plan;
    this.parent = inside.parent;
    this.ancestors = inside.ancestors;
  }

  get isTouching(): boolean {
    return this.#touches.size > 0;
  }

  /** The agent begins, or begins again after a failed attempt. */
  start(): void {
    if (!this.#host.mayTouch(this)) return;
    this.phase = "running";
    this.#life++;
    this.#touch(`${this.plan.taskId}#${this.fence}`, this.#host.claimsOf(this.plan), this.members);
    if (this.plan.leaseMs > 0) this.#renewLater(this.plan.fallsSilent ? 2 : Number.POSITIVE_INFINITY);
    this.#next();
  }

  /** Signs of life, so many more of them. */
  #renewLater(times: number): void {
    if (times === 0) return;
    this.#later(Math.ceil(this.plan.leaseMs / 3), () => {
      this.#tell(() => this.#host.renew(this));
      this.#renewLater(times - 1);
    });
  }

  #touch(touchId: string, claims: readonly ResolvedClaim[], members: Members): void {
    this.#touches.add(touchId);
    this.#host.touch(this, touchId, claims, members);
  }

  #untouch(touchId: string): void {
    if (this.#touches.delete(touchId)) this.#host.untouch(touchId);
  }

  /** It touches nothing any more: it has stopped, or has been killed. */
  dropTouches(): void {
    for (const touchId of this.#touches) this.#host.untouch(touchId);
    this.#touches.clear();
  }

  #later(delayMs: number, fire: () => void): void {
    const life = this.#life;
    this.#host.later(this, delayMs, () => {
      if (this.#life === life) fire();
    });
  }

  #next(): void {
    const step = this.plan.steps[this.#step++];
    if (step === undefined) return this.#end(this.plan.status);
    switch (step.do) {
      case "work":
        return this.#later(step.ms, () => this.#next());
      case "lock":
        return this.#lock(step);
      case "children":
        return this.#tell(() => (step.isWaitedFor ? this.#runChildren(step.plans) : this.#leaveChildren(step.plans)));
      case "ask":
        return this.#tell(() => {
          this.#host.giveSlot(this, true);
          this.#later(step.ms, () => this.#tell(() => this.#takeSlot()));
        });
      case "retry": {
        if (this.stop !== null) return this.#next();
        this.#life++;
        this.dropTouches();
        const life = this.#life;
        this.#host.tell(this, () => {
          if (this.#life === life) this.#host.retry(this, step.delayMs);
        });
        return;
      }
    }
  }

  #tell(what: () => void): void {
    const life = this.#life;
    this.#host.tell(this, () => {
      if (this.#life === life) what();
    });
  }

  #lock({ claims, holdMs, queueTimeoutMs, beside }: Extract<Step, { readonly do: "lock" }>): void {
    this.#tell(() => {
      const life = this.#life;
      if (beside.length > 0) this.#lockBeside(beside);
      const request = this.#host.request(this, { claims, queueTimeoutMs, wantsSlot: false });
      const touchId = (): string => `${request.taskId}#${request.fence}`;
      request.onGranted = (members) => {
        if (this.#life !== life || !this.#host.mayTouch(this)) return this.#host.release(request);
        this.#touch(touchId(), claims, members);
        if (holdMs === 0) return this.#next();
        this.#later(holdMs, () => {
          this.#untouch(touchId());
          this.#tell(() => this.#host.release(request));
          this.#next();
        });
      };
      request.onDenied = () => {
        if (this.#life === life) this.#next();
      };
    });
  }

  /** Nobody waits for it; what it got goes with the task. */
  #lockBeside(claims: readonly ResolvedClaim[]): void {
    const life = this.#life;
    const request = this.#host.request(this, { claims, queueTimeoutMs: 0, wantsSlot: false });
    request.onGranted = (members) => {
      if (this.#life !== life || !this.#host.mayTouch(this)) return this.#host.release(request);
      this.#touch(`${request.taskId}#${request.fence}`, claims, members);
    };
  }

  #runChildren(plans: readonly TaskPlan[]): void {
    this.#host.giveSlot(this, false);
    const started = this.#host.startChildren(this, plans);
    this.children = [...this.children, ...started];
    const goOn = (): void => {
      if (started.every(({ phase }) => phase === "over")) this.#takeSlot();
    };
    const life = this.#life;
    for (const child of started) {
      child.onOver = () => {
        if (this.#life === life) goOn();
      };
    }
    goOn();
  }

  /** In the background: it goes on, and its slot stays its own. */
  #leaveChildren(plans: readonly TaskPlan[]): void {
    this.children = [...this.children, ...this.#host.startChildren(this, plans)];
    this.#next();
  }

  #takeSlot(): void {
    const life = this.#life;
    const request = this.#host.request(this, { claims: [], queueTimeoutMs: 0, wantsSlot: true });
    request.onGranted = () => {
      if (this.#life === life) this.#next();
    };
    request.onDenied = () => {
      if (this.#life === life) this.#end("failed");
    };
  }

  #end(status: FinalStatus): void {
    this.#life++;
    this.#tell(() => this.#endWhenChildrenHave(this.stop ?? status));
  }

  /** What runs inside it ends first, when its owner sees to that; what is left behind goes on by itself. */
  #endWhenChildrenHave(status: FinalStatus): void {
    const live = this.children.filter(({ phase }) => phase !== "over");
    if (live.length === 0 || this.plan.leavesChildren) {
      this.dropTouches();
      return this.#host.finish(this, status);
    }
    for (const child of live) {
      child.onOver = () => {
        if (this.children.every(({ phase }) => phase === "over") && this.phase === "running") {
          this.dropTouches();
          this.#host.finish(this, status);
        }
      };
      this.#host.cancelChild(child);
    }
  }

  /** The agent hears that it should stop, and does unless it is stubborn. */
  abort(reactMs: number): void {
    if (this.plan.ignoresAbort) return;
    this.#later(reactMs, () => this.#end(this.stop ?? "cancelled"));
  }

  /** The store has ended it behind the owner's back: the agent is stopped at once, nothing it says counts. */
  disown(): void {
    this.#life++;
    this.dropTouches();
  }

  /** Its process died. A child process lives on for a while, and with it what it touches. */
  orphan(): void {
    this.#life++;
  }
}
