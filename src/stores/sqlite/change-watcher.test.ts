import { expect, test } from "vitest";
import { virtualClock } from "../../clock/virtual-clock.ts";
import { ChangeWatcher } from "./change-watcher.ts";

function watcherOf(state: { version: number; isLive: boolean }) {
  const clock = virtualClock();
  const seen: number[] = [];
  let asked = 0;
  const watcher = new ChangeWatcher({
    clock,
    file: "/nowhere/to/watch",
    dataVersion: () => {
      asked++;
      return state.version;
    },
    hasLiveRows: () => state.isLive,
    onChange: () => seen.push(state.version),
  });
  return { clock, watcher, seen, asked: () => asked };
}

test("a change is noticed within a poll while somebody here has work, without a file to watch", async () => {
  const state = { version: 1, isLive: true };
  const { clock, watcher, seen } = watcherOf(state);
  watcher.start();
  expect(seen).toEqual([1]);
  state.version = 2;
  await clock.advance(15);
  expect(seen).toEqual([1, 2]);
  await clock.advance(1_000);
  expect(seen).toEqual([1, 2]);
  watcher.stop();
});

test("without work it looks seldom, until it is woken", async () => {
  const state = { version: 1, isLive: false };
  const { clock, watcher, seen, asked } = watcherOf(state);
  watcher.start();
  await clock.advance(5_000);
  const before = asked();
  await clock.advance(1_000);
  expect(asked() - before < 6).toBe(true);
  watcher.wake();
  state.version = 2;
  await clock.advance(15);
  expect(seen).toEqual([1, 2]);
  watcher.stop();
});

test("stopped, it leaves nothing behind and keeps no process alive", async () => {
  const { clock, watcher, asked } = watcherOf({ version: 1, isLive: true });
  watcher.start();
  expect(clock.pendingTimers()).toBe(0);
  watcher.stop();
  watcher.wake();
  const before = asked();
  await clock.advance(1_000);
  expect(asked()).toBe(before);
});
