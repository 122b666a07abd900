/**
 * A process that works off tasks of its own over a shared store, for tests with several of them. Arguments: file, name,
 * number of tasks, directory of witnesses. A witness is a file that exists while a lock is held: who finds it there already
 * has caught an overlap, whatever the store believes.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock/system-clock.ts";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, normaliseClaims, resolvedClaim, SHARED } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import type { TaskRow } from "../../src/core/row.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const [file = "", name = "", total = "0", witnesses = ""] = process.argv.slice(2);
const random = seededRandom(name.charCodeAt(0));
const clock = systemClock();
const store = await openSqliteStore({ file, clock });
const report = { settled: 0, overlaps: 0, toldByOthers: 0, fences: [] as number[] };
let outbox: Command[] = [];
let isScheduled = false;
let done: () => void = () => undefined;
const allDone = new Promise<void>((resolve) => {
  done = resolve;
});

function send(command: Command): void {
  outbox.push(command);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    const commands = outbox;
    outbox = [];
    void store.turn(commands).then(take, (error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}

function take(effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (!("row" in effect) || effect.row.ownerId !== name) continue;
    if (effect.type === "admitted") start(effect.row);
    else if (effect.type === "confirmed") work(effect.row);
    else if (effect.type === "ended" && ++report.settled === Number(total)) done();
  }
}

function start(row: TaskRow): void {
  if (row.status === "running") work(row);
  else send({ type: "confirm", key: row.key, fence: row.fence });
}

function work(row: TaskRow): void {
  report.fences.push(row.fence);
  const held = row.claims
    .filter(({ mode }) => mode === EXCLUSIVE)
    .map(({ node }) => join(witnesses, node.replaceAll(/\W/g, "_")));
  const made = held.filter((path) => {
    try {
      closeSync(openSync(path, "wx"));
      return true;
    } catch {
      report.overlaps++;
      return false;
    }
  });
  setImmediate(() => {
    for (const path of made) unlinkSync(path);
    send({ type: "settle", key: row.key, fence: row.fence, status: "succeeded", result: { by: name } });
  });
}

function submit(index: number): void {
  const claims = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const place = Math.floor(random() * 8);
    return resolvedClaim(`f:/shop/${place}${random() < 0.3 ? "/deep" : ""}`, random() < 0.6 ? EXCLUSIVE : SHARED);
  });
  send({
    type: "submit",
    row: newRow({ workflowId: name, taskId: `t${index}`, ownerId: name, rank: index, claims: normaliseClaims(claims) }),
  });
}

await store.join(newOwner({ ownerId: name, ...ownIdentity() }), (effects) => {
  report.toldByOthers += effects.length;
  take(effects);
});
process.on("message", () => {
  for (let index = 0; index < Number(total); index++) submit(index);
  void allDone
    .then(() => store.turn([{ type: "owner-leave", ownerId: name }]))
    .then(() => store.close())
    .then(() => process.send?.(report, () => process.disconnect()));
});
process.send?.("ready");
