/** Requests for turns of one process, first come first served, gathered into transactions of at most 64 commands. */
import { ADMISSION } from "../../core/bounds.ts";
import type { Command, Effect } from "../../core/command.ts";
import { errorCode, LockyardError } from "../../core/errors.ts";

/** What one caller asked for with one `turn`. A long one takes several transactions. */
export class Request {
  readonly commands: readonly Command[];
  readonly answer: Promise<readonly Effect[]>;
  readonly #effects: Effect[] = [];
  #done = 0;
  #resolve: (effects: readonly Effect[]) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(commands: readonly Command[]) {
    this.commands = commands;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  next(limit: number): readonly Command[] {
    return this.#done === 0 && this.commands.length <= limit
      ? this.commands
      : this.commands.slice(this.#done, this.#done + limit);
  }

  /** So many commands more have been carried out. Answers the caller when they were the last; then true. */
  advance(count: number, effects: readonly Effect[]): boolean {
    const offset = this.#done;
    for (const effect of effects) {
      this.#effects.push(offset > 0 && "index" in effect ? { ...effect, index: effect.index + offset } : effect);
    }
    this.#done += count;
    if (this.#done < this.commands.length) return false;
    this.#resolve(this.#effects);
    return true;
  }

  /** Nothing of the rest was carried out. When nothing at all was, the caller is rejected; else each of the rest is refused. */
  fail(error: unknown): void {
    if (this.#done === 0) return this.#reject(error);
    const code = error instanceof LockyardError ? error.code : "BUG";
    const message = error instanceof Error ? error.message : (errorCode(error) ?? "unknown");
    for (let index = this.#done; index < this.commands.length; index++) {
      this.#effects.push({ type: "refused", index, code, message, blockers: [] });
    }
    this.#resolve(this.#effects);
  }
}

export interface Slice {
  readonly request: Request;
  readonly commands: readonly Command[];
}

export class RequestQueue {
  readonly #requests: Request[] = [];

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  push(request: Request): void {
    this.#requests.push(request);
  }

  /** What the next transaction carries out: whole requests, and the beginning of one that does not fit. */
  slices(): readonly Slice[] {
    const slices: Slice[] = [];
    let room: number = ADMISSION.commandsPerTurn;
    for (const request of this.#requests) {
      if (room <= 0) break;
      const commands = request.next(room);
      slices.push({ request, commands });
      room -= commands.length;
    }
    return slices;
  }

  /** The first request has been answered. */
  shift(): void {
    this.#requests.shift();
  }
}
