/** What hosts may say to the tools. The sentences are all a model knows: short, static, and the words of a plan. */
import * as z from "zod";

const texts = z.union([z.string(), z.array(z.string())]);

const reading = {
  agent: z.string().min(1).describe("Name of an agent; the tool `status` lists them."),
  description: z.string().min(1).describe("What the agent shall do. It knows nothing but this."),
  id: z.string().min(1).optional().describe("Your name for it: for dependsOn and for the other tools."),
  type: z.string().optional().describe("Task type, for example api_implementation."),
  context: z.record(z.string(), z.unknown()).optional().describe("Data handed to the agent."),
  read: texts.optional().describe("Paths that nobody may write meanwhile."),
  observe: texts.optional().describe("Paths that are not locked; told when they changed meanwhile."),
  use: texts.optional().describe("Declared capacities: `build`, or `build:2` for two units."),
  timeout: z.string().optional().describe("Longest run, for example 10m."),
  idleTimeout: z.string().optional().describe("Longest time without a sign of life."),
  queueTimeout: z.string().optional().describe("Longest time in line."),
  priority: z.number().optional().describe("Higher runs earlier. Default 0."),
  retry: z.number().int().min(0).max(10).optional().describe("Further attempts after a failure."),
};

export const readOnlyTask = z.strictObject(reading);

export const task = z.strictObject({
  ...reading,
  write: texts.optional().describe("Paths that nobody else may read or write meanwhile, and all below them."),
  lock: texts.optional().describe("Names that nobody else may lock meanwhile."),
});

export const listedTask = z.strictObject({
  ...task.shape,
  dependsOn: texts.optional().describe("Ids of tasks of this call that end before this one starts."),
  if: z
    .enum(["success", "always", "failure"])
    .optional()
    .describe("Runs when all it depends on succeeded (default), whatever happened, or when one failed."),
});

export const tasks = z.strictObject({ tasks: z.array(listedTask).min(1).max(1_000) });

export const waiting = z.strictObject({
  ids: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Tasks to wait for; default all that you started and have no result of."),
  until: z.enum(["all", "any"]).optional().describe("Answer when all have ended (default), or as soon as one has."),
  seconds: z.number().min(0).max(45).optional().describe("Answer after this long at the latest. Default and most 45."),
});

export const naming = z.strictObject({ ids: z.array(z.string()).min(1).describe("Ids of tasks that you started.") });

export const what = z.strictObject({ what: z.string().min(1).describe("A task, a path, or the name of a resource.") });

export const answering = z.strictObject({
  id: z.string().min(1).describe("The task that asks."),
  answer: z.string().describe("Your answer."),
});

export const locking = z.strictObject({
  write: texts.optional().describe("Paths you are about to write, and all below them."),
  read: texts.optional().describe("Paths that must not change while you read."),
  use: texts.optional().describe("Declared capacities: `build`."),
  lock: texts.optional().describe("Names."),
  seconds: z.number().min(0).max(45).optional().describe("Stand in line for at most this long. Default and most 45."),
  renew: z.string().optional().describe("Instead of all else: keep what an earlier call got for 10 more minutes."),
});

export const releasing = z.strictObject({ id: z.string().min(1).describe("As acquire_locks called it.") });

/** Texts only: that is what a host can fill in. `tool_input` is JSON. */
export const hookPayload = z.record(z.string(), z.string());

export const nothing = z.strictObject({});

/** One text or several, as a list. */
export function listed(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof given === "string" ? [given] : given;
}
