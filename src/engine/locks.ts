import type { IsoTimes } from "../clock/iso-times.ts";
import { EXCLUSIVE, LIMIT, RATE, UNITS } from "../core/claims.ts";
import type { TaskRow } from "../core/row.ts";
import type { ResourceLock } from "../core/task.ts";
import type { Attempt } from "./attempt.ts";
import { lockTypeOf } from "./notices.ts";
import type { ManagerParts } from "./parts.ts";

interface LockFacts {
  readonly parts: Pick<ManagerParts, "resourceId">;
  readonly times: IsoTimes;
}

/** What a row holds, as people see it. Rates hold nothing. */
export function locksOfRow(attempt: Attempt, row: TaskRow, { parts, times }: LockFacts): ResourceLock[] {
  const locks: ResourceLock[] = [];
  for (const { node, mode, units } of row.claims) {
    if (mode === RATE || mode === LIMIT) continue;
    const members = row.members?.[node];
    locks.push({
      resourceId: parts.resourceId(node),
      lockedBy: attempt.instanceId,
      lockType: lockTypeOf(node),
      mode: mode === UNITS ? "units" : mode === EXCLUSIVE ? "exclusive" : "shared",
      ...(mode === UNITS ? { units } : undefined),
      ...(members === undefined ? undefined : { members }),
      lockedAt: times.text(row.admittedAtMs),
      // Its holder lives in this process: the lease is renewed as long as that does.
      expiresAt: null,
      fence: row.fence,
      holder: row.holder,
      ...(row.quarantined ? { quarantined: true } : undefined),
    });
  }
  return locks;
}
