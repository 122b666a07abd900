/** Signs of life while a tool waits: hosts give up on a call that is silent. */
import type { Clock } from "../index.ts";
import type { WatchedTask } from "./desk.ts";

/** Milliseconds between two signs, and until the first. */
const EVERY_MS = 5_000;
const FIRST_MS = 1_000;
/** Tasks named in one sign. */
const NAMED = 3;

export interface Progress {
  /** Only ever grows, as the protocol asks. */
  readonly progress: number;
  readonly total: number;
  readonly message: string;
}

/** Says how these tasks stand, again and again, until what it answers with is called. */
export function tellProgress(
  tasks: readonly WatchedTask[],
  { clock, say }: { readonly clock: Clock; readonly say: (progress: Progress) => void },
): () => void {
  let last = 0;
  const sign = () => {
    const now = progressOf(tasks);
    last = Math.max(now.progress, last + 0.000_1);
    say({ ...now, progress: last });
    timer = clock.setTimer(EVERY_MS, sign);
  };
  let timer = clock.setTimer(FIRST_MS, sign);
  return () => timer.cancel();
}

/** `2 of 5 ended; lint running (50 %), docs waits for file:src`. */
export function progressOf(tasks: readonly WatchedTask[]): Progress {
  const live = tasks.filter(({ result }) => result === null);
  const looks = live.map((task) => ({ id: task.id, ...task.look() }));
  const ended = tasks.length - live.length;
  const named = looks.slice(0, NAMED).map(({ id, status, fraction, detail }) => {
    const part = status === "running" && fraction > 0 ? ` (${Math.round(fraction * 100)} %)` : "";
    return `${id} ${detail === "" ? status : detail}${part}`;
  });
  const more = live.length > NAMED ? ` and ${live.length - NAMED} more` : "";
  const sum = looks.reduce((so, { fraction }) => so + Math.min(0.99, Math.max(0, fraction)), ended);
  return {
    progress: sum,
    total: tasks.length,
    message: `${ended} of ${tasks.length} ended${named.length === 0 ? "" : `; ${named.join(", ")}${more}`}`.slice(
      0,
      400,
    ),
  };
}
