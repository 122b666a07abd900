/** What an agent that reads words is told. */
import { BOUNDS } from "../core/bounds.ts";
import type { AgentContext } from "../core/ports.ts";
import type { AgentTask } from "../core/task.ts";

/** The description; below it the task's data and what came of the tasks it depends on, as JSON, where there are any. */
export function promptOf(task: AgentTask, { dependencies }: Pick<AgentContext, "dependencies">): string {
  const parts = [task.description];
  const data = task.contextData ?? {};
  if (Object.keys(data).length > 0) parts.push(`Context, as JSON:\n${JSON.stringify(data)}`);
  const results = Object.entries(dependencies).map(([id, { status, output }]) => [id, { status, output }]);
  if (results.length > 0) {
    const json = JSON.stringify(Object.fromEntries(results));
    const rest = json.length - BOUNDS.contextBytes;
    const shown = rest > 0 ? `${json.slice(0, BOUNDS.contextBytes)}… (${rest} more characters)` : json;
    parts.push(`Results of earlier tasks, as JSON:\n${shown}`);
  }
  return parts.join("\n\n");
}
