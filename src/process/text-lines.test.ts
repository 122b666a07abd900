import * as fc from "fast-check";
import { expect, test } from "vitest";
import { TextLines } from "./text-lines.ts";

function linesOf(chunks: readonly Buffer[], maxBytes = 1_000): readonly (string | null)[] {
  const heard: (string | null)[] = [];
  const lines = new TextLines({ line: (text) => heard.push(text), tooLong: () => heard.push(null) }, maxBytes);
  for (const chunk of chunks) lines.push(chunk);
  lines.end();
  return heard;
}

test("wherever the bytes are cut, the same lines are heard", () => {
  const text = fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { minLength: 1, maxLength: 12 });
  void fc.assert(
    fc.property(text, fc.array(fc.nat(200), { maxLength: 8 }), (words, cuts) => {
      const whole = Buffer.from(`${words.join("\n")}\n`);
      const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const chunks = at.slice(1).map((end, index) => whole.subarray(at[index], end));
      expect(linesOf(chunks)).toEqual(linesOf([whole]));
      expect(linesOf([whole])).toEqual(whole.toString().split("\n").slice(0, -1).map(withoutReturn));
    }),
  );
});

test("a line beyond the limit is told and dropped, the next is heard, the last needs no end", () => {
  expect(linesOf([Buffer.from("a\nlong"), Buffer.from(" line\nb\nc")], 5)).toEqual(["a", null, "b", "c"]);
});

test("half a character at the end of the stream is no failure", () => {
  expect(linesOf([Buffer.from("ü\n"), Buffer.from("ü").subarray(0, 1)])).toEqual(["ü", "\ufffd"]);
});

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
