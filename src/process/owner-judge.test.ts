import { expect, test } from "vitest";
import { virtualClock } from "../clock/virtual-clock.ts";
import { LEASE } from "../core/bounds.ts";
import { EXCLUSIVE, resolvedClaim } from "../core/claims.ts";
import type { Owner } from "../core/command.ts";
import { openMemoryStore } from "../stores/memory/index.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import { judgeOwners, type LivenessOf, OwnerJudge, verdictOn } from "./owner-judge.ts";

test("a process that can be seen is judged by that alone, one that cannot by its lease", () => {
  const late = newOwner({ beatAtMs: 0 });
  const afterMs = LEASE.timeToLiveMs + 1;
  expect(verdictOn(late, afterMs, () => "alive")).toBe("alive");
  expect(verdictOn(late, 0, () => "gone")).toBe("gone");
  expect(verdictOn(late, LEASE.timeToLiveMs, () => "unknown")).toBe("alive");
  expect(verdictOn(late, afterMs, () => "unknown")).toBe("lapsed");
});

type EndRemains = (owners: readonly Owner[], isAgain: boolean) => Promise<ReadonlySet<string>>;
const NOTHING: EndRemains = async () => new Set();

/** Three owners, each with a running task and the first with seventy that wait; `self` looks at them. */
async function world(livenessOf: LivenessOf, endRemains = NOTHING) {
  const clock = virtualClock();
  const store = openMemoryStore({ clock });
  for (const ownerId of ["self", "one", "two"]) store.join(newOwner({ ownerId }), () => undefined);
  for (const ownerId of ["one", "two"]) {
    store.turnFor(ownerId, [
      {
        type: "submit",
        row: newRow({ taskId: ownerId, ownerId, claims: [resolvedClaim(`f:/${ownerId}`, EXCLUSIVE)] }),
      },
    ]);
  }
  for (let index = 0; index < 70; index++) {
    store.turnFor("one", [
      {
        type: "submit",
        row: newRow({ taskId: `w${index}`, ownerId: "one", claims: [resolvedClaim("f:/two", EXCLUSIVE)] }),
      },
    ]);
  }
  await clock.advance(LEASE.timeToLiveMs + 1);
  const judge = new OwnerJudge({ clock, livenessOf, endRemains });
  const look = () => judgeOwners({ store, clock, judge, selves: new Set(["self"]) });
  const effects = await look();
  return {
    store,
    look,
    gone: effects.flatMap((effect) => (effect.type === "owner-gone" ? [effect.owner.ownerId] : [])),
  };
}

test("a dead owner is reported until all its rows are dealt with; the living keep theirs", async () => {
  const { store, gone } = await world(({ pid: _ }) => "alive");
  expect([gone, store.view((view) => view.count({}))]).toEqual([[], 72]);
  const { store: then, gone: dead } = await world((identity) =>
    "ownerId" in identity && identity.ownerId === "one" ? "gone" : "alive",
  );
  expect([dead, then.view((view) => view.tasks({}).map(({ taskId }) => taskId))]).toEqual([["one"], ["two"]]);
});

test("an owner whose leftovers cannot be ended, or that cannot be seen, is quarantined", async () => {
  const gone = await world(
    () => "gone",
    async () => new Set(["two"]),
  );
  expect(gone.gone).toEqual(["one"]);
  expect(gone.store.view((view) => view.task("workflow", "two")?.quarantined)).toBe(true);
  const unseen = await world(() => "unknown");
  expect(unseen.gone).toEqual([]);
  expect(unseen.store.view((view) => view.tasks({ statuses: ["ending"] }).length)).toBe(2);
});

test("what is quarantined is freed by the look that proves it gone, and the first long wait is the only one", async () => {
  const asked: [readonly string[], boolean][] = [];
  let isStuck = true;
  const { store, look } = await world(
    () => "gone",
    async (owners, isAgain) => {
      asked.push([owners.map(({ ownerId }) => ownerId), isAgain]);
      return new Set(isStuck ? ["two"] : []);
    },
  );
  await look();
  expect(store.view((view) => view.task("workflow", "two")?.quarantined)).toBe(true);
  isStuck = false;
  await look();
  expect(store.view((view) => view.count({}))).toBe(0);
  expect(asked).toEqual([
    [["one", "two"], false],
    [["two"], true],
    [["two"], true],
  ]);
});
