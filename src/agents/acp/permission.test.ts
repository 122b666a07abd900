import { expect, test } from "vitest";
import { judge, optionFor, type Rules } from "./permission.ts";
import { mergedCall, type ToolCall } from "./tool-call.ts";

const CWD = "/w/repo";

function call(update: object): ToolCall {
  const made = mergedCall(undefined, { toolCallId: "t", ...update }, CWD);
  return made ?? expect.unreachable("names a call");
}

function judged(update: object, permissions: Rules["permissions"] = "edits") {
  const judgement = judge(call(update), { permissions, cwd: CWD });
  return judgement.allow ? judgement.files : judgement.why;
}

test("an edit locks what it names, in whichever member it names it", () => {
  expect(judged({ kind: "edit", locations: [{ path: "src/a.ts" }, { path: "/w/repo/b.ts" }] })).toEqual([
    "/w/repo/src/a.ts",
    "/w/repo/b.ts",
  ]);
  expect(judged({ kind: "edit", rawInput: { file_path: "c.ts" } })).toEqual(["/w/repo/c.ts"]);
  expect(judged({ content: [{ type: "diff", path: "d.ts", newText: "" }] })).toEqual(["/w/repo/d.ts"]);
});

test("an edit that names nothing, or too much, locks everything", () => {
  expect(judged({ kind: "edit" })).toEqual([CWD]);
  const locations = Array.from({ length: 65 }, (_, index) => ({ path: `f${index}` }));
  expect(judged({ kind: "edit", locations })).toEqual([CWD]);
});

test("by default an agent changes files below its directory, and runs nothing", () => {
  expect(judged({ kind: "read", locations: [{ path: "/etc/passwd" }] })).toEqual([]);
  expect(judged({ kind: "execute", title: "npm test" })).toBe("execute npm test: it may change files and run nothing");
  expect(judged({ kind: "something new", title: "x" })).toMatch(/run nothing/);
  expect(judged({ kind: "edit", title: "Edit", locations: [{ path: "/w/repository/a" }] })).toBe(
    "edit Edit: /w/repository/a is outside of /w/repo",
  );
  expect(judged({ kind: "delete", locations: [{ path: "../x" }] })).toMatch(/outside/);
  expect(judged({ kind: "edit", locations: [{ path: "..x" }] })).toEqual(["/w/repo/..x"]);
});

test("plan only looks; full does all, and what it changes is locked all the same", () => {
  expect(judged({ kind: "edit", locations: [{ path: "a" }] }, "plan")).toMatch(/may only look/);
  expect(judged({ kind: "search" }, "plan")).toEqual([]);
  expect(judged({ kind: "execute" }, "full")).toEqual([]);
  expect(judged({ kind: "edit", locations: [{ path: "/etc/hosts" }] }, "full")).toEqual(["/etc/hosts"]);
});

test("once is chosen before always, and nothing when nothing fits", () => {
  const options = [
    { optionId: "a", kind: "allow_always" },
    { optionId: "b", kind: "allow_once" },
    { optionId: "c", kind: "reject_always" },
  ];
  expect(optionFor("allow", options)).toBe("b");
  expect(optionFor("reject", options)).toBe("c");
  expect(optionFor("reject", [null, { kind: "reject_once" }])).toBeUndefined();
  expect(optionFor("allow", "no list")).toBeUndefined();
});

test("what is told later adds to a call, and what is no call is none", () => {
  const first = call({ kind: "execute", title: "Run", rawInput: { command: ["npm", "test"] } });
  const later = mergedCall(first, { toolCallId: "t", status: "completed", locations: [{ path: "a" }, 7] }, CWD);
  expect(later).toEqual({
    id: "t",
    kind: "execute",
    title: "Run",
    status: "completed",
    paths: ["/w/repo/a"],
    command: "npm test",
  });
  for (const update of [null, 1, {}, { toolCallId: 7 }, { toolCallId: "" }])
    expect(mergedCall(first, update, CWD)).toBeNull();
});
