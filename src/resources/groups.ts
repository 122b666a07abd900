/** Groups of tasks by what they need (M4): a view for people and for `plan`, never a barrier. */
import { agentType } from "../core/agent-type.ts";
import type { AgentTask, TaskCall, TaskGroup, TaskGroups } from "../core/task.ts";
import {
  isDocumenting,
  RESOURCE_TYPES,
  type ResourceType,
  selectingWords,
  VALIDATING,
  wordsOf,
} from "./resource-types.ts";

/**
 * The group of a task. What kind of work it is decides first (a task type that tests or documents), then the agent's type,
 * then the rest of the task type, then the keys of the context; else `general`.
 */
export function groupOf(
  task: Pick<TaskCall, "agentId" | "taskType" | "contextData">,
  types: readonly ResourceType[] = RESOURCE_TYPES,
): TaskGroup {
  const work = selectingWords(task.taskType);
  const agent = selectingWords(agentType(task.agentId));
  if (wordsOf(task.taskType).some((word) => VALIDATING.has(word))) return "validation";
  if (isDocumenting(work)) return "documentation";
  if (agent.some((word) => VALIDATING.has(word))) return "validation";
  const keys = Object.keys(task.contextData ?? {});
  return (
    types.find((type) => agent.some((word) => type.words.includes(word)))?.group ??
    types.find((type) => work.some((word) => type.words.includes(word) || type.taskWords.includes(word)))?.group ??
    types.find((type) => keys.some((key) => type.ownKeys.includes(key)))?.group ??
    "general"
  );
}

/** Sorts tasks into the five groups, in order. A task that has a `group` keeps it. */
export function groupTasks<
  Task extends Pick<AgentTask, "agentId" | "taskType" | "contextData"> & { readonly group?: TaskGroup },
>(tasks: readonly Task[]): TaskGroups<Task> {
  const groups: TaskGroups<Task> = {
    backendTasks: [],
    frontendTasks: [],
    documentationTasks: [],
    validationTasks: [],
    generalTasks: [],
  };
  for (const task of tasks) groups[`${task.group ?? groupOf(task)}Tasks`].push(task);
  return groups;
}
