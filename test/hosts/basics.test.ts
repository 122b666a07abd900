// The lab itself: real hosts do what their scripted model says, and a test can order them.
import { expect, test } from "vitest";
import { HOSTS, inPlace, useHosts } from "./host.ts";
import type { Call } from "./model/script.ts";
import type { HostName } from "./programs.ts";

useHosts();

const SHOW: Readonly<Record<HostName, (file: string) => Call>> = {
  claude: (file) => ({ tool: "Read", input: { file_path: file } }),
  codex: (file) => ({ tool: "exec_command", input: { cmd: `cat ${file}` } }),
  gemini: (file) => ({ tool: "read_file", input: { file_path: file } }),
  opencode: (file) => ({ tool: "read", input: { filePath: file } }),
};

test.each(HOSTS)("%s runs the tool its model names, says what the model says, and leaves nothing", async (host) => {
  await inPlace({ "notes.txt": "written by a person\n" }, async ({ place, start }) => {
    const call = SHOW[host](`${place.repository}/notes.txt`);
    const session = await start(host, [{ calls: [call] }, { text: "That was all." }]);
    const { code, lines } = await session.ended;
    expect(code).toBe(0);
    expect(session.model.results().map(({ text }) => text)).toEqual([expect.stringContaining("written by a person")]);
    expect(JSON.stringify(lines)).toContain("That was all.");
    expect(await place.survivors()).toEqual([]);
  });
});

test("a turn is answered only after what the test waits for, so two sessions have an order", async () => {
  await inPlace({}, async ({ place, start }) => {
    const say = (word: string): Call => ({
      tool: "Bash",
      input: { command: `echo ${word} >> order`, description: "say" },
    });
    const second = await start("claude", [{ calls: [say("first")] }, { text: "done" }]);
    const first = await start("claude", [{ after: second.ended, calls: [say("second")] }, { text: "done" }]);
    await first.ended;
    expect(place.read("order")).toBe("first\nsecond\n");
  });
});

test("an overloaded model is asked again, and the script goes on", async () => {
  await inPlace({}, async ({ start }) => {
    const session = await start("claude", [{ fail: { status: 529 } }, { text: "after all" }]);
    const { code, lines } = await session.ended;
    expect(code).toBe(0);
    expect(JSON.stringify(lines.at(-1))).toContain("after all");
    expect(session.model.asked.filter(({ tools }) => tools.length > 0)).toHaveLength(2);
  });
});
