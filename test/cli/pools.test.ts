/** Pools from the command line: ports that strangers hold, what a command inside another gets, directories of one's own. */
import fs from "node:fs";
import { createServer, type Server } from "node:net";
import { afterAll, expect, test } from "vitest";
import { gate, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();
const strangers = new Set<Server>();
afterAll(() => {
  for (const server of strangers) server.close();
});

/** Somebody who listens and has never heard of Lockyard. */
async function stranger(): Promise<{ readonly port: number; leave(): Promise<void> }> {
  const server = createServer();
  strangers.add(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const leave = () => {
    strangers.delete(server);
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  return { port, leave };
}

const SAY = `node -e "require('fs').appendFileSync('said',process.env.PORT+'\\\\n')"`;

test("a port that somebody else listens on is passed over; when all are, the task waits, says why, and goes on later", async () => {
  const here = directory();
  const [taken, other] = [await stranger(), await stranger()];
  await other.leave();
  const plan = (ports: readonly number[]) =>
    `name: shop\nresources:\n  port: { pool: "${ports.join(",")}", env: PORT }\ntasks:\n  one: { run: ${JSON.stringify(SAY)}, use: port }\n`;
  here.write("plan.yaml", plan([taken.port, other.port]));
  expect((await here.run(["run", "plan.yaml"])).code).toBe(0);
  expect(here.read("said")).toBe(`${other.port}\n`);

  here.write("plan.yaml", plan([taken.port]));
  const run = here.start(["run", "plan.yaml", "--json"]);
  await run.until(/task-waiting/);
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(
    new RegExp(`waiting for port: ${taken.port} is used by a program Lockyard did not start, and tried again in \\S+`),
  );
  const why = await here.run(["why", "port"]);
  expect(why.stdout).toMatch(new RegExp(`${taken.port} is used by a program Lockyard did not start`));
  await taken.leave();
  expect((await run.finished).code).toBe(0);
  expect(here.read("said")).toBe(`${other.port}\n${taken.port}\n`);
});

test("a command inside another gets the port its parent holds, in another process, too", async () => {
  const here = directory();
  const free = await stranger();
  await free.leave();
  here.write("lockyard.yaml", `resources: { port: { pool: "${free.port}", env: PORT } }\n`);
  const inner = `$CLI exec --use port -- node -p process.env.PORT`;
  const outer = await here.shell(`$CLI exec --use port -- sh -c 'echo $PORT; ${inner}'`);
  expect(outer.stderr).toBe("");
  expect(outer.stdout).toBe(`${free.port}\n${free.port}\n`);
});

test("a directory is made for a task, for its user alone, and gone after it, also when its run was killed", async () => {
  const here = directory();
  const look = `node -e "const fs=require('fs'),d=process.env.SCRATCH;fs.writeFileSync(d+'/x','');fs.appendFileSync('said',d+' '+(fs.statSync(d).mode%512).toString(8)+'\\\\n')"`;
  here.write(
    "plan.yaml",
    `name: shop\nresources:\n  scratch: { directories: 1 }\ntasks:\n  one: { run: ${JSON.stringify(look)}, use: scratch }\n`,
  );
  expect((await here.run(["run", "plan.yaml"])).code).toBe(0);
  const [place = "", mode] = here.read("said").trim().split(" ");
  expect([place.startsWith(`${here.path}/.local/state/lockyard/scratch/`), mode]).toEqual([true, "700"]);
  expect(fs.existsSync(place)).toBe(false);

  here.write(
    "stuck.yaml",
    `name: stuck\nresources:\n  scratch: { directories: 1 }\ntasks:\n  two: { run: ${JSON.stringify(gate("two"))}, use: scratch }\n`,
  );
  const killed = here.start(["run", "stuck.yaml"]);
  await here.appeared("two.started");
  const below = place.slice(0, place.lastIndexOf("/"));
  expect(fs.readdirSync(below)).toHaveLength(1);
  killed.child.kill("SIGKILL");
  await killed.finished;
  expect((await here.run(["run", "plan.yaml"])).code).toBe(0);
  expect(fs.readdirSync(below)).toEqual([]);
});
