/** A storm during which the wall clock of every process jumps; and one in which their monotonic clock jumps as well. */
import fs from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import type { ProofReport } from "../../src/prove/proof.ts";
import { storm } from "../../src/prove/storm.ts";
import { faketimeLibrary } from "./faketime.ts";
import { LIMIT_MS, sized } from "./form.ts";
import { usePlaces } from "./places.ts";

const places = usePlaces();
const library = faketimeLibrary();
const FAULTS = sized({ short: 60, long: 400 });
/** Between jumps. A leap of the monotonic clock is an hour for everybody who waits. */
const JUMP_MS = { wall: 700, monotonic: 3_000 } as const;
const SEED = 11;

let jumping: NodeJS.Timeout | undefined;
afterEach(() => clearInterval(jumping));

interface Jumping {
  /** Settings of libfaketime, one after another. */
  readonly jumps: readonly string[];
  readonly isMonotonicFaked: boolean;
  readonly alsoExpected?: readonly string[];
}

async function stormWhile({ jumps, isMonotonicFaked, alsoExpected = [] }: Jumping): Promise<ProofReport> {
  const place = places.make();
  const file = path.join(place, "faketime");
  let jumped = 0;
  const jump = (): void => {
    // Replaced in one step: nobody reads half a setting.
    fs.writeFileSync(`${file}.new`, `${jumps[jumped++ % jumps.length]}\n`);
    fs.renameSync(`${file}.new`, file);
  };
  jump();
  jumping = setInterval(jump, isMonotonicFaked ? JUMP_MS.monotonic : JUMP_MS.wall);
  const keep = isMonotonicFaked ? "0" : "1";
  const env = {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: keep,
    FAKETIME_DONT_FAKE_MONOTONIC: keep,
  };
  const report = await storm({
    clock: systemClock(),
    place,
    seed: SEED,
    faults: FAULTS,
    limitMs: 120_000,
    env,
    alsoExpected,
  });
  clearInterval(jumping);
  return { ...report, counts: { ...report.counts, jumps: jumped } };
}

if (library === null) {
  test("without libfaketime, clock jumps cannot be tried here", () => {
    console.log("clocks: NOT TRIED, libfaketime is neither here nor to be had from apt");
    expect(fs.existsSync("/usr/lib/faketime")).toBe(false);
  });
} else {
  test(
    "when the wall clock jumps back an hour, on 13 days, and runs 60 times as fast, nothing expires, no fence falls and no task is lost",
    async () => {
      const report = await stormWhile({ jumps: ["-3600", "+13d", "+0 x60", "+0"], isMonotonicFaked: false });
      places.note("wall clock jumps", report);
      expect(report.faults).toEqual([]);
      expect(report.counts.jumps).toBeGreaterThan(4);
    },
    LIMIT_MS,
  );

  test(
    "when even the monotonic clock leaps on by hours, what waits may time out, and still no holders overlap and nothing is lost",
    async () => {
      const jumps = Array.from({ length: 10_000 }, (_, hours) => `+${hours * 3_600}`);
      const alsoExpected = ["QUEUE_TIMEOUT", "RUN_TIMEOUT", "STORE_BUSY"];
      const report = await stormWhile({ jumps, isMonotonicFaked: true, alsoExpected });
      places.note("monotonic clock leaps", report);
      expect(report.faults).toEqual([]);
      // The first sets the clock; a fast machine is through before there are many.
      expect(report.counts.jumps).toBeGreaterThan(2);
    },
    LIMIT_MS,
  );
}
