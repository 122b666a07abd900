// Two real sessions in one repository, without and with hooks.
import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildCommandLine, inPlace, type Lab, useHosts } from "./host.ts";
import type { Call } from "./model/script.ts";

useHosts(["claude", "codex"]);
beforeAll(buildCommandLine);

const BEFORE = "one\ntwo\nthree\n";
const shell = (command: string): Call => ({ tool: "Bash", input: { command, description: "lab" } });

/** What a turn waits for until the test lets it go on. */
function gate(): { readonly opens: Promise<void>; open(): void } {
  let open = () => {};
  const opens = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opens, open: () => open() };
}

/** A reads, B changes the last line, then A does `last`: the text of the file and what A was told. */
async function staleEdit({ place, start }: Lab, last: (file: string) => Call) {
  const file = path.join(place.repository, "poem.txt");
  const read: Call = { tool: "Read", input: { file_path: file } };
  const released = gate();
  const first = await start("claude", [{ calls: [read] }, { after: released.opens, calls: [last(file)] }], {
    prompt: "Make the first line loud",
  });
  await first.model.reached(1);
  const edit: Call = { tool: "Edit", input: { file_path: file, old_string: "three", new_string: "THREE" } };
  const second = await start("claude", [{ calls: [read] }, { calls: [edit] }], { prompt: "Shout the last line" });
  expect((await second.ended).code).toBe(0);
  released.open();
  expect((await first.ended).code).toBe(0);
  expect(await place.survivors()).toEqual([]);
  return { text: place.read("poem.txt"), told: first.model.results().at(-1)?.text ?? "" };
}

const overwrite = () => shell("printf 'ONE\\ntwo\\nthree\\n' > poem.txt");
const editFirst = (file: string): Call => ({
  tool: "Edit",
  input: { file_path: file, old_string: "one", new_string: "ONE" },
});

describe("A reads, B edits, A writes", () => {
  test("without hooks B's edit is lost, or merged without A having seen it", async () => {
    await inPlace({ "poem.txt": BEFORE }, async (lab) => {
      expect((await staleEdit(lab, overwrite)).text).toBe("ONE\ntwo\nthree\n");
    });
    await inPlace({ "poem.txt": BEFORE }, async (lab) => {
      expect((await staleEdit(lab, editFirst)).text).toBe("ONE\ntwo\nTHREE\n");
    });
  });

  test.each([
    ["a plain shell command", overwrite],
    ["an edit of another place", editFirst],
  ])("with hooks %s is refused, and A is told who changed what", async (_name, last) => {
    await inPlace({ "poem.txt": BEFORE }, async (lab) => {
      lab.place.lockyard("hooks", "install", "claude");
      const { text, told } = await staleEdit(lab, last);
      expect(text).toBe("one\ntwo\nTHREE\n");
      expect(told).toContain('poem.txt changed after you read it (1 line, by "Shout the last line"');
      expect(told).toContain("Read it again");
    });
  });
});

test("hooks whose Lockyard is gone let the host work", async () => {
  await inPlace({ "poem.txt": BEFORE }, async ({ place, start }) => {
    place.lockyard("hooks", "install", "claude");
    const settings = path.join(place.home, ".claude", "settings.json");
    fs.writeFileSync(settings, fs.readFileSync(settings, "utf8").replaceAll("lockyard.js", "gone.js"));
    const session = await start("claude", [{ calls: [shell("echo four >> poem.txt")] }]);
    expect((await session.ended).code).toBe(0);
    expect(place.read("poem.txt")).toBe(`${BEFORE}four\n`);
  });
});

test("git stash of one session spares what another has not committed", async () => {
  await inPlace({ "poem.txt": BEFORE }, async ({ place, start }) => {
    place.lockyard("hooks", "install", "claude");
    const file = path.join(place.repository, "poem.txt");
    const released = gate();
    const editor = await start(
      "claude",
      [
        { calls: [{ tool: "Read", input: { file_path: file } }] },
        { calls: [editFirst(file)] },
        { after: released.opens, text: "done" },
      ],
      { prompt: "Make the first line loud" },
    );
    await editor.model.reached(2);
    const stasher = await start("claude", [{ calls: [shell("git stash")] }], { prompt: "Tidy up" });
    expect((await stasher.ended).code).toBe(0);
    expect(place.read("poem.txt")).toContain("ONE");
    expect(stasher.model.results().at(-1)?.text).toContain("Make the first line loud");
    released.open();
    await editor.ended;
  });
});

test.each([
  ["where nothing is asked", {}],
  // `-p` denies whatever is not allowed: the rules are the user's, for the commands as a model writes them.
  [
    "by rules of the user that know nothing of Lockyard",
    { permissions: "ask", args: ["--allowedTools", "Bash(sh heavy.sh:*)", "Bash(echo:*)"] },
  ],
] as const)("both run the tests, %s: one build at a time, and both succeed", async (_, setup) => {
  const files = {
    // Fails when another one is under way.
    "heavy.sh": "mkdir building || exit 1; sleep 1; rmdir building; echo done >> builds\n",
    "lockyard.yaml": 'resources:\n  build: { capacity: 1 }\nrules:\n  - match: ["sh heavy.sh"]\n    use: build\n',
  };
  await inPlace(files, async ({ place, start }) => {
    place.lockyard("hooks", "install", "claude");
    const build = { calls: [shell("sh heavy.sh && echo FINE")] };
    const sessions = [await start("claude", [build], setup), await start("claude", [build], setup)];
    for (const session of sessions) expect((await session.ended).code).toBe(0);
    expect(place.read("builds")).toBe("done\ndone\n");
    for (const { model } of sessions) expect(model.results().at(-1)?.text).toContain("FINE");
  });
});
