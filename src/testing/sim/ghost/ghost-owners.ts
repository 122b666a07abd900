/**
 * Owners in the ghost's books: who joined, who was reported gone, who beats, who was seen to die, and the places that
 * waiters left behind.
 *
 * L8   who beats is not taken for dead
 * L13  only rows whose owner lives stand in line; the place of a waiter that vanished is its successor's
 */
import { ADMISSION, LEASE } from "../../../core/bounds.ts";
import type { Verdict } from "../violation.ts";
import type { GhostTask } from "./ghost-task.ts";

/** So many accepted beats within a lease, however far clocks are apart, are no silence. */
const BEATS = 4;
const SKEW_MS = 4_000;

export class GhostOwners {
  readonly #verdict: Verdict;
  readonly #joined = new Set<string>();
  /** Reported gone, or left: their tasks may be ended for them. */
  readonly #lost = new Set<string>();
  readonly #dead = new Set<string>();
  readonly #beats = new Map<string, readonly number[]>();
  readonly #places = new Map<string, { readonly rank: number; readonly untilMs: number }>();

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  joined(ownerId: string): void {
    this.#joined.add(ownerId);
    this.#lost.delete(ownerId);
  }

  beat(ownerId: string, nowMs: number): void {
    if (!this.#joined.has(ownerId)) this.#verdict.fail("L13", `${ownerId} was judged gone and its beat was accepted`);
    this.#beats.set(ownerId, [...(this.#beats.get(ownerId) ?? []).slice(1 - BEATS), nowMs]);
  }

  beatRefused(ownerId: string): void {
    if (this.#joined.has(ownerId) && !this.#lost.has(ownerId))
      this.#verdict.fail("L13", `${ownerId} lives and its beat was refused`);
  }

  reportedGone(ownerId: string, nowMs: number): void {
    this.#lost.add(ownerId);
    const beats = this.#beats.get(ownerId) ?? [];
    const isBeating = beats.length === BEATS && nowMs - (beats[0] ?? 0) < LEASE.timeToLiveMs - SKEW_MS;
    if (isBeating && !this.#dead.has(ownerId))
      this.#verdict.fail("L8", `${ownerId} was taken for gone although it beat ${BEATS} times within its lease`);
  }

  left(ownerId: string): void {
    this.#lost.add(ownerId);
  }

  dropped(ownerId: string): void {
    this.#joined.delete(ownerId);
  }

  died(ownerId: string): void {
    this.#dead.add(ownerId);
  }

  isJoined(ownerId: string): boolean {
    return this.#joined.has(ownerId);
  }

  wasReportedGone(ownerId: string): boolean {
    return this.#lost.has(ownerId);
  }

  isDeadAndGone(ownerId: string): boolean {
    return this.#dead.has(ownerId) && !this.#joined.has(ownerId);
  }

  keepPlace({ placeKey, rank }: GhostTask, nowMs: number): void {
    if (placeKey !== "") this.#places.set(placeKey, { rank, untilMs: nowMs + ADMISSION.placeKeptMs });
  }

  takePlace({ taskId, placeKey }: GhostTask, rank: number, nowMs: number): void {
    const place = this.#places.get(placeKey);
    if (place === undefined) return;
    this.#places.delete(placeKey);
    if (place.untilMs >= nowMs && rank > place.rank)
      this.#verdict.fail("L13", `${taskId} stands at ${rank} and the place ${place.rank} was kept for it`);
  }
}
