/**
 * Equal decisions, equal rows: the same seeded commands through the kernel on the memory ledger and on another one. Every
 * effect of every turn is compared, and from time to time every row, counter and what is carried.
 */
import type { Effect } from "../core/command.ts";
import type { TaskRow } from "../core/row.ts";
import { turn } from "../core/turn.ts";
import type { OpenLedger } from "./ledger-contract.ts";
import { RandomWorld } from "./random-world.ts";
import { plainRow } from "./rows.ts";
import type { TestKit } from "./test-kit.ts";

export interface EquivalenceOptions {
  readonly name: string;
  /** Fences start at 1,001 and keys at 1, as in the memory ledger it is compared with. */
  open(): OpenLedger & { liveRows(): readonly TaskRow[] };
  readonly seeds: number;
  readonly steps: number;
}

/** How often everything is compared: rows that differ show in effects soon anyway. */
const COMPARE_EVERY = 25;

export function ledgerEquivalence(options: EquivalenceOptions, { describe, it, expect }: TestKit): void {
  describe(`the ledger of ${options.name} beside the memory ledger`, () => {
    it("takes the same decisions and keeps the same rows", () => {
      let turns = 0;
      // Texts are compared first: thousands of rows, nearly always equal.
      const same = (actual: unknown, expected: unknown, what: string): void => {
        if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual, what).toEqual(expected);
      };
      for (let seed = 1; seed <= options.seeds; seed++) {
        const open = options.open();
        try {
          const { ledger } = open;
          const world = new RandomWorld(seed, (input, effects) => {
            turns++;
            const theirs = open.commit(() => turn(ledger, input));
            same(theirs.map(plainEffect), effects.map(plainEffect), `seed ${seed}, turn ${turns}`);
          });
          const compare = (): void => {
            same(open.liveRows().map(plainRow), world.rows().map(plainRow), `rows of seed ${seed} after turn ${turns}`);
            const counters = [...world.ledger.counters()].map((counter) => ({ ...counter }));
            expect(
              open.commit(() => counters.map(({ node }) => ({ ...ledger.counter(node) }))),
              `counters of seed ${seed}`,
            ).toEqual(counters);
            expect(
              open.commit(() => ledger.carry()),
              `carry of seed ${seed}`,
            ).toEqual([...world.ledger.carry()]);
          };
          for (let step = 1; step <= options.steps; step++) {
            world.step();
            if (step % COMPARE_EVERY === 0) compare();
          }
          expect(world.runDry(), `seed ${seed} runs dry`).toEqual([]);
          compare();
        } finally {
          open.close();
        }
      }
      expect(turns).toBeGreaterThan(options.seeds * options.steps);
    });
  });
}

/** One ledger remembers finished rows and another does not: why a command on one is refused may be worded differently. */
function plainEffect(effect: Effect): unknown {
  if (effect.type === "refused" && effect.code !== "DEADLOCK")
    return { type: effect.type, index: effect.index, code: effect.code };
  return "row" in effect ? { ...effect, row: plainRow(effect.row) } : effect;
}
