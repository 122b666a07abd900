import { expect, test } from "vitest";
import { virtualClock } from "../clock/virtual-clock.ts";
import type { Attempt } from "./attempt.ts";
import { OutsideWaits } from "./outside-waits.ts";

test("a wait that is not told again is over: nobody who died keeps a task from its slot or its clocks", async () => {
  const clock = virtualClock();
  const told: string[] = [];
  const attempt = {
    hasSettled: false,
    stop: null,
    pause: () => told.push("pause"),
    resume: () => told.push("resume"),
  } as unknown as Attempt; // what waits touch of it
  const loan = { give: () => told.push("give"), takeBack: async () => void told.push("take") };
  const waits = new OutsideWaits({ clock, loanOf: () => loan, clocksChanged: () => undefined });
  waits.told(attempt, 30_000);
  await clock.advance(20_000);
  waits.told(attempt, 30_000);
  await clock.advance(20_000);
  expect(told).toEqual(["give", "pause"]);
  await clock.advance(20_000);
  expect(told).toEqual(["give", "pause", "take", "resume"]);
  waits.told(attempt, 0);
  waits.told(attempt, 30_000);
  waits.told(attempt, 0);
  await clock.advance(1);
  expect(told.slice(4)).toEqual(["give", "pause", "take", "resume"]);
});
