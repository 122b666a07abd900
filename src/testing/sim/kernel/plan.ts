/** What a simulated task wants and what its agent will do. */
import { ClaimCache, type Mode, normaliseClaims, type ResolvedClaim } from "../../../core/claims.ts";
import type { OrphanPolicy } from "../../../core/row.ts";
import type { FinalStatus, HolderKind } from "../../../core/task.ts";
import type { Chance } from "../chance.ts";
import type { Weather } from "./weather.ts";

export type Step =
  | { readonly do: "work"; readonly ms: number }
  /** Asks for more, holds it for a while (or to the end, when `holdMs` is 0), and goes on, granted or not. */
  | {
      readonly do: "lock";
      readonly claims: readonly ResolvedClaim[];
      readonly holdMs: number;
      readonly queueTimeoutMs: number;
      /** Asked for at the same moment by another hand of the same agent, and kept to the end when it comes. */
      readonly beside: readonly ResolvedClaim[];
    }
  /** Gives its slot back, starts tasks inside itself, waits for them, takes a slot again; or starts them and goes on. */
  | { readonly do: "children"; readonly plans: readonly TaskPlan[]; readonly isWaitedFor: boolean }
  /** Waits for a person, its slot given back meanwhile. */
  | { readonly do: "ask"; readonly ms: number }
  /** This attempt ends here; the next begins with the step after it. */
  | { readonly do: "retry"; readonly delayMs: number };

export interface TaskPlan {
  readonly taskId: string;
  readonly claims: readonly ResolvedClaim[];
  /** Whether it counts against its owner's slots. */
  readonly usesSlot: boolean;
  readonly usesAgentLimit: boolean;
  readonly holder: HolderKind;
  readonly orphan: OrphanPolicy;
  readonly placeKey: string;
  readonly queueTimeoutMs: number;
  /** Stands blocked (by dependencies) for so long; 0 for not at all. */
  readonly blockedMs: number;
  /** Milliseconds by which its rank is better than its turn. */
  readonly head: number;
  readonly steps: readonly Step[];
  /** Of a guest: its hold lapses so long after its last sign of life; 0 for never. It gives one as often as it must. */
  readonly leaseMs: number;
  /** It goes silent after a while. */
  readonly fallsSilent: boolean;
  readonly ignoresAbort: boolean;
  /** Ends while tasks it started still run, as a command does that leaves another in the background. */
  readonly leavesChildren: boolean;
  readonly status: FinalStatus;
}

export const AGENT_LIMIT = "l:agent:writer";
export const PORTS: readonly string[] = ["3000", "3001", "3002"];

const PATHS = [
  "f:/a",
  "f:/a/x",
  "f:/a/x/1",
  "f:/a/x/2",
  "f:/a/y",
  "f:/b",
  "f:/b/x",
  "f:/b/x/1",
  "f:/c",
  "n:w:db",
  "n:w:db/users",
  "n:machine:gpu",
];
const HOT = "f:/hot";

export class Planner {
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #cache = new ClaimCache();
  #made = 0;

  constructor(chance: Chance, weather: Weather) {
    this.#chance = chance;
    this.#weather = weather;
  }

  next(): TaskPlan {
    switch (this.#weather.profile) {
      case "stream":
        return this.#stream();
      case "crowd":
        return this.#crowd();
      case "mixed":
      case "nested":
      case "units":
      case "gates":
        return this.#mixed(0);
    }
  }

  /** The same command again, from whoever lost its waiter. */
  again(plan: TaskPlan): TaskPlan {
    return { ...plan, taskId: this.#newId("t") };
  }

  #newId(prefix: string): string {
    return `${prefix}${++this.#made}`;
  }

