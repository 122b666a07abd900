/** What an agent may do, and what is locked before it does it. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { folder, granted, scene } from "../../../test/support/acp-scene.ts";
import { LockyardError } from "../../core/errors.ts";

test("a permission is answered when its files are locked, once and not for ever, and what is held is not asked for again", async () => {
  let grant: () => void = () => undefined;
  const waits = new Promise<void>((resolve) => {
    grant = resolve;
  });
  const made = scene(
    [
      { edit: "a.txt", add: "1" },
      { edit: "a.txt", add: "2" },
    ],
    {},
    async () => {
      await waits;
      return granted();
    },
  );
  const running = made.run();
  await made.heard.until(() => made.claims.length > 0);
  expect(fs.existsSync(path.join(made.cwd, "a.txt"))).toBe(false);
  grant();
  expect((await running).success).toBe(true);
  expect(fs.readFileSync(path.join(made.cwd, "a.txt"), "utf8")).toBe("12");
  expect(made.claims).toEqual([{ write: path.join(made.cwd, "a.txt") }]);
  expect(made.log()).toContain("t0 selected once\nt1 selected once");
});

test("a lock that cannot be had refuses the call and fails the task, unless it was had later", async () => {
  const refuse = () => Promise.reject(new LockyardError("DEADLOCK", "That would close a circle."));
  const once = scene([{ edit: "a.txt", add: "1" }, { say: "Done!" }], {}, refuse);
  expect(await once.failure()).toMatchObject({ code: "DEADLOCK", message: "That would close a circle." });
  expect(once.log()).toContain("t0 selected no");
  expect(fs.existsSync(path.join(once.cwd, "a.txt"))).toBe(false);
  let asked = 0;
  const twice = scene(
    [
      { edit: "a.txt", add: "1" },
      { edit: "a.txt", add: "2" },
    ],
    {},
    () => (++asked === 1 ? refuse() : Promise.resolve(granted())),
  );
  expect(await twice.run()).toMatchObject({ success: true, evidence: ["refused: That would close a circle."] });
  expect(fs.readFileSync(path.join(twice.cwd, "a.txt"), "utf8")).toBe("2");
});

test("what may not be done is refused, said as evidence, and no failure", async () => {
  const made = scene([
    { call: { kind: "execute", title: "rm -rf x" } },
    { call: { kind: "execute", title: "once more" }, options: [] },
    { edit: "/elsewhere/a", add: "1" },
  ]);
  expect((await made.run()).evidence).toEqual([
    "refused: execute rm -rf x: it may change files and run nothing",
    "refused: execute once more: it may change files and run nothing",
    expect.stringMatching(/^refused: edit Edit \/elsewhere\/a: \/elsewhere\/a is outside of /),
  ]);
  expect(made.log()).toContain("t0 selected no\nt1 cancelled\nt2 selected no");
  expect(made.claims).toEqual([]);
});

test("units of a command's own choice are held while it runs", async () => {
  const events: string[] = [];
  const made = scene(
    [{ call: { kind: "execute", title: "npm test", rawInput: { command: "npm test" } } }, { edit: "a", add: "1" }],
    {
      permissions: "full",
      claimsFor: ({ command }) => (command === "npm test" ? [{ use: "build" }] : []),
    },
    async (claims) => {
      events.push(`got ${JSON.stringify(claims[0])}`);
      return granted(() => events.push("let go"));
    },
  );
  expect((await made.run()).success).toBe(true);
  expect(events).toEqual(['got {"use":"build"}', "let go", expect.stringContaining("write")]);
});

test("a lock on a directory takes the place of those on files in it", async () => {
  const released: string[] = [];
  const made = scene(
    [
      { edit: "src/a", add: "1" },
      { edit: "b", add: "1" },
      { call: { kind: "move", title: "Move", locations: [{ path: "src" }] } },
      { edit: "src/c", add: "1" },
    ],
    {},
    async (claims) => granted(() => released.push(JSON.stringify(claims))),
  );
  fs.mkdirSync(path.join(made.cwd, "src"));
  await made.run();
  const at = (name: string) => ({ write: path.join(made.cwd, name) });
  expect(made.claims).toEqual([at("src/a"), at("b"), at("src")]);
  expect(released).toEqual([JSON.stringify([at("src/a")])]);
});

test("an agent that edits without asking is told of", async () => {
  const made = scene([{ edit: "a.txt", add: "1", asks: false }]);
  expect((await made.run()).success).toBe(true);
  expect(made.heard.logs.map(({ message }) => message)).toEqual([
    "The agent of task-1 changes files without asking, so they are not locked: Edit a.txt.",
  ]);
});

test("files it leaves to us are locked and written below its directory only, links included", async () => {
  const outside = folder();
  const made = scene([
    { write: "new/a.txt", content: "new" },
    { write: "link/b.txt", content: "out" },
    { write: "dangling", content: "out" },
    { write: path.join(outside, "c.txt"), content: "out" },
    { request: "fs/read_text_file", params: { path: "a" } },
    { request: "terminal/create" },
  ]);
  fs.symlinkSync(outside, path.join(made.cwd, "link"));
  fs.symlinkSync(path.join(outside, "d.txt"), path.join(made.cwd, "dangling"));
  // The agent resolves names against its own directory.
  expect((await made.run()).success).toBe(true);
  expect(fs.readFileSync(path.join(made.cwd, "new/a.txt"), "utf8")).toBe("new");
  expect(fs.readdirSync(outside)).toEqual([]);
  expect(made.claims[0]).toEqual({ write: path.join(made.cwd, "new/a.txt") });
  expect(made.log().match(/^(?:not )?written.*$|^\S+ -32601$/gm)).toEqual([
    "written",
    expect.stringMatching(/^not written: .*leads out of/),
    expect.stringMatching(/^not written: .*leads out of/),
    expect.stringMatching(/^not written: .*is outside of/),
    "fs/read_text_file -32601",
    "terminal/create -32601",
  ]);
});
