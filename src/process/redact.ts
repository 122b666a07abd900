/**
 * Takes secrets out of what a child prints, before anything keeps or shows it: values it was given in variables that are
 * named like secrets, in the forms tools print them in, and what looks like a well-known kind of key.
 *
 *  X1 a known value never leaves here, wherever the chunks are cut
 *  X2 what holds no secret passes byte for byte, and is held back only while it may still become one
 *
 * Everything works on bytes, written as a string of one character each (latin1).
 */
import { REDACTION } from "../core/bounds.ts";

const MARK = "[redacted]";

const SECRET_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASS|PASSWD|PASSWORD|PASSPHRASE|CREDENTIALS?|COOKIE)(?:_|$|\d)/i;

/** Beginnings by which keys of well-known services are told, and what follows them. */
const KEYS: readonly (readonly [string, string])[] = [
  ["sk-", "[\\w-]{16,}"],
  ["ghp_", "\\w{20,}"],
  ["gho_", "\\w{20,}"],
  ["ghu_", "\\w{20,}"],
  ["ghs_", "\\w{20,}"],
  ["ghr_", "\\w{20,}"],
  ["github_pat_", "\\w{20,}"],
  ["glpat-", "[\\w-]{16,}"],
  ["xoxb-", "[\\w-]{10,}"],
  ["xoxp-", "[\\w-]{10,}"],
  ["xoxa-", "[\\w-]{10,}"],
  ["npm_", "\\w{30,}"],
  ["AKIA", "[0-9A-Z]{16}"],
  ["AIza", "[\\w-]{30,}"],
  ["eyJ", "[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]{10,}"],
];

/** The password of `scheme://user:password@host`. */
const IN_URL = "(?<=://[^\\s:/@]{0,100}:)[^\\s@/]{3,200}(?=@)";
const PEM_BEGIN = "-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----";
const PEM = `${PEM_BEGIN}[\\s\\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$(?![\\s\\S]))`;

const BEGINNINGS: readonly string[] = [...KEYS.map(([beginning]) => beginning), "://", "-----BEGIN "];
/** What at the end of a chunk may go on to be one of them. */
const OPEN_KEY = new RegExp(`(?:${KEYS.map(([beginning]) => beginning).join("|")}|://)\\S*$`);
const OPEN_PEM =
  /-----BEGIN (?:[A-Z ]{0,60}-{0,5}$(?![\s\S])|[A-Z ]{0,40}PRIVATE KEY-----(?![\s\S]*-----END )[\s\S]*$(?![\s\S]))/;
const OPEN_PEM_END = new RegExp(`${PEM_BEGIN}[\\s\\S]*-----END [A-Z ]{0,60}-{0,4}$(?![\\s\\S])`);

/** Values of variables that are named like secrets and long enough to be one. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= REDACTION.leastSecret && SECRET_NAME.test(name) ? [value] : [],
  );
}

export class Redactor {
  readonly #pattern: RegExp;
  /** By first character: what a held back end may be the beginning of. */
  readonly #beginnings = new Map<string, string[]>();
  readonly #longest: number;
  /** What every secret has in it, and by its first two bytes. */
  readonly #needles: readonly string[];
  readonly #pairs = new Map<number, Buffer[]>();
  readonly #mayBegin = new Uint8Array(65_536);

  /** Of these values, and of the well-known kinds of key. */
  constructor(secrets: readonly string[] = []) {
    const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
    const known = forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
    const keys = KEYS.map(([beginning, rest]) => `(?<![A-Za-z0-9])${beginning}${rest}`);
    this.#pattern = new RegExp([...known, ...keys, IN_URL, PEM].join("|"), "g");
    for (const form of [...forms, ...BEGINNINGS]) {
      const first = form[0] ?? "";
      this.#beginnings.set(first, [...(this.#beginnings.get(first) ?? []), form]);
    }
    this.#needles = [...forms, ...BEGINNINGS];
    for (const needle of this.#needles) {
      const bytes = Buffer.from(needle, "latin1");
      const pair = bytes.readUInt16BE(0);
      this.#pairs.set(pair, [...(this.#pairs.get(pair) ?? []), bytes]);
      this.#mayBegin[pair] = 1;
    }
    this.#longest = Math.max(...[...forms, ...BEGINNINGS].map(({ length }) => length));
  }

  /** A text that is whole. */
  text(text: string): string {
    return utf8Of(this.#clean(bytesOf(text)));
  }

  stream(): RedactedStream {
    return new RedactedStream({
      clean: (bytes) => this.#clean(bytes),
      heldFrom: (bytes) => this.#heldFrom(bytes),
      plainUntil: (held, chunk) => this.#plainUntil(held, chunk),
    });
  }

  /**
   * After what is held back, a chunk that brings no secret and no beginning of one but at its end: where that is. Null for any
   * other, and for a short one. A gigabyte that holds none becomes no strings.
   */
  #plainUntil(held: string, chunk: Buffer): number | null {
    const least = this.#longest;
    if (held.length >= least || chunk.length < least) return null;
    const seam = held + chunk.toString("latin1", 0, least);
    if (this.#needles.some((needle) => seam.includes(needle)) || this.#hasNeedle(chunk)) return null;
    const start = chunk.length - least + 1;
    return start + this.#begunAt(chunk.toString("latin1", start));
  }

  #hasNeedle(chunk: Buffer): boolean {
    const mayBegin = this.#mayBegin;
    let pair = chunk[0] ?? 0;
    for (let at = 1; at < chunk.length; at++) {
      pair = ((pair & 0xff) << 8) | (chunk[at] ?? 0);
      if (mayBegin[pair] === 0) continue;
      const needles = this.#pairs.get(pair) ?? [];
      if (needles.some((needle) => chunk.subarray(at - 1, at - 1 + needle.length).equals(needle))) return true;
    }
    return false;
  }

  #clean(bytes: string): string {
    return bytes.replace(this.#pattern, MARK);
  }

  /** From where on it may still become a secret. Never inside of one that is whole: its beginning would pass alone. */
  #heldFrom(bytes: string): number {
    const pem = OPEN_PEM.exec(bytes)?.index ?? OPEN_PEM_END.exec(bytes)?.index ?? bytes.length;
    const key = OPEN_KEY.exec(bytes)?.index ?? bytes.length;
    const from = Math.min(pem, key, this.#begunAt(bytes));
    if (from === bytes.length) return from;
    for (const { index, 0: match } of bytes.matchAll(this.#pattern)) {
      if (index < from && index + match.length > from) return index;
      if (index >= from) break;
    }
    return from;
  }

  #begunAt(bytes: string): number {
    for (let at = Math.max(0, bytes.length - this.#longest + 1); at < bytes.length; at++) {
      const forms = this.#beginnings.get(bytes[at] ?? "");
      if (forms === undefined) continue;
      const end = bytes.slice(at);
      if (forms.some((form) => form.length > end.length && form.startsWith(end))) return at;
    }
    return bytes.length;
  }
}

