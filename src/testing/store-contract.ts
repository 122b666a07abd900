/**
 * The contract of a store: turns are atomic and carried out once or not at all, owners hear of what others did to their
 * rows, looks are consistent, closing is final. What a ledger must do is in ledger-contract.ts.
 */
import { EXCLUSIVE, resolvedClaim } from "../core/claims.ts";
import type { Command, Effect } from "../core/command.ts";
import { DEFAULT_DECLARER } from "../core/counters.ts";
import { errorCode } from "../core/errors.ts";
import type { Awaitable, Store } from "../core/ports.ts";
import type { NewRow, TaskRow } from "../core/row.ts";
import { newRow } from "./rows.ts";
import type { TestKit } from "./test-kit.ts";

/** One owner of a store under test. */
export interface Participant {
  turn(commands: readonly Command[]): Awaitable<readonly Effect[]>;
  /** What it was told of others' turns. */
  readonly told: Effect[];
}

/** A store under test, and the ways into it. */
export interface OpenStore {
  readonly store: Store;
  /** Joins as another owner: in another process, or as if it were. */
  enter(ownerId: string): Promise<Participant>;
  /** Lets time pass, so that owners hear of each other and timers fall due. */
  pass(ms: number): Promise<void>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
}

export interface StoreContractOptions {
  readonly name: string;
  /** Whether results and finished tasks are remembered: a store on disk does, memory does not. */
  readonly remembers: boolean;
  /** A store whose ledger breaks an invariant when a row holds one node twice. */
  open(): Promise<OpenStore>;
}

const write = (path: string) => resolvedClaim(`f:${path}`, EXCLUSIVE);
const submit = (over: Partial<NewRow>): Command => ({ type: "submit", row: newRow(over) });
const settle = ({ key, fence }: TaskRow): Command => ({
  type: "settle",
  key,
  fence,
  status: "succeeded",
  result: { done: true },
});

function rowOf(effects: readonly Effect[], type: Effect["type"]): TaskRow {
  const found = effects.find((effect) => effect.type === type);
  if (found === undefined || !("row" in found))
    throw new Error(`no effect ${type} among ${typesOf(effects).join(", ")}`);
  return found.row;
}

function typesOf(effects: readonly Effect[]): string[] {
  return effects.filter((effect) => effect.type !== "waited").map((effect) => effect.type);
}

