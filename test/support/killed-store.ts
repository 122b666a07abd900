/** A process that has so many tasks acknowledged and is killed before its log was copied. Arguments: file, number of tasks. */
import { writeSync } from "node:fs";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import type { Command } from "../../src/core/command.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const JOIN: Command = { type: "owner-join", owner: newOwner() };

const [file = "", tasks = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ clock: virtualClock(), file, bootId: "" });
for (let index = 0; index < Number(tasks); index++) {
  const payload = { description: "x".repeat(500) };
  const effects = await store.turn([JOIN, { type: "submit", row: newRow({ taskId: `t${index}`, payload }) }]);
  await store.turn(
    effects.flatMap((effect): Command[] =>
      effect.type === "admitted"
        ? [
            {
              type: "settle",
              key: effect.row.key,
              fence: effect.row.fence,
              status: "succeeded",
              result: { output: index },
            },
          ]
        : [],
    ),
  );
}
writeSync(1, "acknowledged");
process.kill(process.pid, "SIGKILL");
