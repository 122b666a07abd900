/**
 * The text of a plan or configuration file → plain data that knows where each value stands.
 *
 * YAML 1.2 core schema (so `no` is the text "no"), JSON included. Aliases are followed within a bound, merge keys are not
 * (`<<` is an unknown key), tags and directives are refused. Nesting is counted while the text is cut into tokens, before
 * anything recursive sees it.
 */
import { Composer, CST, type Document, Lexer, LineCounter, Parser, YAMLParseError } from "yaml";
import { BOUNDS } from "../core/bounds.ts";
import { invariant } from "../core/errors.ts";
import { FaultList, type Locator, type Path, type Place } from "./faults.ts";
import { NestingMeter } from "./nesting.ts";
import { refuseSyntax } from "./syntax.ts";
import { DataTree } from "./tree.ts";

export interface Source extends Locator {
  readonly file: string;
  /** Plain data: strings, finite numbers, booleans, null, arrays, objects without a prototype. */
  readonly data: unknown;
  readonly faults: FaultList;
  /** False when the text could not be read as data at all; `faults` then says why. */
  readonly isReadable: boolean;
  /** How a scalar is spelled: `1.10` where `data` has 1.1. Undefined for what is no scalar. */
  spelling(path: Path): string | undefined;
}

const TOP: Place = { line: 1, column: 1 };

const OPTIONS = {
  uniqueKeys: false, // compares every key with every other; tree.ts does it in linear time
  merge: false,
  version: "1.2",
  schema: "core",
  logLevel: "error",
} as const;

/** Reads a text. Never throws for what the text contains: faults are collected in the result. */
export function readSource(text: string, file: string): Source {
  const unread: Locator = { file, place: () => TOP };
  const refused = (what: string, hint: string, place = TOP): Source => {
    const faults = new FaultList(unread);
    faults.addAt(place, what, hint);
    return unreadable(file, faults);
  };
  const bytes = Buffer.byteLength(text);
  if (bytes > BOUNDS.planBytes) {
    const [size, limit] = [bytes, BOUNDS.planBytes].map((count) => `${(count / 1_048_576).toFixed(1)} MiB`);
    return refused(`the file has ${size} and the limit is ${limit}`, "use forEach, or split it");
  }
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const nul = plain.indexOf("\u0000");
  if (nul >= 0) return refused("a NUL character", "save the file as UTF-8 text", placeInText(plain, nul));

  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, plain.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const meter = new NestingMeter(BOUNDS.planDepth);
  const document = compose(plain, lines, meter);
  if (document === "too deep") {
    return refused(`nested deeper than ${BOUNDS.planDepth} levels`, "flatten it", placeInText(plain, meter.offset));
  }
  if (document === "too long") {
    const limit = BOUNDS.planTokens.toLocaleString("en");
    return refused(`more than ${limit} words and signs`, "use forEach, or split it", placeInText(plain, meter.offset));
  }
  const syntax = new FaultList(unread);
  refuseSyntax(document, { text: plain, faults: syntax, placeAt });
  if (!syntax.isEmpty) return unreadable(file, syntax);

  const tree = new DataTree(document, plain, (offset) => placeAt(offset).line);
  const locator: Locator = { file, place: (target) => placeAt(tree.offsetOf(target)) };
  const faults = new FaultList(locator);
  for (const { offset, what, hint } of tree.faults) faults.addAt(placeAt(offset), what, hint);
  return { ...locator, data: tree.data, faults, isReadable: !tree.isCutShort, spelling: (path) => tree.spelling(path) };
}

function unreadable(file: string, faults: FaultList): Source {
  return { file, data: null, faults, isReadable: false, place: () => TOP, spelling: () => undefined };
}

function placeInText(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** The first document of the text, or which bound it passed. */
function compose(text: string, lines: LineCounter, meter: NestingMeter): Document.Parsed | "too deep" | "too long" {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer(OPTIONS);
  const documents: Document.Parsed[] = [];
  let directive = -1;
  let tokens = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    const type = CST.tokenType(lexeme);
    if (type === "directive-line" && directive < 0) directive = meter.offset;
    if (!meter.accepts(lexeme, type)) return "too deep";
    if (++tokens > BOUNDS.planTokens) return "too long";
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (documents.length > 1) break;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  const [first, second] = documents;
  invariant(first !== undefined, "a text has a document");
  if (second !== undefined)
    first.errors.push(new YAMLParseError([second.range[0], second.range[1]], "MULTIPLE_DOCS", ""));
  if (directive >= 0) first.errors.unshift(new YAMLParseError([directive, directive + 1], "BAD_DIRECTIVE", ""));
  return first;
}
