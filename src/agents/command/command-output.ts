/** What one command prints and reports: drained, split, kept, told to whoever listens. */
import path from "node:path";
import { BOUNDS } from "../../core/bounds.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { JsonValue } from "../../core/task.ts";
import { Capture, drain, drainedOrQuiet } from "../../process/output.ts";
import type { Redactor } from "../../process/redact.ts";
import type { SpawnedChild } from "../../process/spawn.ts";
import { type CommandReport, ReportLines } from "./report-lines.ts";

/** Warnings about malformed report lines: a child may print a million of them. */
const MAX_WARNINGS = 5;

export interface OutputParts {
  readonly redactor: Redactor;
  readonly spillDirectory: string | undefined;
}

export class CommandOutput {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly #child: SpawnedChild;
  readonly #ctx: AgentContext;
  readonly #redactor: Redactor;
  readonly #drained: Promise<unknown>;
  readonly #evidence: string[] = [];
  #pieces: Buffer[] = [];
  #chunks = 0;
  #warnings = 0;
  #result: JsonValue | undefined;
  confidence: number | null = null;
  error: CommandReport["error"] | undefined;

  constructor(child: SpawnedChild, ctx: AgentContext, { redactor, spillDirectory }: OutputParts) {
    this.#child = child;
    this.#ctx = ctx;
    this.#redactor = redactor;
    const spillFile = (stream: string) =>
      spillDirectory === undefined ? undefined : path.join(spillDirectory, spillName(ctx, stream));
    this.stdout = new Capture({ spillFile: spillFile("stdout") });
    this.stderr = new Capture({ spillFile: spillFile("stderr") });
    this.#drained = Promise.all([this.#drainStdout(), this.#drainStderr()]);
  }

  get evidence(): readonly string[] {
    return this.#evidence;
  }

  /** The reported result, else what was printed. */
  get result(): JsonValue {
    return this.#result === undefined ? this.stdout.text().trim() : this.#result;
  }

  /**
   * Waits for the end of both streams. A process that was kept may hold them open for ever: when nothing came for
   * `quietMs` they are given up.
   */
  async finish(quietMs: number): Promise<void> {
    await drainedOrQuiet(this.#drained, { clock: this.#ctx.clock, quietMs, chunks: () => this.#chunks });
  }

  /** Gives up what is still open. */
  async close(): Promise<void> {
    this.#child.stdin?.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await this.#drained;
    await Promise.all([this.stdout.close(), this.stderr.close()]);
  }

  async #drainStdout(): Promise<void> {
    const emit = this.#emitter("stdout");
    const lines = new ReportLines({
      output: (bytes) => {
        this.#pieces.push(bytes);
      },
      report: (report) => this.#take(report),
      malformed: (why) => this.#warn(why),
    });
    const keep = async () => {
      const pieces = this.#pieces;
      this.#pieces = [];
      for (const bytes of pieces) {
        emit(bytes);
        await this.stdout.push(bytes);
      }
    };
    const redacted = this.#redactor.stream();
    await drain(this.#child.stdout, (chunk) => {
      this.#chunks++;
      for (const bytes of redacted.pieces(chunk)) lines.push(bytes);
      return keep();
    });
    lines.push(redacted.end());
    lines.end();
    await keep();
  }

  async #drainStderr(): Promise<void> {
    const emit = this.#emitter("stderr");
    const redacted = this.#redactor.stream();
    const take = (bytes: Buffer) => {
      emit(bytes);
      return this.stderr.push(bytes);
    };
    await drain(this.#child.stderr, (chunk) => {
      this.#chunks++;
      return take(redacted.push(chunk));
    });
    await take(redacted.end());
  }

  /** Half characters wait for their other half. */
  #emitter(stream: "stdout" | "stderr"): (bytes: Buffer) => void {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return (bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== "") this.#ctx.emit({ stream, text });
    };
  }

  #take(report: CommandReport): void {
    const { progress, detail, result, evidence = [], confidence, error } = report;
    if (progress !== undefined) this.#ctx.progress(progress, detail);
    else this.#ctx.heartbeat();
    if (result !== undefined) this.#result = result;
    if (confidence !== undefined) this.confidence = confidence;
    if (error !== undefined) this.error = error;
    for (const piece of evidence) if (this.#evidence.length < BOUNDS.evidencePerTask) this.#evidence.push(piece);
  }

  #warn(why: string): void {
    this.#warnings++;
    if (this.#warnings > MAX_WARNINGS) return;
    const more = this.#warnings === MAX_WARNINGS ? " Further ones are not told." : "";
    this.#ctx.log.warn(`A ::lockyard line of ${this.#ctx.taskId} ${why}; it is kept as output.${more}`);
  }
}

function spillName(ctx: AgentContext, stream: string): string {
  const safe = ctx.instanceId.replaceAll(/[^\w.-]/g, "_").slice(0, 100);
  return `${safe}-${ctx.attempt}.${stream}`;
}
