/** The grammar of a plan file. Every key carries its sentence: this becomes schema/plan.schema.json, which editors show. */
import * as z from "zod";
import { BOUNDS } from "../core/bounds.ts";
import * as w from "./words.ts";

const { text, textOrList, wordings } = w;

const claim = z
  .union([
    z.strictObject({ write: text.describe("A path nobody else may read or write meanwhile, and all below it.") }),
    z.strictObject({ read: text.describe("A path nobody may write meanwhile, and all below it.") }),
    z.strictObject({ observe: text.describe("A path that is not locked; reported when it changed meanwhile.") }),
    z.strictObject({
      use: text.describe("A declared capacity, pool or rate: `build`, or `build:2`."),
      units: w.wholeNumber(1, BOUNDS.units).optional(),
    }),
    z.strictObject({
      lock: text.describe("A name; needs no declaration. `machine:NAME` reaches beyond the workspace."),
      mode: z.enum(["exclusive", "shared"]).optional(),
    }),
  ])
  .register(wordings, { expected: "a claim: { write }, { read }, { observe }, { use, units } or { lock, mode }" });

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const forEach = z
  .strictObject({
    glob: textOrList
      .optional()
      .describe("Files, relative to the plan's root: one task for each. Exclude with `!` in front."),
    list: z.array(z.unknown()).optional().describe("Values: one task for each."),
    matrix: z
      .record(z.string(), z.array(scalar).min(1))
      .register(wordings, { expected: "lists by name" })
      .optional()
      .describe("Lists by name: one task for every combination. `{{matrix.os}}` is replaced."),
    from: text
      .optional()
      .describe("A list in the output of an earlier task: `list.output.files`. Expands when that task ends."),
    as: text.optional().describe("Name of the variable: `as: file` makes `{{file}}`. Default item."),
    max: w
      .wholeNumber(1, BOUNDS.forEachItems)
      .optional()
      .describe(
        `Most tasks this may become; more is refused. Default ${BOUNDS.forEachItems}; ${BOUNDS.deferredItems} with from.`,
      ),
  })
  .register(wordings, { expected: "one of { glob }, { list }, { matrix }, { from }" })
  .describe("Makes many tasks of one.");

const task = z
  .strictObject({
    run: w.command
      .optional()
      .describe("A command: split into arguments without a shell, or a list of them. Instead of agent."),
    agent: text.optional().describe("Name of an agent, or claude-code, codex, gemini, opencode. Instead of run."),
    description: z
      .union([text, z.strictObject({ file: text.describe("A text file, relative to the plan's root.") })])
      .register(wordings, { expected: "a text, or { file: PATH }" })
      .optional()
      .describe("What the agent shall do."),
    type: text.optional().describe("Task type, for example api_implementation: claims are inferred from it."),
    forEach: forEach.optional(),
    write: textOrList.optional().describe("Paths nobody else may read or write meanwhile, and all below them."),
    read: textOrList.optional().describe("Paths nobody may write meanwhile, and all below them."),
    observe: textOrList.optional().describe("Paths that are not locked; reported when they changed meanwhile."),
    use: textOrList.optional().describe("Declared capacities, pools or rates: `build`, or `build:2` for two units."),
    lock: textOrList.optional().describe("Names to lock; they need no declaration."),
    claims: z.array(claim).optional().describe("Claims in the long form, for units and shared locks."),
    identify: w.identify.optional(),
    dependsOn: textOrList
      .optional()
      .describe("Tasks that end before this one starts. A forEach task stands for all its members."),
    if: z
      .enum(["success", "always", "failure"])
      .optional()
      .describe("Runs when all dependencies succeeded (default), whatever happened, or when at least one failed."),
    env: w.environment.optional(),
    cwd: w.workingDirectory.optional(),
    retry: w.retry.optional(),
    priority: z
      .number()
      .min(-1_000_000)
      .max(1_000_000)
      .register(wordings, { expected: "a number from -1,000,000 to 1,000,000" })
      .optional()
      .describe("Higher runs earlier. Default 0."),
    ...w.timing,
    queueTimeout: w.duration.optional().describe("Longest time in line."),
    inputTimeout: w.duration.optional().describe("Longest wait for an answer of a person."),
    context: z
      .record(z.string(), z.unknown())
      .register(wordings, { expected: "data by name" })
      .optional()
      .describe("Data handed to the agent."),
    outputSchema: z
      .record(z.string(), z.unknown())
      .register(wordings, { expected: "a JSON Schema" })
      .optional()
      .describe("JSON Schema that the output must satisfy."),
    shell: z.boolean().optional().describe("Hand `run` to a shell, for pipes and the like. Default false."),
    leftovers: w.leftovers.optional(),
    isolation: w.isolation.optional(),
  })
  .register(wordings, { expected: "a task, for example { run: npm test }" });

export const planSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where editors find the schema."),
    name: text.optional().describe("Name of the workflow. Default: the name of the file."),
    concurrency: w.concurrency
      .optional()
      .describe("Tasks that may run at once. Default 10; auto follows the load of the machine."),
    env: w.environment.optional(),
    cwd: w.workingDirectory.optional(),
    deadline: w.duration.optional().describe("Time after which what has not ended is stopped."),
    identify: w.identify.optional(),
    resources: w.resources.optional(),
    agents: w.agents.optional(),
    tasks: z.record(z.string(), task).register(wordings, { expected: "tasks by id" }).describe("The tasks, by id."),
    budget: z
      .strictObject({
        tasks: w
          .wholeNumber(1, BOUNDS.tasksPerWorkflow)
          .optional()
          .describe("Tasks that may start, subtasks included."),
        tokens: w.wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("Tokens, input and output together."),
        usd: z
          .number()
          .positive()
          .register(wordings, { expected: "a number above 0" })
          .optional()
          .describe("Cost in US dollars."),
        wall: w.duration.optional().describe("Time from the start of the workflow."),
      })
      .optional()
      .describe("What the whole tree of tasks may spend. A breach pauses; nothing is killed."),
    notify: w.notify.optional(),
    onQuarantine: w.onQuarantine.optional(),
    weight: z
      .number()
      .min(0.01)
      .max(100)
      .register(wordings, { expected: "a number from 0.01 to 100" })
      .optional()
      .describe("Share of this workflow beside others that wait for the same. Default 1; 2 gets twice as much."),
  })
  .register(wordings, { expected: "a plan: name, tasks and so on" });

export type RawPlan = z.infer<typeof planSchema>;
export type RawTask = RawPlan["tasks"][string];
export type RawForEach = NonNullable<RawTask["forEach"]>;
export type RawClaim = z.infer<typeof claim>;
export type RawNotice = z.infer<typeof w.notice>;
export type RawAgent = z.infer<typeof w.agent>;
export type RawRetry = z.infer<typeof w.retry>;
export type RawEnvironment = z.infer<typeof w.environment>;
