/**
 * While tasks of this process stand in a shared line, it looks every second for owners that died, and reports them: what
 * they held goes to the next. The reports are turns of this manager, so it sees what they grant.
 */
import type { Owner } from "../core/command.ts";
import type { Awaitable, StoreView } from "../core/ports.ts";
import type { Agenda, Due } from "./agenda.ts";
import type { ManagerParts } from "./parts.ts";
import type { TurnQueue } from "./turn-queue.ts";

const LOOK_MS = 1_000;
/** A turn deals with a page of a dead owner's rows: looked at again soon, until it is gone from the store. */
const AGAIN_MS = 50;

export interface DeathWatchWiring {
  readonly parts: ManagerParts;
  readonly agenda: Agenda;
  readonly turns: TurnQueue;
  readonly ownerId: string;
  readonly view: <T>(read: (view: StoreView) => T) => Awaitable<T>;
}

export class DeathWatch {
  readonly #wiring: DeathWatchWiring;
  #isOn = false;
  #isLooking = false;

  constructor(wiring: DeathWatchWiring) {
    this.#wiring = wiring;
  }

  start(): void {
    if (this.#isOn || this.#wiring.parts.findDeadOwners === undefined) return;
    this.#isOn = true;
    this.#lookIn(AGAIN_MS);
  }

  stop(): void {
    this.#isOn = false;
    this.#wiring.agenda.clear(this.#look);
  }

  #lookIn(delayMs: number): void {
    if (this.#isOn) this.#wiring.agenda.set(this.#look, this.#wiring.parts.clock.nowMs() + delayMs);
  }

  readonly #look: Due = {
    dueAtMs: 0,
    place: -1,
    onDue: () => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      this.#report()
        // A look that fails (the store is busy) is repeated; whoever runs tasks hears of a broken store otherwise.
        .then(
          (found) => this.#lookIn(found > 0 ? AGAIN_MS : LOOK_MS),
          () => this.#lookIn(LOOK_MS),
        )
        .finally(() => {
          this.#isLooking = false;
        });
    },
  };

  async #report(): Promise<number> {
    const { parts, turns, ownerId, view } = this.#wiring;
    const owners = await view((store) => store.owners());
    const others = owners.filter((owner: Owner) => owner.ownerId !== ownerId);
    const dead = others.length === 0 ? [] : ((await parts.findDeadOwners?.(others)) ?? []);
    if (!this.#isOn) return 0;
    for (const { ownerId: gone, isProven } of dead) turns.push({ type: "owner-gone", ownerId: gone, isProven }, null);
    // An unproven one stays in the store while it holds something: no hurry.
    return dead.filter(({ isProven }) => isProven).length;
  }
}
