/** Every store keeps the one contract. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import type { Effect } from "../../src/core/command.ts";
import { invariant } from "../../src/core/errors.ts";
import type { TaskRow } from "../../src/core/row.ts";
import { MapLedger } from "../../src/stores/memory/map-ledger.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import type { SqliteStore } from "../../src/stores/sqlite/index.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner } from "../../src/testing/rows.ts";
import { storeContract } from "../../src/testing/store-contract.ts";

/** The memory ledger keeps counts of holders and would not mind; a table with a key does. */
class StrictLedger extends MapLedger {
  override hold(row: TaskRow): void {
    invariant(new Set(row.claims.map(({ node }) => node)).size === row.claims.length, "one claim a node");
    super.hold(row);
  }
}

storeContract(
  {
    name: "memory",
    remembers: false,
    async open() {
      const clock = virtualClock();
      const store = new MemoryStore(clock, new StrictLedger());
      return {
        store,
        async enter(ownerId) {
          const told: Effect[] = [];
          store.join(newOwner({ ownerId }), (effects) => told.push(...effects));
          return { told, turn: (commands) => store.turnFor(ownerId, commands) };
        },
        pass: (ms) => clock.advance(ms),
        close: async () => store.close(),
      };
    },
  },
  { describe, it, expect },
);

storeContract(
  {
    name: "sqlite",
    remembers: true,
    async open() {
      const clock = virtualClock();
      const directory = mkdtempSync(join(tmpdir(), "lockyard-store-"));
      const file = join(directory, "store.db");
      const stores: SqliteStore[] = [];
      const open = async (): Promise<SqliteStore> => {
        const store = await openSqliteStore({ clock, file });
        stores.push(store);
        return store;
      };
      const store = await open();
      return {
        store,
        // Each owner has a connection of its own, as it would in another process; the first shares the store's.
        async enter(ownerId) {
          const own = stores.length === 1 && !isEntered.has(store) ? store : await open();
          isEntered.add(own);
          const told: Effect[] = [];
          await own.join(newOwner({ ownerId }), (effects) => told.push(...effects));
          return { told, turn: (commands) => own.turn(commands) };
        },
        pass: (ms) => clock.advance(ms),
        async close() {
          for (const one of stores) await one.close();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
  },
  { describe, it, expect },
);

const isEntered = new WeakSet<SqliteStore>();
