// Every plan of test/corpus/plans, wrong and right, and inputs too big or too odd for a file. SPEC 14 is the contract.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { BOUNDS } from "../../src/core/bounds.ts";
import type { LockyardError } from "../../src/core/errors.ts";
import { expandPlan } from "../../src/plan/expand.ts";
import { formatFaults } from "../../src/plan/faults.ts";
import { parsePlan } from "../../src/plan/parse-plan.ts";
import { readSource } from "../../src/plan/source.ts";
import { PLAN_FAULTS } from "./plan-faults.ts";

const PLANS = path.join(path.dirname(fileURLToPath(import.meta.url)), "plans");
const NAMES = fs.readdirSync(PLANS).sort();
const GOOD = NAMES.filter((name) => name.startsWith("good-"));

const textOf = (name: string) => fs.readFileSync(path.join(PLANS, name), "utf8");
const parse = (text: string, file = "plan.yaml") => parsePlan(text, { file, root: "/repo" });

/** The error of a plan that must be refused. */
function refusal(text: string, file?: string): LockyardError {
  try {
    parse(text, file);
  } catch (error) {
    expect(error).toMatchObject({ name: "LockyardError", code: "INVALID_PLAN" });
    return error as LockyardError; // as the line above found
  }
  throw new Error("the plan was accepted");
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const keysBefore = prototypes.map((prototype) => Reflect.ownKeys(prototype));

afterEach(() => {
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype))).toEqual(keysBefore);
  expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
});

test("every plan of the corpus has its expectation", () => {
  expect(NAMES.filter((name) => !name.startsWith("good-"))).toEqual(Object.keys(PLAN_FAULTS).sort());
  expect(NAMES.length).toBeGreaterThan(60);
});

describe("a wrong plan is refused with every fault, its place and a hint", () => {
  test.each(Object.entries(PLAN_FAULTS))("%s", (name, expected) => {
    const error = refusal(textOf(name), name);
    const found = error.faults.map(({ where, what, hint }) => {
      const place = where.slice(name.length + 1);
      return hint === undefined ? [place, what] : [place, what, hint];
    });
    if (name === "merge-bomb.yaml") expect(found.slice(0, expected.length)).toEqual(expected);
    else expect(found).toEqual(expected);
    const printed = formatFaults(error, textOf(name));
    for (const { where, what } of error.faults) expect(printed).toContain(`${where} ${what}`);
  });
});

describe("a right plan is taken", () => {
  test.each(GOOD)("%s", (name) => {
    const plan = parse(textOf(name), name);
    expect(plan.tasks.length).toBeGreaterThan(0);
    const expanded = expandPlan(plan, { files: () => ["docs/a.md"], readText: () => "rewrite {{file}}" });
    expect(expanded.tasks.length + expanded.deferred.length).toBeGreaterThan(0);
  });

  test.each(GOOD)("%s satisfies the schema that editors use", (name) => {
    expect(shippedSchema().safeParse(readSource(textOf(name), name).data).error).toBeUndefined();
  });
});

test("the schema that editors use knows the shapes apart", () => {
  for (const name of ["unknown-keys.yaml", "bad-choices.yaml", "tasks-as-list.yaml", "bad-durations.yaml"]) {
    expect([name, shippedSchema().safeParse(readSource(textOf(name), name).data).success]).toEqual([name, false]);
  }
});

function shippedSchema(): z.ZodType {
  const file = path.join(PLANS, "..", "..", "..", "schema", "plan.schema.json");
  return z.fromJSONSchema(JSON.parse(fs.readFileSync(file, "utf8")));
}

describe("what YAML reads otherwise than people think", () => {
  test("yes, no, 1.10, 010 and 22:30 stay what was written", () => {
    const { env, tasks } = parse(textOf("good-norway.yaml"));
    expect({ ...env }).toEqual({
      COUNTRY: "no",
      VERSION: "1.10",
      OCTAL: "010",
      YES: "yes",
      FLAG: "true",
      TOKEN: null,
      EMPTY: "",
      NIGHT: "22:30",
      HEX: "0x1F",
    });
    expect(tasks.map(({ id }) => id)).toEqual(["404", "on", "no", "null"]);
  });

  test("an unquoted template is told with the line as it should be", () => {
    const text = "tasks:\n  docs:\n    run: wc\n    forEach: { list: [a], as: file }\n    write: {{file}}\n";
    expect(formatFaults(refusal(text), text)).toBe(
      'plan.yaml:5:12 "{{file}}" must be in quotes (YAML reads it as a map): write: "{{file}}"\n' +
        "  5 |     write: {{file}}\n" +
        "    |            ^",
    );
  });

  test("a byte order mark and CRLF change neither data nor places", () => {
    const text = "\ufefftasks:\r\n  a:\r\n    run: npm test\r\n    use: buidl\r\n";
    const error = refusal(text);
    expect(error.faults.map(({ where }) => where)).toEqual(["plan.yaml:4:10"]);
    expect(formatFaults(error, text)).toContain("  4 |     use: buidl\n    |          ^");
    expect(parse(text.replace("buidl", "build")).tasks[0]?.command).toEqual({ argv: ["npm", "test"] });
  });
});

