/**
 * Which owners of a shared store are gone, and whether everything they started is gone too. Only then may what they held be
 * granted again (L7). A living process is never judged dead: pid, start time, boot and pid namespace must all speak for it;
 * where they cannot be asked (another namespace), only a lapsed lease counts, and that proves nothing.
 */
import { LEASE } from "../core/bounds.ts";
import type { Owner } from "../core/command.ts";
import type { Clock, DeadOwner } from "../core/ports.ts";
import { livenessOf } from "./identity.ts";
import { killTree } from "./kill-tree.ts";
import { isSharedDaemon } from "./leftovers.ts";
import { MARKER_VARIABLE } from "./marker.ts";
import { hasProcessTable, type ProcessEntry, readProcesses, readVariable } from "./proc-table.ts";

const GRACE_MS = 2_000;

/** Ends what is left of the dead ones' tasks on the way. */
export async function findDeadOwners(owners: readonly Owner[], clock: Clock): Promise<readonly DeadOwner[]> {
  const gone: Owner[] = [];
  const dead: DeadOwner[] = [];
  for (const owner of owners) {
    const liveness = livenessOf(owner);
    if (liveness === "gone") gone.push(owner);
    else if (liveness === "unknown" && clock.nowMs() - owner.beatAtMs > LEASE.timeToLiveMs)
      dead.push({ ownerId: owner.ownerId, isProven: false });
  }
  if (gone.length === 0) return dead;
  // Looked at once for all of them, after all were seen to be dead.
  const marked = hasProcessTable() ? markedProcesses() : null;
  for (const owner of gone) {
    dead.push({ ownerId: owner.ownerId, isProven: marked !== null && (await endRemains(owner, marked, clock)) });
  }
  return dead;
}

/**
 * Ends what is left of a dead process's tasks: their processes carry a marker that begins with its number, however they
 * detached themselves. Whether all of it is gone; false too where that cannot be seen.
 */
async function endRemains(owner: Owner, marked: readonly Marked[], clock: Clock): Promise<boolean> {
  if (remainsOf(owner, marked).length === 0) return true;
  const tree = { root: { ...owner, marker: "" }, find: () => remainsOf(owner, markedProcesses()) };
  const { survivors } = await killTree(tree, { clock, graceMs: GRACE_MS, spare: (entry) => isSharedDaemon(entry) });
  return survivors.length === 0;
}

interface Marked {
  readonly entry: ProcessEntry;
  /** Markers of the tasks it runs in, outermost last; undefined for a stranger. */
  readonly chain: string | undefined;
}

function markedProcesses(): readonly Marked[] {
  return readProcesses().map((entry) => ({ entry, chain: readVariable(entry.pid, MARKER_VARIABLE) }));
}

function remainsOf(owner: Owner, all: readonly Marked[]): readonly ProcessEntry[] {
  // Somebody else may have been given the number since: what is younger than that process is not the dead one's.
  const successor = all.find(({ entry }) => entry.pid === owner.pid);
  const until = successor?.entry.startTime ?? Number.POSITIVE_INFINITY;
  return all
    .filter(
      ({ entry, chain }) =>
        entry.pid !== process.pid &&
        entry.startTime >= owner.startTime &&
        entry.startTime < until &&
        carriesMarkerOf(owner.pid, chain),
    )
    .map(({ entry }) => entry);
}

function carriesMarkerOf(pid: number, chain: string | undefined): boolean {
  return chain?.split(" ").some((marker) => marker.startsWith(`${pid}-`)) === true;
}
