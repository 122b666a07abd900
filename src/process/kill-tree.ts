/**
 * Ends a tree of processes and proves it.
 *
 *  K1 asked first (TERM), then after the grace killed in one step where the tree can do that, and the rest stopped, looked
 *     at again and killed, until a look finds nobody: stopped processes cannot start others, so nothing outruns the sweep
 *  K2 before every signal the process is identified again by pid and start time
 *  K3 it returns when the tree is proven dead, or when the limit has passed: then it names the survivors
 */
import type { Clock } from "../core/ports.ts";
import { hasProcessTable, isSameAlive, type ProcessEntry } from "./proc-table.ts";
import type { ProcessTree } from "./process-tree.ts";

export interface KillOptions {
  readonly clock: Clock;
  /** Milliseconds between asking and killing; 0 kills at once. */
  readonly graceMs: number;
  /** Milliseconds in which killed processes must be gone. A process stuck in the kernel is not. Default 5,000. */
  readonly proofMs?: number;
  /** Members that are left alone, and do not count as survivors. */
  readonly spare?: (entry: ProcessEntry) => boolean;
}

export interface KillReport {
  /** Members that still live. Empty: the tree is proven dead. */
  readonly survivors: readonly ProcessEntry[];
  /** Members that were asked to end. */
  readonly asked: number;
  /** Members that had to be killed. */
  readonly killed: number;
}

const DEFAULT_PROOF_MS = 5_000;
/** Rounds of stop-and-look in one sweep: a bomb that forks faster is killed in several sweeps. */
const STOP_ROUNDS = 16;
const FIRST_POLL_MS = 4;
const LAST_POLL_MS = 50;
const LAST_LOOK_MS = 800;

export async function killTree(tree: ProcessTree, options: KillOptions): Promise<KillReport> {
  const { spare } = options;
  const find = () => (spare === undefined ? tree.find() : tree.find().filter((entry) => !spare(entry)));
  const asked = options.graceMs > 0 ? await ask(find, options) : 0;
  // In one step only when nobody is spared.
  const strike = spare === undefined ? () => tree.strike?.() : () => undefined;
  const { survivors, killed } = await force(find, strike, options);
  return { survivors, asked, killed };
}

/** TERM to everybody, late-comers included, until nobody is left or the grace is over. */
async function ask(find: () => readonly ProcessEntry[], { clock, graceMs }: KillOptions): Promise<number> {
  const endMs = clock.nowMs() + graceMs;
  const asked = new Set<string>();
  // Looking at the whole table is dear and waiting is not: look again when those who were asked are gone, else ever rarer.
  for (let lookMs = LAST_POLL_MS; ; lookMs = Math.min(lookMs * 2, LAST_LOOK_MS)) {
    const members = find();
    if (members.length === 0) return asked.size;
    for (const entry of members) {
      if (asked.has(keyOf(entry))) continue;
      asked.add(keyOf(entry));
      send(entry, "SIGTERM");
      // A stopped process takes no TERM before it goes on.
      send(entry, "SIGCONT");
    }
    await untilGone(members, { clock, limitMs: Math.min(lookMs, endMs - clock.nowMs()) });
    if (clock.nowMs() >= endMs) return asked.size;
  }
}

async function untilGone(
  members: readonly ProcessEntry[],
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
): Promise<void> {
  const endMs = clock.nowMs() + limitMs;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const leftMs = endMs - clock.nowMs();
    if (leftMs <= 0 || !members.some(lives)) return;
    await wait(clock, Math.min(pollMs, leftMs));
  }
}

async function force(
  find: () => readonly ProcessEntry[],
  strike: () => void,
  { clock, proofMs = DEFAULT_PROOF_MS }: KillOptions,
): Promise<{ readonly survivors: readonly ProcessEntry[]; readonly killed: number }> {
  const endMs = clock.nowMs() + proofMs;
  const killed = new Set(find().map(keyOf));
  if (killed.size > 0) strike();
  // Killed at least once, however long one look takes: a limit that passed before would leave them alive for ever.
  for (let round = 0, pollMs = FIRST_POLL_MS; ; round++, pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const members = freeze(find);
    if (members.length === 0) return { survivors: [], killed: killed.size };
    if (round > 0 && clock.nowMs() >= endMs) return { survivors: members, killed: killed.size };
    for (const entry of members) {
      send(entry, "SIGKILL");
      killed.add(keyOf(entry));
    }
    await wait(clock, pollMs);
  }
}

/** Stops everybody, looks again, and so on until a look finds nobody new. Nobody can start others then. */
function freeze(find: () => readonly ProcessEntry[]): readonly ProcessEntry[] {
  const stopped = new Set<string>();
  let members = find();
  if (!hasProcessTable()) return members;
  for (let round = 0; round < STOP_ROUNDS; round++) {
    const fresh = members.filter((entry) => !stopped.has(keyOf(entry)));
    if (fresh.length === 0) break;
    for (const entry of fresh) {
      send(entry, "SIGSTOP");
      stopped.add(keyOf(entry));
    }
    members = find();
  }
  return members;
}

function keyOf({ pid, startTime }: ProcessEntry): string {
  return `${pid} ${startTime}`;
}

function lives(entry: ProcessEntry): boolean {
  return !hasProcessTable() || isSameAlive(entry);
}

/** Signals this very process, or without a process table its group. That it is gone, or not ours to signal, shows later. */
function send(entry: ProcessEntry, signal: NodeJS.Signals): void {
  try {
    if (!hasProcessTable()) process.kill(-entry.pid, signal);
    else if (isSameAlive(entry)) process.kill(entry.pid, signal);
  } catch {
    // Gone (ESRCH), or of another user (EPERM): the next look decides, and a survivor is named.
  }
}

function wait(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}

/** Between looks at what could not be ended. */
const SURVIVOR_POLL_MS = 500;

/** Resolves when a look finds nobody. Does not keep this process alive: whoever comes after it looks on. */
export function whenGone(find: () => readonly ProcessEntry[], clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (find().length === 0) resolve();
      else clock.setTimer(SURVIVOR_POLL_MS, look, { background: true });
    };
    clock.setTimer(SURVIVOR_POLL_MS, look, { background: true });
  });
}
