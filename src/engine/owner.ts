import { LEASE } from "../core/bounds.ts";
import type { Owner } from "../core/command.ts";
import type { Store, Timer } from "../core/ports.ts";
import type { ManagerParts } from "./parts.ts";
import type { TurnQueue } from "./turn-queue.ts";

/**
 * The heartbeat of the process behind a manager's tasks. It beats on a timer of the very loop that runs the tasks: a
 * process whose loop stands still does not beat, and one that beats is alive (L8).
 */
export class Heartbeat {
  readonly #parts: ManagerParts;
  readonly #turns: TurnQueue;
  readonly #ownerId: string;
  #timer: Timer | null = null;

  constructor(parts: ManagerParts, turns: TurnQueue, ownerId: string) {
    this.#parts = parts;
    this.#turns = turns;
    this.#ownerId = ownerId;
  }

  start(): void {
    this.#timer = this.#parts.clock.setTimer(LEASE.beatMs, this.#beat, { background: true });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  readonly #beat = (): void => {
    this.#turns.push({ type: "owner-beat", ownerId: this.#ownerId }, this);
    this.start();
  };
}

/** The owner of a manager: who it is, and an id that no other manager has. */
export async function ownerOf(parts: ManagerParts, ownerId: string, store: Pick<Store, "scope">): Promise<Owner> {
  const described = await parts.describeOwner(`library ${parts.workflowId}`, store);
  return { ...described, ownerId, beatAtMs: parts.clock.nowMs() };
}
