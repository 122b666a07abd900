import fc from "fast-check";
import { expect, test } from "vitest";
import { BOUNDS } from "../../core/bounds.ts";
import { gitOf } from "./git.ts";
import { readShell, type ShellCommand } from "./read-shell.ts";
import { wrapOf } from "./wrap.ts";
import { writesOf } from "./writes.ts";

const PLACE = { cwd: "/repo", home: "/home/ada" };

/** `directory: words`, `?` for what is not known. */
function told(text: string): readonly string[] | null {
  const line = ({ cwd, words }: ShellCommand) => `${cwd ?? "?"}: ${words.map(({ value }) => value ?? "?").join(" ")}`;
  const all = (command: ShellCommand): readonly string[] => [
    line(command),
    ...command.inner.flatMap((each) => all(each)),
  ];
  return readShell(text, PLACE)?.commands.flatMap((command) => all(command)) ?? null;
}

test.each<[string, readonly string[]]>([
  ["a", ["/repo: a"]],
  ["a 'b c' \"$X\"", ["/repo: a b c ?"]],
  ["cd api && npm test", ["/repo: cd api", "/repo/api: npm test"]],
  ["cd ~/x; a", ["/repo: cd ?", "/home/ada/x: a"]],
  ["cd; a", ["/repo: cd", "/home/ada: a"]],
  ["cd - && a", ["/repo: cd -", "?: a"]],
  ["cd $X && a", ["/repo: cd ?", "?: a"]],
  ['cd -- "/a b/../c" && a', ["/repo: cd -- /a b/../c", "/a/../c: a".replace("/a/../c", "/c")]],
  ["(cd api && a); b", ["/repo: cd api", "/repo/api: a", "/repo: b"]],
  ["{ cd api; a; }; b", ["/repo: cd api", "/repo/api: a", "/repo/api: b"]],
  ["cd api | a; b", ["/repo: cd api", "/repo: a", "/repo: b"]],
  ["cd api & a", ["/repo: cd api", "/repo: a"]],
  ["cd api || exit 1; a", ["/repo: cd api", "/repo: exit 1", "/repo/api: a"]],
  ["cd api || mkdir api; a", ["/repo: cd api", "/repo: mkdir api", "?: a"]],
  ["if a; then cd b; fi; c", ["/repo: a", "/repo: cd b", "?: c"]],
  [
    "if cd b; then c; elif d; then e; else f; fi; g",
    ["/repo: cd b", "/repo/b: c", "/repo/b: d", "/repo/b: e", "/repo/b: f", "/repo/b: g"],
  ],
  ["for i in 1 2; do cd b; c; done; d", ["?: cd b", "?: c", "?: d"]],
  ["for i in $(a); do b; done", ["/repo: a", "/repo: b"]],
  ["case x in y) cd b;; esac; c", ["/repo: cd b", "?: c"]],
  ["f() { a; }; f", ["?: a", "/repo: f"]],
  ["a $(b `c`) <(d)", ["/repo: b ?", "/repo: c", "/repo: d", "/repo: a ? ?"].toSorted()],
  ["! time a", ["/repo: a"]],
  ["a <<E\n$(b)\nE\nc", ["/repo: b", "/repo: a", "/repo: c"]],
  [
    "cd api && bash -ec 'cd x; npm test'",
    ["/repo: cd api", "/repo/api: bash -ec cd x; npm test", "/repo/api: cd x", "/repo/api/x: npm test"],
  ],
  ["sudo -u x sh -c 'a'", ["/repo: sudo -u x sh -c a", "/repo: a"]],
  ["export A=1 && a", ["/repo: export A=1", "/repo: a"]],
  ["source x; a", ["/repo: source x", "?: a"]],
  ["[[ -f x ]] && (( 1 )) && a", ["/repo: a"]],
  ["", []],
  ["# a", []],
])("%j", (text, commands) => {
  const found = told(text);
  expect(text.includes("<(d)") ? found?.toSorted() : found).toEqual(commands);
});

test.each(["'open", "a && ", "a )", "a\rb", "a \0", "if a; then b", "$(a"])("%j is left alone", (text) => {
  expect(readShell(text, PLACE)).toBeNull();
});

test("what is too long is left alone", () => {
  expect(readShell(`echo ${"x".repeat(BOUNDS.shellChars)}`, PLACE)).toBeNull();
});

test.each<[string, readonly string[]]>([
  ["npm test", ["npm"]],
  ["sudo -n env A=1 -u B timeout -k 5 60 npm test", ["sudo", "env", "timeout", "npm"]],
  ["nice -n 5 npm test", ["nice", "npm"]],
  ["nice -5 npm test", ["nice", "npm"]],
  ["stdbuf -oL npm test", ["stdbuf", "npm"]],
  ["timeout --signal KILL 5m npm test", ["timeout", "npm"]],
  ["timeout --new-option 5m npm test", ["timeout"]],
  ["sudo -Z npm", ["sudo"]],
  ["npx -y vitest run", ["npx", "vitest"]],
  ["pnpm exec vitest", ["pnpm", "vitest"]],
  ["npm exec -- vitest", ["npm", "vitest"]],
  ["lockyard exec --use build -- git stash", ["lockyard", "git"]],
  ["/x/node /y/bin/lockyard.js exec -- npm test", ["/x/node", "npm"]],
  ["env", ["env"]],
])("the programs in %j", (text, programs) => {
  const command = readShell(text, PLACE)?.commands[0];
  expect(command?.programs.map((at) => command.words[at]?.value)).toEqual(programs);
});

const SIGNS =
  "a|b|git|reset|--hard|cd|npm|test|'|\"|\\|$|`|$(|)|(|{|}|&&|||;|;;|&|>|>>|<|<<E|E|\n| |#|if|then|fi|for|in|do|done|case|esac|[[|]]|((|))|!|*|~|=|bash|-c|exec|function|$" +
  "{|:-|é|\u{1F600}";

test("no text makes it throw, or hang", () => {
  const line = fc.array(fc.constantFrom(...SIGNS.split(/\|(?!\||$)/), "|"), { maxLength: 60 });
  const rules = [{ match: ["npm test*", "*a*"], claims: [{ use: "build" }], declaredBy: "x" }];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        line.map((signs) => signs.join(" ")),
        line.map((signs) => signs.join("")),
      ),
      (text) => {
        const reading = readShell(text, PLACE);
        if (reading === null) return;
        wrapOf(reading, { rules, root: "/repo" })?.rewrite(["lockyard"], null);
        writesOf(reading, { isDirectory: () => false });
        gitOf(reading);
      },
    ),
    { numRuns: 1_000 },
  );
});

test.each([
  "(",
  "$(",
  '"$(',
  "a;",
  "<<A ",
  "{ ",
  "if ",
  "`",
  "'",
  "${a:-",
  "$((",
  "a=(",
  "a && ",
  "a | ",
  "! ",
  "for i in a; do ",
  "case a in a) ",
  "bash -c '",
  "\\",
])("100 KB of %j come back", (piece) => {
  const text = piece.repeat(BOUNDS.shellChars).slice(0, BOUNDS.shellChars);
  const reading = readShell(text, PLACE);
  expect(reading === null || reading.commands.length >= 0).toBe(true);
});
