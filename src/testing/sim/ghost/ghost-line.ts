/**
 * What the ghost thinks of those who wait.
 *
 * forgotten  nobody stands in line who could start
 * clock      nobody waits longer than his queue time-out, no grant stays unconfirmed
 * L4         whoever is first at what he waits for sits through at most 16 waits that only younger ones caused (and some
 *            slack, because being first is judged from outside); a reservation that was announced holds
 */
import { ADMISSION } from "../../../core/bounds.ts";
import type { Verdict } from "../violation.ts";
import type { GhostCounts } from "./ghost-counts.ts";
import { type GhostNames, type GhostTask, isOlder, isOwnOrAbove } from "./ghost-task.ts";

const PASSES = 16;
const SLACK = 8;
const RESERVATIONS = 4;

export interface LineBooks {
  readonly names: GhostNames;
  readonly counts: GhostCounts;
  readonly waiting: ReadonlySet<GhostTask>;
  readonly held: ReadonlySet<GhostTask>;
  readonly nowMs: number;
  wanted(task: GhostTask, node: string, units: number): number;
}

/** Clocks run out in the first turn made after their time; a turn looks after 64 of them. */
const LATE_MS = 2_000;

/** Nobody waits, or is waited for, longer than was said. */
export function judgeClocks({ waiting, held, nowMs }: LineBooks, verdict: Verdict): void {
  for (const task of waiting) {
    const waitedMs = nowMs - task.waitingSinceMs;
    if (task.queueTimeoutMs > 0 && waitedMs > task.queueTimeoutMs + LATE_MS) {
      verdict.fail("clock", `${task.taskId} has waited ${waitedMs} ms and its limit is ${task.queueTimeoutMs} ms`);
    }
  }
  for (const task of held) {
    if (task.isGuest && task.leaseMs > 0 && task.isConfirmed && nowMs - task.signOfLifeMs > task.leaseMs + LATE_MS)
      verdict.fail("clock", `${task.taskId} has been silent for ${nowMs - task.signOfLifeMs} ms and still holds`);
    if (!task.isConfirmed && !task.isQuarantined && nowMs - task.heldSinceMs > ADMISSION.startTimeoutMs + LATE_MS) {
      verdict.fail(
        "clock",
        `${task.taskId} was granted ${nowMs - task.heldSinceMs} ms ago and nobody has confirmed it`,
      );
    }
  }
}

/** Those who hold what this one wants. */
function inTheWay(books: LineBooks, task: GhostTask): GhostTask[] {
  const found: GhostTask[] = [];
  for (const other of books.held) {
    if (!isOwnOrAbove(task, other) && books.names.conflict(task.claims, other.claims)) found.push(other);
  }
  for (const claim of task.claims) {
    if (claim.what !== "units") continue;
    const wanted = books.wanted(task, claim.node, claim.units);
    if (wanted === 0 || books.counts.used(claim.node) + wanted <= books.counts.capacity(claim.node)) continue;
    for (const other of books.held) {
      if ((other.taken?.[claim.node] ?? 0) > 0 && !found.includes(other)) found.push(other);
    }
  }
  return found;
}

/** An older one whose reservation was announced wants the same. */
export function reserverAhead(books: LineBooks, task: GhostTask): GhostTask | undefined {
  if (task.ancestors.length > 0) return undefined;
  for (const other of books.waiting) {
    if (other === task || !other.hasReserved || !isOlder(other, task)) continue;
    if (books.names.conflict(task.claims, other.claims) || shareUnits(task, other)) return other;
  }
  return undefined;
}

function shareUnits(a: GhostTask, b: GhostTask): boolean {
  return a.claims.some((mine) => mine.what === "units" && b.claims.some((theirs) => theirs.node === mine.node));
}

/** The number was made smaller than what it wants: it waits until somebody makes it greater again. */
function asksTooMuch(books: LineBooks, task: GhostTask): boolean {
  return task.claims.some(
    (claim) =>
      claim.what === "units" && books.wanted(task, claim.node, claim.units) > books.counts.capacity(claim.node),
  );
}

/** Members that a stranger uses are missing: until they are tried again, and a moment longer. */
function lacksMembers(books: LineBooks, task: GhostTask): boolean {
  return task.claims.some(({ node, what, units }) => {
    const out = what === "units" ? books.counts.outSince(node, books.nowMs - LATE_MS) : 0;
    const wanted = out === 0 ? 0 : books.wanted(task, node, units);
    return wanted > 0 && books.counts.used(node) + wanted > books.counts.capacity(node) - out;
  });
}

const isMetered = (task: GhostTask): boolean => task.claims.some((claim) => claim.what === "rate");

/** After each turn: is everybody who waits really kept by something, and not for ever by younger ones? */
export function judgeLine(books: LineBooks, verdict: Verdict): void {
  let older: GhostTask[] | null = null;
  for (const task of books.waiting) {
    if (isMetered(task)) continue;
    const isGated =
      task.limits.some((node) => books.counts.isFull(node)) || asksTooMuch(books, task) || lacksMembers(books, task);
    if (isGated) {
      task.epoch = null;
      continue;
    }
    const blockers = inTheWay(books, task);
    if (blockers.length === 0) {
      task.epoch = null;
      if (reserverAhead(books, task) === undefined)
        verdict.fail("forgotten", `${task.taskId} waits and nothing is in its way`);
      continue;
    }
    if (task.ancestors.length > 0) continue;
    older ??= [...books.waiting].sort((a, b) => (isOlder(a, b) ? -1 : 1));
    judgePasses(books, { task, blockers, older }, verdict);
  }
}

interface Wait {
  readonly task: GhostTask;
  readonly blockers: readonly GhostTask[];
  readonly older: readonly GhostTask[];
}

function judgePasses(books: LineBooks, { task, blockers, older }: Wait, verdict: Verdict): void {
  let reservers = 0;
  for (const other of older) {
    if (other === task) break;
    if (other.hasReserved) reservers++;
    if (isAhead(books, other, { task, blockers })) {
      task.epoch = null;
      return;
    }
  }
  const keys = new Set(blockers.map(({ key }) => key));
  if (task.epoch !== null) {
    for (const key of task.epoch) if (keys.has(key)) return;
    const areYounger = blockers.every((other) => other.ancestors.length === 0 && isOlder(task, other));
    if (areYounger) task.passes++;
  }
  task.epoch = keys;
  if (task.passes > PASSES + SLACK && reservers < RESERVATIONS) {
    verdict.fail("L4", `${task.taskId} was first and sat through ${task.passes} waits behind younger ones`);
  }
}

/** An older waiter that wants the same, or waits for one of the same holders. */
function isAhead(books: LineBooks, other: GhostTask, { task, blockers }: Omit<Wait, "older">): boolean {
  if (books.names.conflict(other.claims, task.claims) || shareUnits(other, task)) return true;
  return blockers.some((holder) => !isOwnOrAbove(other, holder) && books.names.conflict(other.claims, holder.claims));
}
