/** "Did you mean" as the hint of a fault. */
import { suggest } from "../core/suggest.ts";

/** `did you mean "docs"?`; without a near name, a list of what there is; nothing when there is nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const found = suggest(name, candidates);
  if (found !== undefined) return `did you mean ${JSON.stringify(found)}?`;
  if (candidates.length === 0) return undefined;
  const shown = candidates.slice(0, 8).join(", ");
  return candidates.length > 8 ? `there are: ${shown} and ${candidates.length - 8} more` : `there is: ${shown}`;
}
