import { expect, test } from "vitest";
import type { Command, Effect } from "../../core/command.ts";
import { LockyardError } from "../../core/errors.ts";
import { Request, RequestQueue } from "./queue.ts";

const ticks = (count: number): Command[] => Array.from({ length: count }, () => ({ type: "tick" }));
const refused = (index: number): Effect => ({ type: "refused", index, code: "BUG", message: "", blockers: [] });
const full = new LockyardError("STORE_FULL", "no room");

test("small requests share a transaction, and one that does not fit is begun", () => {
  const queue = new RequestQueue();
  const requests = [10, 20, 50].map((count) => new Request(ticks(count)));
  for (const request of requests) queue.push(request);
  const sizes = () => queue.slices().map(({ request, commands }) => [requests.indexOf(request), commands.length]);
  expect(sizes()).toEqual([
    [0, 10],
    [1, 20],
    [2, 34],
  ]);
  for (const { request, commands } of queue.slices()) if (request.advance(commands.length, [])) queue.shift();
  expect(sizes()).toEqual([[2, 16]]);
});

test("effects carry the place of their command in what the caller asked for", async () => {
  const request = new Request(ticks(70));
  expect(request.advance(64, [refused(3)])).toBe(false);
  expect(request.advance(6, [refused(5)])).toBe(true);
  expect(await request.answer).toEqual([refused(3), refused(69)]);
});

test("a request of which nothing was carried out is rejected", async () => {
  const request = new Request(ticks(2));
  request.fail(full);
  await expect(request.answer).rejects.toBe(full);
});

test("a request that was begun says of each of the rest that it was not carried out", async () => {
  const request = new Request(ticks(66));
  request.advance(64, [refused(0)]);
  request.fail(full);
  const rest = [64, 65].map((index) => ({
    type: "refused",
    index,
    code: "STORE_FULL",
    message: "no room",
    blockers: [],
  }));
  expect(await request.answer).toEqual([refused(0), ...rest]);
});
