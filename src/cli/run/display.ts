/** The three ways of showing a run: a live region, a line an event, a JSON object an event. */
import { IsoTimes } from "../../edges/basics.ts";
import type { AgentResult, Clock, LockyardEvent, ParallelExecutionStatus, Timer } from "../../index.ts";
import type { Ui } from "../terminal/capabilities.ts";
import { LiveRegion } from "../terminal/live-region.ts";
import type { Output } from "../terminal/output.ts";
import { linesOf } from "./event-lines.ts";
import { frameOf } from "./frame.ts";
import { type RunSummary, summaryLines } from "./summary.ts";
import type { Tally } from "./tally.ts";

export interface Display {
  event(event: LockyardEvent): void;
  /** Something for people that is no event. */
  note(line: string): void;
  /** Begins to draw, where there is something to draw. */
  start(status: () => ParallelExecutionStatus): void;
  /** What Ctrl-C would do now. */
  setHint(hint: string): void;
  finish(summary: RunSummary, results: readonly AgentResult[]): void;
  /** Gives the terminal back. Twice is fine. */
  close(): void;
}

export interface DisplayOptions {
  readonly ui: Ui;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly workflowId: string;
  readonly isVerbose: boolean;
  /** See `LineOptions`. */
  readonly lastTaskId: string | null;
}

export function displayFor(options: DisplayOptions): Display {
  switch (options.ui) {
    case "json":
      return jsonDisplay(options);
    case "stream":
      return streamDisplay(options);
    case "live":
      return new LiveDisplay(options);
  }
}

function jsonDisplay({ out, err, clock, workflowId }: DisplayOptions): Display {
  return {
    event: (event) => {
      // The last line says it with everything.
      if (event.type !== "workflow-finished") out.json(event);
    },
    note: (line) => err.line(line),
    start: nothing,
    setHint: nothing,
    finish: (summary, results) => {
      const at = new IsoTimes(clock).text(clock.nowMs());
      out.json({ type: "workflow-finished", at, workflowId, summary, results });
    },
    close: nothing,
  };
}

function streamDisplay(options: DisplayOptions): Display {
  const { out, isVerbose, lastTaskId, workflowId } = options;
  const { style } = out;
  return {
    event: (event) => out.lines(linesOf(event, { style, isVerbose, ui: "stream", lastTaskId })),
    note: (line) => out.line(line),
    start: nothing,
    setHint: nothing,
    finish: (summary, results) =>
      out.lines(summaryLines(summary, { style, columns: out.columns(), workflowId, results })),
    close: nothing,
  };
}

const FRAME_MS = 200;
/** Lines that may wait for the next frame: a flood is written at once. */
const LOGGED_A_FRAME = 500;

class LiveDisplay implements Display {
  readonly #options: DisplayOptions;
  readonly #region: LiveRegion;
  readonly #startedMs: number;
  #status: (() => ParallelExecutionStatus) | null = null;
  #timer: Timer | null = null;
  #logged = 0;
  #hint = "Ctrl-C lets running tasks finish";

  constructor(options: DisplayOptions) {
    this.#options = options;
    this.#region = new LiveRegion(options.out);
    this.#startedMs = options.clock.nowMs();
  }

  event(event: LockyardEvent): void {
    const { out, isVerbose, lastTaskId } = this.#options;
    const lines = linesOf(event, { style: out.style, isVerbose, ui: "live", lastTaskId });
    this.#region.log(lines);
    this.#logged += lines.length;
    if (this.#logged > LOGGED_A_FRAME) this.#draw();
  }

  note(line: string): void {
    if (this.#status === null) this.#options.out.line(line);
    else {
      this.#region.log([line]);
      this.#draw();
    }
  }

  start(status: () => ParallelExecutionStatus): void {
    this.#status = status;
    this.#tick();
  }

  setHint(hint: string): void {
    this.#hint = hint;
    this.#draw();
  }

  finish(summary: RunSummary, results: readonly AgentResult[]): void {
    const { out, workflowId } = this.#options;
    this.close();
    out.lines(summaryLines(summary, { style: out.style, columns: out.columns(), workflowId, results }));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#status = null;
    this.#region.close();
  }

  #tick(): void {
    this.#draw();
    this.#timer = this.#options.clock.setTimer(FRAME_MS, () => this.#tick(), { background: true });
  }

  #draw(): void {
    if (this.#status === null) return;
    this.#logged = 0;
    const { out, clock, tally } = this.#options;
    const facts = {
      status: this.#status(),
      tally,
      elapsedMs: clock.nowMs() - this.#startedMs,
      nowWallMs: clock.wallMs(),
      note: this.#hint,
    };
    this.#region.draw(frameOf(facts, { columns: out.columns(), lines: this.#region.capacity }, out.style));
  }
}

function nothing(): void {}
