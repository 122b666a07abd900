/** What runs inside a holder: units that pass on, circles that are refused, numbers made smaller. On both ledgers. */
import { describe, expect, test } from "vitest";
import { EXCLUSIVE, NESTED_RANK, type ResolvedClaim, resolvedClaim, UNITS } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import type { NewRow, TaskRow } from "../../src/core/row.ts";
import { turn } from "../../src/core/turn.ts";
import { MapLedger } from "../../src/stores/memory/map-ledger.ts";
import type { OpenLedger } from "../../src/testing/ledger-contract.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";
import { openSqliteLedger } from "../support/sqlite-ledger.ts";

const OPENERS: Readonly<Record<string, () => OpenLedger>> = {
  memory: () => {
    const ledger = new MapLedger();
    const commit: OpenLedger["commit"] = (work) => {
      const answer = work();
      ledger.commit();
      return answer;
    };
    return { ledger, commit, undo: () => undefined, close: () => undefined };
  },
  sqlite: openSqliteLedger,
};

/** One store, and the few moves of these tests. Every turn is made by "alpha", who owns everything. */
class Kernel {
  readonly #open: OpenLedger;
  nowMs = 1_000;

  constructor(open: OpenLedger) {
    this.#open = open;
    this.turn({ type: "owner-join", owner: newOwner() });
  }

  turn(...commands: readonly Command[]): Effect[] {
    const { ledger } = this.#open;
    return this.#open.commit(() => turn(ledger, { commands, nowMs: this.nowMs, callerId: "alpha" }));
  }

  declare(node: string, capacity: number, kind: "capacity" | "limit" = "capacity", by = "file"): Effect[] {
    return this.turn({ type: "declare", node, kind, capacity, by, authority: false });
  }

  pool(node: string, members: readonly string[]): void {
    this.turn({ type: "declare", node, kind: "pool", capacity: members.length, by: "file", authority: false, members });
  }

  submit(taskId: string, claims: readonly ResolvedClaim[], over: Partial<NewRow> = {}): Effect[] {
    return this.turn({ type: "submit", row: newRow({ taskId, label: taskId, claims, ...over }) });
  }

  /** A task that runs. */
  run(taskId: string, claims: readonly ResolvedClaim[], over: Partial<NewRow> = {}): TaskRow {
    const effects = this.submit(taskId, claims, over);
    const admitted = effects.find(({ type }) => type === "admitted");
    if (admitted?.type !== "admitted") throw new Error(`${taskId} was not admitted: ${JSON.stringify(effects)}`);
    return admitted.row;
  }

  /** More for a task that runs, as `ctx.lock` asks for it. */
  ask(parent: TaskRow, taskId: string, claims: readonly ResolvedClaim[], over: Partial<NewRow> = {}): Effect[] {
    const ancestors = [parent.key, ...parent.ancestors];
    return this.submit(taskId, claims, {
      kind: "request",
      parentKey: parent.key,
      ancestors,
      rank: NESTED_RANK,
      ...over,
    });
  }

  settle({ key, fence }: TaskRow): Effect[] {
    return this.turn({ type: "settle", key, fence, status: "succeeded", result: null });
  }

  nextDueAtMs(): number {
    return this.#open.commit(() => this.#open.ledger.nextDueAtMs());
  }

  row(key: number): TaskRow {
    const row = this.#open.commit(() => this.#open.ledger.get(key));
    if (row === undefined) throw new Error(`there is no row ${key}`);
    return row;
  }

  used(node: string): number | undefined {
    return this.#open.commit(() => this.#open.ledger.counter(node)?.used);
  }
}

const write = (path: string): ResolvedClaim => resolvedClaim(`f:${path}`, EXCLUSIVE);
const use = (node: string, units = 1): ResolvedClaim => resolvedClaim(node, UNITS, units);
const inside = (...rows: readonly TaskRow[]): Partial<NewRow> => ({ ancestors: rows.map(({ key }) => key) });

function admitted(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === "admitted" ? [effect.row.taskId] : []));
}

function refusal(effects: readonly Effect[]): Extract<Effect, { type: "refused" }> | undefined {
  for (const effect of effects) if (effect.type === "refused") return effect;
  return undefined;
}

function ended(effects: readonly Effect[]): (string | null | undefined)[][] {
  return effects.flatMap((effect) =>
    effect.type === "ended" ? [[effect.row.taskId, effect.code, effect.message]] : [],
  );
}

