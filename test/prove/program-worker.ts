/**
 * One process that runs one random program on the shared store. Arguments: directory, name, seed. A counter is a file that
 * is read, and some time later replaced by one with one entry more: who is not alone in between loses an entry. Every
 * entry is written into a journal afterwards, every acknowledged result with its entries into a file of results.
 */
import fs from "node:fs";
import path from "node:path";
import { systemClock } from "../../src/clock/system-clock.ts";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import {
  type AgentContext,
  type Claim,
  defineAgents,
  functionAgent,
  MCPIntegrationLayer,
  type TaskCall,
} from "../../src/index.ts";
import { sqliteStore } from "../../src/stores/sqlite/index.ts";
import { ATTEMPTS, expectedEnds, type ProgramTask, randomProgram } from "./program.ts";

const [place = "", name = "", seed = "0"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const clock = systemClock();
const program = randomProgram(random);
const tasks = new Map(program.map((task) => [task.taskId, task]));
const append = (file: string, ...words: readonly string[]): void =>
  fs.appendFileSync(path.join(place, file), `${words.join(" ")}\n`);

function claimOf(counter: string): Claim {
  return counter === "unit" ? { use: "unit" } : { lock: `machine:${counter}` };
}

async function add(counter: string, id: string): Promise<string> {
  const file = path.join(place, counter);
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  await new Promise<void>((resolve) => {
    clock.setTimer(random() * 12, resolve);
  });
  fs.writeFileSync(`${file}.${name}`, `${before}${id}\n`);
  fs.renameSync(`${file}.${name}`, file);
  append("journal", counter, id);
  return `${counter} ${id}`;
}

async function midway(counter: string, id: string, ctx: AgentContext): Promise<string> {
  await using _locks = await ctx.lock([claimOf(counter)]);
  // Awaited here: `return add(…)` would let go of the lock first.
  return await add(counter, id);
}

const agents = defineAgents({
  programmed: functionAgent(async ({ taskId }, ctx) => {
    const task = tasks.get(taskId);
    if (task === undefined) throw new Error(`There is no task ${taskId}.`);
    const missing = task.dependsOn.filter((other) => ctx.dependencies[other] === undefined);
    if (missing.length > 0) throw new Error(`${taskId} started without the results of ${missing}.`);
    const entries: string[] = [];
    for (const { counter, isMidway } of task.steps) {
      const id = `${name}/${taskId}#${ctx.attempt}`;
      entries.push(await (isMidway ? midway(counter, id, ctx) : add(counter, id)));
    }
    if (task.failures === -1 || ctx.attempt <= task.failures) {
      throw Object.assign(new Error("fails as programmed"), { retryable: true });
    }
    if (task.children.length === 0) return entries;
    const calls = task.children.map((counter, index) => childCall(`${taskId}.${ctx.attempt}.${index}`, counter));
    const children = await ctx.run(calls);
    for (const { output, errorMessage } of children) {
      if (output === null) throw new Error(`a subtask failed: ${errorMessage}`);
      entries.push(String(output));
    }
    return entries;
  }),
  child: functionAgent(async ({ taskId, contextData }) => add(String(contextData?.counter), `${name}/${taskId}`)),
});

function childCall(taskId: string, counter: string): TaskCall {
  return {
    agentId: "child",
    taskType: "add",
    description: "adds one",
    taskId,
    contextData: { counter },
    claims: [claimOf(counter)],
  };
}

function callOf(task: ProgramTask): TaskCall {
  return {
    agentId: "programmed",
    taskType: "add",
    description: "adds to counters",
    taskId: task.taskId,
    dependsOn: task.dependsOn,
    when: task.when,
    claims: task.steps.filter(({ isMidway }) => !isMidway).map(({ counter }) => claimOf(counter)),
    retry: { attempts: ATTEMPTS, baseMs: 5 },
  };
}

const layer = new MCPIntegrationLayer({
  workflowId: name,
  maxConcurrentTasks: 4,
  agents,
  store: sqliteStore({ file: path.join(place, "store.db") }),
  resources: { unit: { capacity: 1 } },
});
const expected = expectedEnds(program);
for await (const { taskId, status, output, errorMessage } of layer.parallelTaskManager.results(program.map(callOf))) {
  const entries = status === "succeeded" && Array.isArray(output) ? output : [];
  append("results", `${name}/${taskId}`, status, ...entries.flatMap((entry) => String(entry).replace(" ", ":")));
  if (status !== expected.get(taskId)) {
    append("faults", `${name}/${taskId} ended ${status} instead of ${expected.get(taskId)}: ${errorMessage}`);
  }
}
await layer.close();
append("completed", name);
process.exit(0);
