import { expect, test } from "vitest";
import { virtualClock } from "../../clock/virtual-clock.ts";
import { WaitLine } from "./wait-line.ts";

/** States by second; says at which seconds something was said. */
async function spokenAt(states: (second: number) => string | null, seconds: number): Promise<readonly number[]> {
  const clock = virtualClock();
  const startMs = clock.nowMs();
  const said: number[] = [];
  const second = () => Math.round((clock.nowMs() - startMs) / 1_000);
  const line = new WaitLine({
    clock,
    look: async () => {
      const state = states(second());
      return state === null ? null : { sentence: state, state };
    },
    say: () => said.push(second()),
  });
  line.start();
  await clock.advance(seconds * 1_000);
  line.stop();
  return said;
}

test("nothing is said of a wait that is over within a second", async () => {
  expect(await spokenAt(() => "a", 0.9)).toEqual([]);
});

test("one line after a second, then one every half minute while nothing changes", async () => {
  expect(await spokenAt(() => "a", 70)).toEqual([1, 31, 61]);
});

test("a change is told, but a line that moves fast not step by step", async () => {
  expect(await spokenAt((second) => (second < 9 ? "a" : "b"), 20)).toEqual([1, 9]);
  expect(await spokenAt((second) => String(second), 17)).toEqual([1, 6, 11, 16]);
});

test("what is not waiting any more is not told as waiting", async () => {
  expect(await spokenAt((second) => (second < 3 ? null : "a"), 10)).toEqual([3]);
});
