/** What configuration files say, taken together. */

import type { DeclaredResource } from "../core/declared.ts";
import type { QuarantinePolicy } from "../core/ports.ts";
import type { Claim } from "../core/task.ts";
import type { PlanAgent, PlanNotice } from "../plan/plan.ts";

/** A configuration file that was read. */
export interface ConfigFile {
  readonly path: string;
  /** The user's own: its numbers win. A file found in a repository may only restrict. */
  readonly authority: boolean;
  readonly text: string;
}

/** Commands of a session that take claims before they run. */
export interface CommandRule {
  readonly match: readonly string[];
  readonly claims: readonly Claim[];
  readonly declaredBy: string;
}

export interface Config {
  /** In the order of weight: the user's first. */
  readonly files: readonly ConfigFile[];
  /** The repository, or the directory itself where there is none. */
  readonly root: string;
  /** Every declaration, the default `build` included: for `parsePlan` and for the store's `declare`. */
  readonly declared: readonly DeclaredResource[];
  /** What counts for each name. */
  readonly inForce: ReadonlyMap<string, DeclaredResource>;
  readonly concurrency: number | "auto" | null;
  /** The same, as the user's own file says it: then it holds for all processes of the machine together. */
  readonly machineConcurrency: number | null;
  /** The user's win over those of a repository; `declaredBy` names the file. */
  readonly agents: Readonly<Record<string, PlanAgent>>;
  /** By the path of a file that names agents: what approving them is bound to. See trust.ts. */
  readonly agentKeys: Readonly<Record<string, string>>;
  readonly identify: boolean;
  readonly rules: readonly CommandRule[];
  readonly hold: "edit" | "idle" | "turn" | null;
  /** Whether git commands that would discard what another session has not committed are refused. */
  readonly gitGuard: boolean;
  /** How the shared store is kept, by the user's own file. */
  readonly store: {
    readonly tier?: "process" | "power" | undefined;
    readonly prompts?: "full" | "hash" | "none" | undefined;
  };
  /** Files that a session holds for the edit only, beside those that are known to be. */
  readonly hotFiles: readonly string[];
  readonly ifBroken: "run" | "fail" | null;
  readonly keep: readonly string[];
  /** Who is told, of every run; only the user's own file says it, because it starts processes. */
  readonly notify: readonly PlanNotice[];
  readonly onQuarantine: QuarantinePolicy | null;
}
