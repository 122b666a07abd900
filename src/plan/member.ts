/** One concrete task of a plan: the task call it becomes, what its runner needs besides, and how results get into it. */
import { LockyardError } from "../core/errors.ts";
import type { AgentResult, JsonObject, TaskCall } from "../core/task.ts";
import type { AgentKind, Isolation, Leftovers, PlanAgent, PlanCommand } from "./plan.ts";
import { templateAtRunTime, textOf } from "./template.ts";

export interface Member {
  /** Paths in `claims` are relative to the plan's root. */
  readonly call: TaskCall & { readonly taskId: string; readonly dependsOn: readonly string[] };
  /** Id of the task in the plan. */
  readonly group: string;
  readonly kind: AgentKind;
  /** Null for tasks with `run`. */
  readonly agent: PlanAgent | null;
  /** What to start: of `run`, or of an agent that is a command. */
  readonly command: PlanCommand | null;
  readonly env: Readonly<Record<string, string>>;
  /** Variables handed on from the environment of the caller. */
  readonly passEnv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly identify: boolean;
  readonly leftovers: Leftovers;
  readonly isolation?: Isolation;
  /**
   * Tasks whose results are put in at the start. When it is not empty, description, contextData, command and env are
   * templates: `startOf` fills them in.
   */
  readonly usesResults: readonly string[];
  /** Those of them that are `forEach` tasks: they stand for a list. */
  readonly usesGroups: readonly string[];
  /** Deferred groups that must be expanded before this can be submitted. */
  readonly waitsFor: readonly string[];
}

/** What stands in a task when it starts. */
export interface Start {
  readonly description: string;
  readonly contextData: JsonObject | undefined;
  readonly command: PlanCommand | null;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The texts of a task with results put in. `results` are by task id, those of a group under the ids of its members. Throws
 * INVALID_CONTEXT when a result lacks what is asked for.
 */
export function startOf(member: Member, results: Readonly<Record<string, AgentResult>>): Start {
  const { call, command, env } = member;
  if (member.usesResults.length === 0)
    return { description: call.description, contextData: call.contextData, command, env };
  const fill = (text: string) => textOf(templateAtRunTime(text, results, member.usesGroups));
  return {
    description: fill(call.description),
    contextData:
      call.contextData === undefined
        ? undefined
        : (templateAtRunTime(call.contextData, results, member.usesGroups) as JsonObject), // an object stays one
    command: command !== null && "argv" in command ? { argv: filled(command.argv, fill) } : command,
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
  };
}

function filled(templates: readonly string[], fill: (text: string) => string): readonly string[] {
  const values = templates.map(fill);
  const option = templates.findIndex((template, index) =>
    isDisguisedOption(template, { value: values[index] ?? "", before: templates.slice(0, index) }),
  );
  if (option < 0) return values;
  throw new LockyardError(
    "INVALID_CONTEXT",
    `${templates[option]} begins with a dash and would be read as an option.`,
    {
      hint: "Put -- before it in the command, if the program knows that.",
    },
  );
}

/** Whether a value from elsewhere, put at the beginning of an argument, would be read as an option. */
export function isDisguisedOption(
  template: string,
  { value, before }: { readonly value: string; readonly before: readonly string[] },
): boolean {
  return template.startsWith("{{") && value.startsWith("-") && !before.includes("--");
}
