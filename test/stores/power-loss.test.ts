/**
 * The power goes in the middle of work (see ../support/power-loss.ts). 300 disks that could be left by each tier here;
 * `LOCKYARD_POWER_STATES=5000` looks at more. No failure in N states bounds their rate by 3/N at 95 %, which is printed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Losses, type RecordedTier, record, replay } from "../support/power-loss.ts";

const STATES = Number(process.env.LOCKYARD_POWER_STATES ?? 300);
const SEED = Number(process.env.LOCKYARD_POWER_SEED ?? 1);
const TASKS = 150;
// A memory disk where there is one: thousands of files are written.
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(FOLDER, "lockyard-power-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function lossesOf(tier: RecordedTier): Losses {
  const steps = record(join(directory, tier), tier, TASKS);
  const count = (type: string) => steps.filter((step) => step.type === type).length;
  const losses = replay(steps, { states: STATES, seed: SEED, place: join(directory, tier) });
  console.log(
    `tier ${tier}: ${count("write")} writes, ${count("flush")} flushes, ${count("ack")} acknowledgements; ${JSON.stringify(losses)}, bound ${((3 / STATES) * 100).toFixed(2)} %`,
  );
  expect(count("ack")).toBe(2 * TASKS);
  return losses;
}

/** Without it (apt install strace) nothing can be recorded, and this suite says so by running nothing. */
const hasStrace = spawnSync("strace", ["-V"]).status === 0;

describe.runIf(hasStrace)(`after ${STATES} losses of power`, { timeout: 60_000 + 200 * STATES }, () => {
  test("tier power has lost nothing that was acknowledged, and nothing is damaged", () => {
    expect(lossesOf("power")).toMatchObject({ damaged: 0, losing: 0, notAPrefix: 0 });
  });

  test("tier process may have lost what was acknowledged last, never anything before it, and nothing is damaged", () => {
    const losses = lossesOf("process");
    expect(losses).toMatchObject({ damaged: 0, notAPrefix: 0 });
    expect(losses.losing).toBeGreaterThan(0);
  });

  test("a store that flushes nothing is damaged: the replay can see (control)", () => {
    expect(lossesOf("off").damaged).toBeGreaterThan(STATES / 20);
  });
});
