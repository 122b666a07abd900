/**
 * The contract of a ledger, run on every one: each method of core/ledger.ts and the five statements at its head. A ledger
 * that passes makes the kernel decide the same as on the memory ledger (ledger-equivalence.ts compares them turn by turn).
 */
import { type AddTest, Fixture, type OpenLedger } from "./ledger-contract/fixture.ts";
import { lockTests, unitTests } from "./ledger-contract/holds.ts";
import { bookTests, counterTests, lineTests } from "./ledger-contract/line.ts";
import { rowTests } from "./ledger-contract/rows.ts";
import type { TestKit } from "./test-kit.ts";

export type { OpenLedger } from "./ledger-contract/fixture.ts";

export interface LedgerContractOptions {
  readonly name: string;
  /** A ledger without rows, at time 0. */
  open(): OpenLedger;
}

export function ledgerContract({ name, open }: LedgerContractOptions, { describe, it, expect }: TestKit): void {
  const add: AddTest = (title, run) =>
    it(title, () => {
      const opened = open();
      try {
        run(new Fixture(opened), expect);
      } finally {
        opened.close();
      }
    });
  describe(`the ledger of ${name}`, () => {
    for (const tests of [rowTests, lockTests, unitTests, lineTests, counterTests, bookTests]) tests(add);
  });
}
