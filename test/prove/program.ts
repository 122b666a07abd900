/**
 * Random programs: graphs of tasks with retries, failures, nested tasks and locks taken midway, whose every step adds one
 * to a counter that only a lock protects. What each task must come to is worked out beforehand, by other means.
 */

interface Step {
  /** Name of the counter it adds to. */
  readonly counter: string;
  /** Taken in the middle of the task instead of before it. */
  readonly isMidway: boolean;
}

export interface ProgramTask {
  readonly taskId: string;
  readonly dependsOn: readonly string[];
  readonly when: "success" | "always" | "failure";
  readonly steps: readonly Step[];
  /** Attempts that fail before one succeeds; -1 for a task that never does. */
  readonly failures: number;
  /** Counters of subtasks it starts and waits for. */
  readonly children: readonly string[];
}

/** Counters under an exclusive lock, and one under a capacity of one unit. */
export const COUNTERS: readonly string[] = ["c0", "c1", "c2", "c3", "unit"];
/** Attempts every task has. */
export const ATTEMPTS = 3;

export function randomProgram(random: () => number): readonly ProgramTask[] {
  const pick = (most: number): number => Math.floor(random() * most);
  const tasks: ProgramTask[] = [];
  for (let index = 0, count = 6 + pick(8); index < count; index++) {
    const before = tasks.map(({ taskId }) => taskId).filter(() => random() < 0.25);
    const when = random() < 0.8 ? "success" : random() < 0.5 ? "always" : "failure";
    // What is taken while something is held comes later in the list: then no cycle can close.
    const own = [...new Set(Array.from({ length: pick(3) }, () => pick(COUNTERS.length)))].sort();
    const heldFromStart = random() < 0.5 ? own.length : 1;
    const after = COUNTERS.slice((own.at(-1) ?? -1) + 1);
    const children = random() < 0.3 ? Array.from({ length: 1 + pick(2) }, () => after[pick(after.length)]) : [];
    tasks.push({
      taskId: `t${index}`,
      dependsOn: before.slice(-3),
      when: before.length === 0 ? "success" : when,
      steps: own.map((at, order) => ({ counter: COUNTERS[at] ?? "", isMidway: order >= heldFromStart })),
      failures: random() < 0.7 ? 0 : random() < 0.7 ? 1 + pick(ATTEMPTS - 1) : -1,
      children: children.filter((counter) => counter !== undefined),
    });
  }
  return tasks;
}

/** How each task must end. */
export function expectedEnds(program: readonly ProgramTask[]): ReadonlyMap<string, "succeeded" | "failed" | "skipped"> {
  const ends = new Map<string, "succeeded" | "failed" | "skipped">();
  for (const { taskId, dependsOn, when, failures } of program) {
    const unwell = dependsOn.filter((other) => ends.get(other) !== "succeeded");
    const runs = when === "always" || (when === "success" ? unwell.length === 0 : unwell.length > 0);
    ends.set(taskId, !runs ? "skipped" : failures === -1 ? "failed" : "succeeded");
  }
  return ends;
}
