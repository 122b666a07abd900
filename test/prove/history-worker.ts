/**
 * One process of a history: asks the store for locks and lets them go, and writes down what it asks before it asks, and
 * what it was answered after. Arguments: file of the store, file of the history, its name, seed. Ends when stdin does.
 */
import fs from "node:fs";
import { systemClock } from "../../src/clock/system-clock.ts";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, normaliseClaims, resolvedClaim, SHARED } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import type { TaskRow } from "../../src/core/row.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { judgeOwners, OwnerJudge } from "../../src/process/owner-judge.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const [file = "", historyFile = "", name = "", seed = "0"] = process.argv.slice(2);
/** Conversations with the store at once, of this process. */
const CLIENTS = 3;
const RESOURCES = 5;
const JUDGE_MS = 60;

const clock = systemClock();
const random = seededRandom(Number(seed));
const fd = fs.openSync(historyFile, "a");
const store = await openSqliteStore({ file, clock });
const waiting = new Map<string, (row: TaskRow | null) => void>();
let number = 0;
let isOver = false;

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const write = (...words: readonly (string | number)[]): void => {
  fs.writeSync(fd, `${words.join(" ")}\n`);
};
const pick = (most: number): number => Math.floor(random() * most);

function take(effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (!("row" in effect) || effect.row.ownerId !== name) continue;
    const { row } = effect;
    const isGranted = effect.type === "confirmed" || (effect.type === "admitted" && row.status === "running");
    if (isGranted || effect.type === "ended") {
      // Told once: what ends later was let go by us.
      waiting.get(row.taskId)?.(isGranted ? row : null);
      waiting.delete(row.taskId);
    } else if (effect.type === "admitted") void send({ type: "confirm", key: row.key, fence: row.fence });
  }
}

async function send(command: Command): Promise<readonly Effect[]> {
  const effects = await store.turn([command]);
  take(effects);
  return effects;
}

async function acquire(): Promise<TaskRow | null> {
  const places = [...new Set(Array.from({ length: 1 + pick(2) }, () => `r${pick(RESOURCES)}`))];
  const isShared = random() < 0.3;
  const claims = normaliseClaims(
    places.map((place) => resolvedClaim(`n:machine:${place}`, isShared ? SHARED : EXCLUSIVE)),
  );
  const call = number++;
  const taskId = `${name}-${call}`;
  const answer = new Promise<TaskRow | null>((resolve) => waiting.set(taskId, resolve));
  write("call", name, call, "acquire", nowMs(), places.join(","), isShared ? "shared" : "exclusive");
  const row = newRow({ workflowId: name, taskId, ownerId: name, rank: nowMs(), claims, queueTimeoutMs: 1_500 });
  await send({ type: "submit", row });
  const granted = await answer;
  write("ret", name, call, nowMs(), granted === null ? "no" : "yes", granted?.fence ?? 0);
  return granted;
}

async function release(key: number, fence: number): Promise<void> {
  const call = number++;
  write("call", name, call, "release", nowMs(), fence);
  const effects = await send({ type: "settle", key, fence, status: "succeeded", result: null });
  const isDone = effects.some((effect) => effect.type === "ended" && effect.row.key === key);
  write("ret", name, call, nowMs(), isDone ? "yes" : "no");
}

async function client(): Promise<void> {
  while (!isOver) {
    const row = await acquire();
    if (row === null) continue;
    const { key, fence } = row;
    if (random() < 0.5) await pause(pick(4));
    await release(key, fence);
    if (random() < 0.1) await release(key, fence);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}

/** What every process with tasks does: it frees what the dead held, and takes a turn when one is due. */
async function lookAfter(work: Promise<unknown>): Promise<void> {
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  const judge = new OwnerJudge({ clock });
  while (!isDone) {
    await pause(JUDGE_MS);
    take(await judgeOwners({ store, clock, judge, selves: new Set([name]) }));
    const dueAtMs = store.nextDueAtMs();
    if (dueAtMs > 0 && dueAtMs <= clock.nowMs()) await send({ type: "tick" });
  }
}

// What wakes a waiter keeps no loop alive: without this the process would end while it waits.
const presence = setInterval(() => undefined, 1_000);
process.stdin.on("end", () => {
  isOver = true;
});
process.stdin.resume();
await store.join(newOwner({ ownerId: name, ...ownIdentity() }), take);
const work = Promise.all(Array.from({ length: CLIENTS }, client));
await Promise.all([work, lookAfter(work)]);
clearInterval(presence);
await store.turn([{ type: "owner-leave", ownerId: name }]);
await store.close();
process.exit(0);
