/** The small shapes that plans and configuration files are made of. Shape only: what they mean is checked elsewhere. */
import * as z from "zod";
import { BOUNDS } from "../core/bounds.ts";
import { DURATION_EXAMPLES, DURATION_PATTERN, parseDuration } from "./duration.ts";

/** How a shape is named in a fault, and what is wrong with a value of it. Kept apart from the JSON Schema. */
export interface Wording {
  readonly expected: string;
  explain?(value: unknown): { readonly what: string; readonly hint: string } | undefined;
}
export const wordings = z.registry<Wording>();

export const text = z.string().min(1);

export const duration = z
  .string()
  .regex(DURATION_PATTERN)
  .register(wordings, {
    expected: `a duration such as ${DURATION_EXAMPLES}`,
    explain(value) {
      const parsed = parseDuration(typeof value === "number" ? String(value) : typeof value === "string" ? value : "");
      return "what" in parsed && (typeof value === "string" || typeof value === "number") ? parsed : undefined;
    },
  });

export function wholeNumber(least: number, most: number) {
  return z
    .int()
    .min(least)
    .max(most)
    .register(wordings, { expected: `a whole number from ${least} to ${most.toLocaleString("en")}` });
}

export const textOrList = z.union([text, z.array(text)]).register(wordings, { expected: "a text or a list of texts" });

export const command = z
  .union([text, z.array(z.string()).min(1)])
  .register(wordings, { expected: "a command line, or a list of its arguments" });

export const concurrency = z
  .union([wholeNumber(1, 10_000), z.literal("auto")])
  .register(wordings, { expected: "a whole number from 1, or auto" });

export const environment = z
  .record(
    z.string(),
    z
      .union([z.string(), z.number(), z.boolean(), z.null()])
      .register(wordings, { expected: "a text, a number, true or false" }),
  )
  .register(wordings, { expected: "variables by name" })
  .describe("Environment variables. A name without a value is handed on from the environment of `lockyard run`.");

export const retry = z
  .union([
    wholeNumber(0, BOUNDS.attemptsPerTask - 1).describe("How many further attempts may follow the first."),
    z.strictObject({
      attempts: wholeNumber(1, BOUNDS.attemptsPerTask).describe("Attempts in all, the first included."),
      backoff: z.enum(["exponential", "fixed"]).optional(),
      base: duration.optional().describe("Pause before the second attempt. Default 1s."),
      max: duration.optional().describe("Longest pause. Default 1m."),
      jitter: z.number().min(0).max(1).optional().describe("Share of the pause that is random, 0 to 1. Default 1."),
    }),
  ])
  .register(wordings, { expected: "a number of further attempts, or { attempts, backoff, base, max, jitter }" })
  .describe("What follows a failure that may pass. Default: nothing. Overload of a provider never spends an attempt.");

const scope = z
  .enum(["workspace", "machine"])
  .optional()
  .describe("Who shares it: everything on the machine (default), or this workspace alone.");

export const resource = z
  .union([
    z.strictObject({
      capacity: wholeNumber(1, BOUNDS.units).describe(
        "How many units there are. A task takes one by `use: NAME`, more by `use: NAME:2`.",
      ),
      scope,
    }),
    z.strictObject({
      pool: z
        .union([text, z.array(z.union([text, z.number()])).min(1)])
        .register(wordings, { expected: "a range such as 3000-3009, or a list of members" })
        .describe("Members, each for one task at a time: `3000-3009`, or a list such as directories."),
      env: text.optional().describe("Variable that tells a task which members it got. Default: none."),
      scope,
    }),
    z.strictObject({
      directories: wholeNumber(1, BOUNDS.poolMembers).describe(
        "How many empty directories there are. Each is made before its task starts and removed after it.",
      ),
      env: text
        .optional()
        .describe("Variable that tells a task where its directories are. Default: the name in capitals."),
      scope,
    }),
    z.strictObject({
      rate: text.describe("How many in a time: `60/min`, `5/s`, `1000/h`."),
      burst: wholeNumber(1, BOUNDS.units).optional().describe("How many may start at once after a pause. Default 1."),
      scope,
    }),
  ])
  .register(wordings, {
    expected: "one of { capacity: 2 }, { pool: 3000-3009 }, { directories: 4 }, { rate: 60/min }",
  });

