/**
 * The way from one process to the store and back: batches in order, one at a time, delayed, sometimes carried out twice;
 * answers delayed, sometimes lost. Whatever is lost, it is lost after the store has committed: a process that learns
 * nothing must be able to find out.
 */
import type { Command } from "../../../core/command.ts";
import { errorCode } from "../../../core/errors.ts";
import { type Notice, noticesOf } from "../notice.ts";
import type { KernelWorld } from "./world.ts";

const COMMANDS_A_BATCH = 16;

/** The process at this end of the channel. */
export interface ChannelEnd {
  readonly ownerId: string;
  readonly isCrashed: boolean;
  nowMs(): number;
  /** Fires when so much time has passed and the process runs; never, when it is dead. */
  after(delayMs: number, fire: () => void): void;
  whenAwake(fire: () => void): void;
  onAnswer(commands: readonly Command[], notices: readonly Notice[]): void;
  onLostAnswer(commands: readonly Command[]): void;
}

export class Channel {
  readonly #world: KernelWorld;
  readonly #end: ChannelEnd;
  #freeing: Command[] = [];
  #arriving: Command[] = [];
  #isBusy = false;

  constructor(world: KernelWorld, end: ChannelEnd) {
    this.#world = world;
    this.#end = end;
  }

  send(command: Command): void {
    (isArrival(command) ? this.#arriving : this.#freeing).push(command);
    this.#pump();
  }

  /** Somebody who was given up reports after all: a command with the fence of a grant that is over. */
  sendLate(command: Command): void {
    const world = this.#world;
    world.agenda.after(world.chance.pick(4_000), () => {
      if (world.isCalm) return;
      world.note(this.#end.ownerId, "late report");
      if (this.#carryOut([command]) !== null) this.#end.after(1, () => this.#end.onLostAnswer([]));
    });
  }

  #pump(): void {
    if (this.#isBusy || this.#freeing.length + this.#arriving.length === 0) return;
    this.#isBusy = true;
    const { chance, weather, agenda } = this.#world;
    agenda.after(chance.pick(this.#world.isCalm ? 3 : weather.delayMs), () => this.#deliver(null));
  }

  #deliver(retried: readonly Command[] | null): void {
    const end = this.#end;
    if (end.isCrashed) return;
    end.whenAwake(() => {
      const commands = retried ?? this.#take();
      const notices = this.#carryOut(commands);
      if (notices === null) this.#world.agenda.after(1 + this.#world.chance.pick(40), () => this.#deliver(commands));
      else this.#answer(commands, notices);
    });
  }

  #take(): readonly Command[] {
    const freeing = this.#freeing.splice(0, COMMANDS_A_BATCH);
    return [...freeing, ...this.#arriving.splice(0, COMMANDS_A_BATCH - freeing.length)];
  }

  /** Null when the turn could not be made and must be tried again. */
  #carryOut(commands: readonly Command[]): readonly Notice[] | null {
    const world = this.#world;
    const { ownerId } = this.#end;
    try {
      const effects = world.store.turn(ownerId, commands, this.#end.nowMs());
      if (effects === null) {
        world.sometimes.happened("waited for a process stopped inside its turn");
        return null;
      }
      const notices = noticesOf(effects, ownerId);
      world.heard({ callerId: ownerId, commands, nowMs: this.#end.nowMs(), notices });
      return notices;
    } catch (error) {
      if (errorCode(error)?.startsWith("STORE_") !== true) throw error;
      world.sometimes.happened("turn undone by a full disk");
      world.note(ownerId, `turn failed: ${errorCode(error)}`);
      return null;
    }
  }

  #answer(commands: readonly Command[], notices: readonly Notice[]): void {
    const { chance, weather, isCalm } = this.#world;
    if (!isCalm && chance.is(weather.duplicates)) this.#repeatLater(commands);
    const goOn = (): void => {
      this.#isBusy = false;
      this.#pump();
    };
    if (!isCalm && chance.is(weather.lostAnswers)) {
      this.#world.sometimes.happened("answer lost after the commit");
      this.#world.note(this.#end.ownerId, "answer lost");
      this.#end.after(chance.between(100, 900), () => {
        this.#end.onLostAnswer(commands);
        goOn();
      });
      return;
    }
    const receive = (): void => {
      this.#end.onAnswer(commands, notices);
      goOn();
    };
    const delayMs = isCalm ? 0 : chance.pick(weather.answerDelayMs + 1);
    if (delayMs === 0) receive();
    else this.#end.after(delayMs, receive);
  }

  /** Carried out once more, whatever became of the sender. What it does to others they are told; the sender is not. */
  #repeatLater(commands: readonly Command[]): void {
    const world = this.#world;
    world.agenda.after(world.chance.pick(4_000), () => {
      if (world.isCalm) return;
      // A memory store does not remember what has ended; a shared one does.
      const again = commands.filter(
        (command) =>
          isRepeatable(command) ||
          (command.type === "submit" && !this.#end.isCrashed && world.refusesAgain(command.row.taskId)),
      );
      if (again.length === 0) return;
      world.note(this.#end.ownerId, "duplicate delivered");
      const notices = this.#carryOut(again);
      if (notices?.some(({ type }) => type === "refused")) world.sometimes.happened("late duplicate refused");
      if (notices === null) return;
      // What ended in this very turn is not remembered by a memory store: nobody wants it a second time.
      for (const notice of notices) {
        if (notice.type === "submitted")
          this.send({ type: "cancel", key: notice.key, status: "cancelled", result: null });
      }
      this.#end.after(1, () => this.#end.onLostAnswer([]));
    });
  }
}

/** What a late copy may do without being the sender's new wish: reports that carry a fence, and what sets a number. */
function isRepeatable(command: Command): boolean {
  return "fence" in command || command.type === "tick" || command.type === "release" || command.type === "rerank";
}

function isArrival(command: Command): boolean {
  return command.type === "submit" || command.type === "enqueue" || command.type === "rerank";
}