describe("names that are also members of every object", () => {
  test("are names like any other, and unknown ones stay unknown", () => {
    const plan = parse(textOf("good-borrowed-names.yaml"));
    expect(plan.agents.constructor).toMatchObject({ kind: "codex" });
    expect(plan.agents.hasOwnProperty).toBeUndefined();
    const error = refusal("tasks:\n  a: { agent: valueOf, description: x }\n  b: { run: ls, dependsOn: toString }\n");
    expect(error.faults.map(({ what }) => what)).toEqual(['no agent named "valueOf"', 'no task named "toString"']);
  });
});

const nested = (open: string, levels = 20_000) => open.repeat(levels);

describe("inputs made to hurt", () => {
  const inputs: Readonly<Record<string, readonly [text: string, where: string, what: string]>> = {
    "20,000 open brackets": [`tasks: ${nested("[")}`, "plan.yaml:1:106", "nested deeper than 100 levels"],
    "20,000 open braces": [`tasks: ${nested("{a: ")}`, "plan.yaml:1:400", "nested deeper than 100 levels"],
    "20,000 list items in one line": [nested("- "), "plan.yaml:1:201", "nested deeper than 100 levels"],
    "20,000 explicit keys": [nested("? "), "plan.yaml:1:201", "nested deeper than 100 levels"],
    "20,000 empty keys": [nested(": "), "plan.yaml:1:201", "nested deeper than 100 levels"],
    "20,000 anchors in a row": [nested("&a "), "plan.yaml:1:298", "nested deeper than 100 levels"],
    "a staircase of 1,000 maps": [
      Array.from({ length: 1_000 }, (_, level) => `${" ".repeat(level)}a:`).join("\n"),
      "plan.yaml:101:101",
      "nested deeper than 100 levels",
    ],
    "JSON of 20,000 levels": [
      `${nested('{"a":')}1${"}".repeat(20_000)}`,
      "plan.yaml:1:496",
      "nested deeper than 100 levels",
    ],
    "a file of 5 MiB": ["#".repeat(5 * 1024 * 1024), "plan.yaml:1:1", "the file has 5.0 MiB and the limit is 4.0 MiB"],
    "a million brackets side by side": [
      `a: [${"[],".repeat(500_000)}]`,
      "plan.yaml:1:500000",
      "more than 500,000 words and signs",
    ],
    "a NUL character": ["tasks:\n  a\u0000b: {}\n", "plan.yaml:2:4", "a NUL character"],
    "a name of 1 MB": [
      `tasks:\n  ? ${"x".repeat(1_000_000)}\n  : { run: npm test }\n`,
      "plan.yaml:2:5",
      'the name "xxxxxxxxxxxxxxxxxxxx…" has 1,000,000 bytes and the limit is 512',
    ],
    "a name of 1 MB before a colon": [
      `tasks:\n  ${"x".repeat(1_000_000)}: { run: npm test }\n`,
      "plan.yaml:2:3",
      "the : indicator must be at most 1024 chars after the start of an implicit block mapping key",
    ],
  };
  test.each(Object.entries(inputs))("%s", (_, [text, where, what]) => {
    const [fault] = refusal(text).faults;
    expect([fault?.where, fault?.what]).toEqual([where, what]);
  });
});

test("a thousand faults are listed and the rest is counted", () => {
  const keys = Array.from({ length: 1_500 }, (_, index) => `  t${index}: {}`).join("\n");
  const { faults } = refusal(`tasks:\n${keys}\n`);
  expect(faults).toHaveLength(BOUNDS.faultsPerInput + 1);
  expect(faults.at(-1)?.what).toBe("500 more faults are not listed");
});

test("a chain of 1,000 tasks is read, and its cycle is told in short", () => {
  const tasks = Array.from(
    { length: 1_000 },
    (_, index) => `  t${index}: { run: ls${index ? `, dependsOn: t${index - 1}` : ""} }`,
  );
  const plan = parse(`tasks:\n${tasks.join("\n")}\n`);
  const expanded = expandPlan(plan, { files: () => [], readText: () => "" });
  expect(expanded.tasks.at(-1)?.call.dependsOn).toEqual(["t998"]);
  const closed = tasks.with(0, "  t0: { run: ls, dependsOn: t999 }");
  expect(refusal(`tasks:\n${closed.join("\n")}\n`).faults.map(({ what }) => what)).toEqual([
    "tasks that wait for each other: t0 → t999 → t998 → t997 → t996 → t995 → … 994 more … → t0",
  ]);
});

test("a frame shows no control character of the file and cuts long lines", () => {
  const text = `tasks:\n  a: { run: "${"x".repeat(200)}\u001b[2J\u202e", uze: 1 }\n`;
  const printed = formatFaults(refusal(text), text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the purpose
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  for (const line of printed.split("\n")) expect(line.length).toBeLessThan(130);
});
