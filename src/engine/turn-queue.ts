/**
 * Commands gathered during a tick of the event loop, handed to the store in one go: what frees something first, then
 * arrivals, at most 64 a turn. The memory store answers at once, a shared one with a promise; the order is the same.
 */
import { ADMISSION } from "../core/bounds.ts";
import type { Command, Effect } from "../core/command.ts";
import type { Awaitable, Store } from "../core/ports.ts";

/** Who is told about the command at an index of a batch; null when nobody needs to be. */
export type Ticket = object | null;

export interface TurnListener {
  /** Effects of one turn. `tickets` goes with the commands of that turn; empty for turns of others. */
  onEffects(effects: readonly Effect[], tickets: readonly Ticket[]): void;
  /** The store could not make the turn; none of its commands was carried out. */
  onTurnFailed(error: unknown, batch: Batch): void;
  /** Nothing is left to hand over for now. */
  onDrained(): void;
}

export interface Batch {
  readonly commands: Command[];
  readonly tickets: Ticket[];
}

export class TurnQueue {
  readonly #listener: TurnListener;
  readonly #freeing = new Lane();
  readonly #arriving = new Lane();
  #store: Store | null = null;
  #isScheduled = false;
  #isBusy = false;
  #isHeld = false;
  #onQuiet: (() => void)[] = [];

  constructor(listener: TurnListener) {
    this.#listener = listener;
  }

  /** From now on commands reach this store; what was pushed before goes first. */
  open(store: Store): void {
    this.#store = store;
    this.#schedule();
  }

  /** Pushed commands wait until the store is open. */
  push(command: Command, ticket: Ticket): void {
    (isArrival(command) ? this.#arriving : this.#freeing).push(command, ticket);
    this.#schedule();
  }

  /** Keeps this batch, and everything after it, until `resume`. */
  hold(batch: Batch): void {
    this.#isHeld = true;
    this.#freeing.unshift(batch);
  }

  resume(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** Resolves when everything pushed so far was handed over. */
  async finish(): Promise<void> {
    if (this.#isQuiet) return;
    await new Promise<void>((resolve) => {
      this.#onQuiet.push(resolve);
    });
  }

  get #isQuiet(): boolean {
    return !this.#isBusy && this.#freeing.isEmpty && this.#arriving.isEmpty;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBusy || this.#isHeld || this.#store === null) return;
    this.#isScheduled = true;
    queueMicrotask(this.#pump);
  }

  readonly #pump = (): void => {
    this.#isScheduled = false;
    const store = this.#store;
    if (store === null || this.#isBusy) return;
    while (!this.#isHeld && !(this.#freeing.isEmpty && this.#arriving.isEmpty)) {
      const batch: Batch = { commands: [], tickets: [] };
      this.#freeing.moveTo(batch);
      this.#arriving.moveTo(batch);
      let answer: Awaitable<readonly Effect[]>;
      try {
        answer = store.turn(batch.commands);
      } catch (error) {
        this.#listener.onTurnFailed(error, batch);
        continue;
      }
      if (answer instanceof Promise) return this.#wait(answer, batch);
      this.#listener.onEffects(answer, batch.tickets);
    }
    // Kept back, not handed over.
    if (this.#isHeld) return;
    this.#listener.onDrained();
    if (this.#onQuiet.length > 0 && this.#isQuiet) {
      for (const resolve of this.#onQuiet) resolve();
      this.#onQuiet = [];
    }
  };

  #wait(answer: Promise<readonly Effect[]>, batch: Batch): void {
    this.#isBusy = true;
    answer
      .then(
        (effects) => this.#listener.onEffects(effects, batch.tickets),
        (error: unknown) => this.#listener.onTurnFailed(error, batch),
      )
      .finally(() => {
        this.#isBusy = false;
        this.#pump();
      })
      // The listener does not throw; if it ever did, the queue must go on.
      .catch(() => undefined);
  }
}

function isArrival(command: Command): boolean {
  return command.type === "submit" || command.type === "enqueue" || command.type === "rerank";
}

/** A queue of commands with their tickets. */
class Lane {
  #commands: Command[] = [];
  #tickets: Ticket[] = [];
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === this.#commands.length;
  }

  push(command: Command, ticket: Ticket): void {
    this.#commands.push(command);
    this.#tickets.push(ticket);
  }

  unshift(batch: Batch): void {
    this.#commands = [...batch.commands, ...this.#commands.slice(this.#at)];
    this.#tickets = [...batch.tickets, ...this.#tickets.slice(this.#at)];
    this.#at = 0;
  }

  /** Moves commands until the batch is full. */
  moveTo(batch: Batch): void {
    const { commands, tickets } = batch;
    while (this.#at < this.#commands.length && commands.length < ADMISSION.commandsPerTurn) {
      const command = this.#commands[this.#at];
      if (command === undefined) break;
      commands.push(command);
      tickets.push(this.#tickets[this.#at] ?? null);
      this.#at++;
    }
    if (this.#at === this.#commands.length) {
      this.#commands = [];
      this.#tickets = [];
      this.#at = 0;
    } else if (this.#at > 4_096) {
      // What was handed over must not stay reachable while a long line drains.
      this.#commands = this.#commands.slice(this.#at);
      this.#tickets = this.#tickets.slice(this.#at);
      this.#at = 0;
    }
  }
}
