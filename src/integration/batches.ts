import { LockyardError } from "../core/errors.ts";
import type { AgentResult } from "../core/task.ts";

/** Cuts calls into batches of at most `batchSize`, in order. Throws INVALID_OPTION. */
export function batchTaskCalls<Call>(calls: readonly Call[], batchSize: number): Call[][] {
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new LockyardError("INVALID_OPTION", `batchSize is ${String(batchSize)}; it must be a whole number from 1.`);
  }
  const batches: Call[][] = [];
  for (let start = 0; start < calls.length; start += batchSize) batches.push(calls.slice(start, start + batchSize));
  return batches;
}

export interface TaskBatchOptions<Result = AgentResult> {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch; a promise is waited for before the next begins, and a throw ends the run with it. */
  readonly onBatch?: (results: readonly Result[], index: number) => unknown;
}

/** What runs a batch: a layer. */
export interface BatchRunner<Call, Result> {
  executeMultipleTaskCalls(
    calls: readonly Call[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Result[]>;
}

/**
 * Runs batches one after another, each in parallel inside. All results in the order of the calls. Failed tasks are results
 * and do not keep later batches from running.
 */
export async function executeTaskBatches<Call, Result extends AgentResult<unknown>>(
  layer: BatchRunner<NoInfer<Call>, Result>,
  batches: readonly (readonly Call[])[],
  options: TaskBatchOptions<Result> = {},
): Promise<Result[]> {
  const all: Result[] = [];
  for (const [index, batch] of batches.entries()) {
    const results = await layer.executeMultipleTaskCalls(
      batch,
      options.signal === undefined ? {} : { signal: options.signal },
    );
    all.push(...results);
    await options.onBatch?.(results, index);
  }
  return all;
}
