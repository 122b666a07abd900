import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { parse } from "unbash";
import { expect, test } from "vitest";
import { literalOf, quoteWords } from "./words.ts";

/** What a real shell makes of the words of a line. */
function asked(shell: string, words: string): readonly string[] {
  const printed = execFileSync(shell, ["-c", `printf '%s\\0' ${words}`], {
    encoding: "utf8",
    env: { HOME: "/home/ada" },
  });
  return printed.split("\0").slice(0, -1);
}

function literals(line: string): readonly (string | null)[] {
  const command = parse(`x ${line}`).commands[0]?.command;
  if (command?.type !== "Command") throw new Error("one command was expected");
  return command.args.map((word) => (word.type === "Word" ? literalOf(word) : null));
}

const text = fc.oneof(
  fc.string({ unit: "binary", minLength: 0, maxLength: 12 }).filter((word) => !/[\0\ud800-\udfff]/.test(word)),
  fc.string({ unit: fc.constantFrom(..."ab \"'\\$`~!*?[]{}()<>|&;#=%\n\t-"), maxLength: 12 }),
);

test.each(["bash", "sh"])("what is quoted is one word of %s, whatever is in it", (shell) => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (words) => {
      expect(asked(shell, quoteWords(words))).toEqual(words);
    }),
    { numRuns: 30 },
  );
});

test("what is quoted is read back as it was", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (words) => {
      expect(literals(quoteWords(words))).toEqual(words);
    }),
  );
});

const piece = fc.oneof(
  fc.constantFrom(
    "a",
    "b-c",
    "/",
    ".",
    "'x y'",
    "'\\'",
    '"p q"',
    '"\\""',
    '"\\a"',
    "\\ ",
    "\\'",
    "\\\\",
    "$'\\t\\x41'",
    "=",
    "~",
  ),
  fc.constantFrom("{a,b}", "*", "$HOME", '"$HOME"', "$(echo x)", "`echo x`", "{}", "!", "%", "@", "+", "ü", '""', "''"),
);

test("a word that is taken for sure is what bash makes of it", () => {
  const line = fc.array(
    fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("")),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(line, (words) => {
      const sure = words.filter((word) => literals(word)[0] !== null && literals(word).length === 1);
      fc.pre(sure.length > 0);
      expect(sure.map((word) => literals(word)[0])).toEqual(asked("bash", sure.join(" ")));
    }),
    { numRuns: 60 },
  );
});
