import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CommandRule } from "../../config/config.ts";
import { readShell } from "./read-shell.ts";
import { matches, wrapOf } from "./wrap.ts";

const RULES: readonly CommandRule[] = [
  { match: ["npm test*", "npm run build", "vitest*"], claims: [{ use: "build" }], declaredBy: "x" },
  { match: ["cargo *"], claims: [{ use: "build", units: 2 }, { write: "target" }], declaredBy: "x" },
  { match: ["migrate"], claims: [{ lock: "db" }], declaredBy: "x" },
];

function wrapped(text: string, rules = RULES) {
  const reading = readShell(text, { cwd: "/repo/api", home: null });
  return reading === null ? null : wrapOf(reading, { rules, root: "/repo" });
}

const line = (text: string) => wrapped(text)?.rewrite(["lockyard"], "T") ?? null;

const E = "lockyard exec --use build --ticket T --";
const F = "lockyard exec --use build --";

test.each<[string, string]>([
  ["npm test", `${E} npm test`],
  ["  npm test -- --reporter=dot 'a b' $X *.ts", `  ${E} npm test -- --reporter=dot 'a b' $X *.ts`],
  ["CI=1 npm test > out.txt 2>&1", `CI=1 ${E} npm test > out.txt 2>&1`],
  ["cd api && npm test 2>&1 | tail -20", `cd api && ${E} npm test 2>&1 | tail -20`],
  ["npm test; echo $?", `${E} npm test; echo $?`],
  ["npm test &", `${E} npm test &`],
  ["time npm test", `time ${E} npm test`],
  ["timeout 60 npm test", `${E} timeout 60 npm test`],
  ["nohup npm test", `nohup ${E} npm test`],
  ["exec npm test", `exec ${E} npm test`],
  ["npx vitest run", `${E} npx vitest run`],
  ["./node_modules/.bin/vitest run", `${E} ./node_modules/.bin/vitest run`],
  ["if npm test; then echo ok; fi", `if ${E} npm test; then echo ok; fi`],
  ["bash -c 'cd x && npm test'", `${E} bash -c 'cd x && npm test'`],
  ["migrate", "lockyard exec --lock db --ticket T -- migrate"],
  ["cargo build", "lockyard exec --use build:2 --write /repo/target --ticket T -- cargo build"],
  ["/usr/bin/cargo build", "lockyard exec --use build:2 --write /repo/target --ticket T -- /usr/bin/cargo build"],
])("%s takes its turn", (text, expected) => {
  expect(line(text)).toBe(expected);
});

test.each<[string, string]>([
  // One turn for what surely works in a shell of its own…
  ["npm run build && npm test", `${E} sh -c 'npm run build && npm test'`],
  ["cd api && npm run build && npm test 2>&1 | tail", `cd api && ${E} sh -c 'npm run build && npm test 2>&1 | tail'`],
  [
    "npm run build && cargo test",
    "lockyard exec --use build:2 --write /repo/target --ticket T -- sh -c 'npm run build && cargo test'",
  ],
  ["bash -c 'npm run build; npm test'", `${E} bash -c 'npm run build; npm test'`],
  // … and one after another for the rest.
  ["npm run build && cd x && npm test", `${E} npm run build && cd x && ${F} npm test`],
  ["npm run build && npm test -- $X", `${E} npm run build && ${F} npm test -- $X`],
  ["npm run build; npm test", `${E} npm run build; ${F} npm test`],
  ["npm run build | tail; npm test | tail", `${E} npm run build | tail; ${F} npm test | tail`],
  ["npm run build || npm test", `${E} npm run build || ${F} npm test`],
])("%s", (text, expected) => {
  expect(line(text)).toBe(expected);
});

test.each([
  "echo npm test",
  "npm install",
  'echo "npm test"',
  "LOCKYARD=off npm test",
  "env LOCKYARD=off npm test",
  "lockyard exec --use build -- npm test",
  "npx lockyard exec --use build -- npm test",
  "/n/bin/node /l/bin/lockyard.js exec --use build -- npm test",
  "npm() { :; }; npm test",
  "alias npm=yarn; npm test",
  "f() { npm test; }",
  "echo $(npm test)",
  "$NPM test",
  // Both at once: they would wait for each other.
  "npm test & cargo test",
  "npm test | cargo test",
  "npm test && ",
])("%s is left alone", (text) => {
  expect(line(text)).toBeNull();
});

test("what to wait for comes with absolute paths, and a name for people", () => {
  expect(wrapped("FOO=1 cargo 'test' > x")).toMatchObject({
    claims: [{ use: "build", units: 2 }, { write: "/repo/target" }],
    label: "cargo 'test'",
  });
});

test.each<[string, string, boolean]>([
  ["npm test*", "npm test", true],
  ["npm test*", "npm test -- a/b\nc", true],
  ["npm test", "npm tests", false],
  ["cargo *", "cargo", false],
  ["*", "", true],
  ["*b*d", "abcbd", true],
  ["*b*d", "abcbde", false],
  ["a.c", "abc", false],
  [`${"*a".repeat(50)}b`, "a".repeat(50_000), false],
])("%j and %j", (pattern, text, fits) => {
  expect(matches(pattern, text)).toBe(fits);
});

let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lockyard-wrap-"));
  const programs = {
    // Notes that it was asked, and does what `exec` does in the end.
    lockyard: 'echo exec >> "$HOME/log"; while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
    npm: 'printf "[%s]" "$@"; printf " in %s, CI=%s\\n" "$(basename "$PWD")" "$CI"; [ "$2" != fail ]',
  };
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(home, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(home, name), 0o755);
  }
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const RULE: readonly CommandRule[] = [{ match: ["npm test*"], claims: [{ use: "build" }], declaredBy: "x" }];

test.each([
  `CI='a "b"' npm test 'it'"'"'s' "$HOME" \\$x "a
b" $(echo sub) \`echo tick\` *nothing* ~`,
  "mkdir -p sub && cd sub && npm test a | tr a-z A-Z; npm test b",
  "npm test fail || echo failed; echo $?",
  "npm test 'x  y' && npm test fail && echo never; echo $?",
  "npm test 'q\"'\\''w' && npm test \"\\$HOME\"",
  "for i in 1 2; do npm test $i; done > out; cat out",
  "cat <<E; npm test here\n$(npm test inside)\nE\n",
  'set -- a b; npm test "$@"',
])("a rewritten line does what it did: %j", (text) => {
  const run = (command: string) => {
    const script = `cd "$HOME"; ${command}\n`;
    return execFileSync("bash", ["-c", script], {
      encoding: "utf8",
      env: { HOME: home, PATH: `${home}:${process.env.PATH}` },
    });
  };
  const rewritten = wrapped(text, RULE)?.rewrite(["lockyard"], "w/t/1.2") ?? "";
  expect(rewritten).toContain("--ticket w/t/1.2");
  expect(run(rewritten)).toBe(run(text));
  expect(readFileSync(join(home, "log"), "utf8")).toContain("exec");
});
