/**
 * The edge for data of any origin: what passes is plain JSON, a copy that shares nothing with what was given.
 *
 *  J1 whatever is given, this returns: it never throws and never overflows the stack (depth is bounded before descending)
 *  J2 no prototype is written to; only own enumerable string keys count, and `toJSON`
 *  J3 the work is bounded by `maxBytes`, also for a small graph that unfolds to an endless tree
 */
import { BOUNDS } from "./bounds.ts";
import type { Fault } from "./errors.ts";
import type { JsonValue } from "./task.ts";

export interface JsonLimits {
  /** UTF-8 bytes of keys and values, before escaping. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Default 64. */
  readonly maxDepth?: number;
  /** Replaces halves of surrogate pairs by U+FFFD instead of refusing them: for text a model was cut off in. */
  readonly repairStrings?: boolean;
  /** How the place of a fault begins; default `value`. */
  readonly where?: string;
}

export type JsonCheck =
  | { readonly ok: JsonValue; readonly fault?: undefined }
  | { readonly ok?: undefined; readonly fault: Fault };

/** Copies a value to plain JSON, or says what in it is not JSON and where. `undefined` becomes null, undefined members vanish. */
export function toJson(value: unknown, limits: JsonLimits = {}): JsonCheck {
  if (value === undefined || value === null) return { ok: null };
  if (value === true || value === false) return { ok: value };
  const walk = new Walk(limits);
  try {
    return { ok: walk.copy(value) };
  } catch {
    return { fault: walk.faultOf() };
  }
}

class Walk {
  readonly #maxBytes: number;
  readonly #maxDepth: number;
  readonly #repairs: boolean;
  readonly #where: string;
  #bytes = 0;
  #fault: Fault | undefined;
  /** The objects that contain what is being copied, outermost first, and the key followed in each. */
  readonly #parents: object[] = [];
  readonly #keys: (string | number)[] = [];

  constructor(limits: JsonLimits) {
    this.#maxBytes = limits.maxBytes ?? BOUNDS.contextBytes;
    this.#maxDepth = limits.maxDepth ?? BOUNDS.contextDepth;
    this.#repairs = limits.repairStrings ?? false;
    this.#where = limits.where ?? "value";
  }

  copy(value: unknown): JsonValue {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        if (!Number.isFinite(value)) throw this.#not(`is ${value}, which JSON cannot hold`, "Use null, or a string.");
        this.#charge(8);
        return value;
      case "boolean":
        this.#charge(4);
        return value;
      case "object":
        if (value === null) {
          this.#charge(4);
          return null;
        }
        return this.#container(value);
      case "undefined":
        this.#charge(4);
        return null;
      case "bigint":
        throw this.#not("is a BigInt, which JSON cannot hold", "Use a string, or a number up to 2^53.");
      case "symbol":
      case "function":
        throw this.#not(`is a ${typeof value}, which JSON cannot hold`, "Hand over data only.");
    }
  }

  #container(value: object): JsonValue {
    if (this.#parents.length >= this.#maxDepth) {
      throw this.#parents.includes(value) || new Set(this.#parents).size < this.#parents.length
        ? this.#not("contains itself", "Hand over data without cycles.")
        : this.#not(`lies deeper than ${this.#maxDepth} levels`, "Flatten it, or hand over a file name.");
    }
    const kind = exoticKind(value);
    if (kind !== undefined) throw this.#not(`is ${kind}, which JSON cannot hold`, "Turn it into an array or object.");
    const own = (value as { readonly toJSON?: unknown }).toJSON; // a cast to ask: anything may be missing
    this.#parents.push(value);
    this.#keys.push("");
    let copy: JsonValue;
    if (typeof own === "function") copy = this.copy((own as () => unknown).call(value));
    else if (Array.isArray(value)) copy = this.#array(value);
    else copy = this.#object(value);
    this.#parents.pop();
    this.#keys.pop();
    return copy;
  }

  #array(value: readonly unknown[]): JsonValue {
    const last = this.#keys.length - 1;
    const length = value.length;
    this.#charge(2 + length);
    const copy: JsonValue[] = [];
    for (let index = 0; index < length; index++) {
      this.#keys[last] = index;
      copy.push(this.copy(value[index]));
    }
    return copy;
  }

  #object(value: object): JsonValue {
    const last = this.#keys.length - 1;
    this.#charge(2);
    const copy: Record<string, JsonValue> = {};
    for (const key of Object.keys(value)) {
      this.#keys[last] = key;
      if (key === "__proto__") throw this.#not("is a key that would change a prototype", "Use another key.");
      const member = (value as Readonly<Record<string, unknown>>)[key]; // its own key: it was just listed
      if (member === undefined) continue;
      copy[this.#text(key)] = this.copy(member);
    }
    return copy;
  }

  #text(text: string): string {
    this.#charge(2 + (text.length > 16 ? Buffer.byteLength(text) : text.length));
    if (text.isWellFormed()) return text;
    if (this.#repairs) return text.toWellFormed();
    throw this.#not("holds half of a surrogate pair, which UTF-8 cannot hold", "Call toWellFormed() on it.");
  }

  #charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) {
      const limit = this.#maxBytes.toLocaleString("en");
      throw this.#not(`is part of more than ${limit} bytes`, "Hand over a file name instead of the contents.");
    }
  }

  /** Remembers what is wrong, and where, for `faultOf`; the thrown object only ends the walk. */
  #not(what: string, hint: string): Error {
    this.#fault = { where: this.#place(), what, hint };
    return new Error(what);
  }

  #place(): string {
    let place = this.#where;
    for (const key of this.#keys.slice(0, 8)) {
      if (key !== "") place += typeof key === "number" ? `[${key}]` : `.${key.slice(0, 40)}`;
    }
    return (this.#keys.length > 8 ? `${place}…` : place).toWellFormed();
  }

  faultOf(): Fault {
    return this.#fault ?? { where: this.#place(), what: "threw while it was read", hint: "Hand over plain data." };
  }
}

/** Objects whose data JSON would lose without a word. */
function exoticKind(value: object): string | undefined {
  if (value instanceof Map || value instanceof Set) return "a Map or Set";
  if (value instanceof Promise) return "a promise";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return "binary data";
  return undefined;
}
