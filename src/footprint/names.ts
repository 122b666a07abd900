/** Names that tasks bear in git and on disk. Any id is welcome. */
import { shortHash } from "../core/names.ts";

const PREFIX = "lockyard/";
const NAME_CHARACTERS = 60;

/** `lockyard/WORKFLOW/TASK`; the second and later ones of a task get a number. */
export function branchName(workflowId: string, taskId: string, number = 1): string {
  return `${PREFIX}${safeName(workflowId)}/${safeName(taskId)}${number === 1 ? "" : `-${number}`}`;
}

export function isTaskBranch(branch: string): boolean {
  return branch.startsWith(PREFIX);
}

/**
 * Letters, digits, dashes, underscores and single dots inside: what both git and every file system take. An id that says
 * more is told apart by a hash.
 */
export function safeName(id: string): string {
  const plain = id
    .replaceAll(/[^\w.-]+/g, "-")
    .replaceAll(/\.{2,}/g, ".")
    .replaceAll(/^[.-]+|[.-]+$|\.lock$/g, "")
    .slice(0, NAME_CHARACTERS)
    .replace(/[.-]+$/, "");
  return plain === id && id !== "" ? plain : `${plain || "task"}-${shortHash(id)}`;
}
