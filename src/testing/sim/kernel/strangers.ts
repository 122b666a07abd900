/** What of the world outside makes a grant useless: ports that programs of strangers use, links that lead elsewhere by now. */
import { ClaimCache, normaliseClaims, type ResolvedClaim } from "../../../core/claims.ts";
import type { Command } from "../../../core/command.ts";
import type { Job } from "./job.ts";
import type { TaskPlan } from "./plan.ts";
import type { KernelWorld } from "./world.ts";

/** What its owner finds out about a grant. */
export type Wrong = Pick<Extract<Command, { readonly type: "put-back" }>, "taken" | "claims">;

const ELSEWHERE = ["f:/moved", "f:/a/x", "f:/b", "f:/c/moved"];

export class Strangers {
  readonly #world: KernelWorld;
  readonly #cache = new ClaimCache();
  /** By task: where its paths lead by now. */
  readonly #moved = new Map<string, readonly ResolvedClaim[]>();
  /** Tasks that were put back, and not granted since. */
  readonly #back = new Set<string>();

  constructor(world: KernelWorld) {
    this.#world = world;
  }

  claimsOf({ taskId, claims }: TaskPlan): readonly ResolvedClaim[] {
    return this.#moved.get(taskId) ?? claims;
  }

  /** Found out by the owner just before the start; null when all is as it should be. */
  wrongWith({ plan, members }: Job): Wrong | null {
    const { chance, weather, sometimes, isCalm } = this.#world;
    if (this.#back.delete(plan.taskId)) sometimes.happened("put back, and granted again");
    if (isCalm || weather.strangers === 0 || plan.holder === "guest" || !chance.is(weather.strangers)) return null;
    const taken = Object.entries(members ?? {}).map(([node, all]) => ({ node, members: all.slice(0, 1) }));
    const claims = taken.length === 0 ? this.#elsewhere(plan) : null;
    if (taken.length === 0 && claims === null) return null;
    return { taken, claims };
  }

  /** The store has put it back. */
  wentBack(taskId: string, { claims }: Wrong): void {
    const { sometimes } = this.#world;
    if (claims !== null) this.#moved.set(taskId, claims);
    sometimes.happened(claims === null ? "put back: a stranger uses a member" : "put back: its paths lead elsewhere");
    this.#back.add(taskId);
  }

  /** It could not be sent back: it stays as it was granted. */
  stillThere(jobs: Iterable<Job>, { key, fence }: Extract<Command, { type: "put-back" }>): void {
    for (const job of jobs) if (job.key === key && job.sentBack?.fence === fence) job.sentBack = null;
  }

  /** Its first path leads somewhere else. */
  #elsewhere(plan: TaskPlan): readonly ResolvedClaim[] | null {
    const claims = this.claimsOf(plan);
    const at = claims.findIndex(({ node }) => node.startsWith("f:/"));
    const path = claims[at];
    if (path === undefined) return null;
    const node = this.#world.chance.oneOf(ELSEWHERE) ?? "f:/moved";
    return normaliseClaims(claims.with(at, this.#cache.get(node, path.mode, path.units)));
  }
}
