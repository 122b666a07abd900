import fc from "fast-check";
import { expect, test } from "vitest";
import { LiveRegion, type Screen } from "./live-region.ts";

/** As much of a terminal as the region uses; anything else it writes is an error. */
class FakeTerminal implements Screen {
  readonly #columns: number;
  readonly #rows: number;
  writes = 0;
  isCursorHidden = false;
  /** Scrollback and screen together. */
  readonly lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  columns(): number {
    return this.#columns;
  }

  rows(): number {
    return this.#rows;
  }

  get text(): string[] {
    const lines = this.lines.map((line) => line.join("").trimEnd());
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  write(text: string): void {
    this.writes++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is a terminal
    for (const [piece] of text.matchAll(/\u001b\[[?\d]*[A-Za-z]|./gsu)) this.#take(piece);
  }

  #take(piece: string): void {
    if (!piece.startsWith("\u001b[")) return this.#print(piece);
    const amount = Number(piece.slice(2, -1));
    const line = this.lines[this.#row] ?? [];
    if (piece.endsWith("A")) this.#row = Math.max(this.#top, this.#row - amount);
    else if (piece.endsWith("B")) this.#row = Math.min(this.lines.length - 1, this.#row + amount);
    else if (piece === "\u001b[2K") line.fill(" ");
    else if (piece === "\u001b[K") line.splice(this.#column);
    else if (piece === "\u001b[?25l") this.isCursorHidden = true;
    else if (piece === "\u001b[?25h") this.isCursorHidden = false;
    else if (!piece.startsWith("\u001b[?2026")) throw new Error(`unexpected ${JSON.stringify(piece)}`);
  }

  get #top(): number {
    return Math.max(0, this.lines.length - this.#rows);
  }

  #print(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#down();
    else {
      if (this.#column === this.#columns) this.#down();
      const line = this.lines[this.#row] ?? [];
      while (line.length < this.#column) line.push(" ");
      line[this.#column++] = character;
    }
  }

  #down(): void {
    this.#column = 0;
    this.#row++;
    if (this.#row === this.lines.length) this.lines.push([]);
  }
}

test("what is logged stays above, the region below is the last one drawn", () => {
  const line = fc.stringMatching(/^[a-z]{1,30}$/);
  const step = fc.record({ log: fc.array(line, { maxLength: 4 }), region: fc.array(line, { maxLength: 9 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const terminal = new FakeTerminal(12, 8);
      const region = new LiveRegion(terminal);
      for (const { log, region: lines } of steps) {
        region.log(log);
        region.draw(lines);
      }
      const wrapped = (text: string) => text.match(/.{1,12}/g) ?? [""];
      const shown = (steps.at(-1)?.region ?? [])
        .slice(0, 6)
        .map((text) => (text.length > 11 ? `${text.slice(0, 10)}…` : text));
      const logged = steps.flatMap(({ log }) => log.flatMap(wrapped));
      expect(terminal.text).toEqual([...logged, ...shown]);
      region.close();
      expect(terminal.text).toEqual(logged);
      expect(terminal.isCursorHidden).toBe(false);
    }),
  );
});

test("a frame is one write, and none when nothing changed", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = new LiveRegion(terminal);
  region.draw(["a", "b", "c"]);
  expect(terminal.writes).toBe(1);
  region.draw(["a", "b", "c"]);
  expect(terminal.writes).toBe(1);
  region.log(["done"]);
  region.draw(["a", "B", "c"]);
  expect(terminal.writes).toBe(2);
});

test("only lines that changed are written again", () => {
  const written: string[] = [];
  const region = new LiveRegion({ write: (text) => written.push(text), columns: () => 40, rows: () => 20 });
  region.draw(["first", "second", "third"]);
  region.draw(["first", "SECOND", "third"]);
  expect(written[1]).toContain("SECOND");
  expect(written[1]).not.toContain("first");
  expect(written[1]).not.toContain("third");
});

test("the region leaves two rows of the terminal free", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = new LiveRegion(terminal);
  region.draw(Array.from({ length: 50 }, (_, at) => `line ${at}`));
  expect(terminal.text).toHaveLength(8);
});

test("closing twice, or without having drawn, writes nothing", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = new LiveRegion(terminal);
  region.close();
  expect(terminal.writes).toBe(0);
  region.draw(["a"]);
  region.close();
  const { writes } = terminal;
  region.close();
  expect(terminal.writes).toBe(writes);
});
