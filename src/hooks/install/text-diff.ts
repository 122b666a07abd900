/** Two texts → the lines that go and the lines that come, for people. */

/** Lines compared with each other at most; longer texts are shown as gone and come whole. */
const COMPARED = 4_000_000;

/** Unchanged lines shown before and after a change. */
const AROUND = 2;

/** Each line with `- `, `+ ` or `  ` before it; `…` for what is left out. Empty when nothing changes. */
export function textDiff(before: string, after: string): readonly string[] {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  const start = old.findIndex((line, index) => line !== fresh[index]);
  const head = start < 0 ? old.length : start;
  let tail = 0;
  while (tail < Math.min(old.length, fresh.length) - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  const middle = changes(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail));
  if (middle.length === 0) return [];
  const kept = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return shorten([...kept(old.slice(0, head)), ...middle, ...kept(old.slice(old.length - tail))]);
}

function linesOf(text: string): readonly string[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** By the longest common subsequence. */
function changes(old: readonly string[], fresh: readonly string[]): readonly string[] {
  const gone = old.map((line) => `- ${line}`);
  const come = fresh.map((line) => `+ ${line}`);
  if (old.length * fresh.length > COMPARED) return [...gone, ...come];
  const width = fresh.length + 1;
  const best = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => best[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      best[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push(`  ${old[i]}`);
      i++;
      j++;
    } else if (j >= fresh.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) lines.push(gone[i++] ?? "");
    else lines.push(come[j++] ?? "");
  }
  return lines;
}

function shorten(lines: readonly string[]): readonly string[] {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((line) => !line.startsWith("  ")),
  );
  return lines.flatMap((line, index) => (isNear[index] === true ? [line] : isNear[index - 1] === false ? [] : ["…"]));
}
