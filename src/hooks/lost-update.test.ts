/**
 * Random sessions read, edit and write the same few files through hooks, slowly and all at once. Each write is what its
 * session last saw plus a mark of its own, so an update is lost exactly when a later content lacks an earlier mark.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type HookWorld, hookWorld } from "../../test/support/hook-world.ts";
import { seededRandom, virtualClock } from "../clock/virtual-clock.ts";
import { HOOKS } from "../core/bounds.ts";
import { openSqliteStore } from "../stores/sqlite/index.ts";
import { pause } from "./holds.ts";

const FILES = ["/shop/a.ts", "/shop/b.ts", "/shop/package.json"];
const SESSIONS = 4;

interface Outcome {
  readonly written: readonly { readonly path: string; readonly mark: string }[];
  readonly lost: readonly string[];
  readonly refused: number;
  readonly slowestMs: number;
}

async function play(world: HookWorld, seed: number, steps: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const written: { path: string; mark: string }[] = [];
  const lost: string[] = [];
  let refused = 0;
  let slowestMs = 0;
  for (const path of FILES) world.files.set(path, "");
  const rest = (ms: number) => pause(world.clock, pick(ms));

  const write = (path: string, content: string, mark: string) => {
    for (const earlier of written)
      if (earlier.path === path && !content.includes(earlier.mark))
        lost.push(`${mark} lost ${earlier.mark} in ${path}`);
    world.files.set(path, content + mark);
    written.push({ path, mark });
  };

  async function live(name: string, subagent: string | undefined): Promise<void> {
    const session = world.session(name, subagent === undefined ? {} : { subagent });
    const seen = new Map<string, string>();
    const read = async (path: string) => {
      await session.call("before", "read", [path]);
      await rest(50);
      seen.set(path, world.files.get(path) ?? "");
    };
    for (let step = 0; step < steps; step++) {
      await rest([10, 3_000, 60_000][pick(3)] ?? 0);
      if (pick(8) === 0) await session.call("turn-end", "other");
      const paths = pick(4) === 0 ? [FILES[0] ?? "", FILES[1 + pick(2)] ?? ""] : [FILES[pick(FILES.length)] ?? ""];
      for (const path of paths) if (!seen.has(path) || pick(3) === 0) await read(path);
      const toolUseId = `${name}${subagent ?? ""}-${step}`;
      const startMs = world.clock.nowMs();
      const answer = await session.call("before", "edit", paths, { toolUseId });
      slowestMs = Math.max(slowestMs, world.clock.nowMs() - startMs);
      if (answer.type !== "pass") {
        refused++;
        if (/Read (?:it|them) again/.test(answer.type === "refuse" ? answer.reason : ""))
          for (const path of paths) await read(path);
        continue;
      }
      // Slower than any host writes, and within what a hold lasts.
      await rest([5, 30_000][pick(2)] ?? 0);
      const hasFailed = pick(10) === 0;
      for (const path of hasFailed ? [] : paths) {
        write(path, seen.get(path) ?? "", `[${toolUseId}]`);
        seen.set(path, world.files.get(path) ?? "");
      }
      await rest(20);
      await session.call("after", "edit", paths, { toolUseId, hasFailed });
      // Its host is gone: nothing more is heard of it.
      if (pick(40) === 0) return;
    }
  }

  const all = Array.from({ length: SESSIONS }, (_, at) =>
    live(`s${at >> 1}${at < 2 ? "" : at}`, at === 1 ? "helper" : undefined),
  );
  await world.clock.run(Promise.all(all), { limitMs: 40 * 86_400_000 });
  return { written, lost, refused, slowestMs };
}

test.each(["idle", "edit", "turn"] as const)("no update is ever lost and nobody hangs, with hold: %s", async (hold) => {
  let refused = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const world = hookWorld({ clock: virtualClock({ seed }), config: { hold } });
    const outcome = await play(world, seed, 14);
    expect(outcome.lost, `seed ${seed}`).toEqual([]);
    expect(outcome.slowestMs, `seed ${seed}`).toBeLessThan(HOOKS.editWaitMs + 1_000);
    expect(outcome.written.length).toBeGreaterThan(10);
    refused += outcome.refused;
  }
  // The worlds are crowded enough for the rules to be needed.
  expect(refused).toBeGreaterThan(40);
});

test("the same on a store in a file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lockyard-hooks-"));
  try {
    for (let seed = 100; seed < 102; seed++) {
      const clock = virtualClock({ seed });
      const store = await openSqliteStore({ clock, file: join(directory, `${seed}.db`) });
      const outcome = await play(hookWorld({ clock, store }), seed, 8);
      expect(outcome.lost, `seed ${seed}`).toEqual([]);
      expect(outcome.slowestMs, `seed ${seed}`).toBeLessThan(HOOKS.editWaitMs + 1_000);
      await store.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("without versions the same worlds lose updates: locks alone do not help", async () => {
  let lost = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const world = hookWorld({ clock: virtualClock({ seed }), config: { hold: "edit" } });
    // The book forgets what everybody saw.
    const { book } = world.store;
    const deaf = {
      ...world,
      store: new Proxy(world.store, { get: (target, key) => (key === "book" ? blind : from(target, key)) }),
    };
    const blind = {
      look: book.look.bind(book),
      write: (entries: Parameters<typeof book.write>[0]) =>
        book.write(entries.filter(({ type }) => type !== "version")),
    };
    lost += (await play(hookWorld({ clock: deaf.clock, store: deaf.store, config: { hold: "edit" } }), seed, 14)).lost
      .length;
  }
  expect(lost).toBeGreaterThan(0);
});

function from(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === "function" ? value.bind(target) : value;
}
