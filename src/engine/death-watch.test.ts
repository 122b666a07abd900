import { expect, test } from "vitest";
import { virtualClock } from "../clock/virtual-clock.ts";
import { EXCLUSIVE, resolvedClaim } from "../core/claims.ts";
import type { Effect } from "../core/command.ts";
import type { DeadOwner } from "../core/ports.ts";
import { openMemoryStore } from "../stores/memory/index.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import { Agenda } from "./agenda.ts";
import { DeathWatch } from "./death-watch.ts";
import { TurnQueue } from "./turn-queue.ts";

/** `me` watches a store in which `holder` runs a task on f:/a, `bystander` one on f:/b; `rows` of `me` wait for f:/a. */
function world(rows = 1) {
  const clock = virtualClock();
  const store = openMemoryStore({ clock });
  const effects: Effect[] = [];
  const looks: { readonly atMs: number; readonly owners: readonly string[] }[] = [];
  const dead = new Map<string, DeadOwner>();
  const turns = new TurnQueue({
    onEffects: (more) => void effects.push(...more),
    onTurnFailed: (error) => expect.unreachable(String(error)),
    onDrained: () => undefined,
  });
  for (const ownerId of ["me", "holder", "bystander"]) store.join(newOwner({ ownerId }), () => undefined);
  const submit = (ownerId: string, taskId: string, node: string) =>
    store.turnFor(ownerId, [
      { type: "submit", row: newRow({ taskId, ownerId, claims: [resolvedClaim(node, EXCLUSIVE)] }) },
    ]);
  submit("holder", "h", "f:/a");
  submit("bystander", "b", "f:/b");
  for (let row = 0; row < rows; row++) submit("me", `m${row}`, "f:/a");
  turns.open({
    kind: "memory",
    scope: "machine",
    location: "shared",
    turn: (commands) => store.turnFor("me", commands),
    join: () => undefined,
    nextDueAtMs: () => 0,
    view: (read) => store.view(read),
    close: () => undefined,
  });
  const findDeadOwners = async (owners: readonly { readonly ownerId: string }[]) => {
    looks.push({ atMs: clock.nowMs(), owners: owners.map(({ ownerId }) => ownerId) });
    return owners.flatMap(({ ownerId }) => dead.get(ownerId) ?? []);
  };
  const agenda = new Agenda(clock);
  const view = store.view.bind(store);
  const watch = new DeathWatch({ parts: { clock, findDeadOwners }, agenda, turns, ownerId: "me", view });
  return { clock, store, effects, looks, dead, watch };
}

test("who holds what a task waits for is looked at often, everybody else once a second", async () => {
  const { clock, looks, watch } = world();
  watch.start();
  await clock.advance(4_000);
  const times = (ownerId: string) => looks.filter(({ owners }) => owners.includes(ownerId)).length;
  expect(times("holder")).toBeGreaterThan(100);
  expect(times("bystander")).toBeGreaterThanOrEqual(3);
  expect(times("bystander")).toBeLessThanOrEqual(5);
  expect(times("me")).toBe(0);
  watch.stop();
  await clock.advance(1_000);
  expect(clock.pendingTimers()).toBe(0);
});

test("while nothing of others is in the way, nobody is looked at more than once a second", async () => {
  const { clock, looks, watch } = world(0);
  watch.start();
  await clock.advance(4_000);
  expect(looks.length).toBeLessThanOrEqual(5);
  watch.stop();
});

test("a holder that dies is reported within a tenth of a second, and the next is admitted", async () => {
  const { clock, effects, dead, watch } = world(3);
  watch.start();
  await clock.advance(1_234);
  dead.set("holder", { ownerId: "holder", isProven: true });
  await clock.advance(100);
  expect(effects.map(({ type }) => type)).toEqual(expect.arrayContaining(["owner-gone", "admitted"]));
  watch.stop();
});

test("an owner whose remains still live is put aside, and a death beside it is reported all the same", async () => {
  const { clock, store, looks, dead, watch } = world();
  dead.set("holder", { ownerId: "holder", isProven: false });
  watch.start();
  await clock.advance(2_000);
  expect(looks.filter(({ owners }) => owners.includes("holder")).length).toBeLessThanOrEqual(4);
  expect(store.view((view) => view.task("workflow", "m0")?.status)).toBe("waiting");
  dead.set("bystander", { ownerId: "bystander", isProven: true });
  await clock.advance(1_500);
  expect(store.view((view) => view.owners().map(({ ownerId }) => ownerId))).toEqual(["me", "holder"]);
  expect(store.view((view) => view.task("workflow", "b"))).toBeUndefined();
  watch.stop();
});

test("what a watch found after it was stopped is not reported", async () => {
  const { clock, effects, dead, watch } = world();
  dead.set("holder", { ownerId: "holder", isProven: true });
  watch.start();
  await clock.advance(29);
  watch.stop();
  await clock.advance(2_000);
  expect(effects).toEqual([]);
});
