/**
 * What goes wrong in one world, and how often. Drawn anew for each seed, most things absent most of the time: a world with
 * every fault at once only ever sees the commonest of them (swarm testing, Groce et al. 2012).
 */
import type { Chance } from "../chance.ts";

export type Profile = "mixed" | "stream" | "crowd" | "nested" | "units" | "gates";

export interface Weather {
  readonly profile: Profile;
  readonly owners: number;
  readonly tasks: number;
  /** When faults and arrivals end and everything must drain. */
  readonly calmAtMs: number;
  /** Whether a process can see whether another still lives; otherwise only leases speak. */
  readonly canSeeProcesses: boolean;
  /** Chance that an answer never reaches the process that asked. */
  readonly lostAnswers: number;
  /** Chance that a batch of commands is carried out a second time, later. */
  readonly duplicates: number;
  readonly delayMs: number;
  readonly answerDelayMs: number;
  /** Means between events; 0 for never. */
  readonly crashEveryMs: number;
  readonly stopEveryMs: number;
  readonly freezeEveryMs: number;
  readonly turnFaultEveryMs: number;
  readonly cancelEveryMs: number;
  readonly declareEveryMs: number;
  readonly rerankEveryMs: number;
  readonly skewMs: number;
  /** Overloads of the provider behind the rate. */
  readonly overloadEveryMs: number;
  /** Chance that what was granted cannot be used: a stranger uses a member of a pool, or a path leads elsewhere by now. */
  readonly strangers: number;
  /** Agents that ignore being asked to stop. */
  readonly stubborn: number;
}

const PROFILES: readonly Profile[] = ["mixed", "mixed", "mixed", "stream", "nested", "nested", "units", "gates"];

export function drawWeather(chance: Chance): Weather {
  const profile = chance.is(0.03) ? "crowd" : (chance.oneOf(PROFILES) ?? "mixed");
  const sometimes = (probability: number, value: () => number): number => (chance.is(probability) ? value() : 0);
  return {
    profile,
    owners: chance.between(2, 4),
    tasks:
      profile === "crowd"
        ? chance.between(80, 110)
        : profile === "stream"
          ? chance.between(120, 180)
          : chance.between(12, 40),
    calmAtMs: chance.between(6, 30) * 1_000,
    canSeeProcesses: chance.is(0.7),
    lostAnswers: sometimes(0.25, () => 0.02 + chance.random() * 0.08),
    duplicates: sometimes(0.3, () => 0.02 + chance.random() * 0.15),
    delayMs: chance.is(0.3) ? chance.between(20, 1_500) : 4,
    answerDelayMs: sometimes(0.3, () => chance.between(5, 800)),
    crashEveryMs: sometimes(0.4, () => chance.between(4_000, 20_000)),
    stopEveryMs: sometimes(0.35, () => chance.between(4_000, 20_000)),
    freezeEveryMs: sometimes(0.2, () => chance.between(2_000, 9_000)),
    turnFaultEveryMs: sometimes(0.3, () => chance.between(800, 5_000)),
    cancelEveryMs: sometimes(0.5, () => chance.between(400, 4_000)),
    declareEveryMs: sometimes(0.25, () => chance.between(1_000, 6_000)),
    rerankEveryMs: sometimes(0.2, () => chance.between(800, 4_000)),
    skewMs: sometimes(0.3, () => chance.between(5, 3_000)),
    stubborn: sometimes(0.4, () => chance.random() * 0.5),
    overloadEveryMs: sometimes(0.3, () => chance.between(500, 5_000)),
    strangers: sometimes(0.35, () => 0.1 + chance.random() * 0.4),
  };
}
