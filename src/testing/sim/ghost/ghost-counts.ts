/** What is counted, in the ghost's own books: units, members of pools, rates, slots. */
import type { Command } from "../../../core/command.ts";
import type { Verdict } from "../violation.ts";
import type { GhostTask } from "./ghost-task.ts";

interface Declared {
  readonly by: string;
  readonly capacity: number;
  readonly isAuthority: boolean;
}

interface GhostCounter {
  readonly node: string;
  declared: Declared[];
  capacity: number;
  /** Greatest number that stood at any moment of the present turn, and all that did. */
  capacityThisTurn: number;
  readonly stoodThisTurn: Set<number>;
  used: number;
  readonly memberCount: number;
  readonly intervalMs: number;
  tokens: number;
  tokensAtMs: number;
  /** Of a rate: its provider gives nothing before that time. */
  restsUntilMs: number;
  /** Members of a pool that a stranger uses, and until when they are not to be given out. */
  readonly outUntilMs: Map<string, number>;
}

export class GhostCounts {
  readonly #counters = new Map<string, GhostCounter>();
  readonly #verdict: Verdict;

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  beginTurn(): void {
    for (const counter of this.#counters.values()) {
      counter.capacityThisTurn = counter.capacity;
      counter.stoodThisTurn.clear();
    }
  }

  /** The user's own number wins (the last one said), otherwise the smallest that somebody who lives has said. */
  declare(command: Extract<Command, { readonly type: "declare" }>): void {
    const { node, by, authority: isAuthority } = command;
    const capacity = command.members?.length ?? command.capacity;
    let counter = this.#counters.get(node);
    if (counter === undefined) {
      counter = {
        node,
        declared: [],
        capacity,
        capacityThisTurn: capacity,
        stoodThisTurn: new Set(),
        used: 0,
        memberCount: command.members?.length ?? 0,
        intervalMs: command.intervalMs ?? 0,
        tokens: capacity,
        tokensAtMs: 0,
        restsUntilMs: 0,
        outUntilMs: new Map(),
      };
      this.#counters.set(node, counter);
    }
    counter.declared = [...counter.declared.filter((other) => other.by !== by), { by, capacity, isAuthority }];
    settleNumber(counter);
  }

  withdraw(by: string, node?: string): void {
    for (const counter of this.#counters.values()) {
      if (node !== undefined && counter.node !== node) continue;
      const left = counter.declared.filter((other) => other.by !== by);
      if (left.length === counter.declared.length) continue;
      counter.declared = left;
      // The last number stays for whoever still waits, and gives way to the next that is said.
      if (left.length > 0) settleNumber(counter);
    }
  }

  /** B3: an overloaded provider gives nothing for so long. */
  slowDown(node: string, untilMs: number): void {
    const counter = this.#counters.get(node);
    if (counter !== undefined) counter.restsUntilMs = Math.max(counter.restsUntilMs, untilMs);
  }

  /** B2: a stranger uses this member. */
  takeOut(node: string, member: string, untilMs: number): void {
    this.#counters.get(node)?.outUntilMs.set(member, untilMs);
  }

  /** Members that were out of order at that time or later. */
  outSince(node: string, timeMs: number): number {
    const times = this.#counters.get(node)?.outUntilMs.values() ?? [];
    return [...times].filter((untilMs) => untilMs > timeMs).length;
  }

  capacity(node: string): number {
    return this.#counters.get(node)?.capacity ?? 0;
  }

  /** Whether this was its number at some moment of the present turn. */
  stoodAt(node: string, capacity: number): boolean {
    const counter = this.#counters.get(node);
    return counter !== undefined && (counter.capacity === capacity || counter.stoodThisTurn.has(capacity));
  }

  /** Whether more than the number that stands, or has stood in this turn, is asked for. */
  isExceeded(node: string, units: number): boolean {
    const counter = this.#counters.get(node);
    return counter !== undefined && [counter.capacity, ...counter.stoodThisTurn].some((number) => units > number);
  }

  knows(node: string): boolean {
    return this.#counters.has(node);
  }

  used(node: string): number {
    return this.#counters.get(node)?.used ?? 0;
  }

  isFull(node: string): boolean {
    const counter = this.#counters.get(node);
    return counter === undefined || counter.used >= counter.capacity;
  }

