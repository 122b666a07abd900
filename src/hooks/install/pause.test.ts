import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { virtualClock } from "../../clock/virtual-clock.ts";
import { HookPause } from "./pause.ts";

let place = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "lockyard-pause-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

test("a pause ends by itself, and for every process of the user", async () => {
  const clock = virtualClock();
  const pause = new HookPause(join(place, "state"), clock);
  expect(pause.until()).toBeNull();
  const until = pause.begin(60_000);
  expect(until).toBe(clock.wallMs() + 60_000);
  expect(new HookPause(join(place, "state"), clock).until()).toBe(until);
  await clock.advance(60_000);
  expect(pause.until()).toBeNull();
  pause.begin(60_000);
  pause.end();
  pause.end();
  expect(pause.until()).toBeNull();
});

test("a file that says something else pauses nothing", () => {
  const pause = new HookPause(place, virtualClock());
  writeFileSync(join(place, "hooks-paused"), "for ever");
  expect(pause.until()).toBeNull();
  rmSync(join(place, "hooks-paused"));
  mkdirSync(join(place, "hooks-paused"));
  expect(pause.until()).toBeNull();
});
