/**
 * What one coding agent prints: drained, split into events, told, kept in short.
 *
 *  O1 the program never blocks on us, and what is kept is bounded, whatever it prints
 *  O2 nothing it prints makes this throw: what is no event is kept for the message of a failure
 *  O3 secrets it was given are taken out before anything is kept or told
 */
import { BOUNDS } from "../../core/bounds.ts";
import type { AgentContext } from "../../core/ports.ts";
import { Capture, drain, drainedOrQuiet } from "../../process/output.ts";
import type { Redactor } from "../../process/redact.ts";
import type { SpawnedChild } from "../../process/spawn.ts";
import { TextLines } from "../../process/text-lines.ts";
import { type Account, type Dialect, type Notice, newAccount } from "./dialect.ts";
import { eventIn } from "./json.ts";

/** How long a pipe may stay open without anything coming, once nobody should hold it. */
const MAX_QUIET_MS = 3_000;
const MAX_WARNINGS = 5;

export interface OutputParts {
  readonly dialect: Dialect;
  readonly redactor: Redactor;
}

export class CodingOutput {
  readonly account: Account = newAccount();
  /** What is no event: stderr, and lines that are no JSON. */
  readonly words = new Capture();
  readonly #child: SpawnedChild;
  readonly #ctx: AgentContext;
  readonly #parts: OutputParts;
  readonly #drained: Promise<unknown>;
  #chunks = 0;
  #warnings = 0;

  constructor(child: SpawnedChild, ctx: AgentContext, parts: OutputParts) {
    this.#child = child;
    this.#ctx = ctx;
    this.#parts = parts;
    this.#drained = Promise.all([this.#drainStdout(), this.#drainStderr()]);
  }

  /** Waits for the end of both streams, or until nothing has come for a while: somebody may hold them open for ever. */
  async finish(): Promise<void> {
    await drainedOrQuiet(this.#drained, { clock: this.#ctx.clock, quietMs: MAX_QUIET_MS, chunks: () => this.#chunks });
  }

  async close(): Promise<void> {
    this.#child.stdin?.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await this.#drained;
    await this.words.close();
  }

  async #drainStdout(): Promise<void> {
    const lines = new TextLines(
      { line: (text) => this.#line(text), tooLong: () => this.#warn("is too long to be read") },
      BOUNDS.codingLineBytes,
    );
    await drain(this.#child.stdout, (chunk) => {
      this.#chunks++;
      lines.push(chunk);
    });
    lines.end();
  }

  async #drainStderr(): Promise<void> {
    const redacted = this.#parts.redactor.stream();
    await drain(this.#child.stderr, (chunk) => {
      this.#chunks++;
      return this.words.push(redacted.push(chunk));
    });
    await this.words.push(redacted.end());
  }

  #line(line: string): void {
    if (line.trim() === "") return;
    const event = eventIn(line);
    if (event === undefined) {
      this.#warn("is not a JSON object");
      void this.words.push(Buffer.from(`${this.#parts.redactor.text(line)}\n`));
      return;
    }
    const notice = this.#parts.dialect.hear(event, this.account);
    this.account.denied.length = Math.min(this.account.denied.length, BOUNDS.deniedTools);
    if (notice?.kind === "retrying") return this.#tell(notice);
    this.#ctx.heartbeat();
    if (notice !== undefined) this.#tell(notice);
  }

  #tell({ kind, text: given }: Notice): void {
    const text = this.#parts.redactor.text(given);
    switch (kind) {
      case "said":
        return this.#ctx.emit({ stream: "stdout", text: text.endsWith("\n") ? text : `${text}\n` });
      case "doing":
        return this.#ctx.progress(0, text);
      case "retrying":
        return this.#ctx.log.info(`${this.#parts.dialect.title} in ${this.#ctx.taskId}: ${text}.`);
    }
  }

  #warn(what: string): void {
    this.#warnings++;
    if (this.#warnings > MAX_WARNINGS) return;
    const more = this.#warnings === MAX_WARNINGS ? " Further ones are not told." : "";
    const { title } = this.#parts.dialect;
    this.#ctx.log.warn(`A line of ${title} in ${this.#ctx.taskId} ${what}; it is passed over.${more}`);
  }
}
