/** Task calls of a simulated workload, and what the scripted agent will do for each. */
import type { Claim, JsonObject, TaskCall } from "../../../core/task.ts";
import type { Chance } from "../chance.ts";

export type Act =
  | { readonly do: "work"; readonly ms: number }
  /** Says something very often. */
  | { readonly do: "storm"; readonly times: number }
  | { readonly do: "lock"; readonly claims: readonly Claim[]; readonly ms: number; readonly queueTimeoutMs: number }
  | { readonly do: "run"; readonly calls: readonly PlannedCall[] }
  | { readonly do: "rate"; readonly tokens: number }
  | { readonly do: "ask" }
  /** Fails in the first `times` attempts. */
  | { readonly do: "fail"; readonly how: "error" | "overload" | "nothing" | "text"; readonly times: number }
  /** Until it is asked to stop. */
  | { readonly do: "hang" }
  /** Heeds no signal for so long. */
  | { readonly do: "ignore"; readonly ms: number };

export interface PlannedCall {
  readonly call: TaskCall;
  readonly acts: readonly Act[];
  /** Answers with a thenable that settles twice. */
  readonly settlesTwice: boolean;
}

const PATHS = ["src", "src/api", "src/api/users", "src/ui", "docs", "docs/a.md"];
const NAMES = ["db", "db/users", "gpu"];

export class CallPlanner {
  readonly #chance: Chance;
  readonly #acts = new Map<string, PlannedCall>();
  #made = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** What the agent does for a task. */
  planOf(taskId: string): PlannedCall | undefined {
    return this.#acts.get(taskId);
  }

  /** A list of calls handed over together; later ones may depend on earlier ones. */
  list(size: number): readonly PlannedCall[] {
    const calls: PlannedCall[] = [];
    for (let made = 0; made < size; made++) calls.push(this.#call(0, calls));
    return calls;
  }

  #call(depth: number, before: readonly PlannedCall[]): PlannedCall {
    const chance = this.#chance;
    const taskId = `${depth === 0 ? "t" : "c"}${++this.#made}`;
    const acts = this.#script(depth);
    const fails = acts.find((act) => act.do === "fail");
    const hangs = acts.some((act) => act.do === "hang");
    // A call that joins another is no task of its own that one could depend on.
    const earlier = chance.is(0.2)
      ? chance.oneOf(before.filter(({ call }) => call.idempotencyKey === undefined))
      : undefined;
    const optional = <Key extends keyof TaskCall>(
      key: Key,
      probability: number,
      value: () => TaskCall[Key],
    ): Partial<TaskCall> => (chance.is(probability) ? { [key]: value() } : {});
    const call: TaskCall = {
      agentId: "actor",
      taskType: "work",
      description: taskId,
      taskId,
      claims: this.#claims(3),
      contextData: { taskId } satisfies JsonObject,
      ...optional("priority", 0.2, () => chance.between(-2, 5)),
      ...optional("queueTimeoutMs", 0.12, () => chance.between(50, 3_000)),
      ...optional("timeoutMs", hangs ? 0.7 : 0.15, () => chance.between(300, 4_000)),
      ...optional("idleTimeoutMs", 0.08, () => chance.between(100, 1_500)),
      ...optional("inputTimeoutMs", 0.3, () => chance.between(100, 2_000)),
      ...optional("retry", fails === undefined ? 0.1 : 0.7, () => ({
        attempts: chance.between(2, 4),
        baseMs: chance.between(1, 400),
      })),
      ...(depth === 0 ? optional("idempotencyKey", 0.06, () => `key${chance.pick(3)}`) : {}),
      ...(earlier === undefined
        ? {}
        : {
            dependsOn: [earlier.call.taskId ?? ""],
            when: chance.oneOf(["success", "always", "failure"] as const) ?? "success",
          }),
    };
    const planned = { call, acts, settlesTwice: chance.is(0.04) };
    this.#acts.set(taskId, planned);
    return planned;
  }

  #claims(most: number): readonly Claim[] {
    return Array.from({ length: this.#chance.pick(most + 1) }, () => this.#claim());
  }

  #claim(): Claim {
    const chance = this.#chance;
    const kind = chance.random();
    if (kind < 0.1) return { use: "build" };
    if (kind < 0.2) return { use: "port" };
    if (kind < 0.24) return { use: "api" };
    if (kind < 0.4) return { lock: chance.oneOf(NAMES) ?? "db", mode: chance.is(0.5) ? "shared" : "exclusive" };
    const path = chance.oneOf(PATHS) ?? "src";
    return chance.is(0.6) ? { write: path } : { read: path };
  }

  #script(depth: number): readonly Act[] {
    const acts: Act[] = [{ do: "work", ms: this.#ms() }];
    for (let count = this.#chance.pick(3); count > 0; count--)
      acts.push(this.#act(depth), { do: "work", ms: this.#ms() });
    return acts;
  }

  #act(depth: number): Act {
    const chance = this.#chance;
    const kind = chance.random();
    if (kind < 0.26) {
      // Units asked for in the middle would not count for a second request of the same agent.
      const claims = this.#claims(2).filter((claim) => !("use" in claim));
      return { do: "lock", claims, ms: this.#ms(), queueTimeoutMs: chance.is(0.4) ? chance.between(20, 2_000) : 0 };
    }
    if (kind < 0.44 && depth < 2)
      return { do: "run", calls: Array.from({ length: chance.between(1, 3) }, () => this.#call(depth + 1, [])) };
    if (kind < 0.5) return { do: "rate", tokens: chance.between(1, 2) };
    if (kind < 0.57) return { do: "ask" };
    if (kind < 0.78)
      return {
        do: "fail",
        how: chance.oneOf(["error", "error", "overload", "nothing", "text"] as const) ?? "error",
        times: chance.between(1, 3),
      };
    if (kind < 0.84) return { do: "hang" };
    if (kind < 0.92) return { do: "ignore", ms: chance.between(200, 9_000) };
    return { do: "storm", times: 40 };
  }

  #ms(): number {
    return this.#chance.is(0.06) ? this.#chance.between(2_000, 11_000) : this.#chance.between(1, 500);
  }
}
