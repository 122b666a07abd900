/**
 * What a process that died had started. Its tasks' processes carry a marker that begins with its number, however they
 * detached themselves; they are ended, and proven gone, before anything they were protected by is granted again (L7).
 */
import { LEASE } from "../../edges/basics.ts";
import {
  hasProcessTable,
  isSharedDaemon,
  killTree,
  livenessOf,
  MARKER_VARIABLE,
  type Owner,
  openSqliteStore,
  type ProcessEntry,
  readProcesses,
  readVariable,
} from "../../edges/store.ts";
import type { Clock, Store, Timer } from "../../index.ts";

const GRACE_MS = 2_000;
/** What a command that looks spends on cleaning up. */
export const LOOK_LIMIT_MS = 250;

export interface FreeingOptions {
  readonly clock: Clock;
  /** Milliseconds after which the rest is left for later: who only looks must not clean up after a hundred thousand tasks. */
  readonly limitMs?: number;
}

/** Judges every owner of the store and frees what those that are gone had held. Safe at any time, by anybody. */
export async function freeWhatTheDeadHeld(
  store: Store,
  { clock, limitMs = Number.POSITIVE_INFINITY }: FreeingOptions,
): Promise<void> {
  const endMs = clock.nowMs() + limitMs;
  for (const owner of await store.view((view) => view.owners())) {
    const liveness = livenessOf(owner);
    const isLapsed = liveness === "unknown" && clock.nowMs() - owner.beatAtMs > LEASE.timeToLiveMs;
    if (liveness === "alive" || (liveness === "unknown" && !isLapsed)) continue;
    const isProven = liveness === "gone" && (await endRemains(owner, clock));
    // One turn deals with a page of its rows: again, while there are more.
    for (let isWorking = true; isWorking && clock.nowMs() < endMs; ) {
      const effects = await store.turn([{ type: "owner-gone", ownerId: owner.ownerId, isProven }]);
      const isOver = effects.some((effect) => effect.type === "owner-gone" && effect.owner.ownerId === owner.ownerId);
      isWorking = !isOver && effects.some((effect) => "row" in effect && effect.row.ownerId === owner.ownerId);
    }
  }
}

/** Ends what is left of a dead process's tasks. Whether all of it is gone; false too where that cannot be seen. */
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

const JUDGE_MS = 2_000;

/**
 * Keeps looking, so that a run that waits for a lock goes on when its holder is killed. Through a connection of its own: what
 * a turn does to the tasks of this process is then told to their manager, as if somebody else had made it. Returns how to stop.
 */
export async function keepFreeing(file: string, clock: Clock): Promise<() => Promise<void>> {
  const store = await openSqliteStore({ clock, file });
  let isStopped = false;
  let looking: Promise<void> = freeWhatTheDeadHeld(store, { clock }).then(later, later);
  let timer: Timer | undefined;
  function later() {
    if (!isStopped) timer = clock.setTimer(JUDGE_MS, again, { background: true });
  }
  function again() {
    // A look that fails (the store is busy) is repeated; who runs tasks hears of a broken store by himself.
    looking = freeWhatTheDeadHeld(store, { clock }).then(later, later);
  }
  return async () => {
    isStopped = true;
    timer?.cancel();
    await looking;
    await store.close();
  };
}
