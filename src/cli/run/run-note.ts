/** What is kept of a run, so that another process can go on with it and `report` can tell of it. */
import type { Config } from "../../config/config.ts";
import { NOTE, type StoreView } from "../../edges/store.ts";
import type { RunOptions } from "../program.ts";
import type { RunSummary } from "./summary.ts";

export interface RunNote {
  readonly version: 1;
  readonly name: string;
  /** Absolute file of the plan. */
  readonly path: string;
  /** As faults name it. */
  readonly file: string;
  /** Null when prompts are not kept: then the file is read again. */
  readonly text: string | null;
  /** Configuration files in force, by path. */
  readonly config: Readonly<Record<string, string>> | null;
  readonly options: Pick<RunOptions, "concurrency" | "only" | "deadline" | "keepGoing">;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** `left`: its process ended and left tasks to go on with. */
  readonly state: "running" | "left" | "finished";
  /** Of a run that is over. */
  readonly summary: RunSummary | null;
}

/** Undefined when there is none, or one that only a newer program understands. */
export function readRunNote(view: StoreView, workflowId: string): RunNote | undefined {
  const note = view.note(NOTE.run(workflowId));
  const isOurs = typeof note === "object" && note !== null && "version" in note && note.version === 1;
  return isOurs ? (note as RunNote) : undefined; // as PlanRun wrote it
}

export function textsOfConfig({ files }: Config): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}
