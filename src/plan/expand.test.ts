import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LockyardError } from "../core/errors.ts";
import type { AgentResult } from "../core/task.ts";
import { expandDeferred, expandPlan } from "./expand.ts";
import type { PlanFiles } from "./glob.ts";
import { startOf } from "./member.ts";
import { parsePlan } from "./parse-plan.ts";

const NOTHING: PlanFiles = { files: () => [], readText: () => "" };

function expand(text: string, files: Partial<PlanFiles> = {}) {
  return expandPlan(parsePlan(text, { file: "plan.yaml", root: "/repo" }), { ...NOTHING, ...files });
}

const callsOf = ({ tasks }: ReturnType<typeof expand>) => tasks.map(({ call }) => [call.taskId, call.dependsOn]);

function faultsOf(run: () => unknown): readonly (readonly [string, string])[] {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_PLAN" });
    return (error as LockyardError).faults.map(({ where, what }) => [where, what] as const);
  }
  throw new Error("nothing was refused");
}

function succeeded(output: unknown): AgentResult {
  return { success: true, status: "succeeded", output } as unknown as AgentResult; // what expansion looks at
}

describe("a task becomes a task call", () => {
  const { tasks } = expand(
    `
env: { A: plan, B: plan, HOME: }
cwd: base
agents:
  writer: { kind: claude-code, env: { B: agent, C: agent }, retry: 2, timeout: 1h, isolation: worktree }
tasks:
  docs:
    agent: writer
    type: docs_update
    description: rewrite {{file}}
    forEach: { list: [a.md], as: file }
    write: "{{file}}"
    use: build:2
    lock: schema
    env: { C: "{{file}}", A: }
    context: { files: ["{{file}}"], n: 1 }
    cwd: sub
    timeout: 10m
    priority: 3
  test: { run: "npm test", dependsOn: docs, if: always, leftovers: wait }
`,
  );

  test("with its agent's policy where it says nothing itself", () => {
    expect(tasks[0]?.call).toEqual({
      taskId: "docs[a.md]",
      agentId: "writer",
      taskType: "docs_update",
      description: "rewrite a.md",
      contextData: { files: ["a.md"], n: 1 },
      dependsOn: [],
      when: "success",
      claims: [{ write: "a.md" }, { use: "build", units: 2 }, { lock: "schema" }],
      priority: 3,
      timeoutMs: 600_000,
      retry: { attempts: 3 },
    });
    expect(tasks[0]).toMatchObject({ kind: "claude-code", isolation: "worktree", leftovers: "kill", cwd: "/repo/sub" });
  });

  test("with the variables of plan, agent and task, the nearest first", () => {
    expect({ ...tasks[0]?.env }).toEqual({ B: "agent", C: "a.md" });
    expect(tasks[0]?.passEnv).toEqual(["HOME", "A"]);
  });

  test("a command is its own description", () => {
    expect(tasks[1]).toMatchObject({
      kind: "command",
      agent: null,
      command: { argv: ["npm", "test"] },
      cwd: "/repo/base",
      leftovers: "wait",
      call: { taskId: "test", agentId: "command", description: "npm test", dependsOn: ["docs[a.md]"], when: "always" },
    });
  });
});

describe("forEach", () => {
  test("goes through files in one order, whatever the disk says", () => {
    const text = 'tasks: { a: { run: "wc {{f}}", forEach: { glob: ["x/*", "!x/b"], as: f } } }';
    const answers: Record<string, string[]> = { "x/*": ["x/c", "x/a", "x/b", "x/B", "x/a"], "x/b": ["x/b"] };
    const expanded = expand(text, { files: (glob) => answers[glob] ?? [] });
    expect(expanded.groups.a).toEqual(["a[x/B]", "a[x/a]", "a[x/c]"]);
  });

  test("a file that begins with a dash does not become an option", () => {
    const text = 'tasks: { a: { run: "rm {{f}}", forEach: { glob: "*", as: f } } }';
    expect(expand(text, { files: () => ["-rf"] }).tasks[0]?.command).toEqual({ argv: ["rm", "./-rf"] });
  });

  test("a matrix makes every combination, the last axis fastest", () => {
    const expanded = expand(
      'tasks: { m: { run: "t {{matrix.os}} {{matrix.n}}", forEach: { matrix: { os: [linux, mac], n: [22, 24] } } } }',
    );
    expect(expanded.tasks.map(({ call, command }) => [call.taskId, command])).toEqual([
      ["m[linux,22]", { argv: ["t", "linux", "22"] }],
      ["m[linux,24]", { argv: ["t", "linux", "24"] }],
      ["m[mac,22]", { argv: ["t", "mac", "22"] }],
      ["m[mac,24]", { argv: ["t", "mac", "24"] }],
    ]);
  });

  test("objects in a list are named by their id, name, file or path", () => {
    const expanded = expand(
      'tasks: { a: { run: "t {{item.v}}", forEach: { list: [{ name: one, v: 1 }, { v: 2 }] } } }',
    );
    expect(expanded.groups.a).toEqual(["a[one]", "a[1]"]);
  });

  test("two items of one name are refused", () => {
    const faults = faultsOf(() => expand('tasks:\n  a: { run: "t {{item}}", forEach: { list: [x, x] } }\n'));
    expect(faults).toEqual([["plan.yaml:2:27", 'two tasks would be called "a[x]"']]);
  });

  test("more files than max are refused", () => {
    const text = 'tasks:\n  a: { run: "t {{item}}", forEach: { glob: "*", max: 2 } }\n';
    const faults = faultsOf(() => expand(text, { files: () => ["a", "b", "c"] }));
    expect(faults).toEqual([["plan.yaml:2:44", "3 files match and max is 2"]]);
  });

  test("long and odd names become ids within their bound, different ones different", () => {
    const text = 'tasks: { a: { run: "t {{f}}", forEach: { glob: "*", as: f } } }';
    const plan = parsePlan(text, { file: "plan.yaml", root: "/repo" });
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 400 }).filter((each) => !each.includes("\u0000"));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 5 }), (files) => {
        const ids = expandPlan(plan, { ...NOTHING, files: () => files }).groups.a ?? [];
        expect(new Set(ids).size).toBe(files.length);
        for (const id of ids) expect(Buffer.byteLength(id)).toBeLessThanOrEqual(512);
      }),
      { numRuns: 50 },
    );
  });
});

