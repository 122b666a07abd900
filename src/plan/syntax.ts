/** What the YAML parser refuses, in words that say how to put it right. */
import { type Document, isCollection, isScalar, visit } from "yaml";
import type { FaultList, Place } from "./faults.ts";
import { quote } from "./faults.ts";

/** Syntax faults shown: later ones are mostly echoes of the first. */
const SHOWN = 20;

/** A value that begins with `{{` outside quotes; YAML takes it for a mapping inside a mapping. */
const UNQUOTED =
  /^(?<lead>\s*(?:- +)*(?:(?<key>[^\s:#"'{[][^:#]*?)\s*:\s+)?)(?<value>\{\{[^{}]*\}\}[^#]*?)\s*(?:#.*)?\r?$/;

interface Reading {
  readonly text: string;
  readonly faults: FaultList;
  readonly placeAt: (offset: number) => Place;
}

export function refuseSyntax(document: Document.Parsed, { text, faults, placeAt }: Reading): void {
  const seen = new Set<number>();
  for (const error of document.errors.slice(0, SHOWN)) {
    const place = placeAt(openingOf(document, error, text) ?? error.pos[0]);
    if (seen.has(place.line)) continue;
    seen.add(place.line);
    const trap = UNQUOTED.exec(text.split("\n", place.line)[place.line - 1] ?? "");
    if (trap?.groups !== undefined) {
      const { lead = "", key, value = "" } = trap.groups;
      faults.addAt({ line: place.line, column: lead.length + 1 }, ...unquotedTemplate(value, key));
    } else faults.addAt(place, ...inWords(error.code, error.message));
  }
}

/** Where the quote or bracket was opened that is never closed: the parser points at where it gave up looking. */
function openingOf(
  document: Document.Parsed,
  error: { readonly code: string; readonly message: string; readonly pos: readonly number[] },
  text: string,
): number | undefined {
  const end = error.pos[0] ?? 0;
  const isQuote = error.code === "MISSING_CHAR" && error.message.includes("quote");
  const isBracket = error.code === "BAD_INDENT" && error.message.includes("must be sufficiently indented");
  if (!isQuote && !isBracket) return undefined;
  let opening: number | undefined;
  visit(document, {
    Node: (_, node) => {
      const start = node.range?.[0] ?? end;
      const signs = isQuote && isScalar(node) ? "\"'" : isBracket && isCollection(node) ? "[{" : "";
      if (start < end && signs.includes(text[start] ?? "\n")) opening = start;
    },
  });
  return opening;
}

/** Message of the commonest slip: `write: {{file}}`. */
export function unquotedTemplate(value: string, key: string | undefined): [what: string, hint: string] {
  const fixed = quote(value);
  return [`${fixed} must be in quotes (YAML reads it as a map)`, key === undefined ? `- ${fixed}` : `${key}: ${fixed}`];
}

function inWords(code: string, message: string): [what: string, hint?: string] {
  switch (code) {
    case "TAB_AS_INDENT":
      return ["a tab in the indentation", "indent with spaces"];
    case "BLOCK_AS_IMPLICIT_KEY":
      return [
        "a second key on one line",
        'text with ": " in it must be in quotes; a key of the next level starts a new line',
      ];
    case "MULTILINE_IMPLICIT_KEY":
      return ["a key that spans lines", "is a colon missing, or the indentation wrong?"];
    case "BAD_SCALAR_START":
      return [`text cannot start with ${message.slice(-1)}`, "put it in quotes"];
    case "MISSING_CHAR":
      return /quote/.test(message) ? ["a quote that is never closed"] : [plain(message)];
    case "MULTIPLE_DOCS":
      return ["a second document", "one file holds one plan: remove the line ---"];
    case "BAD_INDENT":
      return /must be sufficiently indented/.test(message)
        ? ["a bracket that is never closed", "close it, or put the text in quotes"]
        : [plain(message), "indent keys of one level alike"];
    case "BAD_DQ_ESCAPE":
      return [plain(message), "in double quotes a backslash is written \\\\; in single quotes it stands for itself"];
    case "BAD_DIRECTIVE":
      return ["a % directive", "remove the line: plans are YAML 1.2"];
    default:
      return [plain(message)];
  }
}

/** The parser's own sentence, as a phrase. */
function plain(message: string): string {
  const short = message.split("\n")[0] ?? "";
  return quote(short.charAt(0).toLowerCase() + short.slice(1), 120)
    .slice(1, -1)
    .replaceAll('\\"', '"');
}
