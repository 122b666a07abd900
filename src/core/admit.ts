/** Grants a row that is not blocked, unless the grant itself would trap somebody for ever (L12). */
import { grant } from "./admission.ts";
import { whoWouldBeTrapped } from "./deadlock.ts";
import type { Decision } from "./decision.ts";
import { end } from "./endings.ts";
import type { TaskRow } from "./row.ts";

/** False when the row was ended with DEADLOCK instead; `index` is that of its command, or -1 for a row in line. */
export function admit(decision: Decision, row: TaskRow, index: number): boolean {
  const trapped = row.ancestors.length === 0 ? [] : whoWouldBeTrapped(decision, row);
  if (trapped.length === 0) {
    grant(decision, row);
    return true;
  }
  const names = trapped.slice(0, 5).map((other) => other.label || other.taskId);
  const message = `${row.label || row.taskId} would trap ${names.join(", ")}, which could then never be granted. Nothing was started.`;
  end(decision, row, { status: "failed", code: "DEADLOCK", message, isSilent: index >= 0 });
  if (index >= 0) decision.effects.push({ type: "refused", index, code: "DEADLOCK", message, blockers: [] });
  return false;
}
