import { expect, test } from "vitest";
import { heldMessage, writerPid } from "./lock-holder.ts";

const LOCKS = `1: POSIX  ADVISORY  READ  801 fe:01:131098 128 128
2: POSIX  ADVISORY  WRITE 802 fe:01:131098 123 123
2: -> POSIX  ADVISORY  WRITE 803 fe:01:131098 120 120
3: POSIX  ADVISORY  WRITE 0 fe:01:555 120 120
4: POSIX  ADVISORY  WRITE 804 fe:01:777 120 120
5: FLOCK  ADVISORY  WRITE 805 fe:01:131098 0 EOF
6: POSIX  ADVISORY  WRITE 806 fe:01:131098 118 120
7: POSIX  ADVISORY  WRITE 807 fe:01:999 0 EOF
`;

test("the writer is who holds the write byte, not a reader, a waiter, or the writer of another file", () => {
  expect(writerPid(LOCKS, 131098)).toBe(806);
  expect(writerPid(LOCKS, 777)).toBe(804);
  expect(writerPid(LOCKS, 999)).toBe(807);
  expect(writerPid(LOCKS, 1)).toBe(null);
});

test("a writer in another container has no number here", () => {
  expect(writerPid(LOCKS, 555)).toBe(null);
});

test("one line says who holds it, in which state, since when, and what to do", () => {
  const message = (state: string) => heldMessage("/state/store.db", 2_000, { pid: 7, command: "node", state });
  expect(message("T")).toBe(
    'The store /state/store.db has been busy for 2,000 ms: node (pid 7) holds it and is stopped. Let it go on with "kill -CONT 7", or end it with "kill -KILL 7".',
  );
  expect(message("D")).toContain("disk");
  expect(message("R")).toContain('"kill 7"');
  expect(heldMessage("/state/store.db", 2_000, null)).toContain("another container");
});
