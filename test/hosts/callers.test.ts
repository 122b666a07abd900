// Hosts that hand tasks to `lockyard mcp`: what they hand over in one message runs at the same time.
import fs from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildCommandLine, HOSTS, inPlace, useHosts } from "./host.ts";
import type { Call } from "./model/script.ts";
import { type Place, ROOT } from "./place.ts";

useHosts();
beforeAll(buildCommandLine);

/** Each says that it is there and succeeds only when the other is there, too: one after the other both would fail. */
const MEET = `
import fs from "node:fs";

const me = process.argv[2];
const other = me === "a" ? "b" : "a";
fs.writeFileSync(me + ".here", "");
for (let tries = 0; !fs.existsSync(other + ".here"); tries++) {
  if (tries > 600) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
}
console.log("met " + other);
`;

function server(place: Place) {
  const folder = path.join(place.home, ".config", "lockyard");
  fs.mkdirSync(folder, { recursive: true });
  // The user's own file needs nobody's trust.
  const agents = ["a", "b"].map(
    (name) => `  ${name}: { kind: command, run: [node, meet.mjs, ${name}], readOnly: true }`,
  );
  fs.writeFileSync(path.join(folder, "config.yaml"), `agents:\n${agents.join("\n")}\n`);
  return { lockyard: { command: process.execPath, args: [path.join(ROOT, "bin", "lockyard.js"), "mcp"] } };
}

const call = (tool: string, input: unknown): Call => ({ server: "lockyard", tool, input });
const job = (name: string) => ({ id: name, agent: name, description: `meet as ${name}` });

const WAYS: readonly (readonly [string, readonly Call[][]])[] = [
  ["run_tasks", [[call("run_tasks", { tasks: [job("a"), job("b")] })]]],
  ["two run_readonly_task", [[call("run_readonly_task", job("a")), call("run_readonly_task", job("b"))]]],
  ["start_tasks and wait_tasks", [[call("start_tasks", { tasks: [job("a"), job("b")] })], [call("wait_tasks", {})]]],
];

test.each(HOSTS.flatMap((host) => WAYS.map(([name, rounds]) => ({ host, name, rounds }))))(
  "$host: tasks handed over by $name overlap",
  async ({ host, rounds }) => {
    await inPlace({ "meet.mjs": MEET }, async ({ place, start }) => {
      const script = [...rounds.map((calls) => ({ calls })), { text: "done" }];
      const session = await start(host, script, { mcp: server(place) });
      expect((await session.ended).code).toBe(0);
      const told = session.model
        .results()
        .map(({ text }) => text)
        .join("\n");
      expect(told).toContain("met a");
      expect(told).toContain("met b");
      expect(await place.survivors()).toEqual([]);
    });
  },
);
