import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../clock/system-clock.ts";
import { killTree } from "./kill-tree.ts";
import { newMarker } from "./marker.ts";
import { isSameAlive, readProcesses } from "./proc-table.ts";
import { type ProcessTree, processTree } from "./process-tree.ts";
import { type SpawnedChild, spawnChild } from "./spawn.ts";

const clock = systemClock();
/** Seconds to sleep that name a process: nobody else sleeps as long. */
const FIRST = 1_000_000 + process.pid * 100;
const started: ProcessTree[] = [];

/** Runs a script that prints `ready` when its tree stands. */
async function start(script: string): Promise<{ readonly child: SpawnedChild; readonly tree: ProcessTree }> {
  const child = await spawnChild({ argv: [script], shell: true, marker: newMarker(clock), stdin: "ignore" });
  const tree = processTree(child.process);
  started.push(tree);
  child.stderr.resume();
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("ready")) resolve();
    });
  });
  return { child, tree };
}

afterEach(async () => {
  for (const tree of started.splice(0)) await killTree(tree, { clock, graceMs: 0 });
});

/** Five ways to get away, each sleeping for a time that names it. */
function escapees(seconds: number): string {
  return [
    `sleep ${seconds}.1 &`,
    `setsid sleep ${seconds}.2 &`,
    `(setsid sh -c 'sleep ${seconds}.3 &') &`,
    `env -i /usr/bin/setsid /bin/sleep ${seconds}.4 &`,
    `(trap '' TERM; exec sleep ${seconds}.5) &`,
    `(trap '' TERM; while :; do sleep ${seconds}.6; done) &`,
    `(setsid sh -c 'trap "" TERM HUP; (setsid sleep ${seconds}.7 &) ; sleep ${seconds}.8' &) &`,
  ].join("\n");
}

function sleepers(seconds: number): readonly string[] {
  const all = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(`sleep ${seconds}.`) && !line.startsWith("Z") && !line.includes("sh -c"));
}

test("nothing that tries to get away survives, at once or after the grace", async () => {
  for (const [seconds, graceMs] of [
    [FIRST + 1, 0],
    [FIRST + 2, 150],
  ] as const) {
    const { tree, child } = await start(
      `${escapees(seconds)}\nwhile [ $(ps -eo args | grep -c '^[/a-z]*sleep ${seconds}') -lt 8 ]; do :; done\necho ready\nwait`,
    );
    expect(sleepers(seconds)).toHaveLength(8);
    const report = await killTree(tree, { clock, graceMs });
    expect(report.survivors).toEqual([]);
    expect(sleepers(seconds)).toEqual([]);
    await child.exited;
  }
});

test("a polite tree ends by being asked, and nobody is killed", async () => {
  const { tree } = await start(`sleep ${FIRST + 3}.1 & trap 'exit 0' TERM; echo ready; wait`);
  const report = await killTree(tree, { clock, graceMs: 5_000 });
  expect(report).toMatchObject({ survivors: [], killed: 0 });
  expect(report.asked).toBeGreaterThanOrEqual(2);
});

test("a process that forks when it is asked to end does not outrun the sweep", async () => {
  const { tree } = await start(
    `spawn() { setsid sh -c 'trap "" TERM; sleep ${FIRST + 4}.1' & }; trap 'spawn; spawn' TERM; echo ready; while :; do sleep 0.02; done`,
  );
  const report = await killTree(tree, { clock, graceMs: 200 });
  expect(report.survivors).toEqual([]);
  expect(sleepers(FIRST + 4)).toEqual([]);
});

test("a stopped tree is ended too", async () => {
  const { tree, child } = await start(`sleep ${FIRST + 5}.1 & echo ready; wait`);
  process.kill(-child.process.pid, "SIGSTOP");
  expect((await killTree(tree, { clock, graceMs: 2_000 })).survivors).toEqual([]);
});

test("a shared daemon that is spared stays, and is no survivor", async () => {
  const { tree } = await start(`setsid sleep ${FIRST + 6}.1 & sleep ${FIRST + 6}.2 & echo ready; wait`);
  const isSpared = (pid: number) => fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${FIRST + 6}.1`);
  const report = await killTree(tree, { clock, graceMs: 0, spare: (entry) => isSpared(entry.pid) });
  expect(report.survivors).toEqual([]);
  expect(sleepers(FIRST + 6)).toHaveLength(1);
});

test("processes of others, older ones and ourselves are never members", async () => {
  const other = await start(`sleep ${FIRST + 7}.1 & echo ready; wait`);
  const { tree } = await start(`sleep ${FIRST + 7}.2 & echo ready; wait`);
  const members = new Set(tree.find().map(({ pid }) => pid));
  expect(members.has(process.pid)).toBe(false);
  for (const { pid } of other.tree.find()) expect(members.has(pid)).toBe(false);
  const older = readProcesses().filter(({ startTime }) => startTime < tree.root.startTime);
  for (const { pid } of older) expect(members.has(pid)).toBe(false);
  await killTree(tree, { clock, graceMs: 0 });
  expect(other.tree.find().length).toBeGreaterThan(0);
  expect(isSameAlive(other.child.process)).toBe(true);
});

test("a pid that was given to somebody else is not signalled", async () => {
  const { child } = await start(`echo ready; sleep ${FIRST + 8}.1`);
  const { cgroup: _, ...identity } = child.process;
  const earlier = processTree({ ...identity, startTime: child.process.startTime - 1, marker: "nobody" });
  expect(earlier.find()).toEqual([]);
  await killTree(earlier, { clock, graceMs: 0 });
  expect(isSameAlive(child.process)).toBe(true);
});

test("what cannot be ended is named, after the limit and not before a signal that could hit another", async () => {
  const { child } = await start(`echo ready; sleep ${FIRST + 9}.1`);
  const members = processTree(child.process).find();
  const reused = members.map((entry) => ({ ...entry, startTime: entry.startTime - 1 }));
  const report = await killTree({ root: child.process, find: () => reused }, { clock, graceMs: 10, proofMs: 20 });
  expect(report.survivors).toEqual(reused);
  expect(isSameAlive(child.process)).toBe(true);
});

test("a limit that passes before the first look is over still lets everybody be killed", async () => {
  const { tree } = await start(`trap '' TERM; sleep ${FIRST + 11}.1 & echo ready; wait`);
  await killTree(tree, { clock, graceMs: 0, proofMs: 0 });
  expect(sleepers(FIRST + 11)).toEqual([]);
});

test("many trees are ended at once", async () => {
  const trees = await Promise.all(
    Array.from({ length: 20 }, () =>
      start(`trap '' TERM; setsid sleep ${FIRST + 10}.1 & sleep ${FIRST + 10}.2 & echo ready; wait`),
    ),
  );
  const reports = await Promise.all(trees.map(({ tree }) => killTree(tree, { clock, graceMs: 50 })));
  expect(reports.flatMap(({ survivors }) => survivors)).toEqual([]);
  expect(sleepers(FIRST + 10)).toEqual([]);
});
