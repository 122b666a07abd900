/**
 * The fast check, O(n log n): fences say in which order grants were made, so only moments are left to be found. Each is
 * taken as early as the order allows; when that is later than the answer, nothing explains the history.
 */
import type { Acquire, History } from "./history.ts";

interface Grant extends Acquire {
  momentMs: number;
  /** Earliest moment at which it may have let go; Infinity: never. */
  readonly goneFromMs: number;
}

/** What is wrong, one sentence each. `resource`: only its grants are looked at, as the slow check does. */
export function fenceOrderFaults(history: History, resource?: string): readonly string[] {
  const faults: string[] = [];
  const grants = grantsOf(history, resource);
  const holders = new Map<string, Grant[]>();
  let beforeMs = Number.NEGATIVE_INFINITY;
  let beforeFence = 0;
  for (const grant of grants) {
    if (grant.fence === beforeFence) faults.push(`fence ${grant.fence} was granted twice`);
    beforeFence = grant.fence;
    let momentMs = Math.max(grant.callMs, beforeMs);
    for (const name of grant.resources) {
      if (resource !== undefined && name !== resource) continue;
      const present = holders.get(name) ?? [];
      const inTheWay = grant.isShared ? present.filter(({ isShared }) => !isShared) : present;
      for (const other of inTheWay) momentMs = Math.max(momentMs, other.goneFromMs, other.momentMs);
      const staying = present.filter((other) => !inTheWay.includes(other));
      holders.set(name, [...staying, grant]);
    }
    if (momentMs > grant.retMs) {
      faults.push(
        `fence ${grant.fence} on ${grant.resources} was answered ${momentMs - grant.retMs} ms before it was free`,
      );
    }
    grant.momentMs = Math.min(momentMs, grant.retMs);
    beforeMs = grant.momentMs;
  }
  return [...faults, ...releaseFaults(history, grants)];
}

function grantsOf(history: History, resource: string | undefined): readonly Grant[] {
  const goneFrom = new Map<number, number>();
  const crashed = new Map<string, number>();
  for (const operation of history) {
    if (operation.kind === "crash") crashed.set(operation.owner, operation.callMs);
    else if (operation.kind === "release" && operation.isDone && !goneFrom.has(operation.fence))
      goneFrom.set(operation.fence, operation.callMs);
  }
  return history
    .filter((operation) => operation.kind === "acquire")
    .filter(({ resources }) => resource === undefined || resources.includes(resource))
    .map((grant) => ({
      ...grant,
      momentMs: grant.callMs,
      goneFromMs: Math.min(goneFrom.get(grant.fence) ?? Infinity, crashed.get(grant.owner) ?? Infinity),
    }))
    .sort((a, b) => a.fence - b.fence);
}

/**
 * A fence lets go once, after its grant; whoever is told that it holds nothing must have let go before, or be dead. The
 * moments are the earliest there are, so what is too early for them is too early.
 */
function releaseFaults(history: History, grants: readonly Grant[]): readonly string[] {
  const faults: string[] = [];
  const byFence = new Map(grants.map((grant) => [grant.fence, grant]));
  const done = new Set<number>();
  for (const operation of history) {
    const grant = operation.kind === "release" ? byFence.get(operation.fence) : undefined;
    if (operation.kind !== "release" || grant === undefined) continue;
    const { fence, isDone, retMs } = operation;
    if (grant.momentMs > retMs) faults.push(`fence ${fence} was spoken of before it was granted`);
    else if (!isDone && grant.goneFromMs > retMs) faults.push(`fence ${fence} was refused while it held`);
    // One that nobody heard the answer of need not have happened.
    if (!isDone || retMs === Infinity) continue;
    if (done.has(fence)) faults.push(`fence ${fence} let go twice`);
    done.add(fence);
  }
  return faults;
}
