/** A stream of the process, whose reader may leave at any time (`lockyard status | head -1`). */
import { type Capabilities, capabilitiesOf, type Environment } from "./capabilities.ts";
import type { Screen } from "./live-region.ts";
import { type Style, styleOf } from "./style.ts";

export class Output implements Screen {
  readonly capabilities: Capabilities;
  readonly style: Style;
  readonly #stream: NodeJS.WriteStream;
  readonly #env: Environment;
  #isGone = false;

  constructor(stream: NodeJS.WriteStream, env: Environment) {
    this.#stream = stream;
    this.#env = env;
    this.capabilities = capabilitiesOf(stream, env);
    this.style = styleOf(this.capabilities);
    // Without a listener a reader that left would end the process with a stack trace.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
      this.#isGone = true;
    });
  }

  /** Whether nobody reads any more: what is written goes nowhere. */
  get isGone(): boolean {
    return this.#isGone;
  }

  write(text: string): void {
    if (!this.#isGone && text !== "") this.#stream.write(text);
  }

  line(text = ""): void {
    this.write(`${text}\n`);
  }

  lines(lines: readonly string[]): void {
    if (lines.length > 0) this.write(`${lines.join("\n")}\n`);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** Of the terminal; without one, of COLUMNS, else no limit: a table in a file is not cut. */
  columns(): number {
    return this.#stream.columns ?? (Number(this.#env.COLUMNS) || Number.POSITIVE_INFINITY);
  }

  rows(): number {
    return this.#stream.rows ?? 24;
  }
}
