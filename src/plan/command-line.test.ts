import fc from "fast-check";
import { expect, test } from "vitest";
import { splitCommand } from "./command-line.ts";

test.each<[string, readonly string[]]>([
  ["npx tsc --noEmit -p packages/api", ["npx", "tsc", "--noEmit", "-p", "packages/api"]],
  ["  npm\ttest  ", ["npm", "test"]],
  ["node -e 'a b' \"c d\" e\\ f", ["node", "-e", "a b", "c d", "e f"]],
  ["echo 'it'\\''s'", ["echo", "it's"]],
  ['echo "a\\"b\\\\c\\d"', ["echo", 'a"b\\c\\d']],
  ["echo '' \"\"", ["echo", "", ""]],
  ["prettier 'src/**/*.{ts,tsx}'", ["prettier", "src/**/*.{ts,tsx}"]],
  ["grep -rn 'a|b;c&d$HOME`x`' src", ["grep", "-rn", "a|b;c&d$HOME`x`", "src"]],
  ["echo cost: 5$ a#b a=b ./~ {} {a}", ["echo", "cost:", "5$", "a#b", "a=b", "./~", "{}", "{a}"]],
  ["wc {{file}} --x={{ file }} '{{ a b }}'", ["wc", "{{file}}", "--x={{ file }}", "{{ a b }}"]],
  ["docker ps --format '\\{{.Names}}'", ["docker", "ps", "--format", "\\{{.Names}}"]],
  ["echo \\{{x}}", ["echo", "\\{{x}}"]],
  ["npm test \\\n  --watch", ["npm", "test", "--watch"]],
  ["npm test\n", ["npm", "test"]],
  ["'cd' x", ["cd", "x"]],
])("%j", (text, argv) => {
  expect(splitCommand(text)).toEqual({ argv });
});

test.each<[string, number, string]>([
  ["a | b", 2, "shell: true"],
  ["a && b", 2, "shell: true"],
  ["a; b", 1, "shell: true"],
  ["a > b", 2, "shell: true"],
  ["a < b", 2, "shell: true"],
  ["a 2>&1", 3, "shell: true"],
  ["(a)", 0, "shell: true"],
  ["a `b`", 2, "shell: true"],
  ['a "`b`"', 3, "shell: true"],
  ["a $HOME", 2, "shell: true"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a shell variable
  ['a "${HOME}"', 3, "shell: true"],
  ["a $(b)", 2, "shell: true"],
  ["a $1", 2, "shell: true"],
  ["ls *.ts", 3, "shell: true"],
  ["ls ?", 3, "shell: true"],
  ["ls [a]", 3, "shell: true"],
  ["ls {a,b}", 3, "shell: true"],
  ["ls x{1..3}", 4, "shell: true"],
  ["ls ~", 3, "shell: true"],
  ["a # b", 2, "shell: true"],
  ["a\nb", 1, "shell: true"],
  ["if x", 0, "shell: true"],
  ["A=1 b", 0, "env: { A"],
  ["cd x", 0, "cwd"],
  ["a 'b", 2, "close it"],
  ['a "b', 2, "close it"],
  ["a \\", 2, "remove it"],
  ["", 0, "program"],
  ["''", 0, "program"],
])("%j is refused at %d", (text, index, hint) => {
  const split = splitCommand(text);
  expect(split).toMatchObject({ fault: { index } });
  expect("fault" in split ? split.fault.hint : "").toContain(hint);
});

test("arguments in single quotes come out as they went in", () => {
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const word = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("{{"));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      fc.pre(words[0] !== "" && words[0] !== undefined);
      expect(splitCommand(words.map(quoted).join(" "))).toEqual({ argv: words });
    }),
  );
});

test("whatever is written, it is split or refused at a place inside it", () => {
  const sign = fc.constantFrom(...`ab '"\\$\`{}*?[]~#;&|<>()=\n!-`);
  fc.assert(
    fc.property(fc.string({ unit: sign, maxLength: 30 }), (text) => {
      const split = splitCommand(text);
      if ("argv" in split) expect(split.argv[0]).toBeTruthy();
      else expect(split.fault.index >= 0 && split.fault.index <= text.length).toBe(true);
    }),
    { numRuns: 500 },
  );
});
