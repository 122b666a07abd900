/** What real processes ask of the store and are answered, under kill -9 and SIGSTOP, judged by two checkers. */
import { expect, test } from "vitest";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import { corrupted } from "./corruptions.ts";
import { fenceOrderFaults } from "./fence-order.ts";
import { LIMIT_MS, sized } from "./form.ts";
import { makeHistory } from "./histories.ts";
import { type History, readHistory } from "./history.ts";
import { isLinearizable } from "./linearizability.ts";
import { usePlaces } from "./places.ts";

const HISTORIES = sized({ short: 5, long: 50 });
const OPERATIONS = 1_000;
const LIES = 200;
const SEED = 1;

const places = usePlaces();

function resourcesOf(history: History): readonly string[] {
  return [...new Set(history.flatMap((operation) => (operation.kind === "acquire" ? operation.resources : [])))];
}

/** By the slow check, and by the fast one, of each resource. */
function verdictsOf(history: History): readonly (readonly [boolean, boolean])[] {
  return resourcesOf(history).map((name) => [
    isLinearizable(history, name),
    fenceOrderFaults(history, name).length === 0,
  ]);
}

test(
  "histories of processes that are killed and stopped are linearizable, fences grow over all resources, and lies in them are caught",
  async () => {
    const counts = { histories: 0, operations: 0, kills: 0, stops: 0, lies: 0, caught: 0 };
    for (let seed = SEED; seed < SEED + HISTORIES; seed++) {
      const { text, kills, stops } = await makeHistory(places.make(), seed, OPERATIONS);
      const history = readHistory(text);
      expect({ seed, faults: fenceOrderFaults(history) }).toEqual({ seed, faults: [] });
      expect({ seed, verdicts: verdictsOf(history).flat().includes(false) }).toEqual({ seed, verdicts: false });
      counts.histories++;
      counts.operations += history.filter(({ kind }) => kind !== "crash").length;
      counts.kills += kills;
      counts.stops += stops;
      const random = seededRandom(seed);
      for (let lie = 0; lie < LIES / HISTORIES; lie++) {
        const verdicts = verdictsOf(corrupted(history, random));
        counts.lies++;
        // The two checks share nothing, and agree on every resource.
        expect(verdicts.filter(([slow, fast]) => slow !== fast)).toEqual([]);
        if (verdicts.flat().includes(false)) counts.caught++;
      }
    }
    places.note("histories", { seed: SEED, counts });
    expect(counts.operations).toBeGreaterThanOrEqual(HISTORIES * OPERATIONS);
    expect(counts).toMatchObject({ lies: LIES, caught: LIES });
  },
  LIMIT_MS,
);
