/** Words of a shell: what one surely stands for, and how a text is written so that every shell reads it as it is. */
import type { Word } from "unbash";

/** What a word is after quoting; null when the shell has to look something up: a variable, a pattern, a home directory. */
export function literalOf({ text, value, parts }: Pick<Word, "text" | "value" | "parts">): string | null {
  if (text.startsWith("~")) return null;
  for (const part of parts ?? []) {
    switch (part.type) {
      case "Literal":
      case "SingleQuoted":
      case "AnsiCQuoted":
        break;
      case "DoubleQuoted":
        if (part.parts.some(({ type }) => type !== "Literal")) return null;
        break;
      default:
        return null;
    }
  }
  return value;
}

/** Words that mean themselves everywhere; `=` not at the start, where some shells look for a program. */
const PLAIN = /^[\w@%+:,./-][\w@%+:,./=-]*$/;

export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
