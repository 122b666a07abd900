/**
 * What a child prints: always drained, so that it never blocks on us; of gigabytes the first and last part is kept, and
 * all of it, up to a cap, goes to a file.
 */
import fs from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { BOUNDS } from "../core/bounds.ts";
import type { Clock } from "../core/ports.ts";
import { within } from "./within.ts";

export interface CaptureOptions {
  /** Bytes kept: half from the start, half from the end. Default 64 KiB. */
  readonly keepBytes?: number;
  /** A file to be created when the output outgrows what is kept. Its directory is created too. None when absent. */
  readonly spillFile?: string | undefined;
  /** Default 64 MiB. */
  readonly spillBytes?: number;
}

/** Bounded memory of an unbounded stream. */
export class Capture {
  readonly #half: number;
  readonly #spill: Spill | undefined;
  #head = Buffer.alloc(0);
  #headBytes = 0;
  /** A ring: the byte at `#tailEnd % length` is the oldest once it has gone round. */
  #tail = Buffer.alloc(0);
  #tailBytes = 0;
  #totalBytes = 0;

  constructor(options: CaptureOptions = {}) {
    this.#half = Math.max(1, Math.floor((options.keepBytes ?? BOUNDS.outputBytesPerTask) / 2));
    this.#spill =
      options.spillFile === undefined
        ? undefined
        : new Spill(options.spillFile, options.spillBytes ?? BOUNDS.spillBytes);
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get omittedBytes(): number {
    return Math.max(0, this.#tailBytes - this.#tail.length);
  }

  /** The file that holds what is not kept; undefined while there is none. */
  get spilledTo(): string | undefined {
    return this.#spill?.file;
  }

  /** Takes a chunk. Await what it returns before the next: that is what bounds memory when the disk is slow. */
  async push(chunk: Buffer): Promise<void> {
    const limit = this.#half * 2;
    const isFirstBeyond = this.#totalBytes <= limit && this.#totalBytes + chunk.length > limit;
    const before = this.#spill !== undefined && isFirstBeyond ? this.#keptNow() : undefined;
    this.#totalBytes += chunk.length;
    this.#keep(chunk);
    if (this.#spill === undefined || this.#totalBytes <= limit) return;
    if (before !== undefined) await this.#spill.write(before);
    await this.#spill.write(chunk);
  }

  /** What is kept, decoded: when some was left out, a line between first and last part says how much and where it is. */
  text(): string {
    const head = this.#head.subarray(0, this.#headBytes);
    const omitted = this.omittedBytes;
    if (omitted === 0) return decode(Buffer.concat([head, this.#tailInOrder()]));
    const place = this.spilledTo === undefined ? "" : `; all of it is in ${this.spilledTo}`;
    const note = `\n… ${omitted.toLocaleString("en")} bytes left out${place} …\n`;
    return decode(withoutBrokenEnd(head)) + note + decode(withoutBrokenStart(this.#tailInOrder()));
  }

  /** The last `maxBytes` of the output, from the beginning of a line where there is one. */
  lastLines(maxBytes: number): string {
    const all = this.omittedBytes === 0 ? this.#keptNow() : this.#tailInOrder();
    if (all.length <= maxBytes) return decode(withoutBrokenStart(all));
    const last = all.subarray(all.length - maxBytes);
    const line = last.indexOf(10);
    return decode(line === -1 || line === last.length - 1 ? withoutBrokenStart(last) : last.subarray(line + 1));
  }

  async close(): Promise<void> {
    await this.#spill?.close();
  }

  #keptNow(): Buffer {
    return Buffer.concat([this.#head.subarray(0, this.#headBytes), this.#tailInOrder()]);
  }

  #keep(chunk: Buffer): void {
    const room = this.#half - this.#headBytes;
    const first = chunk.subarray(0, room);
    if (first.length > 0) {
      this.#growHead(this.#headBytes + first.length);
      this.#headBytes += first.copy(this.#head, this.#headBytes);
    }
    const rest = chunk.subarray(first.length);
    if (rest.length === 0) return;
    if (this.#tail.length === 0) this.#tail = Buffer.alloc(this.#half);
    // Of a chunk longer than the ring only the end can stay.
    const skipped = Math.max(0, rest.length - this.#tail.length);
    const last = rest.subarray(skipped);
    const at = (this.#tailBytes + skipped) % this.#tail.length;
    const copied = last.copy(this.#tail, at);
    last.copy(this.#tail, 0, copied);
    this.#tailBytes += rest.length;
  }

  #growHead(bytes: number): void {
    if (bytes <= this.#head.length) return;
    const grown = Buffer.alloc(Math.min(this.#half, Math.max(bytes, this.#head.length * 2, 256)));
    this.#head.copy(grown, 0, 0, this.#headBytes);
    this.#head = grown;
  }

  #tailInOrder(): Buffer {
    if (this.#tailBytes <= this.#tail.length) return this.#tail.subarray(0, this.#tailBytes);
    const oldest = this.#tailBytes % this.#tail.length;
    return Buffer.concat([this.#tail.subarray(oldest), this.#tail.subarray(0, oldest)]);
  }
}

/** A file that takes output up to a cap. A full or missing disk ends the file, never the task. */
class Spill {
  readonly #path: string;
  readonly #maxBytes: number;
  #handle: fs.promises.FileHandle | undefined;
  #bytes = 0;
  #isBroken = false;

  constructor(file: string, maxBytes: number) {
    this.#path = file;
    this.#maxBytes = maxBytes;
  }

  get file(): string | undefined {
    return this.#bytes > 0 ? this.#path : undefined;
  }

  async write(chunk: Buffer): Promise<void> {
    const part = chunk.subarray(0, this.#maxBytes - this.#bytes);
    if (part.length === 0 || this.#isBroken) return;
    try {
      this.#handle ??= await this.#open();
      await this.#handle.write(part);
      this.#bytes += part.length;
    } catch {
      this.#isBroken = true;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#isBroken = true;
    await handle?.close().catch(() => undefined);
  }

  async #open(): Promise<fs.promises.FileHandle> {
    await fs.promises.mkdir(path.dirname(this.#path), { recursive: true, mode: 0o700 });
    // `wx`: never through a link or into a file that is there.
    return fs.promises.open(this.#path, "wx", 0o600);
  }
}

/** Reads a stream to its end, whatever becomes of it; each chunk is awaited, so a slow taker slows the child. */
export async function drain(stream: Readable, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await take(chunk);
  } catch {
    // Destroyed by us, or reset by the other side: what came before it counts.
  }
}

/**
 * Waits until streams have been drained. A process that was kept may hold them open for ever: when nothing came for
 * `quietMs` they are given up. `chunks` counts what came.
 */
export async function drainedOrQuiet(
  drained: Promise<unknown>,
  { clock, quietMs, chunks }: { readonly clock: Clock; readonly quietMs: number; readonly chunks: () => number },
): Promise<void> {
  for (let seen = -1; seen !== chunks(); ) {
    seen = chunks();
    if (await within(clock, quietMs, drained)) return;
  }
}

function decode(bytes: Buffer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Without the first bytes of a character whose rest was left out. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

/** Without the last bytes of a character whose beginning was left out. */
function withoutBrokenStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}
