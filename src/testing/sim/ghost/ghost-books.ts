/** The ghost's own books of tasks: who waits, who holds what, by what was said alone. */
import type { Command } from "../../../core/command.ts";
import type { FinalStatus } from "../../../core/task.ts";
import type { Verdict } from "../violation.ts";
import { GhostCounts } from "./ghost-counts.ts";
import { GhostOwners } from "./ghost-owners.ts";
import { GhostNames, type GhostTask } from "./ghost-task.ts";

type Enqueue = Extract<Command, { readonly type: "enqueue" }>;

export class GhostBooks {
  readonly verdict: Verdict;
  readonly counts: GhostCounts;
  readonly owners: GhostOwners;
  readonly names = new GhostNames();
  readonly tasks = new Map<number, GhostTask>();
  readonly waiting = new Set<GhostTask>();
  readonly held = new Set<GhostTask>();
  /** Ids of tasks that were ever acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Settlements accepted in the present turn, and what they said. */
  readonly settled = new Map<number, FinalStatus>();
  /** Tasks that were asked out of the line in the present turn. */
  readonly suspended = new Set<number>();
  /** Tasks that were put back in line in the present turn. */
  readonly putBack = new Set<number>();
  readonly #enqueued = new Map<number, Enqueue>();
  /** Whether a turn may meet a broken invariant that the simulation planted. */
  expectsBugs = false;
  nowMs = 0;
  turn = 0;

  constructor(verdict: Verdict) {
    this.verdict = verdict;
    this.counts = new GhostCounts(verdict);
    this.owners = new GhostOwners(verdict);
  }

  beginTurn(nowMs: number): void {
    this.turn++;
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.counts.beginTurn();
    this.settled.clear();
    this.suspended.clear();
    this.putBack.clear();
    this.#enqueued.clear();
  }

  /** Units wanted of a node when what it has, and what is held by those it runs inside of, counts as held. */
  wanted(task: GhostTask, node: string, units: number): number {
    let own = task.taken?.[node] ?? 0;
    if (task.ancestors.length > 0) {
      for (const other of this.held)
        if (other !== task && task.ancestors.includes(other.holderKey)) own += other.taken?.[node] ?? 0;
    }
    return Math.max(0, units - own);
  }

  /** What it had counted for those inside it, who use it still: it is theirs now. */
  #passOn(task: GhostTask): void {
    for (const other of [...this.held].sort((a, b) => a.key - b.key)) {
      if (other === task || !other.ancestors.includes(task.holderKey)) continue;
      for (const claim of other.claims) {
        const lacking = claim.what === "units" ? this.wanted(other, claim.node, claim.units) : 0;
        if (lacking > 0) this.counts.takeOver(other, claim.node, lacking);
      }
    }
  }

  /** It holds nothing any more, and stands where it is put. */
  letGo(task: GhostTask, state: GhostTask["state"]): void {
    const hadUnits = task.taken !== null;
    this.counts.giveUnits(task);
    this.counts.giveSlot(task);
    this.held.delete(task);
    this.waiting.delete(task);
    task.hasReserved = false;
    task.epoch = null;
    task.fence = 0;
    task.isConfirmed = false;
    task.isQuarantined = false;
    task.state = state;
    if (hadUnits) this.#passOn(task);
  }

  /** It was let into the line in this turn, after everything in the turn that lets go. */
  willStandInLine(command: Enqueue): void {
    if (this.#enqueued.has(command.key))
      this.verdict.fail("duplicate", `task ${command.key} entered the line twice in one turn`);
    this.#enqueued.set(command.key, command);
  }

  /** True when it enters the line in this turn, and then with this rank. */
  entersWithRank(key: number, rank: number): boolean {
    const command = this.#enqueued.get(key);
    if (command === undefined) return false;
    this.#enqueued.set(key, { ...command, rank });
    return true;
  }

  /** Something is said of a task that may have entered the line by now. */
  standsInLineByNow(task: GhostTask): void {
    const command = this.#enqueued.get(task.key);
    if (command === undefined || task.state === "held" || task.state === "waiting" || task.state === "ended") return;
    this.#enqueued.delete(task.key);
    task.state = "waiting";
    task.rank = command.rank;
    task.rankedIn = this.turn;
    if (command.ownerId !== undefined) task.ownerId = command.ownerId;
    this.standInLine(task);
  }

  /** Whoever entered the line was told what came of it. */
  endTurn(): void {
    for (const key of this.#enqueued.keys()) {
      const task = this.tasks.get(key);
      this.verdict.fail(
        "duplicate",
        `${task?.taskId ?? key} entered the line while it was ${task?.state ?? "unknown"}`,
      );
    }
    for (const key of this.settled.keys())
      this.verdict.fail("lost", `the settlement of task ${key} was accepted and it did not end`);
  }

  standInLine(task: GhostTask): void {
    task.waitingSinceMs = this.nowMs;
    this.waiting.add(task);
  }
}
