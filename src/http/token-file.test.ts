import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readOrMakeToken } from "./token-file.ts";

let place = "";
beforeAll(() => {
  place = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-token-"));
});
afterAll(() => fs.rmSync(place, { recursive: true, force: true }));

test("a token is made once, for this user alone", () => {
  const file = path.join(place, "deep", "token");
  const token = readOrMakeToken(file);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(readOrMakeToken(file)).toBe(token);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test("a token that others may read, a link, and what is no token are refused with what to do", () => {
  const open = path.join(place, "open");
  fs.writeFileSync(open, "x".repeat(40), { mode: 0o644 });
  expect(() => readOrMakeToken(open)).toThrow(/may be read by others/);
  const short = path.join(place, "short");
  fs.writeFileSync(short, "abc\n", { mode: 0o600 });
  expect(() => readOrMakeToken(short)).toThrow(/holds no token/);
  const link = path.join(place, "link");
  fs.symlinkSync(open, link);
  expect(() => readOrMakeToken(link)).toThrow(/cannot be read/);
});
