/** Every session book keeps the one contract. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { MemoryBook } from "../../src/stores/memory/memory-book.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { bookContract } from "../../src/testing/book-contract.ts";

bookContract(
  { name: "memory", open: async () => ({ book: new MemoryBook(), close: () => undefined }) },
  { describe, it, expect },
);

bookContract(
  {
    name: "sqlite",
    async open() {
      const directory = mkdtempSync(join(tmpdir(), "lockyard-book-"));
      const store = await openSqliteStore({ clock: virtualClock(), file: join(directory, "store.db") });
      return {
        book: store.book,
        async close() {
          await store.close();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
  },
  { describe, it, expect },
);
