import fc from "fast-check";
import { expect, test } from "vitest";
import {
  EXCLUSIVE,
  locksConflict,
  normaliseClaims,
  RATE,
  type ResolvedClaim,
  resolvedClaim,
  SHARED,
  UNITS,
} from "../core/claims.ts";
import { type AnalyseOptions, analysePlan, type PlannedTask } from "./analysis.ts";

const write = (path: string) => resolvedClaim(`f:/${path}`, EXCLUSIVE);
const read = (path: string) => resolvedClaim(`f:/${path}`, SHARED);
const use = (name: string, units = 1) => resolvedClaim(`c:${name}`, UNITS, units);
const options = (fields: Partial<AnalyseOptions> = {}): AnalyseOptions => ({
  concurrency: 4,
  capacities: new Map([["c:build", { capacity: 1 }]]),
  ...fields,
});
const MINUTE = 60_000;

test("a capacity that bounds the run is named with what one unit more would save", () => {
  const tasks = Array.from({ length: 12 }, (_, index) => ({
    taskId: `t${index}`,
    claims: [use("build")],
    predictedMs: 2 * MINUTE,
  }));
  const { bottleneck, lowerBoundMs, suggestions } = analysePlan(tasks, options());
  expect(lowerBoundMs).toBe(24 * MINUTE);
  expect(bottleneck).toBe(
    "`build` (1 unit) is wanted by 12 tasks for 24 min in all; raising it to 2 would save up to 12 min.",
  );
  expect(suggestions[0]).toBe(bottleneck);
});

test("a chain that bounds the run is shown, and nothing is promised", () => {
  const tasks: PlannedTask[] = [
    { taskId: "a", claims: [], predictedMs: 60_000 },
    { taskId: "b", claims: [], predictedMs: 120_000, dependsOn: ["a"] },
    { taskId: "c", claims: [], predictedMs: 1_000 },
  ];
  const analysis = analysePlan(tasks, options());
  expect(analysis.criticalPath).toEqual({ ms: 180_000, taskIds: ["a", "b"] });
  expect(analysis.bottleneck).toBe(
    "The longest chain, a → b, takes 3 min; only shorter tasks or fewer dependencies help.",
  );
});

test("without predictions tasks are counted in task lengths and rates say nothing", () => {
  const tasks = Array.from({ length: 9 }, (_, index) => ({
    taskId: `t${index}`,
    claims: [resolvedClaim("r:llm", RATE)],
  }));
  const capacities = new Map([["r:llm", { capacity: 1, intervalMs: 1_000 }]]);
  const analysis = analysePlan(tasks, options({ capacities }));
  expect(analysis.durations).toBe("none");
  expect(analysis.bottleneck).toBe(
    "9 tasks on 4 slots are 9 task lengths of work; raising concurrency to 5 would save up to 0.5 task lengths.",
  );
});

test("a rate bounds a plan by the time its bucket needs to refill", () => {
  const tasks = Array.from({ length: 10 }, (_, index) => ({
    taskId: `t${index}`,
    claims: [resolvedClaim("r:llm", RATE)],
    predictedMs: 500,
  }));
  const analysis = analysePlan(
    tasks,
    options({ concurrency: 10, capacities: new Map([["r:llm", { capacity: 2, intervalMs: 1_000 }]]) }),
  );
  expect(analysis.lowerBoundMs).toBe(8 * 1_000 + 500);
});

test("a task without a prediction counts as the median of the others", () => {
  const tasks = [1, 2, 9].map((minutes, index) => ({ taskId: `t${index}`, claims: [], predictedMs: minutes * MINUTE }));
  expect(analysePlan([...tasks, { taskId: "x", claims: [] }], options())).toMatchObject({
    durations: "partly",
    workMs: 14 * MINUTE,
  });
});

