import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Directory, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** A server of our own: the user's sessions are none of our business. */
const SOCKET = `lockyard-test-${process.pid}`;
const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
if (!hasTmux) console.warn("SKIPPED: exec in a terminal. tmux is not installed.");

afterAll(() => {
  if (hasTmux) spawnSync("tmux", ["-L", SOCKET, "kill-server"]);
});

function tmux(...args: readonly string[]): string {
  return execFileSync("tmux", ["-L", SOCKET, ...args], { encoding: "utf8" });
}

/** A terminal with an interactive shell in it, as people have. */
function terminal(here: Directory) {
  const name = path.basename(here.path);
  tmux("-f", "/dev/null", "new-session", "-d", "-s", name, "-x", "180", "-y", "50", "-c", here.path, "bash --norc");
  const type = (...keys: readonly string[]) => tmux("send-keys", "-t", name, ...keys);
  const screen = () => tmux("capture-pane", "-p", "-t", name);
  const until = async (pattern: RegExp): Promise<string> => {
    for (let looks = 0; looks < 300; looks++) {
      const shown = screen();
      if (pattern.test(shown)) return shown;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never shown: ${pattern}\n${screen()}`);
  };
  return { type, until };
}

async function ready(here: Directory) {
  const shell = terminal(here);
  // As `here.env`, and the command line as one word.
  const { stdout } = await here.shell('printf %s "$CLI"');
  here.write(
    "setup.sh",
    `${Object.entries(here.env)
      .map(([name, value]) => `export ${name}='${value}'`)
      .join("\n")}\nunset LOCKYARD\nPS1='ready$ '\nly() { ${stdout} "$@"; }\nclear\n`,
  );
  shell.type(". ./setup.sh", "Enter");
  await shell.until(/^ready\$ ?$/m);
  return shell;
}

test.skipIf(!hasTmux)("a program that reads the terminal gets what is typed, and Ctrl-C ends it", async () => {
  const here = directory();
  const shell = await ready(here);
  shell.type("ly exec --use build -- bash -c 'read -p name: x; echo hello $x; touch up; sleep 1000'", "Enter");
  await shell.until(/name:$/m);
  shell.type("Ada", "Enter");
  await shell.until(/hello Ada/);
  await here.appeared("up");
  shell.type("C-c");
  await shell.until(/\^C\nready\$ ?$/m);
  shell.type("echo code $?", "Enter");
  await shell.until(/^code 130/m);
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(/Nothing runs, nothing waits|0 running/);
});

test.skipIf(!hasTmux)("Ctrl-Z stops it, fg goes on, and its lock is kept meanwhile", async () => {
  const here = directory();
  const shell = await ready(here);
  shell.type(
    "ly exec --lock m -- bash -c 'touch up; while [ ! -e go ]; do sleep 0.05; done; echo over; exit 5'",
    "Enter",
  );
  await here.appeared("up");
  shell.type("C-z");
  await shell.until(/Stopped/);
  const other = await here.run(["exec", "--no-wait", "--lock", "m", "--", "echo", "no"]);
  expect(other.code).toBe(75);
  here.write("go", "");
  shell.type("fg", "Enter");
  await shell.until(/^over/m);
  shell.type("echo code $?", "Enter");
  await shell.until(/^code 5/m);
});

test.skipIf(!hasTmux)("Ctrl-Z while it stands in line stops the wait, not the store", async () => {
  const here = directory();
  const shell = await ready(here);
  const script = "touch up; while [ ! -e go ]; do sleep 0.05; done";
  const holder = here.start(["exec", "--lock", "m", "--", "bash", "-c", script]);
  await here.appeared("up");
  shell.type("ly exec --lock m -- echo mine", "Enter");
  await shell.until(/waiting for m/);
  shell.type("C-z");
  await shell.until(/Stopped/);
  expect((await here.run(["exec", "--lock", "other", "--", "echo", "free"])).stdout).toBe("free\n");
  here.write("go", "");
  expect((await holder.finished).code).toBe(0);
  shell.type("fg", "Enter");
  await shell.until(/^mine/m);
});