describe.each(Object.keys(OPENERS))("on the ledger of %s", (name) => {
  const fact = (title: string, check: (kernel: Kernel) => void): void =>
    test(title, () => {
      const open = OPENERS[name]?.();
      if (open === undefined) throw new Error(`no ledger ${name}`);
      try {
        check(new Kernel(open));
      } finally {
        open.close();
      }
    });

  fact("a unit stays in use while anybody inside uses it, whoever ends first", (kernel) => {
    kernel.declare("c:build", 1);
    const outer = kernel.run("outer", [use("c:build")]);
    const inner = kernel.run("inner", [use("c:build")], inside(outer));
    const innermost = kernel.run("innermost", [use("c:build")], inside(inner, outer));
    kernel.submit("next", [use("c:build")]);
    expect(admitted(kernel.settle(outer))).toEqual([]);
    expect(kernel.used("c:build")).toBe(1);
    expect(admitted(kernel.settle(inner))).toEqual([]);
    expect(kernel.used("c:build")).toBe(1);
    expect(admitted(kernel.settle(innermost))).toEqual(["next"]);
    expect(kernel.used("c:build")).toBe(1);
  });

  fact("two that leaned on one unit keep others out until both have ended", (kernel) => {
    kernel.declare("c:build", 2);
    const outer = kernel.run("outer", [use("c:build")]);
    const twins = ["one", "two"].map((taskId) => kernel.run(taskId, [use("c:build")], inside(outer)));
    kernel.settle(outer);
    expect(kernel.used("c:build")).toBe(2);
    expect(admitted(kernel.submit("next", [use("c:build")]))).toEqual([]);
    const [one, two] = twins;
    expect(one && admitted(kernel.settle(one))).toEqual(["next"]);
    expect(two && kernel.settle(two) && kernel.used("c:build")).toBe(1);
  });

  fact("only what is used inside passes on: the rest is free at once", (kernel) => {
    kernel.declare("c:build", 4);
    const outer = kernel.run("outer", [use("c:build", 4)]);
    kernel.run("inner", [use("c:build", 1)], inside(outer));
    kernel.submit("next", [use("c:build", 3)]);
    expect(admitted(kernel.settle(outer))).toEqual(["next"]);
    expect(kernel.used("c:build")).toBe(4);
  });

  fact("a child has the member of its parent, and keeps it when the parent ends first", (kernel) => {
    kernel.pool("p:port", ["3000", "3001"]);
    const outer = kernel.run("outer", [use("p:port")]);
    const inner = kernel.run("inner", [use("p:port")], inside(outer));
    expect(kernel.row(inner.key).members).toEqual({ "p:port": ["3000"] });
    kernel.settle(outer);
    const next = kernel.run("next", [use("p:port")]);
    expect([kernel.row(inner.key).members, kernel.row(next.key).members]).toEqual([
      { "p:port": ["3000"] },
      { "p:port": ["3001"] },
    ]);
    expect(kernel.used("p:port")).toBe(2);
    kernel.settle(inner);
    expect(kernel.row(kernel.run("last", [use("p:port")]).key).members).toEqual({ "p:port": ["3000"] });
  });

  fact("a lock of a child keeps strangers out after its parent has ended", (kernel) => {
    const outer = kernel.run("outer", [write("/a")]);
    const inner = kernel.run("inner", [write("/a/b")], inside(outer));
    kernel.submit("next", [write("/a")]);
    expect(admitted(kernel.settle(outer))).toEqual([]);
    expect(admitted(kernel.submit("beside", [write("/a/b/c")]))).toEqual([]);
    expect(admitted(kernel.settle(inner))).toEqual(["next"]);
  });

  fact("a task may ask twice for what there is one of: what it holds counts as held", (kernel) => {
    kernel.declare("c:build", 1);
    const task = kernel.run("task", []);
    const [first] = kernel.ask(task, "first", [use("c:build")]);
    expect(admitted(kernel.ask(task, "second", [use("c:build")]))).toEqual(["second"]);
    kernel.submit("next", [use("c:build")]);
    // The first is given back, the second is still in use.
    expect(first?.type === "submitted" && admitted(kernel.turn({ type: "release", key: first.row.key }))).toEqual([]);
    expect(kernel.used("c:build")).toBe(1);
    expect(admitted(kernel.settle(task))).toEqual(["next"]);
  });

  fact("a ticket is handed over without anybody getting in between, whoever stands in line", (kernel) => {
    kernel.declare("c:build", 1);
    kernel.pool("p:port", ["3000"]);
    const claims = [write("/a"), use("c:build"), use("p:port")];
    const ticket = kernel.run("ticket", claims, { holder: "guest" });
    for (const [rank, claim] of claims.entries()) kernel.submit(`waits ${claim.node}`, [claim], { rank: -100 - rank });
    const process = kernel.run("process", claims, { holder: "owned", ancestors: [ticket.key] });
    const { key, fence } = ticket;
    expect(admitted(kernel.turn({ type: "settle", key, fence, status: "succeeded", result: null }))).toEqual([]);
    expect([kernel.used("c:build"), kernel.used("p:port")]).toEqual([1, 1]);
    expect(kernel.row(process.key).members).toEqual({ "p:port": ["3000"] });
    expect(admitted(kernel.settle(process)).sort()).toEqual(["waits c:build", "waits f:/a", "waits p:port"]);
  });

  fact(
    "a guest that falls silent loses its hold to the next in line, in the very turn in which it is due",
    (kernel) => {
      const guest = kernel.run("guest", [write("/a")], { holder: "guest", leaseMs: 500 });
      const { key, fence } = guest;
      kernel.submit("next", [write("/a")]);
      kernel.nowMs += 400;
      expect(kernel.turn({ type: "renew", key, fence, leaseMs: 300 })).toEqual([]);
      expect(kernel.nextDueAtMs()).toBe(kernel.nowMs + 300);
      kernel.nowMs += 299;
      expect(kernel.turn({ type: "tick" })).toEqual([]);
      kernel.nowMs += 1;
      const effects = kernel.turn({ type: "renew", key, fence, leaseMs: 300 });
      expect(ended(effects).map(([taskId, code]) => [taskId, code])).toEqual([["guest", "LOCK_EXPIRED"]]);
      expect(admitted(effects)).toEqual(["next"]);
      expect(refusal(effects)?.code).toBe("STALE_FENCE");
    },
  );

  fact("a guest is never quarantined, and only guests have a lease", (kernel) => {
    const { key, fence } = kernel.run("guest", [write("/a")], { holder: "guest", leaseMs: 500 });
    expect(ended(kernel.turn({ type: "quarantine", key, fence })).map(([, code]) => code)).toEqual(["LOCK_EXPIRED"]);
    expect(refusal(kernel.submit("owned", [], { holder: "owned", leaseMs: 500 }))?.code).toBe("INVALID_OPTION");
    const task = kernel.run("task", []);
    const renewal = kernel.turn({ type: "renew", key: task.key, fence: task.fence, leaseMs: 500 });
    expect(refusal(renewal)?.code).toBe("INVALID_OPTION");
    const guest = kernel.run("another", [], { holder: "guest", leaseMs: 500 });
    const never = kernel.turn({ type: "renew", key: guest.key, fence: guest.fence, leaseMs: Number.NaN });
    expect(refusal(never)?.code).toBe("INVALID_OPTION");
  });

  fact("what a guest asked for lapses with it", (kernel) => {
    const guest = kernel.run("guest", [], { holder: "guest", leaseMs: 500 });
    kernel.ask(guest, "more", [write("/a")], { holder: "guest", leaseMs: 400 });
    kernel.nowMs += 600;
    expect(ended(kernel.turn({ type: "tick" })).map(([taskId]) => taskId)).toEqual(["more", "guest"]);
    expect(admitted(kernel.submit("next", [write("/a")]))).toEqual(["next"]);
  });

  fact("a circle over three owners is refused at once, with every holder named", (kernel) => {
    const [x, y, z] = [write("/x"), write("/y"), write("/z")];
    for (const ownerId of ["beta", "gamma"]) kernel.turn({ type: "owner-join", owner: newOwner({ ownerId }) });
    const a = kernel.run("A", [x]);
    const b = kernel.submit("B", [y], { ownerId: "beta" }).find(({ type }) => type === "admitted");
    const c = kernel.submit("C", [z], { ownerId: "gamma" }).find(({ type }) => type === "admitted");
    if (b?.type !== "admitted" || c?.type !== "admitted") throw new Error("B and C run");
    expect(refusal(kernel.submit("in A", [y], inside(a)))).toBeUndefined();
    expect(refusal(kernel.submit("in B", [z], { ...inside(b.row), ownerId: "beta" }))).toBeUndefined();
    const refused = refusal(kernel.submit("in C", [x], { ...inside(c.row), ownerId: "gamma" }));
    expect(refused?.code).toBe("DEADLOCK");
    expect(refused?.blockers.map(({ taskId }) => taskId).sort()).toEqual(["A", "B", "C"]);
    expect(refused?.message).toBe(
      "in C would wait for ever: A (holds /x), B (holds /y) wait in turn for C (holds /z), which it runs inside of. Nothing was started.",
    );
    // Those that waited before go on.
    expect(admitted(kernel.settle(c.row))).toEqual(["in B"]);
  });

  fact("a number made smaller that closes a circle ends the youngest of those who wait in it", (kernel) => {
    kernel.declare("l:slots", 3, "limit");
    const limits = ["l:slots"];
    const one = kernel.run("one", [write("/x")], { limits });
    const two = kernel.run("two", [], { limits });
    kernel.turn({ type: "give-slot", key: one.key, fence: one.fence });
    const three = kernel.run("three", [], { limits });
    kernel.run("four", [], { limits });
    // "one" wants its slot back; "two" and "three" keep theirs and wait inside for what "one" holds.
    expect(kernel.ask(one, "slot", [], { wants: "slot", limits }).map(({ type }) => type)).toEqual([
      "submitted",
      "waiting",
    ]);
    kernel.ask(two, "more", [write("/x")]);
    expect(refusal(kernel.ask(three, "most", [write("/x")]))).toBeUndefined();
    const effects = kernel.declare("l:slots", 2, "limit");
    expect(ended(effects)).toEqual([
      [
        "most",
        "DEADLOCK",
        "most would wait for ever: one (holds /x), two (holds slots) wait in turn for three (holds slots), which it runs inside of. Nothing was started.",
      ],
    ]);
    expect(kernel.row(one.key).status).toBe("running");
  });

  fact("who waits for more than there is by now ends, and says both numbers", (kernel) => {
    kernel.declare("c:build", 3);
    const holder = kernel.run("holder", [use("c:build", 2)]);
    kernel.submit("wants three", [use("c:build", 3)]);
    kernel.submit("wants two", [use("c:build", 2)]);
    expect(ended(kernel.declare("c:build", 2))).toEqual([
      ["wants three", "OVER_CAPACITY", "Task wants three uses 3 units of build and there are 2."],
    ]);
    expect(admitted(kernel.settle(holder))).toEqual(["wants two"]);
  });

  fact("who waits for more than the smallest number goes on waiting while somebody declares enough", (kernel) => {
    kernel.declare("c:build", 3);
    const holder = kernel.run("holder", [use("c:build", 1)]);
    kernel.submit("wants three", [use("c:build", 3)]);
    expect(ended(kernel.declare("c:build", 2, "capacity", "another"))).toEqual([]);
    expect(admitted(kernel.settle(holder))).toEqual([]);
    expect(admitted(kernel.turn({ type: "withdraw", by: "another" }))).toEqual(["wants three"]);
  });

  fact("a number of 0 is a pause: nobody ends, and what waits goes on when it is over", (kernel) => {
    kernel.declare("c:build", 2);
    kernel.run("holder", [use("c:build", 1)]);
    kernel.submit("waits", [use("c:build", 2)]);
    expect(ended(kernel.declare("c:build", 0))).toEqual([]);
    expect(admitted(kernel.declare("c:build", 3))).toEqual(["waits"]);
  });

  fact("a task that comes back into line and wants more than there is by now ends", (kernel) => {
    kernel.declare("c:build", 3);
    const { key, fence } = kernel.run("task", [use("c:build", 3)]);
    kernel.turn({ type: "retry", key, fence });
    kernel.declare("c:build", 2);
    expect(ended(kernel.turn({ type: "enqueue", key, rank: 0 })).map(([, code]) => code)).toEqual(["OVER_CAPACITY"]);
  });

  fact("nobody without a living owner stands in line", (kernel) => {
    expect(refusal(kernel.submit("a", [], { ownerId: "stranger" }))?.code).toBe("OWNER_GONE");
    kernel.turn({ type: "owner-join", owner: newOwner({ ownerId: "beta" }) });
    const [submitted] = kernel.submit("b", [], { ownerId: "beta", status: "blocked", orphan: "suspend" });
    if (submitted?.type !== "submitted") throw new Error("b is in the store");
    kernel.turn({ type: "owner-gone", ownerId: "beta", isProven: true });
    const { key } = submitted.row;
    expect(refusal(kernel.turn({ type: "enqueue", key, rank: 0, ownerId: "beta" }))?.code).toBe("OWNER_GONE");
    expect(admitted(kernel.turn({ type: "enqueue", key, rank: 0, ownerId: "alpha" }))).toEqual(["b"]);
  });

  fact("a request for a slot asks for the limits of its task and nothing else", (kernel) => {
    kernel.declare("l:slots", 1, "limit");
    kernel.declare("l:others", 1, "limit");
    const task = kernel.run("task", [], { limits: ["l:slots"] });
    kernel.turn({ type: "give-slot", key: task.key, fence: task.fence });
    const ask = (over: Partial<NewRow>): Effect[] => kernel.ask(task, "slot", [], { wants: "slot", ...over });
    expect(refusal(ask({ limits: ["l:others"] }))?.code).toBe("INVALID_OPTION");
    expect(refusal(ask({ limits: ["l:slots"], claims: [write("/a")] }))?.code).toBe("INVALID_OPTION");
    expect(refusal(ask({ limits: ["l:slots"], ancestors: [] }))?.code).toBe("INVALID_OPTION");
    expect(admitted(ask({ limits: ["l:slots"] }))).toEqual(["slot"]);
  });
});
