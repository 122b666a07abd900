/** One simulated world: processes, their store, faults, people, and the ghost that listens. */

import { LEASE } from "../../../core/bounds.ts";
import type { ResolvedClaim } from "../../../core/claims.ts";
import type { Command, Owner } from "../../../core/command.ts";
import { isFinal } from "../../../core/row.ts";
import { Agenda } from "../agenda.ts";
import { Chance } from "../chance.ts";
import { Ghost, type HeardTurn } from "../ghost/ghost.ts";
import { ghostClaim } from "../ghost/ghost-task.ts";
import { describeCommand, describeNotice, type Notice, noticesOf } from "../notice.ts";
import type { SimStore } from "../sim-store.ts";
import type { Sometimes } from "../sometimes.ts";
import { Trace } from "../trace.ts";
import { Verdict } from "../violation.ts";
import type { KernelEvent } from "./catalogue.ts";
import type { Job } from "./job.ts";
import { observe } from "./observe.ts";
import { AGENT_LIMIT, Planner, PORTS, type TaskPlan } from "./plan.ts";
import type { Members } from "./request.ts";
import { SimProcess } from "./sim-process.ts";
import { Strangers } from "./strangers.ts";
import { drawWeather, type Weather } from "./weather.ts";

export class KernelWorld {
  readonly chance: Chance;
  readonly weather: Weather;
  readonly agenda = new Agenda(1_000);
  readonly trace = new Trace();
  readonly verdict = new Verdict();
  readonly ghost = new Ghost(this.verdict);
  readonly store: SimStore;
  readonly sometimes: Sometimes<KernelEvent>;
  readonly planner: Planner;
  readonly plans = new Map<string, TaskPlan>();
  readonly #limits = new Map<string, readonly string[]>();
  readonly strangers: Strangers;
  readonly processes: SimProcess[] = [];
  isCalm = false;
  /** Child processes of dead owners that still run. */
  readonly zombies = new Map<string, Set<Job>>();
  /** Pool members that were given to somebody. */
  readonly given = new Set<string>();
  /** Holders that wait, or waited, for a person. */
  readonly askedPeople = new Set<number>();
  readonly #submitted = new Set<string>();
  /** Holders that are judged again at every write: what they touch ends with their row. */
  readonly #jobsByKey = new Map<number, Job>();
  readonly #sweeping = new Set<string>();
  #renamed = 0;

  constructor(seed: number, store: SimStore, sometimes: Sometimes<KernelEvent>) {
    this.chance = new Chance(seed);
    this.weather = drawWeather(this.chance);
    this.store = store;
    this.sometimes = sometimes;
    this.planner = new Planner(this.chance, this.weather);
    this.strangers = new Strangers(this);
    this.ghost.books.expectsBugs = this.weather.turnFaultEveryMs > 0;
  }

  /** Processes join, and what there is to share is declared. */
  open(): void {
    this.note("world", JSON.stringify(this.weather));
    for (let index = 1; index <= this.weather.owners; index++) this.addProcess();
    const [first] = this.processes;
    if (first === undefined) return;
    const { chance } = this;
    const by = "file";
    first.send({
      type: "declare",
      node: "c:build",
      kind: "capacity",
      capacity: chance.between(2, 4),
      by,
      authority: false,
    });
    first.send({ type: "declare", node: "c:gpu", kind: "capacity", capacity: 1, by, authority: false });
    first.send({
      type: "declare",
      node: "p:ports",
      kind: "pool",
      capacity: PORTS.length,
      by,
      authority: false,
      members: PORTS,
    });
    first.send({
      type: "declare",
      node: "r:api",
      kind: "rate",
      capacity: 2,
      intervalMs: chance.between(40, 400),
      by,
      authority: false,
    });
    first.send({
      type: "declare",
      node: AGENT_LIMIT,
      kind: "limit",
      capacity: chance.between(1, 3),
      by,
      authority: false,
    });
  }

