/** A simulated process: one production layer, its clock, its seat at the store. */
import type { Budget } from "../../../engine/parts.ts";
import { judgeOwners, OwnerJudge } from "../../../process/owner-judge.ts";
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
  readonly #judgeOfOwners: OwnerJudge;
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
    this.#judgeOfOwners = new OwnerJudge({
      clock: this.clock,
      livenessOf: (identity) => world.livenessOf(identity.pid),
      // Agents of the simulation are functions: they end with their process.
      endRemains: async () => new Set(),
    });
    this.layer = simLayer({
      workflowId: this.name,
      pid,
      clock: this.clock,
      store: this.seat,
      agents: { actor: actor(this) },
      slots: this.slots,
      budget,
      graceMs,
      findDeadOwners: (owners) => this.#judgeOfOwners.findDead(owners),
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
        const { clock, seat, sideSeat } = this;
        await judgeOwners({ store: sideSeat, clock, judge: this.#judgeOfOwners, selves: new Set([seat.ownerId]) });
      } catch {
        // Busy: the next look will do.
      } finally {
        this.#isJudging = false;
      }
    }
    this.#judgeLater();
  }
}
