/** Every session book keeps the one contract. */
import { describe, expect, it } from "vitest";
import { MemoryBook } from "../../src/stores/memory/memory-book.ts";
import { bookContract } from "../../src/testing/book-contract.ts";

bookContract(
  { name: "memory", open: async () => ({ book: new MemoryBook(), close: () => undefined }) },
  { describe, it, expect },
);