interface StreamParts {
  readonly clean: (bytes: string) => string;
  readonly heldFrom: (bytes: string) => number;
  readonly plainUntil: (held: string, chunk: Buffer) => number | null;
}

const NOTHING = Buffer.alloc(0);

/** For what a child prints that was given these variables beyond what every child is given. */
export function redactorOf({
  env = {},
  passEnv = [],
}: {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
}): Redactor {
  const passed = Object.fromEntries(passEnv.map((name) => [name, process.env[name]]));
  return new Redactor(secretsIn({ ...passed, ...env }));
}

/** What is pushed comes out without secrets; `end` gives out what was held back. */
export class RedactedStream {
  readonly #parts: StreamParts;
  #held = "";
  /** The last byte given out: a key begins a word. */
  #last = "";

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  push(chunk: Buffer): Buffer {
    const [first, ...more] = this.pieces(chunk);
    return more.length === 0 ? (first ?? NOTHING) : Buffer.concat([first ?? NOTHING, ...more]);
  }

  /** The same in pieces: what is plain is the chunk itself, and no copy of it. */
  pieces(chunk: Buffer): readonly Buffer[] {
    const isFresh = this.#held === "";
    const plain = this.#parts.plainUntil(this.#held, chunk);
    if (plain !== null) {
      const before = Buffer.from(this.#held, "latin1");
      this.#held = chunk.toString("latin1", plain);
      if (plain > 0) this.#last = chunk.toString("latin1", plain - 1, plain);
      else if (!isFresh) this.#last = before.toString("latin1", before.length - 1);
      return isFresh ? [chunk.subarray(0, plain)] : [before, chunk.subarray(0, plain)];
    }
    const bytes = this.#held + chunk.toString("latin1");
    const from = this.#parts.heldFrom(bytes);
    const cut = bytes.length - from > REDACTION.heldBytes ? bytes.length : from;
    const done = bytes.slice(0, cut);
    const clean = this.#cleaned(done);
    this.#held = bytes.slice(cut);
    this.#last = done.at(-1) ?? this.#last;
    return [isFresh && clean === bytes ? chunk : Buffer.from(clean, "latin1")];
  }

  end(): Buffer {
    const rest = this.#cleaned(this.#held);
    this.#held = "";
    return Buffer.from(rest, "latin1");
  }

  #cleaned(bytes: string): string {
    return this.#parts.clean(this.#last + bytes).slice(this.#last.length);
  }
}

/** As it is, and as tools print it: base64, hex, in a URL, in JSON. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const hex = bytes.toString("hex");
  return [
    bytes.toString("latin1"),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(secret.toWellFormed()),
    bytesOf(JSON.stringify(secret).slice(1, -1)),
  ];
}

function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function utf8Of(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
