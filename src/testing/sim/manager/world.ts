/** One simulated world of managers: processes that share a store, the people around them, and the books of the ghost. */
import { type VirtualClock, virtualClock } from "../../../clock/virtual-clock.ts";
import type { Command, Effect } from "../../../core/command.ts";
import { MemoryStore } from "../../../stores/memory/memory-store.ts";
import { Chance } from "../chance.ts";
import { FaultyLedger } from "../faulty-ledger.ts";
import type { Sometimes } from "../sometimes.ts";
import { Trace } from "../trace.ts";
import { Verdict } from "../violation.ts";
import { Books, type Run } from "./books.ts";
import { CallPlanner } from "./calls.ts";
import type { ManagerEvent } from "./catalogue.ts";
import { ManagerProcess } from "./manager-process.ts";
import { drawManagerWeather, type ManagerWeather } from "./weather.ts";

/** What a saboteur may change between managers, agents and store; nothing, in an honest world. */
export interface Meddling {
  commands(commands: readonly Command[]): readonly Command[];
  answer(effects: readonly Effect[]): readonly Effect[];
  losesNotice(): boolean;
  leavesAgentsBehind(): boolean;
}

export const HONEST: Meddling = {
  commands: (commands) => commands,
  answer: (effects) => effects,
  losesNotice: () => false,
  leavesAgentsBehind: () => false,
};

const START_MS = 1_000;
const FIRST_FENCE = 1_000;

export class ManagerWorld {
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly weather: ManagerWeather;
  readonly trace = new Trace();
  readonly verdict = new Verdict();
  readonly books: Books;
  readonly planner: CallPlanner;
  readonly sometimes: Sometimes<ManagerEvent>;
  readonly ledger = new FaultyLedger(FIRST_FENCE);
  readonly store: MemoryStore;
  readonly meddle: Meddling;
  readonly processes: ManagerProcess[] = [];
  /** Inside which attempt a task was started. */
  readonly parents = new Map<string, Run>();
  isCalm = false;
  isOver = false;

  constructor(seed: number, sometimes: Sometimes<ManagerEvent>, meddle: Meddling = HONEST) {
    this.clock = virtualClock({ seed, startMs: START_MS });
    this.chance = new Chance(seed);
    this.weather = drawManagerWeather(this.chance);
    this.sometimes = sometimes;
    this.meddle = meddle;
    this.books = new Books(this.verdict, () => this.clock.nowMs());
    this.planner = new CallPlanner(this.chance);
    this.store = new MemoryStore(this.clock, this.ledger);
    this.note("world", JSON.stringify(this.weather));
    for (let count = 0; count < this.weather.managers; count++) this.addProcess();
  }

  addProcess(): ManagerProcess {
    const process = new ManagerProcess(this, this.processes.length + 1, this.chance.pick(1_000_000_000));
    this.processes.push(process);
    return process;
  }

  get alive(): ManagerProcess[] {
    return this.processes.filter(({ clock, isClosed }) => !clock.isDead && !isClosed);
  }

  get awake(): ManagerProcess[] {
    return this.alive.filter(({ clock }) => clock.isAwake);
  }

  note(who: string, line: string): void {
    this.trace.add(this.clock.nowMs(), `${who.padEnd(5)} ${line}`);
  }

  livenessOf(pid: number): "alive" | "gone" | "unknown" {
    if (!this.weather.canSeeProcesses) return "unknown";
    return this.processes[pid - 1]?.clock.isDead === true ? "gone" : "alive";
  }

  /** A person answers after a while, unless the task has gone meanwhile. */
  askPerson(process: ManagerProcess, taskId: string): void {
    const answer = (): void => {
      try {
        process.layer.answer(taskId, "this one");
      } catch {
        // It asks no more.
      }
    };
    this.clock.setTimer(this.chance.between(10, this.isCalm ? 100 : 2_500), () => process.clock.whenAwake(answer));
  }
}
