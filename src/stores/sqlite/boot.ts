/**
 * Times in a store are milliseconds since boot. After a boot they start again: what was stored is shifted so that the
 * time the machine was off counts as none, and every process of before is known to be gone.
 *
 * L6  the fence counter starts at the wall clock in microseconds when a store is created or opened after a boot
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../../core/ports.ts";
import type { Statements } from "./statements.ts";

/** What cannot be known says nothing: no owner is judged by it. */
const UNKNOWN = "";

/** Differs after every boot; empty where the system does not say. */
export function currentBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return UNKNOWN;
  }
}

export function firstFence(clock: Clock): number {
  return Math.floor(clock.wallMs() * 1_000);
}

/** Whether the store was last used before this boot. Where boots have no id, a clock far behind what was stored tells. */
export function isAfterBoot(db: Statements, bootId: string, nowMs: number): boolean {
  const [storedId, lastNowMs] = db.one("select boot_id, last_now_ms from meta") ?? [];
  if (storedId !== UNKNOWN && bootId !== UNKNOWN) return storedId !== bootId;
  return storedId === UNKNOWN && bootId === UNKNOWN && nowMs + 60_000 < Number(lastNowMs);
}

const SHIFTED: readonly (readonly [table: string, column: string])[] = [
  ["task", "submitted_at_ms"],
  ["task", "waiting_since_ms"],
  ["task", "watch_since_ms"],
  ["task", "admitted_at_ms"],
  ["counter", "next_at_ms"],
  ["place", "until_ms"],
  ["owner", "beat_at_ms"],
];
/** 0 means never in these, so they stay above it. */
const SHIFTED_DUE = ["task", "counter"] as const;

/** Inside BEGIN IMMEDIATE. Owners of before stay until they are reported gone: they still have rows. */
export function restartTimes(db: Statements, clock: Clock, bootId: string): void {
  const nowMs = clock.nowMs();
  const lastNowMs = Number(db.one("select last_now_ms from meta")?.[0] ?? 0);
  const shiftMs = nowMs - lastNowMs;
  for (const [table, column] of SHIFTED) {
    db.run(
      `update ${table} set ${column} = ${column} + ?1 where ${column} <> 0${table === "task" ? " and live = 1" : ""}`,
      shiftMs,
    );
  }
  for (const table of SHIFTED_DUE) {
    db.run(`update ${table} set due_at_ms = max(due_at_ms + ?1, 1e-3) where due_at_ms > 0`, shiftMs);
  }
  db.run(
    "update meta set last_now_ms = ?, boot_id = ?, next_fence = max(next_fence, ?)",
    nowMs,
    bootId,
    firstFence(clock),
  );
}

/** Owners that lived before this boot: their processes are gone, and all they had started. */
export function ownersBefore(db: Statements, bootId: string): readonly string[] {
  return db
    .all("select owner_id from owner where boot_id not in (?, '') order by owner_id", bootId)
    .map(([id]) => String(id));
}