test("a wide claim and a reader that freezes a directory are pointed out", () => {
  const below = ["a", "b", "c"].map((name) => ({ taskId: name, claims: [write(`src/${name}`)] }));
  const wide = analysePlan([...below, { taskId: "w", claims: [write("src")] }], options({ concurrency: 9 }));
  expect(wide.suggestions).toContainEqual(
    "`w` claims all of `/src`, and 3 tasks that claim parts of it cannot run meanwhile: claim only the parts that are written.",
  );
  const frozen = analysePlan([...below, { taskId: "docs", claims: [read("src")] }], options());
  expect(frozen.suggestions).toEqual([
    "`docs` reads all of `/src`, and 3 tasks cannot write there meanwhile: `observe` would lock nothing and report what changed.",
  ]);
});

test("every fault is told: twice, unknown with a suggestion, cycle, over capacity", () => {
  const { faults, graph } = analysePlan(
    [
      { taskId: "types", claims: [use("build", 2)] },
      { taskId: "types", claims: [] },
      { taskId: "docs", claims: [use("build", 2)], dependsOn: ["tpyes"] },
      { taskId: "x", claims: [], dependsOn: ["y"] },
      { taskId: "y", claims: [], dependsOn: ["z", "docs"] },
      { taskId: "z", claims: [], dependsOn: ["x"] },
    ],
    options(),
  );
  expect(faults.map(({ what, hint }) => hint ?? what)).toEqual([
    "Give each task its own id.",
    'Did you mean "types"?',
    "Take one of these dependencies out.",
    'asks for 2 of "build", which has 1',
  ]);
  expect(graph.cycle).toHaveLength(4);
});

test("the footprint names what is written, read and used", () => {
  const { footprint } = analysePlan(
    [
      { taskId: "a", claims: [write("src"), read("docs"), use("build")] },
      { taskId: "b", claims: [write("src"), use("build")] },
    ],
    options(),
  );
  expect(footprint).toEqual({
    writes: { count: 1, names: ["/src"] },
    reads: { count: 1, names: ["/docs"] },
    uses: [{ name: "build", units: 2, capacity: 1 }],
  });
});

test("an empty plan has no bottleneck", () => {
  expect(analysePlan([], options())).toMatchObject({ bottleneck: null, lowerBoundMs: 0, suggestions: [], faults: [] });
});

// --- Against all pairs, and against schedules ------------------------------------------------------------------------

