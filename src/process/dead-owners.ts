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
  const dead: DeadOwner[] = [];
  for (const owner of owners) {
    const liveness = livenessOf(owner);
    const isLapsed = liveness === "unknown" && clock.nowMs() - owner.beatAtMs > LEASE.timeToLiveMs;
    if (liveness !== "gone" && !isLapsed) continue;
    dead.push({ ownerId: owner.ownerId, isProven: liveness === "gone" && (await endRemains(owner, clock)) });
  }
  return dead;
}

/**
 * Ends what is left of a dead process's tasks: their processes carry a marker that begins with its number, however they
 * detached themselves. Whether all of it is gone; false too where that cannot be seen.
 */
async function endRemains(owner: Owner, clock: Clock): Promise<boolean> {
  if (!hasProcessTable()) return false;
  const root = { ...owner, marker: "" };
  const tree = { root, find: () => remainsOf(owner) };
  if (tree.find().length === 0) return true;
  const { survivors } = await killTree(tree, { clock, graceMs: GRACE_MS, spare: (entry) => isSharedDaemon(entry) });
  return survivors.length === 0;
}

function remainsOf(owner: Owner): readonly ProcessEntry[] {
  const all = readProcesses();
  // Somebody else may have been given the number since: what is younger than that process is not the dead one's.
  const successor = all.find(({ pid }) => pid === owner.pid);
  const until = successor?.startTime ?? Number.POSITIVE_INFINITY;
  return all.filter(
    (entry) =>
      entry.pid !== process.pid &&
      entry.startTime >= owner.startTime &&
      entry.startTime < until &&
      carriesMarkerOf(owner.pid, readVariable(entry.pid, MARKER_VARIABLE)),
  );
}

function carriesMarkerOf(pid: number, chain: string | undefined): boolean {
  return chain?.split(" ").some((marker) => marker.startsWith(`${pid}-`)) === true;
}
