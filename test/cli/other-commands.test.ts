import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();
const SNAPSHOTS = path.join(path.dirname(fileURLToPath(import.meta.url)), "help");

const COMMANDS = [
  "",
  "exec",
  "each",
  "wait",
  "run",
  "plan",
  "status",
  "why",
  "cancel",
  "pause",
  "resume",
  "retry",
  "answer",
  "set",
  "unlock",
  "logs",
  "report",
  "mcp",
  "init",
  "hooks",
  "trust",
  "doctor",
  "completion",
];

test.each(COMMANDS)("help of lockyard %s has an example", async (command) => {
  const here = directory();
  const { code, stdout } = await here.run([...(command === "" ? [] : [command]), "--help"], { COLUMNS: "100" });
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nExample:\n {2}\$ |eval/);
  await expect(stdout).toMatchFileSnapshot(path.join(SNAPSHOTS, `${command || "lockyard"}.txt`));
});

test("no command is listed that does not exist", async () => {
  const here = directory();
  const { stdout } = await here.run(["--help"]);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<|\s)/gm)].map(([, name]) => name);
  expect(listed.filter((name) => name !== "help" && name !== "lockyard")).toEqual(COMMANDS.slice(1));
});

test("--version is that of the package", async () => {
  const here = directory();
  const manifest = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(await here.run(["--version"])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  expect(await here.run(["-V"])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
});

const PLAN = `name: shop
resources:
  db: { capacity: 1 }
tasks:
  types: { run: "tsc", use: db }
  docs: { run: "node {{file}}", forEach: { list: [a, b, c, d, e], as: file }, write: "docs/{{file}}.md", dependsOn: [types] }
  check: { run: "check", read: docs, use: db, dependsOn: [types] }
  report: { run: "report", dependsOn: [docs, check], if: always }
`;

test("plan shows layers, collisions, the bound and who would be kept waiting; it starts nothing", async () => {
  const here = directory();
  here.write("plan.yaml", PLAN);
  const { code, stdout } = await here.run(["plan", "plan.yaml"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^shop: 8 tasks in 3 layers, at most 10 at once\n/);
  expect(stdout).toMatch(/ {2}1 {2}● +types/);
  expect(stdout).toMatch(/docs ×5/);
  expect(stdout).toMatch(/Collisions \(in any order, but never at once\)\n/);
  expect(stdout).toMatch(/Critical path +types → /);
  expect(stdout).toMatch(/Lower bound/);
  expect(stdout).toMatch(
    /! check reads all of file:docs: while it runs, 5 tasks of this plan and every other task and session wait to write/,
  );
  expect(here.exists("store.db")).toBe(false);
  expect((await here.run(["run", "plan.yaml", "--dry"])).stdout).toBe(stdout);
});

test("plan --json names the claims and where they come from", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `agents:\n  backend_specialist: { kind: command, run: "node agent.mjs" }\ntasks:\n  api: { agent: backend_specialist, description: Build, context: { endpoints: [users] } }\n`,
  );
  const { stdout } = await here.run(["plan", "plan.yaml", "--json"]);
  const plan = JSON.parse(stdout);
  expect(plan).toMatchObject({ type: "plan", tasks: [{ taskId: "api", layer: 1 }], refusals: [] });
  expect(JSON.stringify(plan.tasks[0].claims)).toMatch(/backend_services\/users/);
  expect(plan.tasks[0].claims[0].from).toMatch(/endpoints/);
});

test("init shows, writes when told to, and never overwrites", async () => {
  const here = directory();
  here.write("package.json", JSON.stringify({ scripts: { test: "node -e 1" } }));
  const shown = await here.run(["init"]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/Would write .*lockyard\.plan\.yaml:/);
  expect(shown.stdout).toMatch(/Nothing was written. To write it: lockyard init --yes\n$/);
  expect(here.exists("lockyard.plan.yaml")).toBe(false);
  here.write("lockyard.yaml", "# mine\n");
  const written = await here.run(["init", "--yes"]);
  expect(written.stdout).toMatch(/lockyard\.yaml is there already and stays as it is\./);
  expect(written.stdout).toMatch(/Written: lockyard\.plan\.yaml\. Next: lockyard plan lockyard\.plan\.yaml\n$/);
  expect(here.read("lockyard.yaml")).toBe("# mine\n");
  expect((await here.run(["plan", "lockyard.plan.yaml"])).code).toBe(0);
});

test("init proposes rules from the repository's own files, and names the hosts it finds", async () => {
  const here = directory();
  here.write("package.json", JSON.stringify({ scripts: { test: "node -e 1" } }));
  fs.mkdirSync(path.join(here.path, "bin"));
  fs.writeFileSync(path.join(here.path, "bin/claude"), "", { mode: 0o755 });
  const { stdout } = await here.run(["init", "--yes", "--mcp"], { PATH: path.join(here.path, "bin") });
  expect(stdout).toMatch(/Written: lockyard\.yaml, lockyard\.plan\.yaml, \.mcp\.json\./);
  expect(stdout).toMatch(/Found Claude Code\. Guard their sessions: lockyard hooks install claude\n$/);
  expect(here.read("lockyard.yaml")).toContain('- "npm test*"');
  expect(JSON.parse(here.read(".mcp.json"))).toEqual({
    mcpServers: { lockyard: { command: "lockyard", args: ["mcp"] } },
  });
});

test("doctor says what holds here, and 1 when something does not", async () => {
  const here = directory();
  const good = await here.run(["doctor", "--json"]);
  const report = JSON.parse(good.stdout) as { ok: boolean; checks: { name: string; status: string }[] };
  expect(report.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["Node", "platform", "processes", "store", "disk", "config"]),
  );
  expect(report.ok).toBe(good.code === 0);
  here.write("lockyard.yaml", "resorces: {}\n");
  const bad = await here.run(["doctor"]);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/fault +config +\S*lockyard\.yaml:1:1 .*resorces/);
  expect(bad.stdout).toMatch(/1 to put right\.\n$/);
});

test("looking at a store that is not there makes none", async () => {
  const here = directory();
  const { code, stdout } = await here.run(["status"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Nothing runs, nothing waits \(there is no store at .*store\.db yet\)/);
  expect(here.exists("store.db")).toBe(false);
  expect((await here.run(["status", "--store", "memory"])).stdout).toMatch(/belongs to one process/);
});

test("completion knows commands, options, plans and shells", async () => {
  const here = directory();
  here.write("plan.yaml", PLAN);
  const words = async (...typed: string[]) =>
    (await here.run(["complete", "--", ...typed])).stdout.split("\n").map((line) => line.split("\t")[0]);
  expect(await words("")).toEqual(expect.arrayContaining(["run", "status", "doctor"]));
  expect(await words("run", "--u")).toEqual(["--ui", ""]);
  expect(await words("run", "--ui", "")).toEqual(["live", "stream", "json", ""]);
  expect(await words("run", "pl")).toEqual(["plan.yaml", ""]);
  expect(await words("completion", "")).toEqual(["bash", "zsh", "fish", ""]);
  const script = await here.run(["completion", "bash"]);
  here.write("completion.bash", script.stdout);
  expect((await here.shell("bash -n completion.bash")).code).toBe(0);
  expect(await here.run(["completion", "fis"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean fish?"),
  });
});
