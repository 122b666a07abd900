/**
 * What the ghost makes of answers: grants, ends, and everything else that is said of a task.
 *
 * L1 L2 L3 L5  checked whenever somebody is granted something
 * L6           fences only grow
 * L13          whoever is granted something has an owner that lives
 * once         what was acknowledged ends once, and as its owner said
 */
import { ADMISSION } from "../../../core/bounds.ts";
import type { Command } from "../../../core/command.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { Notice } from "../notice.ts";
import type { GhostBooks } from "./ghost-books.ts";
import { isDeadlock } from "./ghost-deadlock.ts";
import { reserverAhead } from "./ghost-line.ts";
import { type GhostTask, ghostTask, isOwnOrAbove } from "./ghost-task.ts";

type Of<Type extends Notice["type"]> = Extract<Notice, { readonly type: Type }>;
type RowNotice = Extract<Notice, { readonly key: number }>;

export class GhostAnswered {
  readonly #books: GhostBooks;
  #maxFence = 0;

  constructor(books: GhostBooks) {
    this.#books = books;
  }

  notice(notice: Notice, commands: readonly Command[], isTakenBack: boolean): void {
    switch (notice.type) {
      case "submitted": {
        const command = commands[notice.index];
        if (command?.type !== "submit" || command.row.taskId !== notice.taskId)
          return this.#books.verdict.fail("lost", `${notice.taskId} was acknowledged and nobody asked for it`);
        const task = ghostTask(command.row, notice.key, this.#books.nowMs);
        if (this.#books.tasks.has(notice.key))
          this.#books.verdict.fail("duplicate", `key ${notice.key} was given twice`);
        this.#books.tasks.set(notice.key, task);
        this.#books.acknowledged.add(task.taskId);
        const { rank, placeKey } = command.row;
        this.#books.owners.takePlace(task, notice.rank, this.#books.nowMs);
        if (notice.rank > rank || (notice.rank < rank && placeKey === ""))
          this.#books.verdict.fail("L4", `${task.taskId} was submitted with rank ${rank} and stands at ${notice.rank}`);
        task.rank = notice.rank;
        if (task.state === "waiting") this.#books.waiting.add(task);
        return;
      }
      case "refused": {
        const command = commands[notice.index];
        if (notice.code !== "DEADLOCK" || command?.type !== "submit") return;
        // A shared store remembers that it was refused: the same id is taken.
        this.#books.acknowledged.add(command.row.taskId);
        return this.#judgeDeadlock(ghostTask(command.row, 0, this.#books.nowMs));
      }
      case "owner-gone":
        this.#books.owners.dropped(notice.ownerId);
        this.#books.counts.withdraw(notice.ownerId);
        return this.#judgeGone(notice.ownerId);
      case "limit-changed":
        if (!this.#books.counts.stoodAt(notice.node, notice.capacity)) {
          this.#books.verdict.fail(
            "L3",
            `${notice.node} was set to ${notice.capacity} and what was declared makes it ${this.#books.counts.capacity(notice.node)}`,
          );
        }
        return;
      default: {
        const task = this.#books.tasks.get(notice.key);
        if (task === undefined)
          return this.#books.verdict.fail("lost", `${notice.type} was said of task ${notice.key}, which nobody knows`);
        if (notice.type === "waiting" || notice.type === "admitted" || notice.type === "ended")
          this.#books.standsInLineByNow(task);
        return this.#moved(task, notice, isTakenBack);
      }
    }
  }

  #judgeDeadlock(request: GhostTask): void {
    if (request.ancestors.length === 0)
      this.#books.verdict.fail("L12", `${request.taskId} holds nothing and was refused as a deadlock`);
    else if (!isDeadlock(this.#books, request))
      this.#books.verdict.fail("L12", `${request.taskId} was refused as a deadlock and there is none`);
  }

  #judgeGone(ownerId: string): void {
    for (const task of this.#books.waiting)
      if (task.ownerId === ownerId)
        this.#books.verdict.fail("L13", `${ownerId} is gone and ${task.taskId} still waits`);
    for (const task of this.#books.held)
      if (task.ownerId === ownerId) this.#books.verdict.fail("L7", `${ownerId} is gone and ${task.taskId} still holds`);
  }

  #moved(task: GhostTask, notice: RowNotice, isTakenBack: boolean): void {
    switch (notice.type) {
      case "admitted":
        return this.#admitted(task, notice, isTakenBack);
      case "ended":
        return this.#ended(task, notice);
      case "waiting":
        if (task.state !== "waiting")
          this.#books.verdict.fail("L2", `${task.taskId} began to wait while it was ${task.state}`);
        return;
      case "reserved":
        if (task.state !== "waiting")
          this.#books.verdict.fail("L4", `${task.taskId} reserved while it was ${task.state}`);
        task.hasReserved = true;
        return;
      case "requeued":
        return this.#requeued(task, notice.rank);
      case "suspended":
        if (this.#books.suspended.delete(task.key)) {
          if (task.state === "held")
            this.#books.verdict.fail("L2", `${task.taskId} was taken out of the line while it was held`);
        } else if (!this.#books.owners.wasReportedGone(task.ownerId))
          this.#books.verdict.fail("L13", `${task.taskId} was suspended and ${task.ownerId} was not reported gone`);
        return this.#books.letGo(task, "suspended");
      case "quarantined":
        if (task.state !== "held" || task.isGuest)
          this.#books.verdict.fail("L7", `${task.taskId} was quarantined while it was ${task.state}`);
        task.isQuarantined = true;
        return this.#books.counts.giveSlot(task);
      default:
        return;
    }
  }

  #requeued(task: GhostTask, rank: number): void {
    if (this.#books.putBack.delete(task.key)) {
      if (rank !== task.rank)
        this.#books.verdict.fail("B1", `${task.taskId} was put back with rank ${task.rank} and stands at ${rank}`);
      this.#books.letGo(task, "waiting");
      return this.#books.standInLine(task);
    }
    if (task.state !== "held" || task.isConfirmed)
      this.#books.verdict.fail("L6", `${task.taskId} was sent back in line while it was ${task.state}`);
    if (this.#books.nowMs - task.heldSinceMs < ADMISSION.startTimeoutMs)
      this.#books.verdict.fail("L6", `${task.taskId} was sent back in line too early`);
    this.#books.letGo(task, "waiting");
    this.#books.standInLine(task);
  }

  /** `isBlurred`: a batch had to be carried out command by command, and this grant is told after it was taken back. */
  #admitted(task: GhostTask, notice: Of<"admitted">, isBlurred: boolean): void {
    if (task.state !== "waiting")
      this.#books.verdict.fail("duplicate", `${task.taskId} was granted while it was ${task.state}`);
    if (notice.fence <= this.#maxFence && !isBlurred)
      this.#books.verdict.fail("L6", `${task.taskId} got fence ${notice.fence} after fence ${this.#maxFence}`);
    this.#maxFence = Math.max(this.#maxFence, notice.fence);
    if (this.#books.owners.isDeadAndGone(task.ownerId))
      this.#books.verdict.fail("L13", `${task.taskId} was granted and its owner ${task.ownerId} is dead and gone`);
    for (const other of this.#books.held) {
      if (isOwnOrAbove(task, other) || !this.#books.names.conflict(task.claims, other.claims)) continue;
      this.#books.verdict.fail("L1", `${task.taskId} was granted while ${other.taskId} held what it wants`);
    }
    const reserver = reserverAhead(this.#books, task);
    if (
      reserver !== undefined &&
      reserver.limits.length === 0 &&
      reserver.rankedIn < this.#books.turn &&
      task.rankedIn < this.#books.turn
    )
      this.#passedReserver(task, reserver);
    this.#books.waiting.delete(task);
    task.hasReserved = false;
    task.epoch = null;
    if (task.wantsSlot) return this.#slotBack(task);
    task.fence = notice.fence;
    task.isConfirmed = notice.isOwn;
    task.heldSinceMs = this.#books.nowMs;
    task.signOfLifeMs = this.#books.nowMs;
    task.members = notice.members;
    for (const claim of task.claims) {
      if (claim.what === "units")
        this.#books.counts.takeUnits(
          task,
          claim.node,
          isBlurred ? 0 : this.#books.wanted(task, claim.node, claim.units),
        );
      else if (claim.what === "rate") this.#books.counts.takeRate(task, claim, this.#books.nowMs);
    }
    if (!isBlurred)
      this.#books.counts.judgeMembers(task, (node, member) => this.#isLent(task, node, member), this.#books.nowMs);
    this.#books.counts.takeSlot(task, task.limits);
    task.state = "held";
    this.#books.held.add(task);
  }

  #isLent(task: GhostTask, node: string, member: string): boolean {
    return [...this.#books.held].some(
      (other) => task.ancestors.includes(other.holderKey) && (other.members?.[node] ?? []).includes(member),
    );
  }

  /** Without gates a reservation stands until it is served: locks that conflict with it are not given to younger ones. */
  #passedReserver(task: GhostTask, reserver: GhostTask): void {
    if (
      reserver.claims.some((claim) => claim.what === "rate") ||
      !this.#books.names.conflict(task.claims, reserver.claims)
    )
      return;
    this.#books.verdict.fail("L4", `${task.taskId} was granted over ${reserver.taskId}, which has reserved`);
  }

  /** A request for the slot alone is over with the grant. */
  #slotBack(task: GhostTask): void {
    const parent = this.#books.tasks.get(task.parentKey);
    if (parent?.state !== "held")
      this.#books.verdict.fail("L5", `${task.taskId} got a slot for a task that is ${parent?.state ?? "unknown"}`);
    else this.#books.counts.takeSlot(parent, parent.limits);
    task.state = "ended";
    task.status = "succeeded";
  }

  #ended(task: GhostTask, { status, code }: Of<"ended">): void {
    if (task.state === "ended") return this.#books.verdict.fail("duplicate", `${task.taskId} ended twice`);
    const settledAs = this.#books.settled.get(task.key);
    if (settledAs !== undefined && settledAs !== status)
      this.#books.verdict.fail("lost", `${task.taskId} was settled as ${settledAs} and ended as ${status}`);
    this.#books.settled.delete(task.key);
    this.#judgeCode(task, code);
    if (task.state === "waiting" && (code === "CANCELLED" || code === "OWNER_GONE" || code === "QUEUE_TIMEOUT"))
      this.#books.owners.keepPlace(task, this.#books.nowMs);
    for (const other of [...this.#books.held, ...this.#books.waiting]) {
      if (other.isRequest && other.parentKey === task.key)
        this.#books.verdict.fail("L2", `${task.taskId} ended and left ${other.taskId} behind`);
    }
    if (code === "DEADLOCK" && task.ancestors.length === 0)
      this.#books.verdict.fail("L12", `${task.taskId} holds nothing and ended as a deadlock`);
    this.#books.letGo(task, "ended");
    task.status = status;
  }

  #judgeCode(task: GhostTask, code: ErrorCode | null): void {
    switch (code) {
      case "QUEUE_TIMEOUT": {
        const waitedMs = this.#books.nowMs - task.waitingSinceMs;
        if (task.state !== "waiting" || task.queueTimeoutMs === 0 || waitedMs < task.queueTimeoutMs)
          this.#books.verdict.fail(
            "lost",
            `${task.taskId} timed out in line after ${waitedMs} of ${task.queueTimeoutMs} ms`,
          );
        return;
      }
      case "OWNER_GONE": {
        const parent = this.#books.tasks.get(task.parentKey);
        if (
          !this.#books.owners.wasReportedGone(task.ownerId) &&
          !(task.isRequest && parent !== undefined && parent.state !== "held")
        )
          this.#books.verdict.fail(
            "L13",
            `${task.taskId} ended with its owner, and ${task.ownerId} was not reported gone`,
          );
        return;
      }
      case "LOCK_EXPIRED": {
        const silentMs = this.#books.nowMs - task.signOfLifeMs;
        const wasGivenUp = silentMs === Number.POSITIVE_INFINITY;
        if (!task.isGuest || !(wasGivenUp || (task.leaseMs > 0 && silentMs >= task.leaseMs)))
          this.#books.verdict.fail("lost", `${task.taskId} lapsed after ${silentMs} of ${task.leaseMs} ms`);
        return;
      }
      case "OVER_CAPACITY":
        if (!task.claims.some(({ node, units }) => this.#books.counts.isExceeded(node, units)))
          this.#books.verdict.fail("lost", `${task.taskId} asks for no more than there is and ended for that`);
        return;
      case "BUG":
        if (!this.#books.expectsBugs) this.#books.verdict.fail("bug", `${task.taskId} was condemned`);
        return;
      default:
        return;
    }
  }
}
