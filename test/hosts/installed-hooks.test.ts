// What `lockyard hooks install` writes, real hosts run: a heavy command takes its turn, and status has seen the session.
import path from "node:path";
import { expect, test } from "vitest";
import { HOSTS, inPlace, useHosts } from "./host.ts";
import type { Call } from "./model/script.ts";
import { ROOT } from "./place.ts";
import type { HostName } from "./programs.ts";

useHosts();

const RUN: Readonly<Record<HostName, (command: string) => Call>> = {
  claude: (command) => ({ tool: "Bash", input: { command, description: "run" } }),
  codex: (cmd) => ({ tool: "exec_command", input: { cmd } }),
  gemini: (command) => ({ tool: "run_shell_command", input: { command, description: "run" } }),
  opencode: (command) => ({ tool: "bash", input: { command, description: "run" } }),
};

const FILES = {
  "heavy.sh": 'echo "task $LOCKYARD_TASK" > ran\n',
  "lockyard.yaml": 'rules:\n  - match: ["sh heavy.sh"]\n    use: build\n',
};

interface Status {
  readonly hosts: readonly { readonly host: string; readonly lastSeen: string | null }[];
}

test.each(HOSTS)("%s runs the hooks that were installed", async (host) => {
  await inPlace(FILES, async ({ place, start }) => {
    place.lockyard("hooks", "install", host);
    // Nobody is here to say that they are fine.
    const args = host === "codex" ? ["--dangerously-bypass-hook-trust"] : [];
    const session = await start(host, [{ calls: [RUN[host]("sh heavy.sh")] }, { text: "done" }], { args });
    const { code } = await session.ended;
    expect(code).toBe(0);
    const told = session.model.results().map(({ text }) => text);
    if (host === "codex") {
      // It would take another command only together with an "allowed" that is not ours to say.
      expect(told.join()).toMatch(/Run exactly this instead.*exec --use build -- sh heavy\.sh/);
      expect(place.exists("ran")).toBe(false);
    } else expect(place.read("ran")).toMatch(/^task \S+\n$/);
    const status = JSON.parse(place.lockyard("hooks", "status", "--json")) as Status;
    expect(status.hosts.find((each) => each.host === host)?.lastSeen).toMatch(/^\d{4}-/);
    expect(await place.survivors()).toEqual([]);
  });
});

test("Claude asks its own server, where hooks were installed so", async () => {
  await inPlace(FILES, async ({ place, start }) => {
    place.lockyard("hooks", "install", "claude", "--server");
    const entry = path.join(ROOT, "bin", "lockyard.js");
    const mcp = { lockyard: { command: process.execPath, args: [entry, "mcp", "--hooks"] } };
    const session = await start("claude", [{ calls: [RUN.claude("sh heavy.sh")] }, { text: "done" }], { mcp });
    expect((await session.ended).code).toBe(0);
    expect(place.read("ran")).toMatch(/^task \S+\n$/);
    expect(await place.survivors()).toEqual([]);
  });
});