  #base(over: Partial<TaskPlan>): TaskPlan {
    return {
      taskId: this.#newId("t"),
      claims: [],
      usesSlot: true,
      usesAgentLimit: false,
      holder: "in-process",
      orphan: "fail",
      placeKey: "",
      queueTimeoutMs: 0,
      blockedMs: 0,
      head: 0,
      steps: [],
      leaseMs: 0,
      fallsSilent: false,
      ignoresAbort: false,
      leavesChildren: false,
      status: "succeeded",
      ...over,
    };
  }

  #claim(node: string, mode: Mode, units = 1): ResolvedClaim {
    return this.#cache.get(node, mode, units);
  }

  /** Many that overlap without end, and early on a few who want the place, or most of the units, for themselves. */
  #stream(): TaskPlan {
    const chance = this.#chance;
    const isGreedy = this.#made < 12 && chance.is(0.2);
    const isCounted = this.#weather.tasks % 3 === 0;
    const node = isGreedy || chance.is(0.7) ? HOT : `${HOT}/${"ab"[chance.pick(2)]}`;
    const claim = isCounted ? this.#claim("c:build", 3, isGreedy ? 2 : 1) : this.#claim(node, isGreedy ? 2 : 1);
    return this.#base({
      claims: [claim],
      usesSlot: isGreedy && chance.is(0.3),
      steps: [{ do: "work", ms: chance.between(60, 160) }],
    });
  }

  /** One after another wants the same thing: more than one release may test. */
  #crowd(): TaskPlan {
    const chance = this.#chance;
    const isWriter = chance.is(0.04);
    return this.#base({
      claims: [this.#claim(isWriter ? HOT : chance.is(0.6) ? HOT : `${HOT}/a`, isWriter ? 2 : 1)],
      usesSlot: chance.is(0.15),
      queueTimeoutMs: chance.is(0.1) ? chance.between(100, 3_000) : 0,
      steps: [{ do: "work", ms: isWriter ? chance.between(300, 1_200) : chance.between(10, 400) }],
    });
  }

  #mixed(depth: number): TaskPlan {
    const chance = this.#chance;
    const { stubborn } = this.#weather;
    const placeKey = depth === 0 && chance.is(0.08) ? `place${chance.pick(3)}` : "";
    const holder = chance.oneOf(["in-process", "in-process", "owned", "owned", "guest"] as const) ?? "in-process";
    return this.#base({
      taskId: this.#newId(depth === 0 ? "t" : "c"),
      claims: this.#claims(),
      usesSlot: chance.is(0.8),
      usesAgentLimit: chance.is(this.#weather.profile === "gates" ? 0.6 : 0.15),
      holder,
      orphan: placeKey !== "" ? "vanish" : depth === 0 && chance.is(0.25) ? "suspend" : "fail",
      placeKey,
      queueTimeoutMs: chance.is(0.15) ? chance.between(50, 4_000) : 0,
      blockedMs: depth === 0 && chance.is(0.12) ? chance.between(10, 1_500) : 0,
      head: chance.is(0.3) ? chance.between(1, 4_000) : 0,
      steps: this.#steps(depth),
      leaseMs: holder === "guest" && chance.is(0.6) ? chance.between(300, 3_000) : 0,
      fallsSilent: chance.is(0.3),
      ignoresAbort: chance.is(stubborn),
      leavesChildren: chance.is(0.3),
      status: chance.is(0.85) ? "succeeded" : "failed",
    });
  }

  #claims(): readonly ResolvedClaim[] {
    const count = this.#chance.pick(4);
    return normaliseClaims(Array.from({ length: count }, () => this.#anyClaim())).map((claim) => this.#within(claim));
  }

  #anyClaim(): ResolvedClaim {
    const chance = this.#chance;
    const { profile } = this.#weather;
    const kind = chance.random();
    const counted = profile === "units" ? 0.7 : 0.2;
    const metered = counted + (profile === "gates" ? 0.25 : 0.06);
    if (kind < counted) {
      const node = chance.oneOf(["c:build", "c:build", "p:ports", "c:gpu"]) ?? "c:build";
      return this.#claim(node, 3, node === "c:gpu" ? 1 : chance.between(1, 2));
    }
    if (kind < metered) return this.#claim("r:api", 4, chance.between(1, 2));
    const paths = profile === "nested" ? PATHS.slice(0, 6) : PATHS;
    return this.#claim(chance.is(0.01) ? "f:" : (chance.oneOf(paths) ?? "f:/a"), chance.is(0.55) ? 2 : 1);
  }

  /** Sums of several claims on one counter may ask for more than there is: that is another test. */
  #within(claim: ResolvedClaim): ResolvedClaim {
    const most = this.#chance.is(0.02) ? 9 : claim.node === "c:gpu" ? 1 : claim.node === "p:ports" ? 3 : 2;
    return claim.mode < 3 || claim.units <= most ? claim : this.#claim(claim.node, claim.mode, most);
  }

  #steps(depth: number): readonly Step[] {
    const chance = this.#chance;
    const nested = this.#weather.profile === "nested" ? 0.7 : 0.15;
    const steps: Step[] = [{ do: "work", ms: this.#ms() }];
    for (let count = chance.pick(3); count > 0; count--) {
      const kind = chance.random();
      if (kind < nested * 0.7) {
        const holdMs = chance.is(0.4) ? 0 : this.#ms();
        const claims = this.#claims().filter(({ mode }) => mode < 4);
        const beside = chance.is(0.3) ? this.#claims().filter(({ mode }) => mode < 4) : [];
        const queueTimeoutMs = chance.is(0.3) ? chance.between(50, 3_000) : 0;
        if (claims.length > 0) steps.push({ do: "lock", claims, holdMs, queueTimeoutMs, beside });
      } else if (kind < nested && depth < 2) {
        steps.push({
          do: "children",
          plans: Array.from({ length: chance.between(1, 3) }, () => this.#mixed(depth + 1)),
          isWaitedFor: chance.is(0.7),
        });
      } else if (kind < nested + 0.1) steps.push({ do: "ask", ms: chance.between(50, 2_000) });
      else if (kind < nested + 0.2 && depth === 0) steps.push({ do: "retry", delayMs: chance.between(10, 1_500) });
      steps.push({ do: "work", ms: this.#ms() });
    }
    return steps;
  }

  #ms(): number {
    const chance = this.#chance;
    return chance.is(0.05) ? chance.between(2_000, 9_000) : chance.between(5, 700);
  }
}
