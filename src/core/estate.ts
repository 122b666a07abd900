/**
 * What a holder covered passes to those inside it that still use it.
 *
 * L3 L11 units that an ancestor holds count for whoever runs inside it, which then takes none itself. When the ancestor ends
 * first (a command in the background outlives the one that started it, a ticket is handed over, a request is released), what
 * counted for those inside becomes their own before anybody in line is tested: in use is never less than what is used.
 * Several that leaned on one unit take one each, so for a while more may be out than there are, and nobody is granted.
 *
 * Locks need nothing of the kind: each row writes its own holds, whatever its ancestors hold.
 */
import type { Decision } from "./decision.ts";
import type { TaskRow } from "./row.ts";

/** Hands on what was let go since the last look. Outermost first: what one takes counts for those inside it. */
export function settleEstates(decision: Decision): void {
  const { ledger, estates } = decision;
  for (const { node, holderKey } of estates) {
    for (const row of ledger.heldInside(node, holderKey)) {
      ledger.edit(row);
      if (ledger.takeOver(row, node)) decision.mayHoldKnot = true;
      ledger.put(row);
    }
  }
  estates.length = 0;
}

/** Pool members that one row holds itself. */
export interface MembersHeld {
  readonly key: number;
  readonly holderKey: number;
  readonly members: readonly string[];
}

/** Members that those around a row hold, in the order in which it leans on them: outermost first, then by key. */
export function membersAround({ ancestors }: TaskRow, around: readonly MembersHeld[]): string[] {
  const level = ({ holderKey }: MembersHeld): number => -ancestors.indexOf(holderKey);
  const inOrder = [...around].sort((a, b) => level(a) - level(b) || a.key - b.key);
  return inOrder.flatMap(({ members }) => members);
}
