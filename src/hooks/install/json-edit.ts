/**
 * Changes JSON that may have comments, in place: what is not touched keeps every character, and what is added looks like
 * its neighbours.
 */
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** Kinds of tokens; the package has them as an enumeration that only its own compiler can read. */
const TOKEN = { comma: 5, lineComment: 12, blockComment: 13, lineBreak: 14, space: 15, end: 17 } as const;

export interface JsonFault {
  /** Index of the character. */
  readonly index: number;
  readonly what: string;
}

/** The tree of a text that is JSON, comments and trailing commas allowed; else the first fault. An empty text is `{}`. */
export function readJson(text: string): { readonly root: Node } | { readonly fault: JsonFault } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [first] = errors;
  if (first !== undefined) {
    const what = printParseErrorCode(first.error).replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ");
    return { fault: { index: first.offset, what: `${what.toLowerCase()}` } };
  }
  return root === undefined ? { fault: { index: 0, what: "no value" } } : { root };
}

/** The member of an object, or the element of an array. */
export function childOf(node: Node | undefined, key: string | number): Node | undefined {
  if (typeof key === "number") return node?.type === "array" ? node.children?.[key] : undefined;
  if (node?.type !== "object") return undefined;
  // Of members with one name the last counts.
  const members = node.children?.filter((each) => each.children?.[0]?.value === key) ?? [];
  return members.at(-1)?.children?.[1];
}

/** Adds a member (by its name) or an element (null) at the end of an object or array. */
export function addTo(
  text: string,
  container: Node,
  { name, value }: { readonly name: string | null; readonly value: unknown },
): string {
  const isFlat = !text.slice(container.offset, container.offset + container.length).includes("\n");
  const last = container.children?.at(-1);
  const key = name === null ? "" : `${JSON.stringify(name)}: `;
  if (last !== undefined && isFlat) return insert(text, endOf(last), `, ${key}${JSON.stringify(value)}`);
  const style = styleOf(text);
  const base = indentAt(text, container.offset);
  const indent = last === undefined ? base + style.unit : indentAt(text, last.offset);
  const lines = JSON.stringify(value, null, style.unit).split("\n").join(`${style.eol}${indent}`);
  const added = `${style.eol}${indent}${key}${lines}`;
  if (last === undefined) {
    const inside = text.slice(container.offset + 1, endOf(container) - 1);
    const tail = inside.includes("\n") ? "" : `${style.eol}${base}`;
    return insert(text, container.offset + 1 + inside.trimEnd().length, added + tail);
  }
  const { comma, line } = after(text, last);
  if (comma !== null) return insert(text, line, `${added},`);
  return insert(insert(text, line, added), endOf(last), ",");
}

/** Takes a member or element out. Comments stay. */
export function removeFrom(text: string, container: Node, index: number): string {
  const node = container.children?.[index];
  if (node === undefined) return text;
  const cut = (from: number, to: number, rest: string) => rest.slice(0, from) + rest.slice(to);
  const start = isAfterComment(text, container, node)
    ? startAfterComment(text, node)
    : text.slice(0, node.offset).trimEnd().length;
  const { comma } = after(text, node);
  if (comma !== null) return cut(start, endOf(node), cut(comma, comma + 1, text));
  const before = container.children?.[index - 1];
  const separator = before === undefined ? null : after(text, before).comma;
  const without = cut(start, endOf(node), text);
  return separator === null ? without : cut(separator, separator + 1, without);
}

/** What stands behind a node must not come onto the line of a comment before it. */
function startAfterComment(text: string, node: Node): number {
  const line = /\r?\n[ \t]*$/.exec(text.slice(0, node.offset));
  const isAlone = /^[ \t]*,?[ \t]*\r?\n/.test(text.slice(endOf(node)));
  return line !== null && isAlone ? line.index : node.offset;
}

function isAfterComment(text: string, container: Node, node: Node): boolean {
  const scanner = createScanner(text, false);
  scanner.setPosition(container.offset);
  let isComment = false;
  for (let kind = scanner.scan(); scanner.getTokenOffset() < node.offset && kind !== TOKEN.end; kind = scanner.scan()) {
    if (kind !== TOKEN.space && kind !== TOKEN.lineBreak) isComment = kind === TOKEN.lineComment;
  }
  return isComment;
}

function insert(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** Where the comma after a node is, and where what belongs to its line ends: a comment stays with what it is about. */
function after(text: string, node: Node): { readonly comma: number | null; readonly line: number } {
  const scanner = createScanner(text, false);
  scanner.setPosition(endOf(node));
  let comma: number | null = null;
  let line = endOf(node);
  let isOnLine = true;
  for (;;) {
    const kind = scanner.scan();
    const end = scanner.getTokenOffset() + scanner.getTokenLength();
    if (kind === TOKEN.comma && comma === null) comma = scanner.getTokenOffset();
    else if (kind === TOKEN.lineBreak) isOnLine = false;
    else if (kind !== TOKEN.space && kind !== TOKEN.lineComment && kind !== TOKEN.blockComment)
      return { comma, line: Math.max(line, comma === null ? 0 : comma + 1) };
    if (isOnLine && kind !== TOKEN.space) line = end;
  }
}

function styleOf(text: string): { readonly unit: string; readonly eol: string } {
  const unit = /\n([ \t]+)["[{}\]/]/.exec(text)?.[1] ?? "  ";
  return { unit, eol: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** The white space that the line of an index begins with. */
function indentAt(text: string, index: number): string {
  const start = text.lastIndexOf("\n", index - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, index))?.[0] ?? "";
}
