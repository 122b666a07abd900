/** The storm as users start it: the built command, its own worker entry, real signals. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import type { Proof } from "../../src/prove/prove.ts";
import { storm } from "../../src/prove/storm.ts";
import { isLong, LIMIT_MS } from "./form.ts";
import { ROOT, usePlaces } from "./places.ts";

const places = usePlaces();

test(
  "a storm of kill -9 and SIGSTOP loses nothing acknowledged, repeats no fence and lets no holders overlap, and its monitor can see",
  async () => {
    const node = process.execPath;
    await promisify(execFile)(node, [path.join(ROOT, "scripts", "build.mjs"), "--if-stale"]);
    const place = places.make();
    const store = path.join(place, "state", "store.db");
    const args = [
      path.join(ROOT, "bin", "lockyard.js"),
      "doctor",
      "--prove",
      "--json",
      "--seed",
      "7",
      "--store",
      store,
    ];
    const { stdout } = await promisify(execFile)(node, args, {
      cwd: place,
      env: { PATH: process.env.PATH, HOME: place },
    });
    const { proof } = JSON.parse(stdout) as { readonly proof: Proof };
    places.note("storm", proof.storm);
    places.note("storm without the sweep (control)", proof.control);
    expect(proof.storm.faults).toEqual([]);
    expect(proof.storm.counts.faults).toBeGreaterThanOrEqual(150);
    expect(proof.storm.counts).toMatchObject({ overlaps: 0 });
    expect(proof.control.counts.overlaps).toBeGreaterThan(0);
    expect(proof.ok).toBe(true);
    // Nothing of it stays.
    expect(fs.readdirSync(path.dirname(store))).toEqual([]);
  },
  LIMIT_MS,
);

if (isLong) {
  test(
    "a thousand faults and eight processes change nothing of that",
    async () => {
      const options = {
        clock: systemClock(),
        place: places.make(),
        seed: 1,
        faults: 1_000,
        limitMs: LIMIT_MS,
        workers: 8,
      };
      const report = await storm(options);
      places.note("long storm", report);
      expect(report.faults).toEqual([]);
      expect(report.counts.faults).toBeGreaterThanOrEqual(1_000);
    },
    LIMIT_MS,
  );
}
