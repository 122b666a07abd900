/** Known bugs, planted one at a time: a monitor that does not notice one of them would not notice it in our code either. */
import { afterAll, describe, expect, test } from "vitest";
import { newKernelCatalogue, runKernelSeed } from "../../src/testing/sim/kernel/run.ts";
import { newManagerCatalogue, runManagerSeed } from "../../src/testing/sim/manager/run.ts";
import { MANAGER_SABOTEURS } from "../../src/testing/sim/saboteurs/manager-saboteurs.ts";
import { KERNEL_SABOTEURS } from "../../src/testing/sim/saboteurs/saboteurs.ts";
import type { Violation } from "../../src/testing/sim/violation.ts";

const SEEDS = 2_000;
const caught: string[] = [];
const rules = new Set<string>();

/** Every rule the monitor judges by must have caught somebody: one that never does may be no rule at all. */
const RULES = ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L12", "L13", "B1", "B2", "B3"];
const MORE_RULES = ["forgotten", "clock", "duplicate", "lost", "rollback", "liveness"];

interface Planted {
  readonly name: string;
  readonly rules: readonly string[];
  readonly run: (seed: number) => Promise<readonly Violation[]>;
}

/** The rule that catches it; none when nobody notices. */
async function catchIt({ name, run }: Planted): Promise<string> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const [violation] = await run(seed);
    if (violation === undefined) continue;
    caught.push(`${name}: seed ${seed}, ${violation.rule}: ${violation.what.split("\n")[0]}`);
    rules.add(violation.rule);
    return violation.rule;
  }
  return "nobody noticed";
}

/** A planted bug may also break a world so that it throws: that is noticed too. */
async function violations(run: () => Promise<readonly Violation[]>): Promise<readonly Violation[]> {
  try {
    return await run();
  } catch (error) {
    return [{ rule: "crash", what: String(error) }];
  }
}

const kernel = KERNEL_SABOTEURS.map(({ name, rules, open }): Planted => {
  const catalogue = newKernelCatalogue();
  return { name, rules, run: (seed) => violations(async () => runKernelSeed(seed, open(), catalogue).violations) };
});

const managers = MANAGER_SABOTEURS.map(({ name, rules, meddle }): Planted => {
  const catalogue = newManagerCatalogue();
  return {
    name,
    rules,
    run: (seed) => violations(async () => (await runManagerSeed(seed, catalogue, meddle())).violations),
  };
});

describe("planted bugs are noticed", () => {
  test.each([...kernel, ...managers])("$name", async (planted) => {
    expect(planted.rules).toContain(await catchIt(planted));
  });

  test("by every rule there is", () => {
    expect([...RULES, ...MORE_RULES].filter((rule) => !rules.has(rule))).toEqual([]);
  });

  test("there are enough of them, each with a name of its own", () => {
    const names = [...kernel, ...managers].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });

  afterAll(() => console.log(caught.join("\n")));
});
