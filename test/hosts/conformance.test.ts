// The suite of the protocol's authors, against our own HTTP entry and its gate.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { installProgram } from "../../scripts/hosts.mjs";
import { serveFixture } from "./conformance-fixture.ts";

const HERE = path.dirname(fileURLToPath(import.meta.url));

test.each([
  ["released", "conformance", "conformance-2025.yml", []],
  ["2026-07-28", "conformance-next", "conformance-2026.yml", ["--requirements", "2026-07-28"]],
] as const)("the %s suite finds no gap that is not listed with its reason", async (_, program, baseline, more) => {
  const binary = await installProgram(program);
  const server = await serveFixture();
  const out = mkdtempSync(path.join(tmpdir(), "lockyard-conformance-"));
  try {
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const args = ["server", "--url", url, "--expected-failures", path.join(HERE, baseline), "-o", out, ...more];
    const { code, said } = await run(binary, args);
    expect(code, said.slice(-4_000)).toBe(0);
    expect(said).toMatch(/✓ dns-rebinding-protection: 2 passed/);
    expect(said).toMatch(/✓ tools-call-with-progress/);
  } finally {
    rmSync(out, { recursive: true, force: true });
    await server.close();
  }
});

function run(binary: string, args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    // It needs a newer Node than the machine's may be.
    execFile(
      process.execPath,
      [binary, ...args],
      { timeout: 100_000, maxBuffer: 16 * 1024 * 1024 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: out + err });
      },
    );
  });
}