const paths = ["a", "a/b", "a/b/c", "a/d", "e", "e/f"];
const claim = fc.oneof(
  fc.constantFrom(...paths.map(write), ...paths.map(read)),
  fc.integer({ min: 1, max: 3 }).map((units) => use("build", units)),
);
const plan = fc
  .array(
    fc.record({
      claims: fc.array(claim, { maxLength: 4 }),
      predictedMs: fc.integer({ min: 0, max: 50 }),
      dependsOn: fc.array(fc.nat(), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((drafts): readonly PlannedTask[] =>
    drafts.map(({ claims, predictedMs, dependsOn }, index) => ({
      taskId: `t${index}`,
      claims: normaliseClaims(claims).map((one) => (one.mode === UNITS && one.units > 3 ? { ...one, units: 3 } : one)),
      predictedMs,
      dependsOn: index === 0 ? [] : dependsOn.map((number) => `t${number % index}`),
    })),
  );
const three = new Map([["c:build", { capacity: 3 }]]);

/** All that lies behind each task, by walking. */
function behind(tasks: readonly PlannedTask[]): ReadonlyMap<string, ReadonlySet<string>> {
  const reach = new Map<string, Set<string>>(tasks.map(({ taskId }) => [taskId, new Set()]));
  for (const task of tasks.toReversed()) {
    for (const earlier of task.dependsOn ?? [])
      for (const later of [task.taskId, ...(reach.get(task.taskId) ?? [])]) reach.get(earlier)?.add(later);
  }
  return reach;
}

test("collisions are exactly the pairs whose claims conflict at a node and which no dependency orders", () => {
  fc.assert(
    fc.property(plan, (tasks) => {
      const { collisions } = analysePlan(tasks, options({ capacities: three }));
      const reach = behind(tasks);
      const expected = new Map<string, number>();
      const counted = (claims: readonly ResolvedClaim[]) =>
        claims.filter(
          ({ ancestors }) => !claims.some(({ node, mode }) => mode === EXCLUSIVE && ancestors.includes(node)),
        );
      for (const [index, a] of tasks.entries()) {
        for (const b of tasks.slice(index + 1)) {
          if (reach.get(a.taskId)?.has(b.taskId)) continue;
          const nodes = new Set<string>();
          for (const x of counted(a.claims)) {
            for (const y of counted(b.claims)) {
              if (locksConflict(x, y)) nodes.add(x.node.length < y.node.length ? x.node : y.node);
              if (x.mode === UNITS && y.mode === UNITS && x.units * 2 > 3 && y.units * 2 > 3) nodes.add(x.node);
            }
          }
          for (const node of nodes) expected.set(node, (expected.get(node) ?? 0) + 1);
        }
      }
      expect(new Map(collisions.resources.map(({ node, pairs }) => [node, pairs]))).toEqual(expected);
      for (const { pairs, examples } of collisions.resources) {
        expect(new Set(examples.map((pair) => pair.toSorted().join())).size).toBe(Math.min(pairs, 20));
      }
    }),
    { numRuns: 300 },
  );
});

/** Starts whatever may start, in the order given, whenever something ended. */
function makespan(tasks: readonly PlannedTask[], concurrency: number, order: readonly number[]): number {
  const waiting = new Set(order);
  const running = new Map<number, number>();
  const ended = new Set<string>();
  const held = () => [...running.keys()].flatMap((index) => tasks[index]?.claims ?? []);
  const fits = (claims: readonly ResolvedClaim[]) =>
    claims.every((one) => {
      if (one.mode !== UNITS) return held().every((other) => !locksConflict(one, other));
      return held().reduce((sum, other) => sum + (other.node === one.node ? other.units : 0), one.units) <= 3;
    });
  let nowMs = 0;
  for (;;) {
    for (const index of waiting) {
      const task = tasks[index];
      if (running.size >= concurrency || task === undefined) break;
      if (!(task.dependsOn ?? []).every((taskId) => ended.has(taskId)) || !fits(task.claims)) continue;
      waiting.delete(index);
      running.set(index, nowMs + (task.predictedMs ?? 0));
    }
    if (running.size === 0) return waiting.size === 0 ? nowMs : Number.NaN;
    nowMs = Math.min(...running.values());
    for (const [index, endMs] of running) {
      if (endMs > nowMs) continue;
      running.delete(index);
      ended.add(`t${index}`);
    }
  }
}

test("no schedule is shorter than any bound", () => {
  fc.assert(
    fc.property(plan, fc.integer({ min: 1, max: 4 }), fc.infiniteStream(fc.nat()), (tasks, concurrency, keys) => {
      const { bounds, lowerBoundMs } = analysePlan(tasks, options({ concurrency, capacities: three }));
      const shuffled = tasks.map((_, index) => ({ index, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      const ms = makespan(
        tasks,
        concurrency,
        shuffled.map(({ index }) => index),
      );
      expect(Number.isNaN(ms)).toBe(false);
      expect(lowerBoundMs).toBe(bounds[0]?.ms);
      expect(lowerBoundMs).toBeLessThanOrEqual(ms + 1e-9);
    }),
    { numRuns: 500 },
  );
});

test("ten thousand tasks on one lock with a chain through all are counted, not compared", () => {
  const tasks = Array.from({ length: 10_000 }, (_, index) => ({
    taskId: `t${index}`,
    claims: [write(`src/${index % 100}/${index}`), read("src"), use("build")],
    dependsOn: index === 0 ? [] : [`t${index - 1}`],
  }));
  const { collisions, lowerBoundMs } = analysePlan(tasks, options());
  expect(collisions).toMatchObject({ count: 0, leavesOutOrdered: true });
  expect(lowerBoundMs).toBe(10_000);
});
