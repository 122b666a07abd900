/** How much of what tasks were told (description, context) a store keeps. */

/**
 * `full` (default): until seven days after the task's end. `hash`: once it has ended only a hash, to tell equal ones. `none`:
 * nothing once it has ended. Under the last two a task that no other process could run is never written at all.
 */
export type Prompts = "full" | "hash" | "none";

/** What stands in the place of a payload's text. */
export function remainder(text: string, prompts: Prompts): string {
  if (prompts === "full" || text === "") return text;
  if (prompts === "none" || text.startsWith(HASHED)) return prompts === "none" ? "" : text;
  // Asked for when needed: most stores never hash, and loading it costs a command a millisecond.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return `${HASHED}${createHash("sha256").update(text).digest("hex")}"}`;
}

const HASHED = '{"sha256":"';
