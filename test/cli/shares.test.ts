import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** Appends its name when it begins. */
const noted = (name: string) => `node -e "require('fs').appendFileSync('order','${name}')"`;
const many = (name: string, count: number) =>
  `name: ${name}\nconcurrency: 8\ntasks:\n  t: { run: ${JSON.stringify(noted(name))}, forEach: { list: [${Array.from({ length: count }, (_, at) => at).join(", ")}] }, context: { n: "{{item}}" } }\n`;

test("two runs share the machine's limit: five tasks that come later do not wait for the dozens that came first", async () => {
  const here = directory();
  here.write(".config/lockyard/config.yaml", "concurrency: 2\n");
  here.write("a.yaml", many("a", 60));
  here.write("b.yaml", many("b", 5));
  const first = here.start(["run", "a.yaml"]);
  await here.appeared("order");
  const status = await here.run(["status", "--json"]);
  expect(JSON.parse(status.stdout).running.length).toBeLessThanOrEqual(2);
  const second = await here.run(["run", "b.yaml"]);
  const order = here.read("order");
  expect(second.code).toBe(0);
  // What came between the first and the last of the five: one of the others for each of them, and those that ran.
  const between = order.slice(order.indexOf("b"), order.lastIndexOf("b"));
  expect(between.replaceAll("b", "").length).toBeLessThanOrEqual(10);
  const set = await here.run(["set", "concurrency=6"]);
  expect(set.stdout).toMatch(/^concurrency is 6 now \(2 before\), until `lockyard set concurrency=` clears it\./);
  const locks = await here.run(["status", "--locks"]);
  expect(locks.stdout).toMatch(/concurrency \(machine\)/);
  expect((await first.finished).code).toBe(0);
  expect(fs.readFileSync(path.join(here.path, "order"), "utf8").replaceAll("b", "")).toHaveLength(60);
});
