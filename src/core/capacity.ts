/** More units than there are, and than there will be: such a task could never start, so it is refused, in line as well. */
import { RATE, type ResolvedClaim, UNITS } from "./claims.ts";
import { mostDeclared } from "./counters.ts";
import type { Decision } from "./decision.ts";
import type { TaskRow } from "./row.ts";

/** `Task types uses 3 units of build and there are 2.` */
export function overCapacity(taskId: string, { node, units }: ResolvedClaim, capacity: number): string {
  return `Task ${taskId} uses ${units} units of ${node.slice(2)} and there are ${capacity}.`;
}

/**
 * Why a row that was just tested can never be served: a number was made smaller while it waited, and nobody who lives
 * whose word counts declares enough. Null when it may wait. Nothing at all (0) is a pause, and whoever declared it will end it.
 */
export function neverEnough(decision: Decision, row: TaskRow): string | null {
  const { ledger, blockNode, blockMode } = decision;
  if (blockMode !== UNITS && blockMode !== RATE) return null;
  const counter = ledger.counter(blockNode);
  const claim = row.claims.find(({ node }) => node === blockNode);
  if (counter === undefined || claim === undefined) return null;
  const most = mostDeclared(counter);
  return most === 0 || claim.units <= most ? null : overCapacity(row.taskId, claim, most);
}
