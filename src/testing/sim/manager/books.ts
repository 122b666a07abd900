/**
 * The ghost of the manager level. It hears agents begin and stop, calls handed over, results handed out, cancels, numbers
 * set and the time; nothing of what a manager or a store says about itself.
 *
 * L1 L3   two agents inside conflicting things, more units than there are, one pool member twice   (ghost-touches.ts, #units)
 * L5      no more agents of a manager at work than its limit
 * L6      every attempt has a fence of its own, and those on one lock grow
 * once    every call has exactly one result, and it is what its last attempt came to
 */
import type { AgentResult, Claim } from "../../../core/task.ts";
import { ghostClaim } from "../ghost/ghost-task.ts";
import { GhostTouches, type Touch } from "../ghost/ghost-touches.ts";
import type { Verdict } from "../violation.ts";
import type { PlannedCall } from "./calls.ts";
import { BUILD_UNITS, resolve } from "./sim-parts.ts";

/** One attempt as its agent tells it. */
export interface Run {
  readonly id: number;
  readonly taskId: string;
  readonly manager: string;
  readonly fence: number;
  readonly parent: Run | null;
  readonly touch: Touch;
  readonly units: number;
  /** Neither waiting for its own tasks or a person, nor asked to stop. */
  isAtWork: boolean;
  isOver: boolean;
  ended: "returned" | "threw" | "overloaded" | null;
}

interface Known {
  readonly planned: PlannedCall;
  readonly manager: string;
  /** Inside which attempt it was started: when that is over, nobody waits for its result any more. */
  readonly parent: Run | null;
  readonly runs: Run[];
  result: AgentResult | null;
  isJoined: boolean;
}

/** A number that was lowered counts for starts a while later: commands are on their way. */
const SETTLES_MS = 3_000;

export class Books {
  readonly touches: GhostTouches;
  readonly #verdict: Verdict;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();
  readonly #fences = new Set<number>();
  readonly #lastFence = new Map<string, number>();
  readonly #limits = new Map<string, { readonly atMs: number; readonly limit: number }[]>();
  readonly #lost = new Set<string>();
  readonly #cancels: { readonly taskIds: readonly string[]; readonly count: number }[] = [];
  #runs = 0;
  #units = 0;

  constructor(verdict: Verdict, nowMs: () => number) {
    this.#verdict = verdict;
    this.#nowMs = nowMs;
    this.touches = new GhostTouches(verdict);
  }

  limitSet(manager: string, limit: number): void {
    const limits = this.#limits.get(manager) ?? [];
    this.#limits.set(manager, [...limits, { atMs: this.#nowMs(), limit }]);
  }

  #limitOf(manager: string): number {
    const limits = this.#limits.get(manager) ?? [];
    const recent = limits.filter(({ atMs }, index) => {
      const until = limits[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return atMs <= this.#nowMs() && until > this.#nowMs() - SETTLES_MS;
    });
    return Math.max(...recent.map(({ limit }) => limit));
  }

