/**
 * One manager's seat at a store that several share: turns in its own name, at once or after a while, sometimes busy. Rows
 * in answers are copies, as those of a shared file are.
 */
import type { Command, Effect, Owner } from "../../../core/command.ts";
import { LockyardError } from "../../../core/errors.ts";
import type { Awaitable, Store, StoreView } from "../../../core/ports.ts";
import type { TaskRow } from "../../../core/row.ts";
import { plainRow } from "../../rows.ts";
import { describeCommand, describeNotice, noticesOf } from "../notice.ts";
import type { ManagerProcess } from "./manager-process.ts";

export class Seat implements Store {
  readonly kind = "memory";
  readonly scope = "machine";
  readonly location = "simulated";
  readonly #process: ManagerProcess;
  #ownerId = "";
  #heardUntilMs = 0;
  #onEffects: (effects: readonly Effect[]) => void = () => undefined;

  /** `callerId`: in whose name turns are made, until somebody joins. */
  constructor(process: ManagerProcess, callerId = "") {
    this.#process = process;
    this.#ownerId = callerId;
  }

  get ownerId(): string {
    return this.#ownerId;
  }

  turn(commands: readonly Command[]): Awaitable<readonly Effect[]> {
    const { world, clock } = this.#process;
    if (!world.weather.isSlow) {
      if (this.#isBusy()) throw busy();
      return this.#carryOut(commands);
    }
    return new Promise((resolve, reject) => {
      clock.setTimer(world.chance.pick(world.weather.turnMs + 1), () => {
        if (this.#isBusy()) return reject(busy());
        try {
          const effects = this.#carryOut(commands);
          this.#deliver(world.chance.pick(world.weather.turnMs + 1), () => resolve(effects));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** What was committed earlier is heard earlier: an answer is never overtaken by news of a later turn. */
  #deliver(delayMs: number, hear: () => void): void {
    const { clock } = this.#process;
    this.#heardUntilMs = Math.max(this.#heardUntilMs, clock.nowMs() + delayMs);
    clock.setTimer(this.#heardUntilMs - clock.nowMs(), hear, { background: true });
  }

  #isBusy(): boolean {
    const { world } = this.#process;
    if (world.isCalm || !world.chance.is(world.weather.busy)) return false;
    world.sometimes.happened("store was busy and asked again");
    return true;
  }

  #carryOut(commands: readonly Command[]): readonly Effect[] {
    const { world, name } = this.#process;
    const effects = world.meddle.answer(world.store.turnFor(this.#ownerId, world.meddle.commands(commands)));
    const notices = noticesOf(effects, this.#ownerId);
    world.note(name, `[${commands.map(describeCommand).join("; ")}] → ${notices.map(describeNotice).join(", ")}`);
    if (notices.some((notice) => notice.type === "quarantined" && this.#isOfTheLiving(notice.ownerId)))
      world.sometimes.happened("manager judged gone while it lived");
    if (commands.some(({ type }) => type === "confirm"))
      world.sometimes.happened("grant of another manager's turn confirmed");
    return effects.map(copied);
  }

  #isOfTheLiving(ownerId: string): boolean {
    const { world } = this.#process;
    return ownerId !== this.#ownerId && world.alive.some(({ seat }) => seat.ownerId === ownerId);
  }

  join(owner: Owner, onEffects: (effects: readonly Effect[]) => void): void {
    const { world } = this.#process;
    this.#ownerId = owner.ownerId;
    this.#onEffects = onEffects;
    world.store.join(owner, (effects) => {
      if (world.meddle.losesNotice()) return;
      const told = effects.map(copied);
      this.#deliver(world.chance.pick(20), () => this.#onEffects(told));
    });
  }

  nextDueAtMs(): number {
    return this.#process.world.store.nextDueAtMs();
  }

  view<T>(read: (view: StoreView) => T): Awaitable<T> {
    const { world } = this.#process;
    const seen = world.store.view(read);
    return world.weather.isSlow ? Promise.resolve(seen) : seen;
  }

  close(): void {
    this.#onEffects = () => undefined;
  }
}

function busy(): LockyardError {
  return new LockyardError("STORE_BUSY", "The simulated store is busy.");
}

function copied(effect: Effect): Effect {
  return "row" in effect ? { ...effect, row: plainRow(effect.row) as unknown as TaskRow } : effect; // all of its fields
}
