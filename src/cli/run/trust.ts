import type { LoadedPlan } from "../plan-file.ts";

/** The plan was named; the user's own file is the user's word. What was found in a repository is neither. */
export function isTrusted(declaredBy: string, { plan, config }: LoadedPlan): boolean {
  if (declaredBy === "" || declaredBy === plan.file) return true;
  return config.files.some(({ path, authority }) => authority && path === declaredBy);
}
