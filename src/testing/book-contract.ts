/** The contract of a session book: what was written last is what is read, in the order that was asked for. */
import type { Awaitable } from "../core/ports.ts";
import type { BookView, FileVersion, Session, SessionBook } from "../core/session-book.ts";
import type { TestKit } from "./test-kit.ts";

export interface BookContractOptions {
  readonly name: string;
  open(): Promise<{ readonly book: SessionBook; close(): Awaitable<void> }>;
}

export function newSession(over: Partial<Session> = {}): Session {
  return {
    sessionId: "session-a",
    host: "claude",
    name: "fix login",
    hasPromptName: true,
    cwd: "/shop/src",
    root: "/shop",
    repository: "/shop/.git",
    branch: "main",
    process: { pid: 7, startTime: 70, bootId: "boot", pidNamespace: "pid:[1]" },
    startedWallMs: 1_000,
    seenWallMs: 1_000,
    turnWallMs: 0,
    shellWallMs: 0,
    tellsReads: false,
    hasEnded: false,
    ...over,
  };
}

export function newVersion(over: Partial<FileVersion> = {}): FileVersion {
  return {
    sessionId: "session-a",
    subagent: "",
    path: "/shop/src/a.ts",
    hash: "h1",
    lines: new Uint8Array([1, 2, 3, 4]),
    seenWallMs: 1_000,
    isPending: false,
    wroteHash: "",
    wroteWallMs: 0,
    ...over,
  };
}

export function bookContract(options: BookContractOptions, { describe, it, expect }: TestKit): void {
  const using = (title: string, body: (book: SessionBook) => Promise<void>) =>
    it(title, async () => {
      const { book, close } = await options.open();
      try {
        await body(book);
      } finally {
        await close();
      }
    });
  const look = <T>(book: SessionBook, read: (view: BookView) => T): Promise<T> => Promise.resolve(book.look(read));

  describe(`session book: ${options.name}`, () => {
    using("a session is read as it was written last", async (book) => {
      await book.write([{ type: "session", session: newSession() }]);
      const later = newSession({ name: "add ä 🎉", process: null, turnWallMs: 5.5, tellsReads: true, hasEnded: true });
      await book.write([{ type: "session", session: later }]);
      expect(await look(book, (view) => view.session("session-a"))).toEqual(later);
      expect(await look(book, (view) => view.session("session-b"))).toBe(undefined);
    });

    using("sessions are listed as they were seen, last first", async (book) => {
      const seen = { a: 1, b: 3, c: 2 };
      await book.write(
        Object.entries(seen).map(([sessionId, seenWallMs]) => ({
          type: "session",
          session: newSession({ sessionId, seenWallMs }),
        })),
      );
      expect(await look(book, (view) => view.sessions(2).map(({ sessionId }) => sessionId))).toEqual(["b", "c"]);
    });

    using("a version belongs to one session, subagent and path", async (book) => {
      const versions = [
        newVersion(),
        newVersion({ subagent: "explorer", hash: "h2", lines: null }),
        newVersion({ sessionId: "session-b", hash: "h3" }),
        newVersion({ hash: "h4", wroteHash: "h4", wroteWallMs: 9, isPending: true }),
      ];
      await book.write(versions.map((version) => ({ type: "version", version })));
      const path = "/shop/src/a.ts";
      expect(await look(book, (view) => view.version("session-a", "", path))).toEqual(versions[3]);
      expect(await look(book, (view) => view.version("session-a", "explorer", path))).toEqual(versions[1]);
      expect(await look(book, (view) => view.version("session-a", "", "/shop/src"))).toBe(undefined);
      const all = await look(book, (view) => view.versionsOf(path).map(({ hash }) => hash));
      expect([all[0], all.length]).toEqual(["h4", 3]);
      expect(all.toSorted()).toEqual(["h2", "h3", "h4"]);
    });

    using("what was written below a directory is listed, last first", async (book) => {
      const at = (path: string, wroteWallMs: number) => newVersion({ path, wroteHash: "h", wroteWallMs });
      const versions = [at("/shop/a", 1), at("/shop/b/c", 3), at("/shopping/d", 4), at("/shop/e", 0), at("/f", 2)];
      await book.write(versions.map((version) => ({ type: "version", version })));
      const below = (directory: string, limit: number) =>
        look(book, (view) => view.writtenBelow(directory, limit).map(({ path }) => path));
      expect(await below("/shop", 9)).toEqual(["/shop/b/c", "/shop/a"]);
      expect(await below("/shop", 1)).toEqual(["/shop/b/c"]);
      expect(await below("/", 9)).toEqual(["/shopping/d", "/shop/b/c", "/f", "/shop/a"]);
    });

    using("what is said once is remembered for each session", async (book) => {
      await book.write([{ type: "told", sessionId: "session-a", topic: "broken" }]);
      await book.write([{ type: "told", sessionId: "session-a", topic: "broken" }]);
      const told = (sessionId: string, topic: string) => look(book, (view) => view.isTold(sessionId, topic));
      expect(await told("session-a", "broken")).toBe(true);
      expect(await told("session-a", "other")).toBe(false);
      expect(await told("session-b", "broken")).toBe(false);
    });

    using("what is forgotten is gone, and nothing else", async (book) => {
      await book.write([
        { type: "session", session: newSession({ seenWallMs: 10 }) },
        { type: "session", session: newSession({ sessionId: "session-b", seenWallMs: 20 }) },
        { type: "told", sessionId: "session-a", topic: "broken" },
        { type: "told", sessionId: "session-b", topic: "broken" },
        { type: "version", version: newVersion() },
        { type: "version", version: newVersion({ subagent: "explorer" }) },
        { type: "version", version: newVersion({ sessionId: "session-b" }) },
      ]);
      const left = () =>
        look(book, (view) => [
          view.sessions(9).map(({ sessionId }) => sessionId),
          view
            .versionsOf("/shop/src/a.ts")
            .map(({ sessionId, subagent }) => `${sessionId}/${subagent}`)
            .toSorted(),
          ["session-a", "session-b"].map((sessionId) => view.isTold(sessionId, "broken")),
        ]);
      await book.write([{ type: "forget-versions", sessionId: "session-a", subagent: "explorer" }]);
      expect(await left()).toEqual([
        ["session-b", "session-a"],
        ["session-a/", "session-b/"],
        [true, true],
      ]);
      await book.write([{ type: "forget-sessions", seenBeforeWallMs: 20 }]);
      expect(await left()).toEqual([["session-b"], ["session-b/"], [false, true]]);
    });
  });
}
