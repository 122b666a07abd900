/** A simulated process: one production layer, its clock, its seat at the store. */
import type { Budget } from "../../../engine/parts.ts";
import { judgeOwners } from "../../../stores/sqlite/owners.ts";
import { actor } from "./actor.ts";
import { ProcessClock } from "./process-clock.ts";
import { Seat } from "./seat.ts";
import { type SimLayer, simLayer } from "./sim-parts.ts";
import type { ManagerWorld } from "./world.ts";

const JUDGE_MS = 1_500;

export class ManagerProcess {
  readonly world: ManagerWorld;
  readonly name: string;
  readonly pid: number;
  readonly clock: ProcessClock;
  readonly seat: Seat;
  /** For whoever acts beside the manager: what its turns do to the manager's tasks the manager is told. */
  readonly sideSeat: Seat;
  readonly layer: SimLayer;
  isClosed = false;
  slots: number;
  #isJudging = false;

  constructor(world: ManagerWorld, pid: number, seed: number) {
    this.world = world;
    this.pid = pid;
    this.name = `m${pid}`;
    this.slots = world.weather.slots;
    this.clock = new ProcessClock(world.clock, seed);
    this.seat = new Seat(this);
    this.sideSeat = new Seat(this, `beside ${this.name}`);
    const budget: Budget = world.weather.budgetTasks > 0 ? { tasks: world.weather.budgetTasks } : {};
    const { graceMs } = world.weather;
    this.layer = simLayer({
      workflowId: this.name,
      pid,
      clock: this.clock,
      store: this.seat,
      agents: { actor: actor(this) },
      slots: this.slots,
      budget,
      graceMs,
    });
    world.books.limitSet(this.name, this.slots);
    this.#judgeLater();
  }

  note(line: string): void {
    this.world.note(this.name, line);
  }

  #judgeLater(): void {
    this.clock.setTimer(JUDGE_MS, () => void this.#judge(), { background: true });
  }

  /** Looks after the leases of others, as whoever shares a store does. */
  async #judge(): Promise<void> {
    if (this.isClosed) return;
    if (!this.#isJudging && this.seat.ownerId !== "") {
      this.#isJudging = true;
      try {
        const { world, clock, seat, sideSeat } = this;
        await judgeOwners({
          store: sideSeat,
          clock,
          selves: new Set([seat.ownerId]),
          livenessOf: ({ pid }) => world.livenessOf(pid),
        });
      } catch {
        // Busy: the next look will do.
      } finally {
        this.#isJudging = false;
      }
    }
    this.#judgeLater();
  }
}
