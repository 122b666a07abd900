/** Whatever a task starts is ended with it, at every level of containment this machine has, and nothing else is. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { killTree } from "../../src/process/kill-tree.ts";
import { newMarker } from "../../src/process/marker.ts";
import { containment, type ProcessTree, processTree } from "../../src/process/process-tree.ts";
import { spawnChild } from "../../src/process/spawn.ts";
import { ANIMALS, type Animal, scriptOf } from "./animals.ts";
import { endSleepers, hasProgram, nameFor, sleepersOf } from "./watching.ts";

const clock = systemClock();
const { level: here, why } = containment();
const BYSTANDER = nameFor(999);
let bystander: ChildProcess;
let seconds = "";

beforeAll(() => {
  bystander = spawn("sleep", [BYSTANDER], { stdio: "ignore" });
});
afterAll(() => {
  bystander.kill("SIGKILL");
});
afterEach(() => {
  expect(sleepersOf(BYSTANDER)).toHaveLength(1);
  endSleepers(seconds);
});

async function release(
  animal: Animal,
  options: { readonly index: number; readonly cgroup: boolean },
): Promise<ProcessTree> {
  seconds = nameFor(options.index);
  const child = await spawnChild({
    argv: [scriptOf(animal, seconds)],
    shell: true,
    marker: newMarker(clock),
    stdin: "ignore",
    cgroup: options.cgroup,
  });
  child.stderr.resume();
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("ready")) resolve();
    });
  });
  return processTree(child.process);
}

describe.each([
  { level: "cgroup", first: 0 },
  { level: "sweep", first: 100 },
])("level $level", ({ level, first }) => {
  const isHere = level === "sweep" || here === "cgroup";
  if (!isHere) console.warn(`SKIPPED: the zoo at level cgroup, because ${why}.`);
  for (const [index, animal] of ANIMALS.entries()) {
    const isMissing = animal.needs !== undefined && !hasProgram(animal.needs);
    if (isMissing) console.warn(`SKIPPED: "${animal.name}", because ${animal.needs} is not installed.`);
    const getsAway = level === "sweep" && animal.needsCgroup === true;
    for (const [at, graceMs] of [0, 150].entries()) {
      const name = `${animal.name}: ${getsAway ? "gets away, as doctor says" : "nobody survives"}, grace ${graceMs} ms`;
      test.skipIf(!isHere || isMissing)(name, async () => {
        const tree = await release(animal, { index: first + index * 2 + at, cgroup: level === "cgroup" });
        const { survivors } = await killTree(tree, { clock, graceMs });
        expect(survivors).toEqual([]);
        expect(tree.find()).toEqual([]);
        expect(sleepersOf(seconds)).toHaveLength(getsAway ? animal.count : 0);
      });
    }
  }
});
