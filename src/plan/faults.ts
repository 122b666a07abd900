/** Faults of a plan or configuration file: collected all at once, each with its place, and printed with the line shown. */
import { BOUNDS } from "../core/bounds.ts";
import { type ErrorCode, type Fault, LockyardError } from "../core/errors.ts";

/** Steps from the root of a file to a value: `["tasks", "docs", "dependsOn", 0]`. */
export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a fault points: a value, the key of a value, or a character inside a string. */
export interface Target {
  readonly path: Path;
  readonly at?: "key" | "value";
  /** Index of the character inside the string at `path`. */
  readonly index?: number;
  /** A piece of the string at `path`, as it is spelled there. */
  readonly find?: string;
}

/** Something that knows where a value stands in its file. */
export interface Locator {
  readonly file: string;
  place(target: Target): Place;
}

interface PlacedFault extends Place {
  readonly what: string;
  readonly hint: string | undefined;
}

/** Collects faults of one file, up to `BOUNDS.faultsPerInput`; what comes after that is counted. */
export class FaultList {
  readonly #faults: PlacedFault[] = [];
  readonly #seen = new Set<string>();
  readonly #locator: Locator;
  #more = 0;

  constructor(locator: Locator) {
    this.#locator = locator;
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  add(target: Target, what: string, hint?: string): void {
    if (this.#faults.length >= BOUNDS.faultsPerInput) this.#more += 1;
    else this.addAt(this.#locator.place(target), what, hint);
  }

  addAt(place: Place, what: string, hint?: string): void {
    const id = `${place.line}:${place.column} ${what}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (this.#faults.length >= BOUNDS.faultsPerInput) this.#more += 1;
    else this.#faults.push({ line: place.line, column: place.column, what, hint });
  }

  /** In the order of the file. */
  list(): readonly Fault[] {
    const sorted = this.#faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const faults: Fault[] = sorted.map(({ line, column, what, hint }) => ({
      where: `${this.#locator.file}:${line}:${column}`,
      what,
      ...(hint === undefined ? {} : { hint }),
    }));
    if (this.#more > 0) faults.push({ where: this.#locator.file, what: `${this.#more} more faults are not listed` });
    return faults;
  }
}

/** The error that carries the faults of one or several files. */
export function inputError(code: ErrorCode, faults: readonly Fault[]): LockyardError {
  const first = faults[0];
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults, the first`;
  const message = first === undefined ? "The input is wrong." : `${count}: ${sentence(first)}`;
  return new LockyardError(code, message, { hint: first?.hint, faults });
}

/** A sentence of another part of the product as a piece of a fault: `Use digits.` → `use digits`. */
export function phrase(sentence: string): string {
  const short = sentence.replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(short) ? short.charAt(0).toLowerCase() + short.slice(1) : short;
}

/** Quotes what a user wrote: short, on one line, without characters that could play with a terminal. */
export function quote(text: string, limit = 60): string {
  const short = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(neutral(short));
}

/** Faults shown in full by `formatFaults`; the rest is counted. */
const SHOWN = 50;

/**
 * The faults of an error as people read them: `file:line:column what: hint`, the source line and a caret below.
 * `text` is the source, or sources by file name when several files were read.
 */
export function formatFaults(
  error: { readonly message: string; readonly faults: readonly Fault[] },
  text: string | Readonly<Record<string, string>>,
): string {
  const blocks = error.faults.slice(0, SHOWN).map((fault) => {
    const place = /^(.*):(\d+):(\d+)$/s.exec(fault.where);
    if (place === null) return sentence(fault);
    const [, file = "", line = "1", column = "1"] = place;
    const source = typeof text === "string" ? text : Object.hasOwn(text, file) ? text[file] : undefined;
    if (source === undefined) return sentence(fault);
    return `${sentence(fault)}\n${frame(source, { line: Number(line), column: Number(column) })}`;
  });
  const hidden = error.faults.length - SHOWN;
  if (hidden > 0) blocks.push(`and ${hidden} more`);
  return blocks.length === 0 ? error.message : blocks.join("\n\n");
}

function sentence({ where, what, hint }: Fault): string {
  return hint === undefined ? `${where} ${what}` : `${where} ${what}: ${hint}`;
}

const FRAME_WIDTH = 100;

/** The line with its number, and a caret under the column; a long line is cut around the caret. */
function frame(text: string, { line, column }: Place): string {
  const whole = lineOf(text, line);
  const from = Math.max(0, column - 1 - FRAME_WIDTH / 2);
  const piece = neutral(whole.slice(from, from + FRAME_WIDTH));
  const head = from > 0 ? "…" : "";
  const tail = whole.length > from + FRAME_WIDTH ? "…" : "";
  const number = String(line);
  const spaces = " ".repeat(head.length + Math.max(0, column - 1 - from));
  return `  ${number} | ${head}${piece}${tail}\n  ${" ".repeat(number.length)} | ${spaces}^`;
}

function lineOf(text: string, line: number): string {
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let count = 1; count < line; count++) {
    const end = text.indexOf("\n", start);
    if (end < 0) return "";
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? undefined : end).replace(/\r$/, "");
}

/** One character for one: control, bidirectional and zero-width characters become `·`, so that columns stay true. */
function neutral(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: neutralising them is the purpose
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) =>
    character === "\t" ? " " : "·",
  );
}
