/** Turns of the kernel inside one transaction: begun, decided, written and committed with nothing awaited in between. */
import type { Command, Effect, Owner } from "../../core/command.ts";
import type { Clock } from "../../core/ports.ts";
import { turn } from "../../core/turn.ts";
import type { Connection } from "./connection.ts";
import { storeError } from "./errors.ts";
import { writeJournal } from "./journal.ts";
import { SqliteLedger } from "./ledger.ts";
import type { Notices } from "./notices.ts";
import type { Prompts } from "./prompts.ts";
import { Retention } from "./retention.ts";

export interface TurnRunnerParts {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly notices: Notices;
  /** Default `full`. */
  readonly prompts?: Prompts | undefined;
  /** Bytes above which what ended goes early; default `RETENTION.bytes`. */
  readonly keptBytes?: number | undefined;
}

/** Who asks: rows of `callerId` are admitted straight to `running`; effects of owners elsewhere are written down for them. */
export interface Caller {
  /** Empty while nobody has joined. */
  callerId(): string;
  isHere(ownerId: string): boolean;
  /** The owner of this id that lives in this process. */
  owner?(ownerId: string): Owner | undefined;
}

export interface Outcome {
  /** One list for each batch, in order. */
  readonly effects: readonly (readonly Effect[])[];
  /** Watchers are left to be tested: another turn should follow soon. */
  readonly hasCarry: boolean;
}

export class TurnRunner {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #ledger: SqliteLedger;
  readonly #retention: Retention;
  #culpritKey = 0;
  /** The file's version when the last transaction of this process committed; -1 for none, or one that was rolled back. */
  #version = -1;

  constructor({ connection, clock, notices, prompts, keptBytes }: TurnRunnerParts) {
    this.#connection = connection;
    this.#clock = clock;
    this.#notices = notices;
    this.#ledger = new SqliteLedger(connection.db, prompts);
    this.#retention = new Retention(connection.db, keptBytes);
  }

  /** The row over which an invariant broke in the last run that failed; 0 for none or a new one. */
  get culpritKey(): number {
    return this.#culpritKey;
  }

  /**
   * Carries out batches, each as a turn of its own, all in one transaction (group commit). Null when another process is
   * writing. Throws BUG or STORE_… with everything rolled back.
   */
  tryRun(batches: readonly (readonly Command[])[], caller: Caller): Outcome | null {
    return this.#tryTransaction(caller, (nowMs) =>
      batches.map((commands) => {
        this.#rejoin(commands, caller, nowMs);
        return turn(this.#ledger, { commands, nowMs, callerId: caller.callerId() });
      }),
    );
  }

  /**
   * An owner that was judged gone and lives hears of it with its next beat. What it submits before must not stand in line
   * without an owner that others can find dead (L13): it joins again first.
   */
  #rejoin(commands: readonly Command[], caller: Caller, nowMs: number): void {
    const callerId = caller.callerId();
    if (callerId === "" || !commands.some(({ type }) => type === "submit" || type === "enqueue")) return;
    if (this.#ledger.owner(callerId) !== undefined) return;
    const owner = caller.owner?.(callerId);
    if (owner !== undefined) turn(this.#ledger, { commands: [{ type: "owner-join", owner }], nowMs, callerId });
  }

  /** Ends a task whatever its books say. */
  tryCondemn(key: number, caller: Caller): Outcome | null {
    return this.#tryTransaction(caller, (nowMs) => {
      this.#ledger.mend(key);
      return [turn(this.#ledger, { commands: [{ type: "condemn", key }], nowMs, callerId: caller.callerId() })];
    });
  }

  #tryTransaction(caller: Caller, work: (nowMs: number) => readonly (readonly Effect[])[]): Outcome | null {
    if (!this.#connection.tryBegin()) return null;
    try {
      // Read after the lock was taken: time in a store never goes back (turn.ts clamps it).
      const nowMs = this.#clock.nowMs();
      const wallMs = this.#clock.wallMs();
      const version = this.#connection.dataVersion();
      this.#ledger.begin(wallMs, version === this.#version);
      this.#version = -1;
      const effects = work(nowMs);
      this.#ledger.end();
      const all = effects.length === 1 ? (effects[0] ?? []) : effects.flat();
      this.#notices.write(all, (ownerId) => caller.isHere(ownerId));
      const forgetTold = this.#notices.deleteTold();
      writeJournal(this.#connection.db, all, { atMs: nowMs, wallMs });
      const hasForgotten = this.#retention.step({ nowMs, wallMs });
      const hasCarry = this.#ledger.carry().length > 0;
      this.#connection.commit();
      this.#version = hasForgotten ? -1 : version;
      forgetTold();
      return { effects, hasCarry };
    } catch (error) {
      this.#culpritKey = this.#ledger.editedKey;
      this.#connection.rollback();
      throw storeError(error, this.#connection.file);
    }
  }
}
