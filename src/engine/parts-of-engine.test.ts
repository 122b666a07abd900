/** The small parts by themselves. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsoTimes } from "../clock/iso-times.ts";
import { virtualClock } from "../clock/virtual-clock.ts";
import { BOUNDS } from "../core/bounds.ts";
import type { Command, Effect } from "../core/command.ts";
import type { Store } from "../core/ports.ts";
import { Agenda, type Due } from "./agenda.ts";
import { EventHub } from "./event-hub.ts";
import { Faults } from "./faults.ts";
import { IdSource } from "./ids.ts";
import { Task } from "./task.ts";
import { CheckedCall } from "./task-call.ts";
import { type Batch, type Ticket, TurnQueue } from "./turn-queue.ts";

describe("agenda", () => {
  test("everything falls due in order and once, whatever was moved or cleared", async () => {
    const actions = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: -1, max: 60 })), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(actions, async (steps) => {
        const clock = virtualClock({ startMs: 0 });
        const agenda = new Agenda(clock);
        const fired: number[] = [];
        const entries: Due[] = Array.from({ length: 10 }, (_, index) => ({
          dueAtMs: 0,
          place: -1,
          onDue: () => fired.push(index),
        }));
        const expected = new Map<number, number>();
        for (const [index, atMs] of steps) {
          const entry = entries[index];
          if (entry === undefined) continue;
          if (atMs < 0) {
            agenda.clear(entry);
            expected.delete(index);
          } else {
            agenda.set(entry, atMs);
            expected.set(index, atMs);
          }
        }
        expect(agenda.size).toBe(expected.size);
        expect(clock.pendingTimers()).toBeLessThanOrEqual(1);
        await clock.advance(100);
        const times = fired.map((index) => expected.get(index) ?? -1);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect([...fired].sort()).toEqual([...expected.keys()].sort());
        expect(agenda.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test("rests without a timer when nothing is due", () => {
    const clock = virtualClock();
    const agenda = new Agenda(clock);
    const entry: Due = { dueAtMs: 0, place: -1, onDue: () => undefined };
    agenda.set(entry, 5_000);
    agenda.clear(entry);
    expect(clock.pendingTimers()).toBe(1);
    agenda.rest();
    expect(clock.pendingTimers()).toBe(0);
  });
});

describe("turn queue", () => {
  const submit = (taskId: string): Command => ({ type: "submit", row: { taskId } as never });
  const settle = (key: number): Command => ({ type: "settle", key, fence: 1, status: "succeeded", result: null });

  function recording(answer: (commands: readonly Command[]) => readonly Effect[] | Promise<readonly Effect[]>) {
    const turns: (readonly Command[])[] = [];
    const failed: unknown[] = [];
    const queue: TurnQueue = new TurnQueue({
      onEffects: (_effects: readonly Effect[], _tickets: readonly Ticket[]) => undefined,
      onTurnFailed: (error: unknown, batch: Batch) => {
        failed.push(error);
        if (failed.length < 3) queue.hold(batch);
      },
      onDrained: () => undefined,
    });
    queue.open({
      turn: (commands: readonly Command[]) => {
        turns.push(commands);
        return answer(commands);
      },
    } as unknown as Store);
    return { queue, turns, failed };
  }

  test("one turn for what one tick brings, what frees first, at most 64 commands", async () => {
    const { queue, turns } = recording(() => []);
    for (let index = 0; index < 100; index++) queue.push(submit(`t${index}`), null);
    queue.push(settle(1), null);
    expect(turns).toHaveLength(0);
    await queue.finish();
    expect(turns.map((commands) => commands.length)).toEqual([64, 37]);
    expect(turns[0]?.[0]).toEqual(settle(1));
  });

  test("a store that must be waited for gets the same turns in the same order, one at a time", async () => {
    let open = 0;
    const { queue, turns } = recording(async () => {
      expect(++open).toBe(1);
      await Promise.resolve();
      open--;
      return [];
    });
    for (let index = 0; index < 130; index++) queue.push(submit(`t${index}`), null);
    await queue.finish();
    const ids = turns.flat().map((command) => (command.type === "submit" ? command.row.taskId : ""));
    expect(ids).toEqual(Array.from({ length: 130 }, (_, index) => `t${index}`));
  });

  test("what a failed turn held is handed over again, before the rest", async () => {
    let fails = 2;
    const { queue, turns, failed } = recording(() => {
      if (fails-- > 0) throw new Error("busy");
      return [];
    });
    queue.push(submit("a"), null);
    await Promise.resolve();
    queue.push(submit("b"), null);
    queue.resume();
    await Promise.resolve();
    queue.resume();
    await queue.finish();
    expect(failed).toHaveLength(2);
    expect(turns.at(-1)?.map((command) => (command.type === "submit" ? command.row.taskId : ""))).toEqual(["a", "b"]);
  });
});

describe("event hub", () => {
  const hub = () => new EventHub(() => ({ at: "2026-01-01T00:00:00.000Z", workflowId: "w" }));

  test("costs one comparison without readers, and stops being heard when the last leaves", async () => {
    const events = hub();
    expect(events.isHeard).toBe(false);
    const reader = events.read();
    expect(events.isHeard).toBe(true);
    await reader.return?.();
    expect(events.isHeard).toBe(false);
  });

  test("a slow reader loses the oldest and is told how many; a quick one loses nothing", async () => {
    const events = hub();
    const [slow, quick] = [events.read(), events.read()];
    const count = BOUNDS.eventsPerReader + 5;
    let read = 0;
    for (let index = 0; index < count; index++) {
      events.emit({ type: "budget-paused", reason: `${index}` });
      if ((await quick.next()).value?.type === "budget-paused") read++;
    }
    expect(read).toBe(count);
    expect((await slow.next()).value).toMatchObject({ type: "events-dropped", count: 5 });
    expect((await slow.next()).value).toMatchObject({ reason: "5", sequence: 6 });
    events.close();
    for await (const _ of slow) read++;
    expect(read).toBe(count + BOUNDS.eventsPerReader - 1);
  });

  test("an aborted signal ends the loop and leaves no listener", async () => {
    const events = hub();
    const controller = new AbortController();
    const reader = events.read(controller.signal);
    const waiting = reader.next();
    controller.abort();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect((await events.read(controller.signal).next()).done).toBe(true);
    expect(events.isHeard).toBe(false);
  });
});

describe("task calls", () => {
  const check = (input: unknown) => {
    const faults = new Faults("call");
    const call = CheckedCall.from(input, () => "made", faults);
    try {
      faults.throwIfAny();
      return call;
    } catch (error) {
      return (error as { faults: { where: string; what: string }[] }).faults.map(
        ({ where, what }) => `${where} ${what}`,
      );
    }
  };
  const base = { agentId: "a", taskType: "t", description: "d" };

  test("what passes is a copy with its own fields only", () => {
    const contextData = { list: [1] };
    const call = check({ ...base, contextData, timeoutMs: undefined }) as CheckedCall;
    contextData.list.push(2);
    expect(call).toEqual({ ...base, contextData: { list: [1] }, taskId: "made" });
    expect(Object.keys(call)).toEqual(["agentId", "taskType", "description", "contextData", "taskId"]);
    expect(Object.isFrozen(call)).toBe(true);
    expect(CheckedCall.is(call)).toBe(true);
    expect(CheckedCall.is({ ...call })).toBe(false);
    expect(CheckedCall.is(Object.create(CheckedCall.prototype))).toBe(false);
  });

  test.each([
    [{ ...base, agentId: "" }, "call.agentId must not be empty"],
    [{ ...base, agentId: "a\u0007" }, "call.agentId must not hold control characters"],
    [{ ...base, taskId: "x".repeat(513) }, "call.taskId has 513 bytes and the limit is 512"],
    [{ taskType: "t", description: "d" }, "call.agentId is missing"],
    [{ ...base, priority: Number.POSITIVE_INFINITY }, "call.priority must be a finite number and is Infinity"],
    [
      { ...base, timeoutMs: 2 ** 31 },
      "call.timeoutMs must be more than 0 and at most 2147483647 milliseconds and is 2147483648",
    ],
    [{ ...base, when: "sometimes" }, 'call.when must be "success", "always" or "failure" and is "sometimes"'],
    [{ ...base, retry: { attempts: 0 } }, "call.retry.attempts must be a whole number from 1 to 1000 and is 0"],
    [{ ...base, retry: { attempts: 2, tries: 1 } }, "call.retry.tries is not a field of a retry policy"],
    [{ ...base, contextData: [] }, "call.contextData must be an object and is an array"],
    [{ ...base, contextData: { a: { b: () => 1 } } }, "call.contextData.a.b is a function, which JSON cannot hold"],
    [
      JSON.parse('{"agentId":"a","taskType":"t","description":"d","__proto__":{"x":1}}'),
      'call."__proto__" is not a field of a task call',
    ],
    [
      {
        ...base,
        get claims() {
          throw new Error("no");
        },
      },
      "call threw while it was read",
    ],
    [[base], "call must be an object and is an array"],
    [{ ...base, outputSchema: {} }, "call.outputSchema must be a Standard Schema"],
  ])("%#", (input, fault) => {
    expect(check(input)).toContain(fault);
  });

  test("a task prints as data and gives others no schema", () => {
    const call = check({
      ...base,
      taskId: "id",
      outputSchema: { "~standard": { validate: () => ({ value: 1 }) } },
      priority: 3,
    });
    const task = Task.from(call, new Faults("call"));
    task?.place("id", "w");
    task?.describe("backend", undefined);
    expect(JSON.parse(JSON.stringify(task))).toEqual({
      ...base,
      taskId: "id",
      workflowId: "w",
      group: "backend",
      priority: 3,
    });
  });
});

describe("ids and times", () => {
  test("ids never repeat, and two processes do not meet", () => {
    const clock = virtualClock();
    const [one, two] = [new IdSource(() => clock.random()), new IdSource(() => clock.random())];
    const ids = [one, two].flatMap((source) =>
      Array.from({ length: 500 }, () => [source.task(), source.instance("a_1")]).flat(),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(one.instance("backend_specialist_1")).toMatch(/^backend_specialist_1-[0-9a-z]{6}-[0-9a-z]+$/);
  });

  test("ISO times are those of the wall clock", async () => {
    const clock = virtualClock({ startMs: 0 });
    const times = new IsoTimes(clock);
    expect(times.text(0)).toBe("2026-01-01T00:00:00.000Z");
    await clock.advance(5_000);
    for (const atMs of [0, 1, 64, 65, 4_999.9]) {
      expect(times.text(atMs)).toBe(new Date(Date.UTC(2026, 0, 1) + Math.floor(atMs)).toISOString());
    }
  });
});