  handedOver(manager: string, taskId: string, planned: PlannedCall, parent: Run | null = null): void {
    if (this.#known.has(taskId)) this.#verdict.fail("duplicate", `${taskId} was handed over twice by the simulation`);
    this.#known.set(taskId, { planned, manager, parent, runs: [], result: null, isJoined: false });
  }

  /** Refused before anything started: there is nothing to wait for. */
  refused(taskId: string): void {
    this.#known.delete(taskId);
  }

  began(
    taskId: string,
    facts: {
      readonly fence: number;
      readonly parent: Run | null;
      readonly claims: readonly Claim[];
      readonly port: string | undefined;
    },
  ): Run {
    const known = this.#known.get(taskId);
    if (known === undefined) throw new Error(`${taskId} was never handed over`);
    if (known.result !== null)
      this.#verdict.fail("duplicate", `${taskId} began an attempt after its result was handed out`);
    if (known.runs.some(({ isOver }) => !isOver)) this.#verdict.fail("duplicate", `${taskId} has two attempts at once`);
    const id = ++this.#runs;
    const resolved = resolve(facts.claims);
    const ancestors: number[] = [];
    for (let above = facts.parent; above !== null; above = above.parent) ancestors.push(above.id);
    const ports = facts.port === undefined || facts.port === "" ? [] : facts.port.split(",");
    // What an ancestor has is its own to hand on.
    const own = ports.filter((port) => !hasAbove(facts.parent, port));
    const members: Record<string, readonly string[]> = own.length === 0 ? {} : { "p:port": own };
    const touch: Touch = {
      id: `${taskId}#${facts.fence}`,
      holderKey: id,
      fence: facts.fence,
      ancestors,
      claims: resolved.map(ghostClaim),
      members,
    };
    const wanted = resolved.find(({ node }) => node === "c:build")?.units ?? 0;
    const units = Math.max(0, wanted - unitsAbove(facts.parent));
    const run: Run = {
      id,
      taskId,
      manager: known.manager,
      fence: facts.fence,
      parent: facts.parent,
      touch,
      units,
      isAtWork: true,
      isOver: false,
      ended: null,
    };
    known.runs.push(run);
    this.#judgeFence(run);
    this.touches.begin(touch);
    this.#units += units;
    if (this.#units > BUILD_UNITS)
      this.#verdict.fail("L3", `${this.#units} units of build are in use and there are ${BUILD_UNITS}`);
    this.#judgeSlots(run);
    return run;
  }

  #judgeFence(run: Run): void {
    if (run.fence <= 0 || this.#fences.has(run.fence))
      this.#verdict.fail("L6", `${run.touch.id} has a fence that another attempt had`);
    this.#fences.add(run.fence);
    for (const { node, what, isExclusive } of run.touch.claims) {
      if (what !== "lock" || !isExclusive) continue;
      if (run.fence < (this.#lastFence.get(node) ?? 0) && run.parent === null)
        this.#verdict.fail("L6", `${run.touch.id} holds ${node} after fence ${this.#lastFence.get(node)}`);
      this.#lastFence.set(node, Math.max(run.fence, this.#lastFence.get(node) ?? 0));
    }
  }

  #judgeSlots({ manager, touch }: Run): void {
    let atWork = 0;
    for (const { runs } of this.#known.values())
      for (const run of runs) if (run.manager === manager && run.isAtWork && !run.isOver) atWork++;
    const limit = this.#limitOf(manager);
    if (atWork > limit)
      this.#verdict.fail("L5", `${touch.id} is number ${atWork} at work in ${manager}, which may have ${limit}`);
  }

  /** It gives its slot back: it waits for its own tasks or a person, or was asked to stop. */
  paused(run: Run): void {
    run.isAtWork = false;
  }

  resumed(run: Run): void {
    run.isAtWork = true;
    this.#judgeSlots(run);
  }

  /** Takes more, or lets go of it. */
  took(run: Run, touchId: string, held: { readonly fence: number; readonly claims: readonly Claim[] }): void {
    const claims = resolve(held.claims).map(ghostClaim);
    this.touches.begin({ ...run.touch, id: touchId, fence: held.fence, claims, members: {} });
  }

  stopped(run: Run, ended: Run["ended"]): void {
    if (run.isOver) return;
    run.isOver = true;
    run.isAtWork = false;
    run.ended = ended;
    this.#units -= run.units;
    this.touches.end(run.touch.id);
  }

  /** A process is gone, and with it every function it ran. */
  crashed(manager: string): void {
    this.#lost.add(manager);
    for (const known of this.#known.values()) {
      if (known.manager !== manager) continue;
      for (const run of known.runs) this.stopped(run, null);
    }
    for (const id of this.touches.ids()) if (id.startsWith(`${manager}:`)) this.touches.end(id);
  }

  liveRuns(manager: string): number {
    let live = 0;
    for (const known of this.#known.values())
      if (known.manager === manager) for (const run of known.runs) if (!run.isOver) live++;
    return live;
  }

  result(taskId: string, result: AgentResult): void {
    const known = this.#known.get(taskId);
    if (known === undefined)
      return this.#verdict.fail("lost", `a result of ${taskId} was handed out and nobody asked for it`);
    if (known.result !== null) this.#verdict.fail("duplicate", `${taskId} has two results`);
    known.result = result;
    known.isJoined = result.taskId !== taskId;
    if (known.isJoined) {
      if (known.planned.call.idempotencyKey === undefined)
        this.#verdict.fail("lost", `${taskId} was given the result of ${result.taskId}`);
      return;
    }
    this.#judgeResult(known, result);
  }

  #judgeResult({ planned, runs }: Known, result: AgentResult): void {
    const { taskId } = result;
    const say = (what: string): void => this.#verdict.fail("once", `${taskId} ${what}`);
    const last = runs.at(-1);
    if (result.success !== (result.status === "succeeded")) say(`is ${result.status} with success ${result.success}`);
    if (result.status === "succeeded") {
      if (last?.ended !== "returned") say(`succeeded and its last attempt ${last?.ended ?? "never ended"}`);
      if (result.output !== planned.call.taskId) say(`succeeded with the output ${JSON.stringify(result.output)}`);
    } else if (result.error === undefined || result.errorMessage === null)
      say("did not succeed and says nothing about it");
    const spent = runs.filter(({ ended }) => ended !== "overloaded").length;
    const most = Math.max(1, planned.call.retry?.attempts ?? 1);
    if (spent > most) say(`was attempted ${spent} times and may be ${most}`);
    if (result.attempts > runs.length) say(`says ${result.attempts} attempts and there were ${runs.length}`);
    if (result.status === "timed_out" && result.error?.code === "RUN_TIMEOUT" && planned.call.timeoutMs === undefined)
      say("ran out of a time it did not have");
    if (result.status === "skipped" && planned.call.dependsOn === undefined) say("was skipped and depends on nothing");
  }

  /** How a task came out so far, for whoever counts. */
  outcome(taskId: string): AgentResult | null {
    return this.#known.get(taskId)?.result ?? null;
  }

  runsOf(taskId: string): readonly Run[] {
    return this.#known.get(taskId)?.runs ?? [];
  }

  /** Calls whose manager lives and whose result is still owed. */
  owed(): readonly string[] {
    const owed: string[] = [];
    for (const [taskId, { result, manager, parent }] of this.#known) {
      if (result === null && !this.#lost.has(manager) && parent?.isOver !== true) owed.push(taskId);
    }
    return owed;
  }

  /** So many of these were said to have ended as cancelled. */
  saidCancelled(taskIds: readonly string[], count: number): void {
    this.#cancels.push({ taskIds, count });
  }

  judgeEnd(): void {
    for (const { taskIds, count } of this.#cancels) {
      const really = [...new Set(taskIds)].filter(
        (taskId) => this.#known.get(taskId)?.result?.status === "cancelled",
      ).length;
      // Of some no result was ever handed out: their process died, or what waited for them ended.
      const isLost = taskIds.some((taskId) => this.#known.get(taskId)?.result === null);
      if (count > really && !isLost)
        this.#verdict.fail(
          "once",
          `${count} of ${taskIds.join(" ")} were said to be cancelled and ${really} have such a result`,
        );
    }
    for (const taskId of this.owed()) this.#verdict.fail("liveness", `${taskId} never had a result`);
    for (const id of this.touches.ids()) this.#verdict.fail("liveness", `${id} never stopped`);
  }
}

function hasAbove(parent: Run | null, port: string): boolean {
  for (let above = parent; above !== null; above = above.parent)
    if (above.touch.members["p:port"]?.includes(port)) return true;
  return false;
}

function unitsAbove(parent: Run | null): number {
  let units = 0;
  for (let above = parent; above !== null; above = above.parent) units += above.units;
  return units;
}