  addProcess(): SimProcess {
    const process = new SimProcess(this, `o${this.processes.length + 1}`);
    this.processes.push(process);
    const { nowMs } = this.agenda;
    const effects = this.store.listen(process.owner, nowMs, (told) => this.#tellLater(process, noticesOf(told, "")));
    const command: Command = { type: "owner-join", owner: process.owner };
    this.heard({ callerId: process.ownerId, commands: [command], nowMs, notices: noticesOf(effects, process.ownerId) });
    process.begin();
    process.send({
      type: "declare",
      node: this.slotsOf(process.ownerId),
      kind: "limit",
      capacity: this.chance.between(2, 5),
      by: process.ownerId,
      authority: false,
    });
    return process;
  }

  slotsOf(ownerId: string): string {
    return `l:slots:${ownerId}`;
  }

  /** Fixed with the submission: whoever adopts the task later runs it under the same limits. */
  limitsOf({ taskId, usesSlot, usesAgentLimit }: TaskPlan, ownerId: string): readonly string[] {
    const known = this.#limits.get(taskId);
    if (known !== undefined) return known;
    const slots = usesSlot ? [this.slotsOf(ownerId)] : [];
    const limits = usesAgentLimit ? [...slots, AGENT_LIMIT] : slots;
    this.#limits.set(taskId, limits);
    return limits;
  }

  get alive(): SimProcess[] {
    return this.processes.filter(({ isCrashed }) => !isCrashed);
  }

  // ------------------------------------------------------------------ hearing

  note(who: string, line: string): void {
    this.trace.add(this.agenda.nowMs, `${who.padEnd(5)} ${line}`);
  }

  /** A turn was made: the ghost hears it, and so do those whose rows it moved. */
  heard(turn: HeardTurn): void {
    this.note(
      turn.callerId,
      `[${turn.commands.map(describeCommand).join("; ")}] → ${turn.notices.map(describeNotice).join(", ")}`,
    );
    observe(this, turn);
    this.ghost.heard(turn);
    for (const notice of turn.notices) {
      const answered =
        "index" in notice && !(notice.type === "refused" && notice.code === "BUG")
          ? turn.commands[notice.index]
          : undefined;
      if (answered?.type === "submit") this.#submitted.add(answered.row.taskId);
      if (notice.type === "ended" || notice.type === "suspended")
        this.#lapse(notice.key, notice.type === "ended" && notice.code === "BUG");
    }
    for (const process of this.processes) {
      if (process.ownerId !== turn.callerId && !process.isCrashed) this.store.poll(process.ownerId);
    }
  }

  /** A guest's next write is judged anew, and what was condemned is stopped by whoever condemned it. */
  #lapse(key: number, isCondemned: boolean): void {
    const job = this.#jobsByKey.get(key);
    if (job === undefined) return;
    if (job.plan.holder === "guest" || isCondemned) job.dropTouches();
    this.#jobsByKey.delete(key);
  }

  #tellLater(process: SimProcess, notices: readonly Notice[]): void {
    process.after(this.chance.pick(this.isCalm ? 3 : 30), () => {
      for (const notice of notices)
        if ("key" in notice && notice.ownerId === process.ownerId) process.desk.hear(notice);
    });
  }

  wasSubmitted(taskId: string): boolean {
    return this.#submitted.has(taskId);
  }

  /** Whether the store can know that it has this task already. */
  refusesAgain(taskId: string): boolean {
    return this.store.find("w", taskId) !== undefined;
  }

  /** A guest's write is judged anew at the hook: only when its row still stands as it thinks. */
  mayTouch(job: Job): boolean {
    if (job.plan.holder !== "guest") return true;
    const seen = this.store.find("w", job.plan.taskId);
    return seen?.key === job.key && seen.fence === job.fence && !isFinal(seen.status);
  }

  /** Tasks made by an agent are new with every attempt. */
  renamed(plan: TaskPlan, by: string): TaskPlan {
    return { ...plan, taskId: `${by}/${++this.#renamed}` };
  }

  touch(job: Job, touchId: string, claims: readonly ResolvedClaim[], members: Members): void {
    this.note("agent", `${touchId} begins`);
    this.#jobsByKey.set(job.key, job);
    const touch = {
      id: touchId,
      fence: Number(touchId.split("#").at(-1)),
      holderKey: job.key,
      ancestors: job.ancestors,
      claims: claims.map(ghostClaim),
      members: members ?? {},
    };
    this.ghost.begin(touch, job.fence);
  }

  untouch(touchId: string): void {
    this.note("agent", `${touchId} stops`);
    this.ghost.touches.end(touchId);
  }

  // ------------------------------------------------------------------ judging owners

  /** What one process makes of another's lease: it looks at the process when it can, else at the lease alone. */
  judgeOwner(judge: SimProcess, owner: Owner): void {
    const process = this.processes.find(({ ownerId }) => ownerId === owner.ownerId);
    if (process === undefined) return;
    if (this.weather.canSeeProcesses) {
      if (process.isCrashed) this.#sweep(judge, process);
      return;
    }
    if (judge.nowMs() - owner.beatAtMs <= LEASE.timeToLiveMs) return;
    if (!process.isCrashed) this.sometimes.happened("owner judged gone while it lived");
    judge.send({ type: "owner-gone", ownerId: owner.ownerId, isProven: false });
  }

  /** What a dead process left behind is killed and seen dead before its death counts as proven. */
  #sweep(judge: SimProcess, process: SimProcess): void {
    const { ownerId } = process;
    if (this.#sweeping.has(ownerId)) return;
    this.#sweeping.add(ownerId);
    const zombies = this.zombies.get(ownerId);
    const isStuck = !this.isCalm && (zombies?.size ?? 0) > 0 && this.chance.is(0.2);
    judge.after(this.chance.between(5, 400), () => {
      this.#sweeping.delete(ownerId);
      if (!isStuck && zombies !== undefined && zombies.size > 0) {
        this.sometimes.happened("zombies swept before the locks went on");
        for (const job of zombies) job.dropTouches();
        zombies.clear();
      }
      judge.send({ type: "owner-gone", ownerId, isProven: !isStuck });
    });
    // A judge that dies meanwhile leaves the work to the next.
    this.agenda.after(1_000, () => this.#sweeping.delete(ownerId));
  }
}
