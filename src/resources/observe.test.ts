import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BOUNDS } from "../core/bounds.ts";
import { observe } from "./observe.ts";

const root = mkdtempSync(join(tmpdir(), "lockyard-observe-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("files that were written, made, removed or replaced are told; what stayed the same is not", async () => {
  mkdirSync(join(root, "docs/deep"), { recursive: true });
  for (const name of ["kept", "written", "removed"]) writeFileSync(join(root, "docs/deep", name), "1");
  symlinkSync("kept", join(root, "docs/link"));
  const again = await observe(["docs", "missing"], root);
  expect(await again()).toEqual({ changed: [], isWhole: true });
  writeFileSync(join(root, "docs/deep/written"), "22");
  unlinkSync(join(root, "docs/deep/removed"));
  writeFileSync(join(root, "docs/made"), "");
  writeFileSync(join(root, "missing"), "");
  unlinkSync(join(root, "docs/link"));
  symlinkSync("made", join(root, "docs/link"));
  const names = ["docs/deep/removed", "docs/deep/written", "docs/link", "docs/made", "missing"];
  expect(await again()).toEqual({ changed: names.map((name) => join(root, name)), isWhole: true });
});

test("a pattern is looked at by its fixed part", async () => {
  mkdirSync(join(root, "src"));
  const again = await observe(["src/**/*.ts"], root);
  writeFileSync(join(root, "src/a.ts"), "");
  expect((await again()).changed).toEqual([join(root, "src/a.ts")]);
});

test("a directory with more than is looked at says so, and invents no change", async () => {
  const many = join(root, "many");
  mkdirSync(many);
  for (let index = 0; index < BOUNDS.observedEntries + 5; index++) writeFileSync(join(many, `f${index}`), "");
  const again = await observe(["many"], root);
  unlinkSync(join(many, "f0"));
  expect(await again()).toEqual({ changed: [join(many, "f0")], isWhole: false });
});
