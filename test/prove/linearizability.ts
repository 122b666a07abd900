/**
 * The slow check, after Wing and Gong with Lowe's memory: searches for an order of single moments, one resource at a time
 * (Herlihy and Wing: a history is linearizable when each object's is). Knows the rules of a lock, nothing of fences' order
 * but that they grow on one resource.
 */
import type { Acquire, History } from "./history.ts";

interface Step {
  readonly what: "acquire" | "release" | "refuse" | "lapse";
  readonly fence: number;
  readonly isShared: boolean;
  readonly callMs: number;
  /** Infinity: it may never have happened. */
  readonly retMs: number;
}

interface State {
  readonly lastFence: number;
  /** Fences that hold, growing; all shared, or one that is not. */
  readonly holding: readonly number[];
  readonly isShared: boolean;
}

/** Whether some order explains what was answered about this resource. */
export function isLinearizable(history: History, resource: string): boolean {
  return search(stepsOf(history, resource));
}

function stepsOf(history: History, resource: string): readonly Step[] {
  const grants = history.filter(
    (operation): operation is Acquire => operation.kind === "acquire" && operation.resources.includes(resource),
  );
  const fences = new Set(grants.map(({ fence }) => fence));
  const steps: Step[] = [];
  for (const operation of history) {
    if (operation.kind === "crash") {
      for (const { owner, fence, isShared } of grants) {
        if (owner !== operation.owner) continue;
        steps.push({ what: "lapse", fence, isShared, callMs: operation.callMs, retMs: Infinity });
      }
    } else if (operation.kind === "acquire") {
      if (operation.resources.includes(resource)) steps.push({ ...operation, what: "acquire" });
    } else if (fences.has(operation.fence)) {
      steps.push({ ...operation, what: operation.isDone ? "release" : "refuse", isShared: false });
    }
  }
  return steps.sort((a, b) => a.callMs - b.callMs);
}

/** The state after this step, or null when it cannot be answered so. */
function after(state: State, { what, fence, isShared }: Step): State | null {
  const { lastFence, holding } = state;
  switch (what) {
    case "acquire": {
      if (fence <= lastFence || (holding.length > 0 && !(isShared && state.isShared))) return null;
      return { lastFence: fence, holding: [...holding, fence], isShared };
    }
    case "release":
    case "lapse":
      return holding.includes(fence) ? { ...state, holding: holding.filter((other) => other !== fence) } : null;
    case "refuse":
      return holding.includes(fence) || fence > lastFence ? null : state;
  }
}

interface Frame {
  readonly state: State;
  readonly candidates: readonly number[];
  next: number;
}

function search(steps: readonly Step[]): boolean {
  const isDone = new Uint8Array(steps.length);
  let left = steps.filter(({ retMs }) => retMs !== Infinity).length;
  const seen = new Set<string>();
  const chosen: number[] = [];
  const start: State = { lastFence: 0, holding: [], isShared: false };
  const frames: Frame[] = [{ state: start, candidates: candidatesOf(steps, isDone), next: 0 }];
  while (left > 0) {
    const frame = frames.at(-1);
    if (frame === undefined) return false;
    const index = frame.candidates[frame.next++];
    const step = index === undefined ? undefined : steps[index];
    if (index === undefined || step === undefined) {
      frames.pop();
      const undone = chosen.pop();
      if (undone === undefined) return false;
      isDone[undone] = 0;
      if (steps[undone]?.retMs !== Infinity) left++;
      continue;
    }
    const state = after(frame.state, step);
    if (state === null) continue;
    isDone[index] = 1;
    const id = `${isDone.join("")} ${state.lastFence} ${state.holding}`;
    if (seen.has(id)) {
      isDone[index] = 0;
      continue;
    }
    seen.add(id);
    chosen.push(index);
    if (step.retMs !== Infinity) left--;
    frames.push({ state, candidates: candidatesOf(steps, isDone), next: 0 });
  }
  return true;
}

/** Steps that may come next: nobody's answer came before they were asked. Those that must happen first. */
function candidatesOf(steps: readonly Step[], isDone: Uint8Array): readonly number[] {
  const open: number[] = [];
  let firstRetMs = Infinity;
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index];
    if (step === undefined || step.callMs > firstRetMs) break;
    if (isDone[index] === 1) continue;
    open.push(index);
    firstRetMs = Math.min(firstRetMs, step.retMs);
  }
  const may = open.filter((index) => (steps[index]?.callMs ?? 0) <= firstRetMs);
  const must = may.filter((index) => steps[index]?.retMs !== Infinity);
  return [...must, ...may.filter((index) => steps[index]?.retMs === Infinity)];
}
