import fc from "fast-check";
import { expect, test } from "vitest";
import { Agenda } from "./agenda.ts";

test("events fire in order of their time, those of one time in the order in which they were planned", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }), (delays) => {
      const agenda = new Agenda(5);
      const fired: number[] = [];
      for (const [index, delay] of delays.entries()) agenda.after(delay, () => fired.push(index));
      expect(agenda.runUntil(35, () => false)).toBe(true);
      const order = delays.map((delay, index) => ({ delay, index })).sort((a, b) => a.delay - b.delay);
      expect(fired).toEqual(order.map(({ index }) => index));
      expect(agenda.nowMs).toBe(35);
    }),
  );
});

test("what an event plans fires in the same run, and a run can be stopped", () => {
  const agenda = new Agenda(0);
  const fired: string[] = [];
  agenda.after(1, () => {
    fired.push("first");
    agenda.after(1, () => fired.push("second"));
    agenda.after(9, () => fired.push("late"));
  });
  expect(agenda.runUntil(100, () => fired.length === 2)).toBe(false);
  expect(fired).toEqual(["first", "second"]);
});
