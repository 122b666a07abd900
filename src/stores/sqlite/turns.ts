/**
 * The turns of one process, one after another. What is asked for meanwhile goes into the next transaction together. A
 * command that breaks an invariant is refused alone; the task it broke over is ended, so that it stops nobody.
 */
import { BOUNDS } from "../../core/bounds.ts";
import type { Command, Effect } from "../../core/command.ts";
import { errorCode, LockyardError } from "../../core/errors.ts";
import { isStoreFailure } from "./errors.ts";
import { type Patience, untilFree } from "./patience.ts";
import { Request, RequestQueue, type Slice } from "./queue.ts";
import type { Caller, Outcome, TurnRunner } from "./turn-runner.ts";

const TICK: readonly Command[] = [{ type: "tick" }];

export interface TurnsParts {
  readonly runner: TurnRunner;
  readonly patience: Patience;
  readonly caller: Caller;
  /** Told of everything that was committed, before whoever asked for it. */
  onCommit(effects: readonly Effect[]): void;
  /** Told of what a turn that nobody asked for did. */
  onFollowUp(effects: readonly Effect[]): void;
  /** The disk is full: makes room for what lets go. */
  makeRoom(): void;
}

export class Turns {
  readonly #parts: TurnsParts;
  readonly #queue = new RequestQueue();
  /** Tasks whose command broke an invariant once; the second time they are condemned. */
  readonly #suspects = new Set<number>();
  #draining: Promise<void> | undefined;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  ask(commands: readonly Command[]): Promise<readonly Effect[]> {
    const request = new Request(commands.length === 0 ? TICK : commands);
    this.#queue.push(request);
    // After the caller's own turn of the loop: what it asks for together is committed together.
    this.#draining ??= Promise.resolve().then(() => this.#drain());
    return request.answer;
  }

  /** Resolves when nothing is asked for any more. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (!this.#queue.isEmpty) {
      const slices = this.#queue.slices();
      try {
        const outcome = await this.#run((caller) => {
          const batches = slices.map(({ commands }) => commands);
          return this.#parts.runner.tryRun(batches, caller);
        });
        this.#answer(slices, outcome);
        if (outcome.hasCarry) this.#followUp();
      } catch (error) {
        if (errorCode(error) === "STORE_FULL" && slices.some(letsGo)) await this.#withoutArrivals(slices, error);
        else if (isStoreFailure(error)) this.#fail(slices, error);
        else await this.#oneByOne(slices);
      }
    }
    this.#draining = undefined;
  }

  #run(attempt: (caller: Caller) => Outcome | null): Promise<Outcome> {
    return untilFree(this.#parts.patience, () => attempt(this.#parts.caller));
  }

  #answer(slices: readonly Slice[], { effects }: Outcome): void {
    for (const [index, { request, commands }] of slices.entries()) {
      const own = effects[index] ?? [];
      this.#parts.onCommit(own);
      if (request.advance(commands.length, own)) this.#queue.shift();
    }
  }

  #fail(slices: readonly Slice[], error: unknown): void {
    for (const { request } of slices) {
      this.#queue.shift();
      request.fail(error);
    }
  }

  /** What a turn left to test is tested soon: by the next turn, or, when nobody asks for one, by one of its own. */
  #followUp(): void {
    if (!this.#queue.isEmpty) return;
    const request = new Request(TICK);
    this.#queue.push(request);
    const { onFollowUp, patience } = this.#parts;
    request.answer.then(onFollowUp, (error: unknown) => {
      patience.onNotice(`A turn was put off: ${error instanceof Error ? error.message : "unknown"}`);
    });
  }

  /** After a broken invariant every command has a turn of its own; `refuse` answers those that get none. */
  async #oneByOne(slices: readonly Slice[], refuse: (command: Command) => Effect | null = () => null): Promise<void> {
    for (const { request, commands } of slices) {
      let isAnswered = false;
      try {
        for (const command of commands) {
          const refused = refuse(command);
          const effects = refused === null ? await this.#alone(command) : [refused];
          this.#parts.onCommit(effects);
          isAnswered = request.advance(1, effects);
        }
      } catch (error) {
        request.fail(error);
        isAnswered = true;
      }
      if (isAnswered) this.#queue.shift();
    }
  }

  /** The disk is full: what lets go of something is carried out with the room that was kept for it, the rest is refused. */
  async #withoutArrivals(slices: readonly Slice[], full: unknown): Promise<void> {
    this.#parts.makeRoom();
    const message = full instanceof Error ? full.message : "The disk is full.";
    for (const slice of slices) {
      if (letsGo(slice))
        await this.#oneByOne([slice], (each) => (isArrival(each) ? refusal("STORE_FULL", message) : null));
      else this.#fail([slice], full);
    }
  }

  async #alone(command: Command, ended: readonly Effect[] = []): Promise<readonly Effect[]> {
    const { runner } = this.#parts;
    try {
      const outcome = await this.#run((caller) => runner.tryRun([[command]], caller));
      if (outcome.hasCarry) this.#followUp();
      return [...ended, ...(outcome.effects[0] ?? [])];
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      if (error instanceof LockyardError && error.code !== "BUG") return [...ended, refusal(error.code, error.message)];
      const key = "key" in command ? command.key : 0;
      const { culpritKey } = runner;
      if (culpritKey !== 0 && culpritKey !== key && ended.length === 0) {
        // It broke over a task that only stood in the way: that one is ended, and the command tried once more.
        const condemned = await this.#condemn(culpritKey);
        if (condemned.length > 0) return this.#alone(command, condemned);
      }
      const refused = refusal("BUG", `An invariant broke while carrying out ${command.type}; nothing changed.`);
      return [...ended, refused, ...(key === 0 ? [] : await this.#suspect(key))];
    }
  }

  /** The same task a second time: it is ended. */
  async #suspect(key: number): Promise<readonly Effect[]> {
    if (this.#suspects.delete(key)) return this.#condemn(key);
    if (this.#suspects.size >= BOUNDS.finishedHistory) this.#suspects.clear();
    this.#suspects.add(key);
    return [];
  }

  async #condemn(key: number): Promise<readonly Effect[]> {
    try {
      const outcome = await this.#run((caller) => this.#parts.runner.tryCondemn(key, caller));
      return (outcome.effects[0] ?? []).filter(({ type }) => type !== "refused");
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      return [];
    }
  }
}

function isArrival({ type }: Command): boolean {
  return type === "submit" || type === "enqueue" || type === "declare" || type === "owner-join";
}

function letsGo({ commands }: Slice): boolean {
  return commands.some((command) => !isArrival(command) && command.type !== "tick");
}

function refusal(code: LockyardError["code"], message: string): Effect {
  return { type: "refused", index: 0, code, message, blockers: [] };
}
