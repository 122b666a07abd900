/**
 * Names of resources → nodes. A name has `/` levels and belongs to its workspace; `machine:NAME` and `cluster:NAME` are
 * wider. Capacities, pools and rates are one per machine whoever declares them, unless declared `scope: workspace`.
 */
import { BOUNDS } from "./bounds.ts";
import { LockyardError } from "./errors.ts";

export type Scope = "workspace" | "machine" | "cluster";

// Control characters, backslash and the separators nodes use themselves.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the purpose
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\\]|^\s|\s$|^\/|\/$|\/\/|^$/;

/** NFC, at most 512 bytes, no control characters, no empty level. Throws INVALID_CLAIM. */
export function parseName(name: string, what = "name"): string {
  if (typeof name !== "string") throw invalid(what, String(name), "must be a string");
  const normal = name.normalize("NFC");
  if (FORBIDDEN.test(normal))
    throw invalid(what, normal, "must be non-empty, without control characters, empty levels or outer spaces");
  if (Buffer.byteLength(normal) > BOUNDS.idBytes)
    throw invalid(what, `${normal.slice(0, 40)}…`, `is longer than ${BOUNDS.idBytes} bytes`);
  if (normal.split("/").length > BOUNDS.pathDepth)
    throw invalid(what, normal, `has more than ${BOUNDS.pathDepth} levels`);
  return normal;
}

function invalid(what: string, name: string, why: string): LockyardError {
  return new LockyardError("INVALID_CLAIM", `The ${what} ${JSON.stringify(name)} ${why}.`, {
    hint: "Use letters, digits, dots, dashes and / between levels, for example backend_services/users.",
  });
}

/** 53 bits of FNV-1a, printed in base 36: short, stable, the same in every process. Not for secrets. */
export function shortHash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return ((high >>> 0) & 0x1fffff).toString(36).padStart(4, "0") + (low >>> 0).toString(36).padStart(7, "0");
}

/** Identity of a workspace: its root directory, hashed. */
export function workspaceId(root: string): string {
  return shortHash(root);
}

/** `gpu` → `n:WORKSPACE:gpu`, `machine:gpu` → `n:machine:gpu`. Throws INVALID_CLAIM. */
export function nameNode(name: string, workspace: string): string {
  const wide = /^(machine|cluster):(.*)$/s.exec(name);
  if (wide) return `n:${wide[1]}:${parseName(wide[2] ?? "")}`;
  return `n:${workspace}:${parseName(name)}`;
}

const COUNTER_PREFIX = { capacity: "c:", pool: "p:", rate: "r:" } as const;

/** Node of a declared capacity, pool or rate: machine-wide, or private to a workspace. */
export function counterNode(kind: keyof typeof COUNTER_PREFIX, name: string, scope: Scope, workspace: string): string {
  const normal = parseName(name);
  return COUNTER_PREFIX[kind] + (scope === "workspace" ? `${workspace}:${normal}` : normal);
}

export function limitNode(name: string): string {
  return `l:${name}`;
}

/** Members of `3000-3009`, or of a comma-separated list. Throws INVALID_CONFIG. */
export function poolMembers(text: string | number): string[] {
  const range = /^(\d{1,6})-(\d{1,6})$/.exec(String(text).trim());
  if (!range)
    return String(text)
      .split(",")
      .map((member) => member.trim())
      .filter((member) => member !== "");
  const [from, to] = [Number(range[1]), Number(range[2])];
  if (to < from || to - from >= 10_000) {
    throw new LockyardError("INVALID_CONFIG", `The pool ${text} must go up and hold at most 10,000 members.`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}
