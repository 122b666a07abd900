/**
 * L11: what a running task hands to everything it starts, in the environment, so that whatever asks for locks below it is
 * judged as inside it. It names the holder to the store: task, row and fence must all agree, and it must still hold.
 */
import type { StoreView } from "./ports.ts";
import { holdsLocks } from "./row.ts";

export interface HolderToken {
  readonly workflowId: string;
  readonly taskId: string;
  readonly key: number;
  readonly fence: number;
}

/** Variables that carry it. */
export const TOKEN_VARIABLES = {
  workflow: "LOCKYARD_WORKFLOW",
  task: "LOCKYARD_TASK",
  token: "LOCKYARD_TOKEN",
} as const;

/** The variables of a holder, for what it starts. */
export function tokenVariables({ workflowId, taskId, key, fence }: HolderToken): Readonly<Record<string, string>> {
  return {
    [TOKEN_VARIABLES.workflow]: workflowId,
    [TOKEN_VARIABLES.task]: taskId,
    // Cannot be guessed: the fence is drawn from a clock of microseconds.
    [TOKEN_VARIABLES.token]: `${key}.${fence}`,
  };
}

/** Null when there is none, or when it is damaged: then nothing is inside anything. */
export function readToken(env: Readonly<Record<string, string | undefined>>): HolderToken | null {
  const workflowId = env[TOKEN_VARIABLES.workflow];
  const taskId = env[TOKEN_VARIABLES.task];
  const [, key, fence] = /^(\d{1,15})\.(\d{1,16})$/.exec(env[TOKEN_VARIABLES.token] ?? "") ?? [];
  if (!workflowId || !taskId || key === undefined || fence === undefined) return null;
  return { workflowId, taskId, key: Number(key), fence: Number(fence) };
}

/** Keys of the holders that this token stands for, nearest first; none when its task does not hold any more. */
export function ancestorsOfToken(view: StoreView, token: HolderToken): readonly number[] {
  const row = view.task(token.workflowId, token.taskId);
  if (row === undefined || row.key !== token.key || row.fence !== token.fence) return [];
  // A quarantined one may still run something that asks: what it holds must not be in its way.
  return holdsLocks(row.status) ? [row.key, ...row.ancestors] : [];
}