describe("dependencies", () => {
  test("on a group are on all its members; on an empty one, on what that waits for", () => {
    const expanded = expand(`
tasks:
  types: { run: tsc }
  none: { run: "t {{item}}", forEach: { glob: "*" }, dependsOn: types }
  some: { run: "t {{item}}", forEach: { list: [a, b] }, dependsOn: none }
  last: { run: t, dependsOn: [some, none] }
`);
    expect(callsOf(expanded)).toEqual([
      ["types", []],
      ["some[a]", ["types"]],
      ["some[b]", ["types"]],
      ["last", ["some[a]", "some[b]", "types"]],
    ]);
    expect(expanded.warnings).toEqual(['"none" is no task at all: nothing matches *']);
  });

  test("may name one member", () => {
    const expanded = expand(`
tasks:
  a: { run: "t {{f}}", forEach: { list: [x, y], as: f } }
  b: { run: "t {{f}}", forEach: { list: [x, y], as: f }, dependsOn: "a[{{f}}]" }
`);
    expect(callsOf(expanded).slice(2)).toEqual([
      ["b[x]", ["a[x]"]],
      ["b[y]", ["a[y]"]],
    ]);
  });

  test("on a member that does not exist are refused", () => {
    const text = 'tasks:\n  a: { run: "t {{item}}", forEach: { list: [x] } }\n  b: { run: t, dependsOn: ["a[z]"] }\n';
    expect(faultsOf(() => expand(text))).toEqual([["plan.yaml:3:28", 'no task named "a[z]"']]);
  });

  test("on more than 1,000 tasks are refused", () => {
    const text = 'tasks:\n  a: { run: "t {{item}}", forEach: { glob: "*" } }\n  b: { run: t, dependsOn: a }\n';
    const files = () => Array.from({ length: 1_001 }, (_, index) => `f${index}`);
    expect(faultsOf(() => expand(text, { files }))).toEqual([
      ["plan.yaml:3:16", '"b" depends on 1,001 tasks and the limit is 1,000'],
    ]);
  });
});

describe("a list that an earlier task makes", () => {
  const text = `
tasks:
  list: { run: ls }
  fix: { run: "fix {{f}}", forEach: { from: list.output.files, as: f, max: 2 }, write: "{{f}}" }
  sum: { run: "sum {{results.fix.output}}", dependsOn: fix }
  last: { run: t, dependsOn: sum }
`;

  test("is waited for by its tasks and by all that come after them", () => {
    const expanded = expand(text);
    expect(expanded.deferred).toEqual([{ id: "fix", from: "list", max: 2 }]);
    expect(expanded.tasks.map(({ call, waitsFor }) => [call.taskId, waitsFor])).toEqual([
      ["list", []],
      ["sum", ["fix"]],
      ["last", ["fix"]],
    ]);
  });

  test("expands when it is known; what could start before stays the same object", () => {
    const before = expand(text);
    const after = expandDeferred(before, "fix", { result: succeeded({ files: ["a", "b"] }), files: NOTHING });
    expect(callsOf(after)).toEqual([
      ["list", []],
      ["fix[a]", ["list"]],
      ["fix[b]", ["list"]],
      ["sum", ["fix[a]", "fix[b]"]],
      ["last", ["sum"]],
    ]);
    expect(after.tasks[0]).toBe(before.tasks[0]);
    expect(after.deferred).toEqual([]);
    expect(after.tasks.every(({ waitsFor }) => waitsFor.length === 0)).toBe(true);
    expect(after.tasks[1]?.call.claims).toEqual([{ write: "a" }]);
  });

  test("that never comes leaves no members, and who waits for them waits for its source", () => {
    const after = expandDeferred(expand(text), "fix", { result: undefined, files: NOTHING });
    expect(callsOf(after)).toEqual([
      ["list", []],
      ["sum", ["list"]],
      ["last", ["sum"]],
    ]);
    const sum = after.tasks[1];
    expect(sum && startOf(sum, { list: succeeded(1) }).command).toEqual({ argv: ["sum", "[]"] });
  });

  test.each([
    [{ files: "a" }, "list.output.files is no list"],
    [{}, "list.output.files is no list"],
    [{ files: ["a", "b", "c"] }, "list.output.files has 3 items and max is 2"],
    [{ files: ["-rf"] }, '"-rf" begins with a dash and would be read as an option'],
    [{ files: ["a\u0000b"] }, 'the path "a\\u0000b" must be non-empty and without NUL'],
  ])("of %j is refused", (output, what) => {
    expect(
      faultsOf(() => expandDeferred(expand(text), "fix", { result: succeeded(output), files: NOTHING }))[0]?.[1],
    ).toBe(what);
  });
});

