/** What one world of managers is like: drawn anew for each seed, most faults absent most of the time. */
import type { Chance } from "../chance.ts";

export interface ManagerWeather {
  readonly managers: number;
  readonly slots: number;
  readonly calls: number;
  /** When arrivals and faults end and everything must drain. */
  readonly calmAtMs: number;
  /** Whether turns take time, as in a shared file; otherwise they answer at once. */
  readonly isSlow: boolean;
  readonly turnMs: number;
  /** Chance that a turn finds the store busy. */
  readonly busy: number;
  readonly canSeeProcesses: boolean;
  /** Means between events; 0 for never. */
  readonly crashEveryMs: number;
  readonly stopEveryMs: number;
  readonly turnFaultEveryMs: number;
  readonly cancelEveryMs: number;
  readonly configureEveryMs: number;
  readonly closeEveryMs: number;
  /** Tasks the budget allows before it pauses; 0 for no budget. */
  readonly budgetTasks: number;
  readonly graceMs: number;
}

export function drawManagerWeather(chance: Chance): ManagerWeather {
  const sometimes = (probability: number, value: () => number): number => (chance.is(probability) ? value() : 0);
  const managers = chance.between(1, 3);
  const isSlow = chance.is(0.6);
  const faults = managers > 1 ? 0.35 : 0;
  return {
    managers,
    slots: chance.between(1, 5),
    calls: chance.between(6, 26),
    calmAtMs: chance.between(3, 20) * 1_000,
    isSlow,
    turnMs: isSlow ? chance.between(0, 60) : 0,
    busy: sometimes(0.2, () => chance.random() * 0.1),
    canSeeProcesses: chance.is(0.7),
    crashEveryMs: sometimes(faults, () => chance.between(4_000, 15_000)),
    stopEveryMs: sometimes(faults, () => chance.between(4_000, 15_000)),
    turnFaultEveryMs: sometimes(0.2, () => chance.between(500, 4_000)),
    cancelEveryMs: sometimes(0.5, () => chance.between(400, 4_000)),
    configureEveryMs: sometimes(0.3, () => chance.between(400, 4_000)),
    closeEveryMs: sometimes(0.1, () => chance.between(3_000, 12_000)),
    budgetTasks: sometimes(0.08, () => chance.between(2, 8)),
    graceMs: chance.between(100, 3_000),
  };
}
