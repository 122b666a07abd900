import { expect, test } from "vitest";
import { virtualClock } from "../clock/virtual-clock.ts";
import { openMemoryStore } from "../stores/memory/index.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import { resolvedClaim, UNITS } from "./claims.ts";
import type { Command } from "./command.ts";
import { explain } from "./explain.ts";

test("who wants more than a number that was made smaller is told both numbers", () => {
  const store = openMemoryStore({ clock: virtualClock() });
  store.join(newOwner(), () => undefined);
  const declare = (by: string, capacity: number): Command => {
    return { type: "declare", node: "c:build", kind: "capacity", capacity, by, authority: false };
  };
  const submit = (taskId: string, units: number): Command => {
    return { type: "submit", row: newRow({ taskId, claims: [resolvedClaim("c:build", UNITS, units)] }) };
  };
  store.turn([declare("file", 3), submit("first", 1), submit("second", 3)]);
  store.turn([declare("somebody", 2)]);
  store.view((view) => {
    const row = view.task("workflow", "second");
    if (row === undefined) throw new Error("it waits");
    expect(explain(view, row, { nowMs: 0, root: "/" }).reason).toBe(
      "waiting for build: it wants 3 units and there are 2 now.",
    );
  });
});