describe("what shows only when variables are put in", () => {
  test.each<[string, string]>([
    ['a: { run: t, use: "{{item}}", forEach: { list: [biuld] } }', 'no capacity, pool or rate named "biuld"'],
    [
      'a: { run: t, use: ["build:2", "{{item}}:2"], forEach: { list: [build] } }',
      '4 of "build" and there are 3 units (plan.yaml)',
    ],
    ['a: { run: t, cwd: "{{item}}", forEach: { list: [../x] } }', '"../x" lies outside the plan\'s root'],
    ['a: { agent: "{{item}}", description: x, forEach: { list: [codx] } }', 'no agent named "codx"'],
    [
      'a: { agent: codex, description: { file: "{{item}}" }, forEach: { list: [../x] } }',
      '"../x" lies outside the plan\'s root',
    ],
  ])("%s", (task, what) => {
    expect(faultsOf(() => expand(`resources: { build: { capacity: 3 } }\ntasks:\n  ${task}\n`))[0]?.[1]).toBe(what);
  });
});

describe("prompt files", () => {
  const text = `
tasks:
  list: { run: ls }
  docs:
    agent: codex
    description: { file: prompts/p.md }
    forEach: { list: [a, b], as: file }
    dependsOn: list
`;

  test("are read once and their templates filled", () => {
    const read: string[] = [];
    const readText = (file: string) => {
      read.push(file);
      return "Rewrite {{file}} as {{results.list.output}} says, keep \\{{this}}.";
    };
    const { tasks } = expand(text, { readText });
    expect(read).toEqual(["prompts/p.md"]);
    const docs = tasks[2];
    expect(docs?.usesResults).toEqual(["list"]);
    expect(docs && startOf(docs, { list: succeeded("{{file}}") }).description).toBe(
      "Rewrite b as {{file}} says, keep {{this}}.",
    );
  });

  test("that cannot be read, or use what is not there, are told at their place", () => {
    const missing = () => {
      throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    };
    expect(faultsOf(() => expand(text, { readText: missing }))).toEqual([
      ["plan.yaml:6:26", '"prompts/p.md" cannot be read (ENOENT)'],
    ]);
    expect(faultsOf(() => expand(text, { readText: () => "{{fil}} {{results.lst.output}}" }))).toEqual([
      ["plan.yaml:6:26", "in prompts/p.md: unknown variable {{fil}}"],
      ["plan.yaml:6:26", 'in prompts/p.md: "docs" does not wait for "lst"'],
    ]);
  });
});

test("a result at the beginning of an argument does not become an option", () => {
  const { tasks } = expand(
    'tasks: { a: { run: ls }, b: { run: "rm {{results.a.output}}", dependsOn: a }, c: { run: "rm -- {{results.a.output}}", dependsOn: a } }',
  );
  const start = (index: number, output: string) => {
    const task = tasks[index];
    return task && startOf(task, { a: succeeded(output) }).command;
  };
  expect(start(1, "x -rf")).toEqual({ argv: ["rm", "x -rf"] });
  expect(() => start(1, "-rf")).toThrow(/would be read as an option/);
  expect(start(2, "-rf")).toEqual({ argv: ["rm", "--", "-rf"] });
});

test("an output schema judges what an agent gives", async () => {
  const { tasks } = expand(
    "tasks: { a: { run: ls, outputSchema: { type: object, properties: { n: { type: integer } }, required: [n] } } }",
  );
  const schema = tasks[0]?.call.outputSchema?.["~standard"];
  expect(await schema?.validate({ n: 1 })).toEqual({ value: { n: 1 } });
  expect(await schema?.validate({ n: "x" })).toHaveProperty("issues");
});
