/**
 * "Did you mean …?": the nearest of a few known words. Distance is Damerau-Levenshtein in its restricted form (insert,
 * delete, replace, swap of neighbours; each part of the text is edited once), so that `biuld` is one step from `build`.
 */

/** Candidates looked at; longer lists are a data set, not a vocabulary. */
const CANDIDATES = 1_000;
/** Longer words are pasted text, not typing errors. */
const LENGTH = 64;

/**
 * The nearest candidate, or undefined when none is near: at most one step per three characters, and one at least. Case is
 * ignored at first and decides between equals. Ties go to the first.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LENGTH) return undefined;
  const wanted = word.toLowerCase();
  let limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let seen = 0;
  for (const candidate of candidates) {
    if (candidate === word) return candidate;
    if (++seen > CANDIDATES) break;
    if (Math.abs(candidate.length - word.length) > limit || candidate.length > LENGTH) continue;
    const steps = editDistance(wanted, candidate.toLowerCase());
    if (steps > limit || (best !== undefined && steps === limit)) continue;
    best = candidate;
    limit = steps;
    if (steps === 0) break;
  }
  return best;
}

/** Steps from one text to the other, by three rows of the usual table. */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let steps = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) steps = Math.min(steps, (before[column - 2] ?? 0) + 1);
      current.push(steps);
    }
    before = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
