/**
 * What a short-lived process does with the store: open, join as an owner, ask for one task with two locks, a unit and a
 * slot, be granted, settle, leave. Bundled by cold-start.ts, as the command line is. Prints the milliseconds inside.
 */
import { systemClock } from "../../src/clock/system-clock.ts";
import { EXCLUSIVE, resolvedClaim, SHARED, UNITS } from "../../src/core/claims.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";

const [file = "", name = "free"] = process.argv.slice(2);
const clock = systemClock();
const startMs = clock.nowMs();
const ownerId = `exec-${process.pid}`;
const store = await openSqliteStore({ clock, file, keptBytes: Number.MAX_SAFE_INTEGER });
await store.join(
  { ownerId, ...ownIdentity(), machine: "here", label: "exec npm test", beatAtMs: startMs },
  () => undefined,
);
const slots = `l:${ownerId}`;
const effects = await store.turn([
  { type: "declare", node: slots, kind: "limit", capacity: 1, by: ownerId, authority: false },
  { type: "declare", node: "c:build", kind: "capacity", capacity: 4, by: ownerId, authority: false },
  {
    type: "submit",
    row: {
      workflowId: `exec-${process.pid}`,
      taskId: "exec",
      agentId: "exec",
      ownerId,
      kind: "task",
      wants: "locks",
      parentKey: 0,
      ancestors: [],
      holder: "owned",
      status: "waiting",
      rank: Date.now(),
      limits: [slots],
      queueTimeoutMs: 60_000,
      orphan: "vanish",
      placeKey: "",
      label: "npm test",
      claims: [
        resolvedClaim(`n:bench:${name}`, name === "hot" ? SHARED : EXCLUSIVE),
        resolvedClaim("f:/srv/shop/src/api", EXCLUSIVE),
        resolvedClaim("c:build", UNITS),
      ],
      payload: { argv: ["npm", "test"] },
    },
  },
]);
const admitted = effects.find((effect) => effect.type === "admitted");
if (admitted === undefined) throw new Error(`not admitted: ${effects.map(({ type }) => type).join(", ")}`);
await store.turn([
  { type: "settle", key: admitted.row.key, fence: admitted.row.fence, status: "succeeded", result: { code: 0 } },
  { type: "owner-leave", ownerId },
]);
await store.close();
process.stdout.write(String(clock.nowMs() - startMs));
