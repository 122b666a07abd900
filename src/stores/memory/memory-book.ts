/** The session book of one process: maps. */
import type { BookEntry, BookView, FileVersion, Session, SessionBook } from "../../core/session-book.ts";

export class MemoryBook implements SessionBook {
  readonly #sessions = new Map<string, Session>();
  /** By session, subagent and path. */
  readonly #versions = new Map<string, FileVersion>();
  readonly #told = new Set<string>();
  readonly #view: BookView = {
    session: (sessionId) => this.#sessions.get(sessionId),
    sessions: (limit) => [...this.#sessions.values()].sort((a, b) => b.seenWallMs - a.seenWallMs).slice(0, limit),
    version: (sessionId, subagent, path) => this.#versions.get(idOf({ sessionId, subagent, path })),
    versionsOf: (path) => this.#written((version) => version.path === path),
    writtenBelow: (directory, limit) =>
      this.#written(({ path, wroteWallMs }) => wroteWallMs > 0 && isBelow(path, directory)).slice(0, limit),
    isTold: (sessionId, topic) => this.#told.has(toldId(sessionId, topic)),
  };

  look<T>(read: (view: BookView) => T): T {
    return read(this.#view);
  }

  write(entries: readonly BookEntry[]): void {
    for (const entry of entries) this.#write(entry);
  }

  #write(entry: BookEntry): void {
    switch (entry.type) {
      case "session":
        this.#sessions.set(entry.session.sessionId, entry.session);
        break;
      case "version":
        this.#versions.set(idOf(entry.version), entry.version);
        break;
      case "told":
        this.#told.add(toldId(entry.sessionId, entry.topic));
        break;
      case "forget-versions":
        this.#forget(({ sessionId, subagent }) => sessionId === entry.sessionId && subagent === entry.subagent);
        break;
      case "forget-sessions":
        for (const { sessionId, seenWallMs } of this.#sessions.values()) {
          if (seenWallMs >= entry.seenBeforeWallMs) continue;
          this.#sessions.delete(sessionId);
          this.#forget((version) => version.sessionId === sessionId);
          for (const told of this.#told) if (told.startsWith(toldId(sessionId, ""))) this.#told.delete(told);
        }
        break;
    }
  }

  #forget(isMeant: (version: FileVersion) => boolean): void {
    for (const [id, version] of this.#versions) if (isMeant(version)) this.#versions.delete(id);
  }

  #written(isMeant: (version: FileVersion) => boolean): FileVersion[] {
    return [...this.#versions.values()].filter(isMeant).sort((a, b) => b.wroteWallMs - a.wroteWallMs);
  }
}

function idOf({ sessionId, subagent, path }: Pick<FileVersion, "sessionId" | "subagent" | "path">): string {
  return `${sessionId}\0${subagent}\0${path}`;
}

function toldId(sessionId: string, topic: string): string {
  return `${sessionId}\0${topic}`;
}

function isBelow(path: string, directory: string): boolean {
  return directory === "/" || path.startsWith(`${directory}/`);
}
