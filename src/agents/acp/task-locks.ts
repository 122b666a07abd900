/**
 * Locks an agent takes in the middle of its task.
 *
 *  H1 what the task holds already, or waits for already, is not asked for again: requests of one task stand in each
 *     other's way, so it would wait for itself
 *  H2 files stay with the task: what it read before it wrote must not change meanwhile. Units and names go with the call
 */
import path from "node:path";
import { BOUNDS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext, HeldLocks } from "../../core/ports.ts";
import { type CallClaim, isBelow } from "./permission.ts";

interface Group {
  readonly paths: readonly string[];
  readonly locks: Promise<HeldLocks>;
}

export class TaskLocks {
  readonly #ctx: AgentContext;
  readonly #options: { readonly queueTimeoutMs?: number };
  /** By path: what was asked for, or got, with whatever was asked for together with it. */
  readonly #groups = new Map<string, Group>();
  readonly #byCall = new Map<string, HeldLocks[]>();

  constructor(ctx: AgentContext, queueTimeoutMs: number | undefined) {
    this.#ctx = ctx;
    this.#options = queueTimeoutMs === undefined ? {} : { queueTimeoutMs };
  }

  /** Whether the task got a lock on this path, or is waiting for one. */
  covers(place: string): boolean {
    return this.#covering(place) !== undefined;
  }

  /** Waits until all are the task's, to its end. Throws what `ctx.lock` throws. */
  async takeFiles(places: readonly string[]): Promise<void> {
    const known = places.flatMap((place) => this.#covering(place) ?? []);
    const wanted = places.filter((place) => !this.covers(place));
    if (wanted.length > 0) await this.#take(wanted);
    await Promise.all(known.map(({ locks }) => locks));
  }

  /** Waits until the call has them; `over` lets them go. */
  async takeForCall(callId: string, claims: readonly CallClaim[]): Promise<void> {
    if (claims.length === 0) return;
    const held = await this.#ctx.lock(claims, this.#options);
    this.#byCall.set(callId, [...(this.#byCall.get(callId) ?? []), held]);
  }

  async over(callId: string): Promise<void> {
    const held = this.#byCall.get(callId) ?? [];
    this.#byCall.delete(callId);
    await Promise.all(held.map((locks) => locks.release()));
  }

  async #take(wanted: readonly string[]): Promise<void> {
    if (this.#groups.size + wanted.length > BOUNDS.acpHeldPaths) {
      throw new LockyardError("LIMIT_EXCEEDED", `The task holds ${this.#groups.size} files and that is the limit.`, {
        hint: "Let the task claim their directory at its start: write: src",
      });
    }
    // What lies below would stand in the way of a lock on all of it: both are asked for anew, together.
    const inTheWay = new Set(
      [...this.#groups.values()].filter(({ paths }) => paths.some((at) => isBelowAny(at, wanted))),
    );
    const regained = [...inTheWay].flatMap(({ paths }) => paths).filter((at) => !isBelowAny(at, wanted));
    const paths = [...wanted, ...regained];
    const group: Group = { paths, locks: this.#regain(paths, [...inTheWay]) };
    for (const old of inTheWay) for (const at of old.paths) this.#groups.delete(at);
    for (const at of paths) this.#groups.set(at, group);
    try {
      await group.locks;
    } catch (error) {
      for (const at of paths) if (this.#groups.get(at) === group) this.#groups.delete(at);
      throw error;
    }
  }

  async #regain(paths: readonly string[], inTheWay: readonly Group[]): Promise<HeldLocks> {
    for (const { locks } of inTheWay) await (await locks).release();
    return this.#ctx.lock(
      paths.map((place) => ({ write: place })),
      this.#options,
    );
  }

  #covering(place: string): Group | undefined {
    for (let at = place; ; at = path.dirname(at)) {
      const group = this.#groups.get(at);
      if (group !== undefined || at === path.dirname(at)) return group;
    }
  }
}

function isBelowAny(place: string, directories: readonly string[]): boolean {
  return directories.some((directory) => isBelow(place, directory));
}
