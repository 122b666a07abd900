/**
 * How many columns a text takes. Never less than the terminal uses, so that a line cut to the width does not wrap; joined
 * emoji are counted apart and so cut a little early.
 */
import { stripVTControlCharacters } from "node:util";

const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const NARROW = /^[\u0020-\u007e]*$/;
const NOTHING = /^(?:\p{Mark}|\p{Cf})/u;

function columnsOf(character: string): number {
  const code = character.charCodeAt(0);
  // Nearly all that is shown: letters, and the signs and lines of this program.
  if (code < 0x300 || (code >= 0x2190 && code < 0x2600)) return code >= 0x231a && WIDE.test(character) ? 2 : 1;
  if (NOTHING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns of a text, colours not counted. */
export function width(text: string): number {
  const plain = text.includes("\u001b") ? stripVTControlCharacters(text) : text;
  if (NARROW.test(plain)) return plain.length;
  let columns = 0;
  for (const character of plain) columns += columnsOf(character);
  return columns;
}

const RESET = "\u001b[0m";

/** The text, cut to so many columns with `…` at the end. Colours are kept and closed. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (width(text) <= columns) return text;
  let kept = "";
  let used = 0;
  // Either a colour, which takes no column, or one character.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what begins a colour
  for (const [piece] of text.matchAll(/\u001b\[[0-9;]*m|./gsu)) {
    const size = piece.startsWith("\u001b[") ? 0 : columnsOf(piece);
    if (used + size > columns - 1) break;
    kept += piece;
    used += size;
  }
  return `${kept}…${kept.includes("\u001b") ? RESET : ""}`;
}

/** The text with spaces behind it up to so many columns. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** Lines of at most so many columns, broken between words; a longer word stays whole. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ")) {
    const size = width(word);
    if (line !== "" && used + 1 + size > columns) {
      lines.push(line);
      line = word;
      used = size;
    } else {
      used += size + (line === "" ? 0 : 1);
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
