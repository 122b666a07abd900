import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownWords } from "./own-words.ts";

test("our name is used where the shell would find us by it, and nobody else", () => {
  const here = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-words-")));
  try {
    const script = join(here, "lockyard.js");
    writeFileSync(script, "");
    for (const folder of ["bin", "other"]) mkdirSync(join(here, folder));
    symlinkSync(script, join(here, "bin", "lockyard"));
    writeFileSync(join(here, "other", "lockyard"), "");
    const own = ["/usr/bin/node", script];
    expect(ownWords(`/nowhere:relative:${here}/bin:${here}/other`, own)).toEqual(["lockyard"]);
    expect(ownWords(`${here}/other:${here}/bin`, own)).toEqual(own);
    expect(ownWords("", own)).toEqual(own);
  } finally {
    rmSync(here, { recursive: true, force: true });
  }
});
