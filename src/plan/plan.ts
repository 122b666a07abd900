/** A plan as the program sees it: checked, durations in milliseconds, claims in one form. Templates are still in it. */
import type { DeclaredResource } from "../core/declared.ts";
import type { QuarantinePolicy } from "../core/ports.ts";
import type { JsonObject, JsonValue, RetryPolicy, When } from "../core/task.ts";
import type { PlacedClaim } from "./claims.ts";
import type { Locator, Path } from "./faults.ts";

export type CodingKind = "claude-code" | "codex" | "gemini" | "opencode";
export type AgentKind = "command" | "thread" | "acp" | CodingKind;
export type Leftovers = "keep" | "wait" | "kill";
export type Permissions = "plan" | "edits" | "full";
export type Isolation = "worktree" | "optimistic" | "whole-tree";

/** Variables by name; null hands a variable on from the environment of the caller. */
export type PlanEnvironment = Readonly<Record<string, string | null>>;

/** What a command line becomes: program and arguments, or with `shell: true` a script. */
export type PlanCommand = { readonly argv: readonly string[] } | { readonly shell: string };

/** What agents and tasks have in common. Absent means: as the agent, as the plan, or the default. */
export interface Policy {
  readonly env: PlanEnvironment;
  /** Relative to the plan's root. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly retry?: RetryPolicy;
  readonly leftovers?: Leftovers;
  readonly isolation?: Isolation;
}

export interface PlanAgent extends Policy {
  readonly name: string;
  readonly kind: AgentKind;
  /** The file that declares it; empty for one that needs no declaration. Who found that file decides about trust. */
  readonly declaredBy: string;
  /** For `command` and `acp`. */
  readonly command?: PlanCommand;
  /** For `thread`: relative to the plan's root. */
  readonly module?: string;
  readonly threads?: number;
  readonly model?: string;
  /** For coding agents and `acp`. */
  readonly permissions?: Permissions;
  /** Arguments added to a coding agent's command line. */
  readonly args: readonly string[];
  readonly concurrency?: number;
  /** It changes nothing, says whoever declares it. */
  readonly readOnly?: boolean;
}

export type ForEach =
  | { readonly kind: "glob"; readonly globs: readonly string[]; readonly as: string; readonly max: number }
  | { readonly kind: "list"; readonly items: readonly JsonValue[]; readonly as: string; readonly max: number }
  | { readonly kind: "matrix"; readonly axes: Readonly<Record<string, readonly JsonValue[]>>; readonly max: number }
  /** `path` leads from the result of `task` to a list: `["output", "files"]`. */
  | {
      readonly kind: "from";
      readonly task: string;
      readonly path: readonly (string | number)[];
      readonly as: string;
      readonly max: number;
    };

export type Description = { readonly text: string } | { readonly file: string };

export interface PlanTask extends Policy {
  readonly id: string;
  /** Where it stands in the file, for faults found later. */
  readonly path: Path;
  /** Exactly one of `command` and `agent` is set. */
  readonly command?: PlanCommand;
  readonly agent?: string;
  readonly description?: Description;
  readonly type?: string;
  readonly forEach?: ForEach;
  readonly claims: readonly PlacedClaim[];
  readonly identify: boolean;
  /** As written: task ids, or `docs[{{file}}]` for one member of a forEach task. */
  readonly dependsOn: readonly string[];
  readonly when: When;
  readonly priority?: number;
  readonly queueTimeoutMs?: number;
  readonly inputTimeoutMs?: number;
  readonly context?: JsonObject;
  readonly outputSchema?: JsonObject;
}

export interface PlanBudget {
  readonly tasks?: number;
  readonly tokens?: number;
  readonly usd?: number;
  readonly wallMs?: number;
}

export type Occasion = "needs_input" | "paused" | "quarantined" | "finished";

export type { QuarantinePolicy };

export interface PlanNotice {
  readonly command?: PlanCommand;
  readonly webhook?: string;
  readonly on: readonly Occasion[];
}

/** Records by name have no prototype: `plan.agents["constructor"]` is undefined unless somebody declared it. */
export interface Plan {
  /** As given to `parsePlan`; faults name it. */
  readonly file: string;
  /** Absolute directory that globs, paths, `cwd` and prompt files are relative to. */
  readonly root: string;
  readonly name: string;
  readonly concurrency: number | "auto" | null;
  readonly env: PlanEnvironment;
  readonly cwd?: string;
  readonly deadlineMs?: number;
  /** Declared by the plan itself. */
  readonly resources: Readonly<Record<string, DeclaredResource>>;
  /** What counts for each name, configuration files included. */
  readonly inForce: ReadonlyMap<string, DeclaredResource>;
  /** The plan's own, and those of configuration files it does not replace. */
  readonly agents: Readonly<Record<string, PlanAgent>>;
  /** In the order of the file (ids that are whole numbers first). */
  readonly tasks: readonly PlanTask[];
  readonly budget: PlanBudget;
  readonly notify: readonly PlanNotice[];
  readonly onQuarantine?: QuarantinePolicy;
  /** Share of this workflow beside others. */
  readonly weight?: number;
  /** Where things stand in the file, for faults found later. */
  readonly locator: Locator;
}
