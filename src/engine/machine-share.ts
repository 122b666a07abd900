import { BOUNDS } from "../core/bounds.ts";
import type { Command } from "../core/command.ts";
import { DEFAULT_DECLARER } from "../core/counters.ts";
import { MACHINE_LIMIT, PLACE_MS } from "../core/shares.ts";
import type { AgentTable } from "./agent-table.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ManagerParts } from "./parts.ts";

/**
 * What a manager is beside others in one store: its tasks count among those the machine may run at once, and stand in the
 * shared lines by its share (core/shares.ts). In a store of its own it is nothing of that.
 */
export class MachineShare {
  readonly #parts: ManagerParts;
  readonly #ownerId: string;
  #isShared = false;
  /** Virtual milliseconds between its tasks in a shared line; 0 where there is none. */
  placeMs = 0;

  constructor(parts: ManagerParts, ownerId: string) {
    this.#parts = parts;
    this.#ownerId = ownerId;
  }

  /** The store is open and shared. Twice is fine. */
  begin(agents: AgentTable, dispatcher: Dispatcher): void {
    if (this.#isShared) return;
    this.#isShared = true;
    const { scheduler, standing, weight = 1 } = this.#parts;
    if (standing.countsForMachine !== false) agents.countForMachine();
    if (scheduler.countsFromNow !== true) return;
    this.placeMs = PLACE_MS / weight;
    dispatcher.rankFromNow();
  }

  declarations(): readonly Command[] {
    if (!this.#isShared) return [];
    const limit = { type: "declare", node: MACHINE_LIMIT, kind: "limit" } as const;
    const { machineConcurrency } = this.#parts;
    const none = { ...limit, capacity: BOUNDS.waitingInMemory, by: DEFAULT_DECLARER, authority: false };
    if (machineConcurrency === undefined) return [none];
    const source = "concurrency of your own file";
    return [none, { ...limit, capacity: machineConcurrency, by: this.#ownerId, authority: true, source }];
  }
}