  /** Takes units that a grant gave; `members` are what a pool handed out. */
  takeUnits(task: GhostTask, node: string, units: number): void {
    const counter = this.#counters.get(node);
    if (counter === undefined) return this.#verdict.fail("L3", `${task.taskId} got ${node}, which nobody has declared`);
    task.taken = { ...task.taken, [node]: units };
    counter.used += units;
    if (units > 0 && counter.used > counter.capacityThisTurn) {
      this.#verdict.fail("L3", `${counter.used} units of ${node} are out and there are ${counter.capacityThisTurn}`);
    }
    const wanted = task.claims.find((claim) => claim.node === node)?.units ?? 0;
    if (counter.memberCount > 0 && (task.members?.[node]?.length ?? 0) !== wanted) {
      this.#verdict.fail(
        "L3",
        `${task.taskId} got ${task.members?.[node]?.length ?? 0} members of ${node} and wants ${wanted}`,
      );
    }
  }

  /** B2. What somebody around it holds may be lent by them. */
  judgeMembers(task: GhostTask, lent: (node: string, member: string) => boolean, nowMs: number): void {
    for (const [node, members] of Object.entries(task.members ?? {})) {
      for (const member of members) {
        const untilMs = this.#counters.get(node)?.outUntilMs.get(member) ?? 0;
        if (untilMs > nowMs && !lent(node, member))
          this.#verdict.fail(
            "B2",
            `${task.taskId} got ${member} of ${node}, which is out of order for ${untilMs - nowMs} ms`,
          );
      }
    }
  }

  /** What somebody who let go had counted for it is its own now: more may be out than there are. */
  takeOver(task: GhostTask, node: string, units: number): void {
    const counter = this.#counters.get(node);
    if (counter === undefined) return;
    task.taken = { ...task.taken, [node]: (task.taken?.[node] ?? 0) + units };
    counter.used += units;
  }

  giveUnits(task: GhostTask): void {
    if (task.taken === null) return;
    for (const [node, units] of Object.entries(task.taken)) {
      const counter = this.#counters.get(node);
      if (counter !== undefined) counter.used -= units;
    }
    task.taken = null;
    task.members = null;
  }

  /** A bucket of its own: filled by time up to the burst, emptied by grants. */
  takeRate(task: GhostTask, { node, units }: { readonly node: string; readonly units: number }, nowMs: number): void {
    const counter = this.#counters.get(node);
    if (counter === undefined) return this.#verdict.fail("L3", `${task.taskId} got ${node}, which nobody has declared`);
    if (units > 0 && nowMs < counter.restsUntilMs)
      this.#verdict.fail(
        "B3",
        `${task.taskId} took ${units} of ${node}, which rests for ${counter.restsUntilMs - nowMs} ms`,
      );
    const filled = counter.tokens + (nowMs - counter.tokensAtMs) / counter.intervalMs;
    counter.tokens = Math.min(counter.capacityThisTurn, filled) - units;
    counter.tokensAtMs = nowMs;
    if (counter.tokens < -1e-6) {
      this.#verdict.fail(
        "L3",
        `${task.taskId} took ${units} of ${node}, and ${(counter.tokens + units).toFixed(3)} were there`,
      );
    }
  }

  takeSlot(task: GhostTask, limits: readonly string[]): void {
    if (limits.length === 0) return;
    if (task.hasSlot) return this.#verdict.fail("L5", `${task.taskId} was given a slot while it had one`);
    task.hasSlot = true;
    for (const node of limits) {
      const counter = this.#counters.get(node);
      if (counter === undefined)
        return this.#verdict.fail("L5", `${task.taskId} runs under ${node}, which nobody has declared`);
      counter.used++;
      if (counter.used > counter.capacityThisTurn) {
        this.#verdict.fail("L5", `${counter.used} run under ${node} and ${counter.capacityThisTurn} may`);
      }
    }
  }

  giveSlot(task: GhostTask): void {
    if (!task.hasSlot) return;
    task.hasSlot = false;
    for (const node of task.limits) {
      const counter = this.#counters.get(node);
      if (counter !== undefined) counter.used--;
    }
  }
}

function settleNumber(counter: GhostCounter): void {
  const authority = counter.declared.findLast((declared) => declared.isAuthority);
  counter.capacity = authority?.capacity ?? Math.min(...counter.declared.map((declared) => declared.capacity));
  counter.stoodThisTurn.add(counter.capacity);
  counter.capacityThisTurn = Math.max(counter.capacityThisTurn, counter.capacity);
}
