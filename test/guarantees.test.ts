// GUARANTEES.md says what is promised and which test keeps it: every invariant has its promise, every promise its tests,
// and every test it names is there.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const INVARIANTS = 13;

interface Promised {
  readonly id: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

const promises: readonly Promised[] = readFileSync(join(ROOT, "GUARANTEES.md"), "utf8")
  .split(/^(?=##)/m)
  .filter((part) => part.startsWith("### "))
  .map((part) => ({
    id: part.slice(4).split(" ", 1)[0] ?? "",
    tests: [...part.matchAll(/^\* \[[^\]]*\]\(([^)]+)\): "(.+)"$/gm)].map(([, file = "", name = ""]) => ({
      file,
      name,
    })),
  }));

test("every invariant of the locks has its promise, and no id is given twice", () => {
  const ids = promises.map(({ id }) => id);
  const invariants = Array.from({ length: INVARIANTS }, (_, index) => `L${index + 1}`);
  expect(ids.filter((id) => id.startsWith("L"))).toEqual(invariants);
  expect(new Set(ids).size).toBe(ids.length);
});

test("every promise is kept by a test that exists, by that name", () => {
  const broken = promises.flatMap(({ id, tests }) => {
    if (tests.length === 0) return [`${id} names no test`];
    return tests
      .filter(
        ({ file, name }) => !existsSync(join(ROOT, file)) || !hasTest(readFileSync(join(ROOT, file), "utf8"), name),
      )
      .map(({ file, name }) => `${id}: ${file} has no test "${name}"`);
  });
  expect(broken).toEqual([]);
});

function hasTest(source: string, name: string): boolean {
  return [`"${name}"`, `'${name}'`, `\`${name}\``].some((quoted) => source.includes(quoted));
}
