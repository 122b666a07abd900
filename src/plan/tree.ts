/**
 * Parsed YAML → plain data, and the way back from a value to its place.
 *
 * Objects have no prototype, so that `constructor` is a key like any other; `__proto__` is refused all the same, because
 * the data is copied by others later.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode, Scalar, type YAMLMap } from "yaml";
import { BOUNDS } from "../core/bounds.ts";
import { type Path, quote, type Target } from "./faults.ts";
import { unquotedTemplate } from "./syntax.ts";

export interface TreeFault {
  readonly offset: number;
  readonly what: string;
  readonly hint?: string;
}

interface Reached {
  readonly key: ParsedNode | null;
  readonly node: ParsedNode | null;
}

/** A value that was refused: its key is left out, so that it is told once. */
const REFUSED = Symbol("refused");

export class DataTree {
  readonly data: unknown;
  readonly faults: TreeFault[] = [];
  /** The aliases multiplied beyond the bound: the data is not whole. */
  isCutShort = false;
  readonly #text: string;
  readonly #contents: ParsedNode | null;
  readonly #anchors = new Map<string, { readonly data: unknown; readonly size: number; readonly node: ParsedNode }>();
  readonly #targets = new WeakMap<object, ParsedNode>();
  readonly #index = new WeakMap<object, Map<string, Reached>>();
  #size = 0;
  #aliased = 0;

  readonly #lineAt: (offset: number) => number;

  constructor(document: Document.Parsed, text: string, lineAt: (offset: number) => number) {
    this.#text = text;
    this.#lineAt = lineAt;
    this.#contents = document.contents;
    const data = this.#read(document.contents, undefined);
    this.data = data === REFUSED ? null : data;
  }

  /** Where a target stands; the nearest thing around it when it is not there itself. */
  offsetOf({ path, at = "value", index, find }: Target): number {
    let reached: Reached = { key: null, node: this.#contents };
    for (const [depth, step] of path.entries()) {
      const next = this.#step(reached.node, step);
      if (next === undefined) return this.#start(reached, depth === 0 ? "value" : "key");
      reached = next;
    }
    const start = this.#start(reached, at);
    if (find !== undefined) return start + Math.max(0, this.#text.slice(start, reached.node?.range[1]).indexOf(find));
    return index === undefined || at === "key" ? start : start + this.#within(reached.node, index);
  }

  spelling(path: Path): string | undefined {
    let node: ParsedNode | null = this.#contents;
    for (const step of path) node = this.#step(node, step)?.node ?? null;
    const target = this.#resolved(node);
    return isScalar(target) ? target.source : undefined;
  }

  #start({ key, node }: Reached, at: "key" | "value"): number {
    const first = at === "key" ? (key ?? node) : (node ?? key);
    return first?.range[0] ?? 0;
  }

  /** How far behind the start of a string its character `index` stands; 0 where escapes or folding make it unclear. */
  #within(node: ParsedNode | null, index: number): number {
    const target = isScalar(node) ? node : null;
    if (target === null || typeof target.value !== "string") return 0;
    const quotes = target.type === Scalar.QUOTE_DOUBLE || target.type === Scalar.QUOTE_SINGLE ? 1 : 0;
    const start = target.range[0] + quotes;
    return this.#text.startsWith(target.value.slice(0, index), start) ? quotes + index : 0;
  }

