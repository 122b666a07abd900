/**
 * The ghost: a monitor with books of its own. It hears what is said between processes and store (commands in, answers
 * out), what agents say when they begin and stop, and the time. It never looks into a store and shares no rule with it.
 *
 * L1 L2 L3 L5  checked whenever somebody is granted something
 * L4 L9        ghost-line.ts
 * L6           fences only grow; a settlement counts exactly when it carries the fence of the grant that stands
 * L7           ghost-touches.ts: nothing is granted again while somebody is still inside
 * L12          ghost-deadlock.ts
 * L13          whoever is granted something has an owner that lives
 * once         what was acknowledged ends exactly once, and as its owner said
 */
import { ADMISSION } from "../../../core/bounds.ts";
import type { Command } from "../../../core/command.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { Notice } from "../notice.ts";
import type { Verdict } from "../violation.ts";
import { GhostAnswered } from "./ghost-answered.ts";
import { GhostAsked } from "./ghost-asked.ts";
import { GhostBooks } from "./ghost-books.ts";
import { judgeClocks, judgeLine } from "./ghost-line.ts";
import { GhostTouches, type Touch } from "./ghost-touches.ts";

export interface HeardTurn {
  readonly callerId: string;
  readonly commands: readonly Command[];
  readonly nowMs: number;
  readonly notices: readonly Notice[];
}

export class Ghost {
  readonly books: GhostBooks;
  readonly touches: GhostTouches;
  readonly #asked: GhostAsked;
  readonly #answered: GhostAnswered;
  readonly #verdict: Verdict;

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
    this.books = new GhostBooks(verdict);
    this.touches = new GhostTouches(verdict);
    this.#asked = new GhostAsked(this.books);
    this.#answered = new GhostAnswered(this.books);
  }

  /** One turn, as it was asked for and answered. */
  heard({ commands, nowMs, notices }: HeardTurn): void {
    const { books } = this;
    const refused = new Map<number, ErrorCode>();
    const submitted = new Set<number>();
    const moved = new Set<number>();
    const takenBackAt = new Map<number, number>();
    for (const [at, notice] of notices.entries()) {
      if (notice.type === "refused") refused.set(notice.index, notice.code);
      else if ("key" in notice) moved.add(notice.key);
      if (notice.type === "submitted") submitted.add(notice.index);
      if (notice.type === "suspended" || notice.type === "requeued" || notice.type === "ended")
        takenBackAt.set(notice.key, at);
    }
    // A turn that was undone moved no time either.
    const wasUndone = commands.length > 0 && commands.every((_, index) => refused.get(index) === "BUG");
    books.beginTurn(wasUndone ? 0 : nowMs);
    // Whatever lets go is carried out before anybody is granted something.
    for (const [index, command] of commands.entries()) {
      const code = refused.get(index);
      if (code === undefined) this.#asked.accepted(command, submitted.has(index));
      else this.#asked.refused(command, code, moved);
    }
    for (const [at, notice] of notices.entries()) {
      const isTakenBack = "key" in notice && (takenBackAt.get(notice.key) ?? -1) > at;
      this.#answered.notice(notice, commands, isTakenBack);
    }
    books.endTurn();
    judgeLine(books, this.#verdict);
    // Nor has it let a clock run out. A turn looks after so many clocks; the rest is the next one's.
    const rung = notices.filter(
      (notice) => notice.type === "requeued" || (notice.type === "ended" && notice.code === "QUEUE_TIMEOUT"),
    ).length;
    if (rung < ADMISSION.testsPerRelease && ![...refused.values()].includes("BUG")) judgeClocks(books, this.#verdict);
  }

  begin(touch: Touch, fence: number): void {
    const task = this.books.tasks.get(touch.holderKey);
    if (task === undefined || task.state !== "held" || task.fence !== fence) {
      const stands = `${task?.state ?? "unknown"} with fence ${task?.fence ?? 0}`;
      this.#verdict.fail("L5", `${touch.id} began with fence ${fence} and its task is ${stands}`);
    }
    this.touches.begin(touch);
  }

  /** Everything that was acknowledged has ended and nobody touches anything. */
  get isDrained(): boolean {
    if (this.touches.size > 0) return false;
    for (const task of this.books.tasks.values()) if (task.state !== "ended") return false;
    return true;
  }

  /** After the calm: whatever was acknowledged has ended, and nobody is inside anything. */
  judgeEnd(): void {
    for (const { taskId, state } of this.books.tasks.values()) {
      if (state !== "ended") this.#verdict.fail("liveness", `${taskId} was acknowledged and is still ${state}`);
    }
    for (const id of this.touches.ids()) this.#verdict.fail("liveness", `${id} never stopped`);
  }
}
