/** What a process that died left running: found by the markers and control groups of its tasks, ended, and proven gone. */
import type { Owner } from "../core/command.ts";
import type { Clock, ProcessIdentity } from "../core/ports.ts";
import { cgroupsOf, killCgroup, removeAbandonedCgroups } from "./cgroup.ts";
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
  const remains = [...findRemains(owners).values()].flat();
  if (first === undefined || remains.length === 0) return new Set();
  const witnesses = keepWitnesses(remains);
  const tree = {
    root: { ...first, marker: "" },
    find: () => {
      const all = new Map([...findRemains(owners).values()].flat().map((entry) => [entry.pid, entry]));
      return [...all.values()].filter((entry) => !isSharedDaemon(entry) && !witnesses.has(entry.pid));
    },
    strike: () => {
      if (witnesses.size > 0) return;
      const groups = new Set<string>();
      for (const [ownerId, entries] of findRemains(owners)) {
        const owner = owners.find((each) => each.ownerId === ownerId);
        // A group with a shared daemon in it is not killed as one.
        if (owner === undefined || entries.some((entry) => isSharedDaemon(entry))) continue;
        for (const { pid } of entries) for (const group of cgroupsOf(pid, makerPrefix(owner))) groups.add(group);
      }
      for (const group of groups) killCgroup(group);
    },
  };
  const proofMs = isAgain ? PROOF_AGAIN_MS : PROOF_MS;
  const { survivors } = await killTree(tree, { clock, graceMs: isAgain ? 0 : GRACE_MS, proofMs });
  removeAbandonedCgroups();
  if (survivors.length === 0) return new Set();
  const left = new Set(survivors.map(({ pid }) => pid));
  const unproven = new Set<string>();
  for (const [ownerId, entries] of findRemains(owners))
    if (entries.some(({ pid }) => left.has(pid))) unproven.add(ownerId);
  return unproven;
}

/**
 * A process of another user can be neither ended nor, when its relatives are gone, be recognised by whoever looks next. So
 * those that tie it to its task, its forebears and the leader of its session, are stopped and left until it is gone.
 */
function keepWitnesses(remains: readonly ProcessEntry[]): ReadonlySet<number> {
  const byPid = new Map(remains.map((entry) => [entry.pid, entry]));
  const witnesses = new Set<number>();
  const foreign = remains.filter(({ pid }) => !maySignal(pid));
  for (const entry of foreign) {
    for (let pid = entry.parentPid; byPid.has(pid) && !witnesses.has(pid); pid = byPid.get(pid)?.parentPid ?? 0)
      witnesses.add(pid);
    if (byPid.has(entry.session)) witnesses.add(entry.session);
  }
  for (const { pid } of foreign) witnesses.delete(pid);
  for (const pid of witnesses) {
    try {
      process.kill(pid, "SIGSTOP");
    } catch {
      // Gone meanwhile.
    }
  }
  return witnesses;
}

function maySignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM"; // kill throws nothing else
  }
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
    const members = young.filter(
      ({ pid }) => carriesMarkerOf(chains.get(pid), prefix) || cgroupsOf(pid, prefix).length > 0,
    );
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