export const resources = z
  .record(z.string(), resource)
  .register(wordings, { expected: "resources by name" })
  .describe(
    "What tasks take units of by `use`. The user's own configuration wins over a number given here; otherwise the smallest counts.",
  );

export const leftovers = z
  .enum(["keep", "wait", "kill"])
  .describe("What becomes of processes a command leaves behind when it ends by itself. Default kill.");

export const isolation = z
  .enum(["worktree", "optimistic", "whole-tree"])
  .describe(
    "How a coding agent that declares no files is kept from others: an own git worktree merged afterwards, a snapshot compared afterwards, or a lock on everything.",
  );

export const identify = z
  .union([z.enum(["on", "off"]), z.boolean()])
  .register(wordings, { expected: "on or off" })
  .describe("Whether claims are inferred from agent type, task type and context. Default on.");

const timing = {
  timeout: duration.optional().describe("Longest run of one attempt."),
  idleTimeout: duration.optional().describe("Longest time without output or progress."),
};

export const workingDirectory = text.describe("Directory to run in, relative to the plan's root.");

const everyAgent = {
  concurrency: wholeNumber(1, 10_000).optional().describe("Tasks of this agent that may run at once."),
  env: environment.optional(),
  cwd: workingDirectory.optional(),
  ...timing,
  retry: retry.optional(),
  leftovers: leftovers.optional(),
  readOnly: z
    .boolean()
    .optional()
    .describe("It changes nothing: hosts may then run it beside others without asking. Default false."),
};

const permissions = z
  .enum(["plan", "edits", "full"])
  .describe("What it may do: look only, change files (default), or whatever it wants.");

const arguments_ = z.array(z.string()).describe("Arguments added to the command.");

export const agent = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("command").describe("A program; it gets the task as JSON on standard input."),
      run: command.describe("The command: split into arguments without a shell, or a list of them."),
      shell: z.boolean().optional().describe("Hand the line to a shell, for pipes and the like. Default false."),
      ...everyAgent,
    }),
    z.strictObject({
      kind: z
        .literal("thread")
        .describe("A JavaScript module, run in worker threads: for work that needs the processor."),
      module: text.describe("The module, relative to the plan's root. Its default or `run` export performs a task."),
      threads: wholeNumber(1, 1_024).optional().describe("Worker threads. Default: one a core."),
      ...everyAgent,
    }),
    z.strictObject({
      kind: z.literal(["claude-code", "codex", "gemini", "opencode"]).describe("A coding agent's command line."),
      model: text.optional().describe("Model, as that command line calls it."),
      permissions: permissions.optional(),
      args: arguments_.optional(),
      isolation: isolation.optional(),
      ...everyAgent,
    }),
    z.strictObject({
      kind: z.literal("acp").describe("An agent that speaks the Agent Client Protocol on standard input and output."),
      run: command.describe("The command that starts it."),
      model: text.optional().describe("Model, as the agent calls it."),
      permissions: permissions.optional(),
      isolation: isolation.optional(),
      ...everyAgent,
    }),
  ])
  .register(wordings, { expected: "an agent, for example { kind: claude-code }" });

export const agents = z
  .record(z.string(), agent)
  .register(wordings, { expected: "agents by name" })
  .describe("Who performs tasks. `agent: claude-code` and its like need no entry here.");

export { timing };

export const notice = z.strictObject({
  run: command.optional().describe("A command; it gets the notice as JSON on standard input."),
  webhook: text.optional().describe("An http or https address the notice is posted to as JSON."),
  on: z
    .array(z.enum(["needs_input", "paused", "quarantined", "finished"]))
    .min(1)
    .optional()
    .describe("What to tell. Default: all of it."),
});

export const notify = z
  .union([notice, z.array(notice)])
  .register(wordings, { expected: "{ run } or { webhook }, or a list of them" })
  .describe("Who is told when a person is needed.");

export const onQuarantine = z
  .string()
  .regex(/^(?:wait|skip|take-after \S+)$/)
  .register(wordings, { expected: "wait, skip, or take-after with a time: take-after 10m" })
  .describe(
    "What tasks do that need what a task holds that could not be stopped: wait, end as skipped, or take it after a while (`take-after 10m`). Default: wait at a terminal, else skip.",
  );
