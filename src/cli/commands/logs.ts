/** `lockyard logs TASK`: what a task printed, while it runs and afterwards. */
import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { errorCode, LockyardError, neutralise } from "../../edges/basics.ts";
import { isFinal, type TaskRow } from "../../edges/store.ts";
import type { LogsOptions } from "../control-commands.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { logFile } from "../run/task-logs.ts";
import { sleep, withStore } from "../store/reach.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";

const LOOK_MS = 200;
const CHUNK_BYTES = 64 * 1024;

interface Looking {
  readonly options: LogsOptions;
  readonly surroundings: Surroundings;
}

export function logsCommand(name: string, { options, surroundings }: Looking): Promise<ExitCode> {
  return withStore("logs", { options, surroundings }, async (shared) => {
    const { store } = shared;
    const row = taskNamed(shared, name);
    const file = logFile(store.location, row.workflowId, row.taskId);
    const result = store.view((view) => view.result(row.workflowId, row.taskId));
    const { out } = surroundings;
    if (options.json === true) {
      const { workflowId, taskId, status } = row;
      out.json({ type: "logs", workflowId, taskId, status, file, result: result ?? null });
      return EXIT.ok;
    }
    const seen = await show(shared, { row, file, follow: options.follow === true, surroundings });
    if (seen === 0)
      out.line(neutralise(kept(result) ?? `${row.workflowId}/${row.taskId} is ${row.status} and has printed nothing.`));
    return EXIT.ok;
  });
}

/** Throws INVALID_OPTION when there is none, or several. */
function taskNamed({ store }: SharedStore, name: string): TaskRow {
  const rows = store.view((view) => findTasks(view, name));
  const live = rows.filter(({ status }) => !isFinal(status));
  const [row, other] = live.length > 0 ? live : rows;
  if (row !== undefined && other === undefined) return row;
  const names = (live.length > 0 ? live : rows).map(({ workflowId, taskId }) => `${workflowId}/${taskId}`);
  throw new LockyardError(
    "INVALID_OPTION",
    names.length === 0
      ? `There is no task named ${name}.`
      : `${name} is the id of a task in ${names.length} workflows.`,
    { hint: names.length === 0 ? "lockyard report lists what ran." : `Say which: ${names.slice(0, 5).join(", ")}.` },
  );
}

interface Shown {
  readonly row: TaskRow;
  readonly file: string;
  readonly follow: boolean;
  readonly surroundings: Surroundings;
}

/** Shows the file, and with `follow` what is added until the task has ended. Answers with how many bytes there were. */
async function show({ store, clock }: SharedStore, { row, file, follow, surroundings }: Shown): Promise<number> {
  const { out } = surroundings;
  const decoder = new StringDecoder("utf8");
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let at = 0;
  for (;;) {
    const status = store.view((view) => view.task(row.workflowId, row.taskId)?.status);
    const isOver = !follow || status === undefined || isFinal(status);
    for (let read = readAt(file, buffer, at); read > 0 && !out.isGone; read = readAt(file, buffer, at)) {
      at += read;
      const text = decoder.write(buffer.subarray(0, read));
      // A terminal shows what was printed and does not obey it; whoever pipes it gets it as it is.
      out.write(out.capabilities.isInteractive ? neutralise(text) : text);
    }
    if (isOver || out.isGone) return at;
    await sleep(clock, LOOK_MS);
  }
}

/** 0 at the end, and while there is no file. */
function readAt(file: string, buffer: Buffer, at: number): number {
  try {
    const handle = openSync(file, "r");
    try {
      return readSync(handle, buffer, 0, buffer.length, at);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}

/** What the result says, of a task without a log. */
function kept(result: unknown): string | null {
  if (typeof result !== "object" || result === null) return null;
  const { output, errorMessage } = result as { readonly output?: unknown; readonly errorMessage?: unknown }; // read by shape
  const said =
    typeof output === "string"
      ? output
      : output === null || output === undefined
        ? ""
        : JSON.stringify(output, null, 2);
  const failed = typeof errorMessage === "string" ? errorMessage : "";
  return [said, failed].filter((text) => text !== "").join("\n") || null;
}
