// What the README promises of two terminals, with the real command line: the second waits for the first, every command
// runs once, and who is killed leaves nothing behind.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TERMINALS = 4;

/** Writes that it began and that it ended; whoever overlaps is seen in the order of the lines. */
const SHORT = `
  const { appendFileSync } = require("node:fs");
  appendFileSync("log", "begins\\n");
  setTimeout(() => appendFileSync("log", "ends\\n"), 300);
`;

/** Says which process it is, and stays. */
const LONG = `
  require("node:fs").writeFileSync("long", String(process.pid));
  setInterval(() => {}, 60_000);
`;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockyard-terminals-"));
  execFileSync(process.execPath, [join(ROOT, "scripts", "build.mjs"), "--if-stale"], { cwd: ROOT, stdio: "ignore" });
  for (const [name, command] of Object.entries({ short: SHORT, long: LONG })) {
    writeFileSync(join(folder, `${name}.cjs`), command);
    const task = { run: [process.execPath, `${name}.cjs`], use: "build", write: "log" };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ name, tasks: { work: task } }));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("plans of several terminals take turns, and every command runs once", async () => {
  const codes = await Promise.all(Array.from({ length: TERMINALS }, () => ended(lockyard("run", "short.json"))));
  expect(codes).toEqual(Array.from({ length: TERMINALS }, () => 0));
  const log = readFileSync(join(folder, "log"), "utf8").trim().split("\n");
  expect(log).toEqual(Array.from({ length: TERMINALS }, () => ["begins", "ends"]).flat());
});

test("a terminal that is killed frees its locks for the next, after everything it had started is dead", async () => {
  const killed = lockyard("run", "long.json");
  const gone = ended(killed);
  await vi.waitFor(() => expect(readFileSync(join(folder, "long"), "utf8")).toMatch(/^\d+$/), {
    timeout: 20_000,
    interval: 50,
  });
  killed.kill("SIGKILL");
  await gone;
  rmSync(join(folder, "log"), { force: true });
  expect(await ended(lockyard("run", "short.json"))).toBe(0);
  expect(readFileSync(join(folder, "log"), "utf8")).toBe("begins\nends\n");
  expect(isAlive(Number(readFileSync(join(folder, "long"), "utf8")))).toBe(false);
});

/** A dead process that nobody has collected yet still has its number. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function lockyard(...args: readonly string[]): ChildProcess {
  const env = { ...process.env, HOME: folder, LOCKYARD_STORE: join(folder, "store.db"), XDG_CONFIG_HOME: folder };
  return spawn(process.execPath, [join(ROOT, "bin", "lockyard.js"), ...args], { cwd: folder, env, stdio: "ignore" });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
}
