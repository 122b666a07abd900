/** Every ledger keeps the one contract; those over a database decide as the memory ledger does. */
import { describe, expect, it } from "vitest";
import { MapLedger } from "../../src/stores/memory/map-ledger.ts";
import { ledgerContract } from "../../src/testing/ledger-contract.ts";
import { ledgerEquivalence } from "../../src/testing/ledger-equivalence.ts";
import { openSqliteLedger } from "../support/sqlite-ledger.ts";

const SEEDS = Number(process.env.LOCKYARD_KERNEL_SEEDS ?? 20);

ledgerContract(
  {
    name: "memory",
    open() {
      const ledger = new MapLedger();
      return {
        ledger,
        commit(work) {
          const answer = work();
          ledger.commit();
          return answer;
        },
        undo(work) {
          work();
          ledger.undo();
        },
        close: () => undefined,
      };
    },
  },
  { describe, it, expect },
);

ledgerContract({ name: "sqlite", open: openSqliteLedger }, { describe, it, expect });

ledgerEquivalence({ name: "sqlite", open: openSqliteLedger, seeds: SEEDS, steps: 250 }, { describe, it, expect });