  #resolved(node: ParsedNode | null): ParsedNode | null {
    return node !== null && isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  #step(from: ParsedNode | null, step: string | number): Reached | undefined {
    const node = this.#resolved(from);
    if (isSeq<ParsedNode>(node)) {
      const item = typeof step === "number" ? node.items[step] : undefined;
      return item === undefined ? undefined : { key: null, node: item };
    }
    if (!isMap<ParsedNode, ParsedNode | null>(node)) return undefined;
    let known = this.#index.get(node);
    if (known === undefined) {
      known = new Map(node.items.map(({ key, value }) => [nameOf(key) ?? "", { key, node: value }]));
      this.#index.set(node, known);
    }
    return known.get(String(step));
  }

  #fault(node: ParsedNode | null, what: string, hint?: string): void {
    if (this.faults.length > BOUNDS.faultsPerInput) return;
    this.faults.push({ offset: node?.range[0] ?? 0, what, ...(hint === undefined ? {} : { hint }) });
  }

  /** `label` is the key in front of the value, for hints; undefined in a list. */
  #read(node: ParsedNode | null, label: string | undefined): unknown {
    if (node === null || this.isCutShort) return null;
    this.#size += 1;
    if (isAlias(node)) return this.#follow(node);
    const before = this.#size;
    if (node.tag !== undefined)
      this.#fault(
        node,
        `the tag ${quote(node.tag.replace("tag:yaml.org,2002:", "!!")).slice(1, -1)}`,
        "remove it: plans hold plain data; quote what shall be text",
      );
    const data = isScalar(node) ? this.#scalar(node) : isMap(node) ? this.#map(node, label) : this.#list(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, { data, size: this.#size - before + 1, node });
    return data;
  }

  #follow(node: ParsedNode & { readonly source: string }): unknown {
    const anchor = this.#anchors.get(node.source);
    if (anchor === undefined) {
      this.#fault(
        node,
        `*${quote(node.source).slice(1, -1)} names no anchor above it`,
        "an alias cannot lie inside what it names; quote text that starts with *",
      );
      return REFUSED;
    }
    this.#aliased += anchor.size;
    this.#size += anchor.size;
    if (this.#aliased > BOUNDS.aliasedValues) {
      this.isCutShort = true;
      this.#fault(
        node,
        `aliases add more than ${BOUNDS.aliasedValues.toLocaleString("en")} values`,
        "write the values out, or use forEach",
      );
      return REFUSED;
    }
    this.#targets.set(node, anchor.node);
    return anchor.data;
  }

  #scalar(node: Scalar.Parsed): unknown {
    // A tag was refused already; what it would have made of the text is nothing to look at.
    const value: unknown = node.tag === undefined ? node.value : node.source;
    if (typeof value === "string") {
      if (value.includes("\u0000")) this.#fault(node, "a NUL character in a text", "remove it");
      return value.replaceAll("\u0000", "");
    }
    if (typeof value !== "number") return value;
    const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    if (isExact) return Object.is(value, -0) ? 0 : value;
    this.#fault(
      node,
      `${quote(node.source ?? "")} is no number that can be kept exactly`,
      "quote it if it shall be text",
    );
    return REFUSED;
  }

  #list(node: ParsedNode): unknown[] {
    return isSeq<ParsedNode>(node)
      ? node.items.map((item) => this.#read(item, undefined)).filter((item) => item !== REFUSED)
      : [];
  }

  #map(node: YAMLMap.Parsed, label: string | undefined): unknown {
    const source = this.#text.slice(node.range[0], node.range[1]);
    const first = node.items[0];
    if (first !== undefined && node.items.length === 1 && source.startsWith("{{") && isMap(first.key)) {
      this.#fault(node, ...unquotedTemplate(source, label));
      return source; // as if it had been quoted, so that the other faults of the file are found too
    }
    const data: Record<string, unknown> = Object.create(null);
    const lines = new Map<string, ParsedNode | null>();
    for (const { key, value } of node.items) {
      const name = nameOf(key);
      if (name === undefined)
        this.#fault(key ?? value, "a key that is no text", "a key is one word, or text in quotes");
      else if (name === "__proto__") this.#fault(key, '"__proto__" cannot be a key', "choose another name");
      else if (name === "<<")
        this.#fault(key, "merge keys (<<) are not supported", "write the keys out, or use *alias for a whole value");
      else if (lines.has(name))
        this.#fault(
          key,
          `${quote(name)} stands here twice`,
          `remove one; the first is on line ${this.#lineAt(lines.get(name)?.range[0] ?? 0)}`,
        );
      else {
        lines.set(name, key);
        const inner = this.#read(value, name);
        if (inner !== REFUSED) data[name] = inner;
      }
    }
    return data;
  }
}

/** A key as text: `404: x` has the key "404", as it is spelled. */
function nameOf(key: ParsedNode | null): string | undefined {
  if (!isScalar(key) || (key.value === null && (key.source ?? "") === "")) return undefined;
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}
