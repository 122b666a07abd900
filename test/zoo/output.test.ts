/** What a child prints is drained whatever it does with its pipe, in bounded memory. */
import { expect, test } from "vitest";
import type { AgentReport } from "../../src/core/ports.ts";
import { commandAgent } from "../../src/index.ts";
import { heardContext, someTask } from "../support/agent-context.ts";

const GIGABYTE = 1_000_000_000;

async function run(shell: string, heard = heardContext()): Promise<AgentReport> {
  // A report is what it returns.
  return (await commandAgent({ shell, stdin: "none" }).run(someTask(), heard.ctx)) as unknown as AgentReport;
}

test("a gigabyte of output takes less than a third of it in memory", async () => {
  await run("head -c 10000000 /dev/zero | tr '\\0' x");
  const before = process.memoryUsage.rss();
  let peak = before;
  const heard = heardContext({
    emit: () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    },
  });
  const report = await run(`echo first; head -c ${GIGABYTE} /dev/zero | tr '\\0' x; echo; echo last`, heard);
  const output = String(report.output);
  expect(output.startsWith("first\n")).toBe(true);
  expect(output.endsWith("x\nlast")).toBe(true);
  expect(output.length).toBeLessThan(70_000);
  expect(peak - before).toBeLessThan(333_000_000);
}, 400_000);

test("half a character at the end of a gigabyte's worth of cuts breaks nothing", async () => {
  const report = await run("yes 'ä😀€' | head -c 10000001; printf '\\303'");
  const output = String(report.output);
  expect(output.endsWith("\ufffd")).toBe(true);
  expect(output.slice(0, -8)).not.toContain("\ufffd\ufffd\ufffd");
});

test("a pipe that is printed to by what was left, and never read by it, holds nobody up", async () => {
  const report = await run("(while :; do echo noise; done) & echo out; exit 0");
  expect(String(report.output)).toMatch(/^(?:noise\n)*out|^out/);
});
