import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changedLines, fingerprintOf, fingerprintOfContent } from "./fingerprint.ts";

const of = (text: string) => fingerprintOfContent(Buffer.from(text));
const changed = (before: string, after: string) => changedLines(of(before).lines, of(after).lines);

test("the same content has the same hash, and other content another", () => {
  expect(of("a\nb\n").hash).toBe(of("a\nb\n").hash);
  expect(of("a\nb\n").hash).not.toBe(of("a\nb").hash);
});

test("changed lines are counted, moved ones are not", () => {
  expect(changed("a\nb\nc\n", "a\nx\nc\n")).toBe(1);
  expect(changed("a\nb\n", "b\na\n")).toBe(0);
  expect(changed("a\na\n", "a\n")).toBe(1);
  expect(changed("", "a\nb")).toBe(2);
  expect(changedLines(null, of("a").lines)).toBe(null);
});

test("what is no text, or too many lines, has a hash alone", () => {
  expect(fingerprintOfContent(new Uint8Array([65, 0, 66])).lines).toBe(null);
  expect(of("\n".repeat(20_001)).lines).toBe(null);
  expect(of("\n".repeat(20_000)).lines?.length).toBe(80_000);
});

test("a missing file has a content of its own, a directory none", () => {
  const directory = mkdtempSync(join(tmpdir(), "lockyard-print-"));
  try {
    const file = join(directory, "a.txt");
    expect(fingerprintOf(file)).toEqual({ hash: "none", lines: null });
    writeFileSync(file, "a\n");
    expect(fingerprintOf(file)).toEqual(of("a\n"));
    expect(fingerprintOf(join(file, "below"))).toEqual({ hash: "none", lines: null });
    mkdirSync(join(directory, "d"));
    expect(fingerprintOf(join(directory, "d"))).toBe(null);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
