/**
 * A few lines at the bottom of the terminal that are redrawn in place. What is logged goes above them and stays in the
 * scrollback: the screen is never taken over, so that people can scroll, search and copy. One write a frame, only lines
 * that changed, between the marks of synchronized output (?2026), which terminals that do not know them ignore.
 *
 * The cursor rests at the start of the line below the region.
 */
import { cut, width } from "./width.ts";

export interface Screen {
  write(text: string): void;
  /** Asked before every frame: people resize. */
  columns(): number;
  rows(): number;
}

const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const ERASE_LINE = "\u001b[2K";
const ERASE_RIGHT = "\u001b[K";

export class LiveRegion {
  readonly #screen: Screen;
  #shown: readonly string[] = [];
  #shownColumns = 0;
  #log: string[] = [];
  #isOpen = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Lines a frame may have: two less than the terminal, so that what was logged last stays in sight. */
  get capacity(): number {
    return Math.max(1, this.#screen.rows() - 2);
  }

  /** Goes above the region with the next frame, for good. */
  log(lines: readonly string[]): void {
    for (const line of lines) this.#log.push(line);
  }

  /** Shows these lines in place of those shown before. Lines are cut to the width; what exceeds `capacity` is dropped. */
  draw(lines: readonly string[]): void {
    const columns = this.#screen.columns();
    const next = lines.slice(0, this.capacity).map((line) => cut(line, Math.max(1, columns - 1)));
    const frame = this.#frame(next, columns);
    this.#shown = next;
    this.#shownColumns = columns;
    this.#log = [];
    if (frame === "") return;
    const open = this.#isOpen ? "" : HIDE_CURSOR;
    this.#isOpen = true;
    this.#screen.write(BEGIN + open + frame + END);
  }

  /** Takes the region away, keeps what was logged, gives the cursor back. Twice is fine. */
  close(): void {
    if (!this.#isOpen && this.#log.length === 0) return;
    this.draw([]);
    if (this.#isOpen) this.#screen.write(SHOW_CURSOR);
    this.#isOpen = false;
  }

  #frame(next: readonly string[], columns: number): string {
    const isResized = this.#shown.length > 0 && columns !== this.#shownColumns;
    if (this.#log.length === 0 && !isResized && next.length === this.#shown.length) return this.#patch(next);
    // After a resize the terminal has wrapped what was too long for it.
    const before = rowsOf(this.#shown, columns);
    const lines = [...this.#log, ...next];
    const left = Math.max(0, before - rowsOf(lines, columns));
    // Row by row: erasing the whole screen at once makes some terminals keep what was on it as history.
    const home = before === 0 ? "" : `\r${up(before)}`;
    return home + lines.map((line) => over(line, columns)).join("") + `${ERASE_LINE}\n`.repeat(left) + up(left);
  }

  /** Same number of lines, same width: rewrites those that changed. */
  #patch(next: readonly string[]): string {
    let frame = "";
    let row = 0;
    for (const [at, line] of next.entries()) {
      if (line === this.#shown[at]) continue;
      frame += move(row, at) + ERASE_LINE + line;
      row = at;
    }
    // The first move went up from the line below the region.
    return frame === "" ? "" : `\r${up(next.length)}${frame}\r${down(next.length - row)}`;
  }
}

/** Rows the terminal uses for these lines. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(width(line) / Math.max(1, columns))), 0);
}

/** A line over whatever its rows showed. At the very edge erasing would take the last character. */
function over(line: string, columns: number): string {
  const isFull = width(line) > 0 && width(line) % Math.max(1, columns) === 0;
  return `${ERASE_LINE}${line}${isFull ? "" : ERASE_RIGHT}\n`;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\u001b[${rows}A`;
}

function move(from: number, to: number): string {
  return `\r${down(to - from)}`;
}

function down(rows: number): string {
  return rows === 0 ? "" : `\u001b[${rows}B`;
}
