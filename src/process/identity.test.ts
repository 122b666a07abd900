import { expect, test } from "vitest";
import { systemClock } from "../clock/system-clock.ts";
import { childEnvironment } from "./environment.ts";
import { identityOf, isAlive, livenessOf, ownIdentity } from "./identity.ts";
import { isSharedDaemon } from "./leftovers.ts";
import { carriesMarker, markerChain, newMarker } from "./marker.ts";
import { readProcess } from "./proc-table.ts";
import { containment, containmentLevel } from "./process-tree.ts";
import { spawnChild } from "./spawn.ts";

test("we live; an earlier holder of our number, an earlier boot do not; another namespace cannot be judged", () => {
  const own = ownIdentity();
  expect(own.pid).toBe(process.pid);
  expect(isAlive(own)).toBe(true);
  expect(livenessOf({ ...own, startTime: own.startTime - 1 })).toBe("gone");
  expect(livenessOf({ ...own, bootId: "another" })).toBe("gone");
  expect(livenessOf({ ...own, pidNamespace: "pid:[1]" })).toBe("unknown");
  expect(livenessOf({ ...own, bootId: "" })).toBe("unknown");
});

test("a process is gone once it is dead, even while its parent has not collected it", async () => {
  const child = await spawnChild({ argv: ["cat"], marker: "m", stdin: "pipe" });
  expect(isAlive(child.process)).toBe(true);
  process.kill(child.process.pid, "SIGKILL");
  await child.exited;
  expect(isAlive(child.process)).toBe(false);
  expect(identityOf(child.process.pid)).toBeUndefined();
});

test("a name with parentheses and spaces does not confuse the table", async () => {
  const script = "process.title = 'a) (b) 1 2'; console.log('ready'); process.stdin.resume()";
  const child = await spawnChild({ argv: [process.execPath, "-e", script], marker: "m", stdin: "pipe" });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  expect(readProcess(child.process.pid)).toMatchObject({
    name: "a) (b) 1 2",
    parentPid: process.pid,
    group: child.process.pid,
  });
  child.stdin?.end();
  await child.exited;
});

test("a child leads a group and session of its own and carries all markers", async () => {
  const child = await spawnChild({ argv: ["env"], marker: "mine", stdin: "ignore" });
  const entry = readProcess(child.process.pid);
  if (entry !== undefined) expect(entry).toMatchObject({ group: entry.pid, session: entry.pid });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  expect(text).toMatch(/^LOCKYARD_MARKER=.*\bmine$/m);
  await child.exited;
});

test("markers are one each, and stand side by side", () => {
  const clock = systemClock();
  const markers = new Set(Array.from({ length: 1_000 }, () => newMarker(clock)));
  expect(markers.size).toBe(1_000);
  const chain = markerChain("inner", markerChain("outer", undefined));
  expect(carriesMarker(chain, "inner") && carriesMarker(chain, "outer")).toBe(true);
  expect(carriesMarker(chain, "oute") || carriesMarker(undefined, "x")).toBe(false);
});

test("a child sees the allow-list, what was declared, what is ours, and nothing else", () => {
  const environment = childEnvironment({
    inherited: { PATH: "/bin", LC_TIME: "C", LOCKYARD_STORE: "s", AWS_SECRET: "x", NPM: "y", LANG: undefined },
    passed: ["NPM"],
    declared: { PATH: "/mine", ["__proto__"]: "p" },
    own: { LOCKYARD_STORE: "t" },
  });
  expect(Object.entries(environment).sort()).toEqual([
    ["LC_TIME", "C"],
    ["LOCKYARD_STORE", "t"],
    ["NPM", "y"],
    ["PATH", "/mine"],
    ["__proto__", "p"],
  ]);
});

test("shared daemons are known by whole words", () => {
  const entry = { pid: 0, parentPid: 1, group: 1, session: 1, startTime: 1 };
  expect(isSharedDaemon({ ...entry, name: "watchman" })).toBe(true);
  expect(isSharedDaemon({ ...entry, name: "dockerfile-lint" })).toBe(false);
  expect(isSharedDaemon({ ...entry, name: "sleep" }, ["sleep"])).toBe(true);
});

test("the level of containment says what gets away, and why it is no higher", () => {
  const { level, misses, why } = containment();
  expect(misses).not.toEqual([]);
  expect(level).toBe(containmentLevel());
  if (process.platform === "linux") expect(["cgroup", "sweep"]).toContain(level);
  expect(why === null).toBe(level === "cgroup");
});
