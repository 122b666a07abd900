/**
 * Splits a stream into lines of text, whatever way it is cut. Works on bytes, so half a character at a chunk's end stays
 * half; a line beyond the limit is told of and dropped, in bounded memory.
 */
const NEWLINE = 10;

export interface LineTaker {
  /** Without its line end. Bytes that are no UTF-8 have become U+FFFD. */
  line(text: string): void;
  /** A line that was longer than the limit; it is not kept. */
  tooLong(): void;
}

export class TextLines {
  readonly #taker: LineTaker;
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isDropping = false;

  constructor(taker: LineTaker, maxBytes: number) {
    this.#taker = taker;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, at));
      this.#finish();
      from = at + 1;
    }
    this.#hold(chunk.subarray(from));
  }

  /** A last line need not be ended. */
  end(): void {
    if (this.#heldBytes > 0 || this.#isDropping) this.#finish();
  }

  #hold(bytes: Buffer): void {
    if (this.#isDropping || bytes.length === 0) return;
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#maxBytes) {
      this.#isDropping = true;
      this.#held = [];
      return;
    }
    // A copy: the chunk's memory is the stream's.
    this.#held.push(Buffer.from(bytes));
    // A line that comes byte by byte must not become a million buffers.
    if (this.#held.length >= MAX_PARTS) this.#held = [Buffer.concat(this.#held)];
  }

  #finish(): void {
    const isWhole = !this.#isDropping;
    const line = isWhole ? Buffer.concat(this.#held).toString("utf8") : "";
    this.#held = [];
    this.#heldBytes = 0;
    this.#isDropping = false;
    if (isWhole) this.#taker.line(line.endsWith("\r") ? line.slice(0, -1) : line);
    else this.#taker.tooLong();
  }
}

const MAX_PARTS = 1_024;
