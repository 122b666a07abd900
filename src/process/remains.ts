/** What a process that died left running: found by the markers its tasks carry, ended, and proven gone. */
import type { Owner } from "../core/command.ts";
import type { Clock, ProcessIdentity } from "../core/ports.ts";
import { machineIdentity } from "./identity.ts";
import { killTree } from "./kill-tree.ts";
import { isSharedDaemon } from "./leftovers.ts";
import { carriesMarkerOf, MARKER_VARIABLE, makerPrefix } from "./marker.ts";
import { hasProcessTable, type ProcessEntry, readProcesses, readVariable } from "./proc-table.ts";

/**
 * Milliseconds between asking and killing: time for git and friends to take their lock files away. Nobody is left to hear
 * the rest, and others wait.
 */
const GRACE_MS = 75;
/** Milliseconds in which what was killed must be gone: a process stuck in the kernel, or of another user, is not. */
const PROOF_MS = 500;
const PROOF_AGAIN_MS = 20;

export interface EndRemainsOptions {
  readonly clock: Clock;
  /** They withstood it before: do not wait for them long. */
  readonly isAgain?: boolean;
}

/** Ids of those whose remains still live, or cannot be looked for; empty when all is proven gone. */
export async function endRemains(
  owners: readonly Owner[],
  { clock, isAgain = false }: EndRemainsOptions,
): Promise<ReadonlySet<string>> {
  if (!hasProcessTable()) return new Set(owners.map(({ ownerId }) => ownerId));
  const [first] = owners;
  if (first === undefined || findRemains(owners).size === 0) return new Set();
  const tree = {
    root: { ...first, marker: "" },
    find: () => {
      const all = new Map([...findRemains(owners).values()].flat().map((entry) => [entry.pid, entry]));
      return [...all.values()].filter((entry) => !isSharedDaemon(entry));
    },
  };
  const proofMs = isAgain ? PROOF_AGAIN_MS : PROOF_MS;
  const { survivors } = await killTree(tree, { clock, graceMs: isAgain ? 0 : GRACE_MS, proofMs });
  if (survivors.length === 0) return new Set();
  const left = new Set(survivors.map(({ pid }) => pid));
  const unproven = new Set<string>();
  for (const [ownerId, entries] of findRemains(owners))
    if (entries.some(({ pid }) => left.has(pid))) unproven.add(ownerId);
  return unproven;
}

/** Processes that dead owners left, by owner; owners that left nothing are not in it. One look at the table for all. */
export function findRemains(
  owners: readonly (ProcessIdentity & { readonly ownerId: string })[],
): ReadonlyMap<string, readonly ProcessEntry[]> {
  const found = new Map<string, ProcessEntry[]>();
  // No process outlives a boot.
  const { bootId } = machineIdentity();
  const here = owners
    .filter((owner) => owner.bootId === bootId)
    .map((owner) => ({ ...owner, prefix: makerPrefix(owner) }));
  if (here.length === 0) return found;
  const sinceTicks = Math.min(...here.map(({ startTime }) => startTime));
  const young = readProcesses().filter((entry) => entry.startTime >= sinceTicks && entry.pid !== process.pid);
  const chains = new Map(young.map((entry) => [entry.pid, readVariable(entry.pid, MARKER_VARIABLE)]));
  for (const { ownerId, prefix, startTime } of here) {
    const members = young.filter((entry) => carriesMarkerOf(chains.get(entry.pid), prefix));
    const entries = withRelatives(members, young, startTime);
    if (entries.length > 0) found.set(ownerId, entries);
  }
  return found;
}

/**
 * With what the marked ones brought along: their descendants, and their session when one of them leads it. So a child that
 * took another user's identity, whose environment we may not read, is known as long as one relative is.
 */
function withRelatives(
  members: readonly ProcessEntry[],
  young: readonly ProcessEntry[],
  startTime: number,
): ProcessEntry[] {
  if (members.length === 0) return [];
  const known = new Map(members.map((entry) => [entry.pid, entry]));
  const sessions = new Set(members.filter(({ pid, session }) => pid === session).map(({ session }) => session));
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const entry of young) {
      if (known.has(entry.pid) || entry.startTime < startTime) continue;
      if (known.has(entry.parentPid) || sessions.has(entry.session)) known.set(entry.pid, entry);
    }
  }
  return [...known.values()];
}
