/**
 * What the ghost makes of commands that were accepted or refused.
 *
 * L6    a holder's report counts exactly when it carries the fence of the grant that stands
 * B1-3  put-back.ts: who is put back keeps its rank; what a stranger uses, and what rests, is not given out
 * once  nothing is accepted twice, nothing that is valid is refused
 */
import { EDGE } from "../../../core/bounds.ts";
import type { Command } from "../../../core/command.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { GhostBooks } from "./ghost-books.ts";
import { type GhostTask, ghostClaim } from "./ghost-task.ts";

type Fenced = Extract<Command, { readonly fence: number }>;

export class GhostAsked {
  readonly #books: GhostBooks;

  constructor(books: GhostBooks) {
    this.#books = books;
  }

  accepted(command: Command, isSubmitted: boolean): void {
    switch (command.type) {
      case "submit":
        if (!isSubmitted) this.#books.verdict.fail("lost", `${command.row.taskId} was neither accepted nor refused`);
        if (!this.#books.owners.isJoined(command.row.ownerId))
          this.#books.verdict.fail(
            "L13",
            `${command.row.taskId} was accepted from ${command.row.ownerId}, which has not joined`,
          );
        return;
      case "declare":
        return this.#books.counts.declare(command);
      case "withdraw":
        return this.#books.counts.withdraw(command.by, command.node);
      case "owner-join":
        return this.#books.owners.joined(command.owner.ownerId);
      case "owner-beat":
        return this.#books.owners.beat(command.ownerId, this.#books.nowMs);
      case "owner-gone":
        return this.#books.owners.reportedGone(command.ownerId, this.#books.nowMs);
      case "owner-leave":
        return this.#books.owners.left(command.ownerId);
      case "enqueue":
        return this.#books.willStandInLine(command);
      case "rerank":
        return this.#reranked(command);
      case "suspend":
        this.#books.suspended.add(command.key);
        return;
      case "unlock":
        if (command.force !== true && this.#books.tasks.get(command.key)?.isQuarantined !== true)
          this.#books.verdict.fail("L7", `task ${command.key} was unlocked and is not quarantined`);
        return;
      case "cancel":
      case "release":
      case "condemn":
      case "tell":
      case "note":
      case "tick":
        return;
      case "slow-down":
        return this.#books.counts.slowDown(command.node, this.#books.nowMs + command.forMs);
      default:
        return this.#reported(command);
    }
  }

  /** A holder's report was accepted: it must carry the fence of the grant that stands (L6). */
  #reported(command: Fenced): void {
    const task = this.#books.tasks.get(command.key);
    if (task === undefined || task.state !== "held" || task.fence !== command.fence) {
      this.#books.verdict.fail(
        "L6",
        `${command.type} with fence ${command.fence} counted for ${task?.taskId ?? command.key}, which is ${task?.state ?? "unknown"} with fence ${task?.fence ?? 0}`,
      );
      return;
    }
    switch (command.type) {
      case "settle":
        if (this.#books.settled.has(task.key))
          this.#books.verdict.fail("duplicate", `${task.taskId} was settled twice in one turn`);
        this.#books.settled.set(task.key, command.status);
        return;
      case "retry":
        this.#books.letGo(task, "retrying");
        return;
      case "confirm":
        if (!task.isConfirmed) task.signOfLifeMs = this.#books.nowMs;
        task.isConfirmed = true;
        return;
      case "renew":
        task.signOfLifeMs = this.#books.nowMs;
        task.leaseMs = command.leaseMs;
        return;
      case "put-back":
        return this.#putBack(task, command);
      case "need-input":
      case "give-slot":
      case "ending":
      case "quarantine":
        // A guest that does not let go is given up: nothing it does needs to be proven over.
        if (command.type === "quarantine") task.signOfLifeMs = Number.NEGATIVE_INFINITY;
        this.#books.counts.giveSlot(task);
        return;
    }
  }

  /** B1, B2. Members that pass to somebody inside are used by them, and by no stranger. */
  #putBack(task: GhostTask, { taken, claims }: Extract<Command, { readonly type: "put-back" }>): void {
    const untilMs = this.#books.nowMs + EDGE.memberOutMs;
    for (const { node, members } of taken) {
      const isUsedInside = [...this.#books.held].some(
        (other) => other.ancestors.includes(task.holderKey) && (other.members?.[node]?.length ?? 0) > 0,
      );
      if (!isUsedInside) for (const member of members) this.#books.counts.takeOut(node, member, untilMs);
    }
    if (claims !== null) task.claims = claims.map(ghostClaim);
    this.#books.putBack.add(task.key);
  }

  #reranked(command: Extract<Command, { readonly type: "rerank" }>): void {
    if (this.#books.entersWithRank(command.key, command.rank)) return;
    const task = this.#books.tasks.get(command.key);
    if (task === undefined) return;
    task.rank = command.rank;
    task.rankedIn = this.#books.turn;
    task.epoch = null;
  }

  refused(command: Command, code: ErrorCode, moved: ReadonlySet<number>): void {
    if (code === "BUG") {
      if (!this.#books.expectsBugs) this.#books.verdict.fail("bug", `${command.type} was refused as a bug`);
      return;
    }
    switch (command.type) {
      case "submit":
        return this.#refusedSubmit(command, code);
      case "settle":
      case "retry":
      case "renew":
      case "confirm": {
        const task = this.#books.tasks.get(command.key);
        const isValid = task?.state === "held" && task.fence === command.fence && !moved.has(command.key);
        if (isValid && !this.#books.settled.has(command.key))
          this.#books.verdict.fail(
            "lost",
            `${command.type} of ${task.taskId} with the fence of its grant was refused (${code})`,
          );
        return;
      }
      case "owner-beat":
        return this.#books.owners.beatRefused(command.ownerId);
      default:
        return;
    }
  }

  #refusedSubmit({ row }: Extract<Command, { readonly type: "submit" }>, code: ErrorCode): void {
    switch (code) {
      case "DUPLICATE_TASK":
        if (!this.#books.acknowledged.has(row.taskId))
          this.#books.verdict.fail("lost", `${row.taskId} was refused as known and nobody knows it`);
        return;
      case "UNKNOWN_RESOURCE":
        if (
          [...row.claims.map(({ node }) => node), ...row.limits].every(
            (node) => !/^[cprl]/.test(node) || this.#books.counts.knows(node),
          )
        )
          this.#books.verdict.fail("lost", `${row.taskId} names nothing that is unknown and was refused for that`);
        return;
      case "OWNER_GONE":
        if (this.#books.owners.isJoined(row.ownerId) && !this.#books.owners.wasReportedGone(row.ownerId))
          this.#books.verdict.fail("L13", `${row.ownerId} lives and its ${row.taskId} was refused`);
        return;
      case "OVER_CAPACITY":
        if (!row.claims.some(({ node, units }) => this.#books.counts.isExceeded(node, units)))
          this.#books.verdict.fail("lost", `${row.taskId} was refused and asks for no more than there is`);
        return;
      default:
        return;
    }
  }
}
