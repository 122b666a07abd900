/**
 * The workload whose writes and flushes are recorded (strace): tasks submitted, run and settled, one after another. After each
 * answer of the store a line goes to a file of acknowledgements, which the record has in its place among the writes.
 * Arguments: directory, tier (or `off`: the control, which flushes nothing), number of tasks.
 */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, resolvedClaim } from "../../src/core/claims.ts";
import type { Command } from "../../src/core/command.ts";
import { Connection } from "../../src/stores/sqlite/connection.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const [directory = "", tier = "process", tasks = "0"] = process.argv.slice(2);
const file = join(directory, "store.db");
const acks = openSync(join(directory, "acks"), "a", 0o600);
const clock = virtualClock();

/** Copies its log every few pages: many checkpoints in little work. */
async function open(): Promise<SqliteStore> {
  await (await openSqliteStore({ clock, file, bootId: "", tier: tier === "power" ? "power" : "process" })).close();
  const connection = Connection.tryOpen(file, tier === "power" ? "power" : "process", { copyPages: 24 });
  if (connection === null) throw new Error("the store is busy");
  if (tier === "off") connection.db.database.exec("pragma synchronous = off");
  return new SqliteStore({ connection, clock, busyLimitMs: 1_000, busyNoticeMs: 500, onNotice: () => undefined });
}

const store = await open();
await store.join(newOwner(), () => undefined);
writeSync(acks, "open\n");
for (let index = 0; index < Number(tasks); index++) {
  const claims = [resolvedClaim(`f:/shop/${index % 7}`, EXCLUSIVE)];
  const payload = { description: "x".repeat((index * 797) % 6_000) };
  const effects = await store.turn([{ type: "submit", row: newRow({ taskId: `t${index}`, claims, payload }) }]);
  writeSync(acks, `submitted ${index}\n`);
  const settles = effects.flatMap((effect): Command[] => {
    if (effect.type !== "admitted") return [];
    const { key, fence } = effect.row;
    return [{ type: "settle", key, fence, status: "succeeded", result: { output: "y".repeat(index % 500) } }];
  });
  await store.turn(settles);
  writeSync(acks, `settled ${index}\n`);
}
// Killed, not closed: closing copies the whole log.
process.kill(process.pid, "SIGKILL");
