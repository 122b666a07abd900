// Real coding agents in a plan of the built command line: worktrees of their own, merged; dependencies; the cost of a run.

import { spawn } from "node:child_process";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KIND_OF, SHELL, surroundingsOf } from "./coding.ts";
import { HOSTS, useHosts } from "./host.ts";
import { type Model, startModel } from "./model/server.ts";
import { makePlace, type Place, ROOT } from "./place.ts";
import type { HostName } from "./programs.ts";

useHosts();

const ENTRY = process.env.LOCKYARD_TEST_ENTRY ?? path.join(ROOT, "bin", "lockyard.js");

let place: Place;
const models: Model[] = [];

beforeEach(() => {
  place = makePlace({ "a.txt": "one\n", "b.txt": "one\n" });
});

afterEach(async () => {
  place.remove();
  for (const model of models.splice(0)) await model.close();
});

/** Beside us, not instead of us: the models are ours. */
async function lockyard(...args: readonly string[]) {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    cwd: place.repository,
    env: { ...place.env, XDG_STATE_HOME: path.join(place.home, "state") },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...output };
}

/** One agent of a plan, with its scripted model; conversations by a word of their prompt. */
async function agentFor(host: HostName, files: readonly string[]): Promise<object> {
  const model = await startModel(
    files.map((file) => ({
      when: `change ${file}`,
      turns: [{ text: "working", calls: [SHELL[host](`echo ${host} >> ${file}`)] }, { text: `changed ${file}` }],
    })),
  );
  models.push(model);
  const { args, env } = surroundingsOf(host, place, model);
  // Lockyard's own names are taken, and handed on anyway.
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("LOCKYARD_")));
  return { kind: KIND_OF[host], permissions: "full", args, env: own };
}

test.each(HOSTS)(
  "%s in a plan: two at once in worktrees of their own, both merged, and one that reads their answers",
  async (host) => {
    const worker = await agentFor(host, ["a.txt", "b.txt", "nothing"]);
    const plan = {
      agents: { worker },
      tasks: {
        a: { agent: "worker", description: "change a.txt" },
        b: { agent: "worker", description: "change b.txt" },
        last: { agent: "worker", description: "change nothing, {{results.a.output}}", dependsOn: ["a", "b"] },
      },
    };
    place.write(`plan-${host}.json`, JSON.stringify(plan));
    const { code, stdout, stderr } = await lockyard("run", `plan-${host}.json`, "--json");
    const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect([stderr, last]).toMatchObject(["", { summary: { total: 3, succeeded: 3 } }]);
    expect(code).toBe(0);
    expect(place.git("show", "HEAD:a.txt") + place.git("show", "HEAD:b.txt")).toBe(`one\n${host}\none\n${host}\n`);
    expect(models.at(-1)?.asked.some(({ said }) => said.includes("change nothing, changed a.txt"))).toBe(true);
    expect(place.git("worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(await place.survivors()).toEqual([]);
  },
);