async function codeOf(work: () => Awaitable<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

export function storeContract(
  { name, remembers, open }: StoreContractOptions,
  { describe, it, expect }: TestKit,
): void {
  const test = (title: string, run: (opened: OpenStore) => Promise<void>): void => {
    it(title, async () => {
      const opened = await open();
      try {
        await run(opened);
      } finally {
        await opened.close();
      }
    });
  };

  describe(`the ${name} store`, () => {
    test("runs an owner's own task at once and remembers nothing of it that holds", async (opened) => {
      const alpha = await opened.enter("alpha");
      const effects = await alpha.turn([submit({ taskId: "a", claims: [write("/x")] })]);
      expect(typesOf(effects)).toEqual(["submitted", "admitted"]);
      const row = rowOf(effects, "admitted");
      expect(row.status).toBe("running");
      expect(await opened.store.view((view) => view.holds({ node: "f:/x" }).length)).toBe(1);
      expect(typesOf(await alpha.turn([settle(row)]))).toEqual(["ended"]);
      expect(await opened.store.view((view) => [view.count({}), view.holds({}).length])).toEqual([0, 0]);
      const result = await opened.store.view((view) => view.result("workflow", "a"));
      expect(result).toEqual(remembers ? { done: true } : undefined);
    });

    test("hands a message to the owner of a task, and keeps notes until they are taken back", async (opened) => {
      const [alpha, beta] = [await opened.enter("alpha"), await opened.enter("beta")];
      const row = rowOf(await beta.turn([submit({ taskId: "b", ownerId: "beta" })]), "submitted");
      await alpha.turn([
        { type: "tell", key: row.key, message: { kind: "answer", input: "yes" } },
        { type: "note", topic: "pause w", note: { reason: "a person" } },
      ]);
      await opened.pass(50);
      const told = beta.told.find(({ type }) => type === "told");
      expect(told?.type === "told" ? told.message : undefined).toEqual({ kind: "answer", input: "yes" });
      expect(await opened.store.view((view) => view.note("pause w"))).toEqual({ reason: "a person" });
      await alpha.turn([{ type: "note", topic: "pause w", note: null }]);
      expect(await opened.store.view((view) => view.note("pause w"))).toBe(undefined);
    });

    test("takes a task out of the line and back, and a task that nobody stands behind is run again", async (opened) => {
      const [alpha, beta] = [await opened.enter("alpha"), await opened.enter("beta")];
      const held = rowOf(await alpha.turn([submit({ taskId: "a", claims: [write("/x")] })]), "admitted");
      const claims = [write("/x")];
      const { key } = rowOf(
        await beta.turn([submit({ taskId: "b", ownerId: "beta", claims, orphan: "suspend" })]),
        "waiting",
      );
      expect(rowOf(await beta.turn([{ type: "suspend", key }]), "suspended").status).toBe("suspended");
      // What is not in line is not admitted.
      await alpha.turn([settle(held)]);
      expect(await opened.store.view((view) => view.task("workflow", "b")?.status)).toBe("suspended");
      expect(typesOf(await alpha.turn([submit({ taskId: "b", again: true })]))).toEqual(["refused"]);
      expect(typesOf(await beta.turn([{ type: "enqueue", key, rank: 1 }]))).toEqual(["admitted"]);
      await alpha.turn([{ type: "owner-gone", ownerId: "beta", isProven: true }]);
      const again = await alpha.turn([submit({ taskId: "b", claims, again: true })]);
      expect(typesOf(again)).toEqual(["submitted", "admitted"]);
      expect(rowOf(again, "admitted").key).toBeGreaterThan(key);
    });

    test("wakes the owner of what another owner let go", async (opened) => {
      const [alpha, beta] = [await opened.enter("alpha"), await opened.enter("beta")];
      const held = rowOf(await alpha.turn([submit({ taskId: "a", claims: [write("/x")] })]), "admitted");
      const waiting = await beta.turn([submit({ taskId: "b", ownerId: "beta", claims: [write("/x/y")] })]);
      expect(typesOf(waiting)).toEqual(["submitted", "waiting"]);
      await alpha.turn([settle(held)]);
      await opened.pass(50);
      expect(typesOf(beta.told)).toEqual(["admitted"]);
      const { key, fence, status } = rowOf(beta.told, "admitted");
      expect(status).toBe("starting");
      const confirmed = await beta.turn([{ type: "confirm", key, fence }]);
      expect(rowOf(confirmed, "confirmed").status).toBe("running");
      await opened.pass(50);
      expect([typesOf(alpha.told), typesOf(beta.told)]).toEqual([[], ["admitted"]]);
    });

    test("tells an owner that its task is to be stopped, and that one in line has ended", async (opened) => {
      const [alpha, beta] = [await opened.enter("alpha"), await opened.enter("beta")];
      const row = rowOf(await alpha.turn([submit({ taskId: "a", claims: [write("/x")] })]), "admitted");
      const next = rowOf(await alpha.turn([submit({ taskId: "b", claims: [write("/x")] })]), "waiting");
      await beta.turn(
        [row, next].map(({ key }): Command => ({ type: "cancel", key, status: "cancelled", result: null })),
      );
      await opened.pass(50);
      expect(typesOf(alpha.told)).toEqual(["stop-requested", "ended"]);
      expect(rowOf(alpha.told, "stop-requested").stop).toBe("cancelled");
    });

    test("deals with everything of an owner that is gone", async (opened) => {
      const [alpha, beta] = [await opened.enter("alpha"), await opened.enter("beta")];
      await alpha.turn([
        submit({ taskId: "a", claims: [write("/x")] }),
        submit({ taskId: "b", claims: [write("/x")], orphan: "suspend" }),
      ]);
      await beta.turn([submit({ taskId: "c", ownerId: "beta", claims: [write("/x")] })]);
      const effects = await beta.turn([{ type: "owner-gone", ownerId: "alpha", isProven: true }]);
      await opened.pass(50);
      const all = [...effects, ...beta.told];
      expect(typesOf(all).sort()).toEqual(["admitted", "ended", "owner-gone", "suspended"]);
      expect(await opened.store.view((view) => view.owners().map(({ ownerId }) => ownerId))).toEqual(["beta"]);
      expect(errorCodeOf(await alpha.turn([{ type: "owner-beat", ownerId: "alpha" }]))).toBe("OWNER_GONE");
    });

    test("carries a command out once: the same id or an old fence is refused and changes nothing", async (opened) => {
      const alpha = await opened.enter("alpha");
      const row = rowOf(await alpha.turn([submit({ taskId: "a" })]), "admitted");
      expect(errorCodeOf(await alpha.turn([submit({ taskId: "a" })]))).toBe("DUPLICATE_TASK");
      const stale: Command = { type: "settle", key: row.key, fence: row.fence - 1, status: "failed", result: null };
      expect(errorCodeOf(await alpha.turn([stale]))).toBe("STALE_FENCE");
      expect(await opened.store.view((view) => view.task("workflow", "a")?.status)).toBe("running");
      await alpha.turn([settle(row)]);
      expect(errorCodeOf(await alpha.turn([settle(row)]))).toBe("STALE_FENCE");
    });

    test("answers a long list of commands with the place of each", async (opened) => {
      const alpha = await opened.enter("alpha");
      const commands = Array.from({ length: 200 }, (_, index) =>
        submit({ taskId: `t${index}`, claims: [write(`/${index}`)] }),
      );
      commands.push(submit({ taskId: "t7" }));
      const effects = await alpha.turn(commands);
      const places = effects.flatMap((effect) =>
        effect.type === "submitted" ? [[effect.index, effect.row.taskId]] : [],
      );
      expect(places).toEqual(Array.from({ length: 200 }, (_, index) => [index, `t${index}`]));
      expect(effects.flatMap((effect) => (effect.type === "refused" ? [effect.index] : []))).toEqual([200]);
    });

    test("answers each of several callers with what came of its own commands", async (opened) => {
      const alpha = await opened.enter("alpha");
      const answers = await Promise.all(
        ["a", "b", "c"].map((taskId) =>
          alpha.turn([submit({ taskId, claims: [write(`/${taskId}`)] }), submit({ taskId })]),
        ),
      );
      for (const [at, taskId] of ["a", "b", "c"].entries()) {
        const effects = answers[at] ?? [];
        expect([typesOf(effects), rowOf(effects, "admitted").taskId]).toEqual([
          ["submitted", "admitted", "refused"],
          taskId,
        ]);
      }
    });

    test("refuses the one command that breaks an invariant, and ends its task when it does so twice", async (opened) => {
      const alpha = await opened.enter("alpha");
      // One node, one claim: the edge sees to that. Left apart, they break the books when they are granted.
      const twice = [write("/p"), write("/p")];
      const blocked = await alpha.turn([submit({ taskId: "r", status: "blocked", claims: twice })]);
      const { key } = rowOf(blocked, "submitted");
      const mistake: Command = { type: "enqueue", key, rank: 0 };
      const first = await alpha.turn([submit({ taskId: "b" }), mistake, submit({ taskId: "c" })]);
      expect(first.flatMap((effect) => (effect.type === "refused" ? [[effect.index, effect.code]] : []))).toEqual([
        [1, "BUG"],
      ]);
      expect(first.flatMap((effect) => (effect.type === "admitted" ? [effect.row.taskId] : []))).toEqual(["b", "c"]);
      expect(await opened.store.view((view) => view.task("workflow", "r")?.status)).toBe("blocked");
      const second = await alpha.turn([mistake]);
      expect(typesOf(second)).toEqual(["refused", "ended"]);
      expect(rowOf(second, "ended").status).toBe("failed");
    });

    test("says when it must run by itself, and then does what is due", async (opened) => {
      const alpha = await opened.enter("alpha");
      expect(opened.store.nextDueAtMs()).toBe(0);
      await alpha.turn([
        submit({ taskId: "a", claims: [write("/x")] }),
        submit({ taskId: "b", claims: [write("/x")], queueTimeoutMs: 500 }),
      ]);
      expect(opened.store.nextDueAtMs()).toBeGreaterThan(0);
      expect(typesOf(await alpha.turn([{ type: "tick" }]))).toEqual([]);
      await opened.pass(501);
      expect(typesOf(await alpha.turn([]))).toEqual(["ended"]);
      expect(opened.store.nextDueAtMs()).toBe(0);
    });

    test("shows who waits where, in which place, and what is counted", async (opened) => {
      const alpha = await opened.enter("alpha");
      await alpha.turn([
        {
          type: "declare",
          node: "p:port",
          kind: "pool",
          capacity: 2,
          by: "alpha",
          authority: true,
          members: ["3000", "3001"],
        },
        submit({ taskId: "a", claims: [write("/x"), resolvedClaim("p:port", 3)] }),
        submit({ taskId: "b", rank: 2, claims: [write("/x")], payload: { text: "ä" } }),
        submit({ taskId: "c", rank: 1, claims: [resolvedClaim("f:/x", 1)] }),
        submit({ taskId: "d", workflowId: "other", status: "blocked" }),
      ]);
      await opened.store.view((view) => {
        expect(view.watchers("f:/x", 9).map(({ taskId }) => taskId)).toEqual(["c", "b"]);
        const last = view.task("workflow", "b");
        expect(last && [view.position(last), last.payload]).toEqual([1, { text: "ä" }]);
        expect(view.tasks({ statuses: ["waiting"] }).map(({ taskId }) => taskId)).toEqual(["b", "c"]);
        expect(view.tasks({ workflowId: "workflow", limit: 2 }).map(({ taskId }) => taskId)).toEqual(["a", "b"]);
        expect([
          view.count({}),
          view.count({ workflowId: "workflow" }),
          view.count({ ownerId: "alpha", statuses: ["running"] }),
        ]).toEqual([4, 3, 1]);
        expect(view.holds({ node: "p:port" }).map(({ row, members }) => [row.taskId, members])).toEqual([
          ["a", ["3000"]],
        ]);
        expect(view.holds({ node: "f:" }).map(({ claim }) => claim.node)).toEqual(["f:/x"]);
        expect(view.holds({ node: "f:/x/y/z" }).map(({ claim }) => claim.node)).toEqual(["f:/x"]);
        expect(view.counters().map(({ node, used, capacity }) => [node, used, capacity])).toEqual([["p:port", 1, 2]]);
        expect([...view.workflows(9)].sort((one, two) => one.total - two.total)).toEqual([
          { workflowId: "other", total: 1, live: 1 },
          { workflowId: "workflow", total: 3, live: 3 },
        ]);
      });
    });

    test("goes by the user's own number, else by the smallest of those who live, else by what exists from the start", async (opened) => {
      const alpha = await opened.enter("alpha");
      const beta = await opened.enter("beta");
      const declare = (by: string, capacity: number, authority = false): Command => {
        return { type: "declare", node: "c:build", kind: "capacity", capacity, by, source: by, authority };
      };
      const capacity = () => opened.store.view((view) => view.counters().find(({ node }) => node === "c:build"));
      const numbers: (number | undefined)[] = [];
      const note = async (turn: Awaitable<readonly Effect[]>) => {
        await turn;
        numbers.push((await capacity())?.capacity);
      };
      await note(alpha.turn([declare(DEFAULT_DECLARER, 1)]));
      await note(alpha.turn([declare("alpha", 4)]));
      await note(beta.turn([declare(DEFAULT_DECLARER, 1), declare("beta", 8)]));
      await note(beta.turn([declare("beta", 6, true)]));
      await note(beta.turn([{ type: "owner-leave", ownerId: "beta" }]));
      await note(alpha.turn([{ type: "owner-leave", ownerId: "alpha" }]));
      expect(numbers).toEqual([1, 4, 4, 6, 4, 1]);
      expect((await capacity())?.declarations.map(({ source }) => source)).toEqual([DEFAULT_DECLARER]);
    });

    test("lets the next number count when the last that was declared went with its owner", async (opened) => {
      const alpha = await opened.enter("alpha");
      const gpu = { type: "declare", node: "c:gpu", kind: "capacity", authority: false } as const;
      await alpha.turn([
        { ...gpu, capacity: 1, by: "alpha" },
        { type: "withdraw", by: "alpha" },
      ]);
      await alpha.turn([{ ...gpu, capacity: 3, by: "alpha" }]);
      const counters = await opened.store.view((view) => view.counters());
      expect(counters.map((counter) => counter.capacity)).toEqual([3]);
    });

    test("closes twice and does nothing afterwards", async (opened) => {
      const alpha = await opened.enter("alpha");
      await alpha.turn([submit({ taskId: "a" })]);
      await opened.store.close();
      await opened.store.close();
      expect(await codeOf(() => opened.store.turn([{ type: "tick" }]))).toBe("CLOSED");
    });
  });
}

function errorCodeOf(effects: readonly Effect[]): string | undefined {
  for (const effect of effects) if (effect.type === "refused") return effect.code;
  return undefined;
}
