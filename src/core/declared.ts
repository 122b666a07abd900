/**
 * Declared resources: capacities, pools and rates that `use NAME` may take. The library's `resources` option, a plan and a
 * configuration file all declare them in this shape.
 */
import { BOUNDS } from "./bounds.ts";
import type { Command, CounterKind } from "./command.ts";
import { DEFAULT_DECLARER } from "./counters.ts";
import { type ErrorCode, errorCode, type Fault, LockyardError } from "./errors.ts";
import { counterNode, parseName, poolMembers } from "./names.ts";

type DeclaredKind = Exclude<CounterKind, "limit">;

export interface DeclaredResource {
  readonly name: string;
  readonly kind: DeclaredKind;
  readonly node: string;
  /** Units of a capacity, members of a pool, burst of a rate. */
  readonly capacity: number;
  /** Of a pool, in order. */
  readonly members?: readonly string[];
  /** Of a rate: milliseconds between units. */
  readonly intervalMs?: number;
  /** Of a pool: the variable that tells a task which members it got. */
  readonly env?: string;
  /** Of a pool: each member is an empty directory, made before the start and removed after the end. */
  readonly isDirectories?: boolean;
  /** A file or an option, for people; `default` for what exists from the start. */
  readonly declaredBy: string;
  /** From the user's own file, whose number wins. */
  readonly authority: boolean;
}

interface Scoped {
  /** `workspace` keeps the name private; otherwise it is one resource per machine, whoever declares it. */
  readonly scope?: "machine" | "workspace";
}
export type ResourceDeclaration =
  | (Scoped & { readonly capacity: number })
  /** `"3000-3009"`, `"a, b, c"`, or a list. */
  | (Scoped & { readonly pool: string | number | readonly (string | number)[]; readonly env?: string })
  /** So many empty directories at once, each one task's own while it runs; `env` is the name in capitals when left out. */
  | (Scoped & { readonly directories: number; readonly env?: string })
  /** `"60/min"`: units per `s`, `min` or `h`; `burst` (default 1) may be taken at once. */
  | (Scoped & { readonly rate: string; readonly burst?: number });

export interface DeclareOptions {
  /** Who declares, for people: `option resources`, `lockyard.yaml`. */
  readonly by: string;
  /** Whether that is the user's own file, whose numbers win. */
  readonly authority?: boolean;
  readonly workspace: string;
  /** Cores of this machine; `build` gets one unit per four, one at least. */
  readonly cores: number;
  readonly code?: Extract<ErrorCode, "INVALID_OPTION" | "INVALID_PLAN" | "INVALID_CONFIG">;
  /** Place of the record, for faults. Default `resources`. */
  readonly where?: string;
}

/**
 * Declared resources by name; `build` is there from the start and gives way to a declaration of the same name. Throws
 * INVALID_OPTION (or `options.code`) with every fault.
 */
export function declareResources(
  record: Readonly<Record<string, ResourceDeclaration>> | undefined,
  options: DeclareOptions,
): ReadonlyMap<string, DeclaredResource> {
  const declared = new Map<string, DeclaredResource>();
  const capacity = Math.max(1, Math.floor(options.cores / 4));
  const build = { name: "build", kind: "capacity", node: "c:build", capacity } as const;
  declared.set("build", { ...build, declaredBy: DEFAULT_DECLARER, authority: false });
  const faults: Fault[] = [];
  const entries = Object.entries(record ?? {});
  const place = options.where ?? "resources";
  if (entries.length > BOUNDS.declaredResources) {
    faults.push({
      where: place,
      what: `declares ${entries.length} resources and the limit is ${BOUNDS.declaredResources}`,
    });
  }
  for (const [name, declaration] of entries.slice(0, BOUNDS.declaredResources)) {
    const where = `${place}.${name}`;
    try {
      const resource = declareOne(name, declaration, options);
      if (typeof resource === "string") faults.push({ where, what: resource, hint: FORMS });
      else declared.set(resource.name, resource);
    } catch (error) {
      if (errorCode(error) === undefined || errorCode(error) === "BUG") throw error;
      faults.push({ where, what: (error as Error).message }); // has a code: one of ours
    }
  }
  if (faults.length > 0) {
    const first = faults[0];
    throw new LockyardError(options.code ?? "INVALID_OPTION", `${first?.where}: ${first?.what}`, {
      hint: first?.hint,
      faults,
    });
  }
  return declared;
}

const FORMS =
  'Write { capacity: 2 }, { pool: "3000-3009", env: "PORT" }, { directories: 4 } or { rate: "60/min", burst: 5 }.';
/** What may stand beside each way to declare. */
const BESIDE = { capacity: "", pool: "env", directories: "env", rate: "burst" } as const;

/** The resource, or what is wrong with it. */
function declareOne(given: string, declaration: unknown, options: DeclareOptions): DeclaredResource | string {
  const name = parseName(given, "resource name");
  if (name.includes(":")) return "a name of a resource must not contain `:` (it would be read as units)";
  if (typeof declaration !== "object" || declaration === null) return "must be an object";
  const fields = declaration as Readonly<Record<string, unknown>>; // checked just above
  const ways = (["capacity", "pool", "directories", "rate"] as const).filter((key) => fields[key] !== undefined);
  const only = ways[0];
  if (only === undefined || ways.length > 1)
    return `must say one of capacity, pool, directories and rate, not ${ways.length}`;
  const way: keyof typeof BESIDE = only;
  const kind: DeclaredKind = way === "directories" ? "pool" : way;
  const unknown = Object.keys(fields).find((key) => ![way, "scope", BESIDE[way]].includes(key));
  if (unknown !== undefined) return `has the unknown key "${unknown}"`;
  const scope = fields.scope ?? "machine";
  if (scope !== "machine" && scope !== "workspace")
    return `has the scope ${JSON.stringify(scope)}, which is neither machine nor workspace`;
  const node = counterNode(kind, name, scope, options.workspace);
  const base = { name, kind, node, declaredBy: options.by, authority: options.authority === true };
  switch (way) {
    case "capacity": {
      const capacity = fields.capacity;
      if (!isUnits(capacity))
        return `has the capacity ${JSON.stringify(capacity)}, which is not a whole number of 1 or more`;
      return { ...base, capacity };
    }
    case "pool":
      return declarePool(fields, base);
    case "directories":
      return declareDirectories(fields, base);
    case "rate": {
      const intervalMs = typeof fields.rate === "string" ? parseRate(fields.rate) : undefined;
      if (intervalMs === undefined) return `has the rate ${JSON.stringify(fields.rate)}, which is not like 60/min`;
      const burst = fields.burst ?? 1;
      if (!isUnits(burst)) return `has the burst ${JSON.stringify(burst)}, which is not a whole number of 1 or more`;
      return { ...base, capacity: burst, intervalMs };
    }
  }
}

function declarePool(
  fields: Readonly<Record<string, unknown>>,
  base: Pick<DeclaredResource, "name" | "kind" | "node" | "declaredBy" | "authority">,
): DeclaredResource | string {
  const { pool, env } = fields;
  const isList =
    Array.isArray(pool) && pool.every((member) => typeof member === "string" || typeof member === "number");
  if (!isList && typeof pool !== "string" && typeof pool !== "number")
    return "has a pool that is neither a text nor a list";
  const members = isList ? pool.map(String) : poolMembers(pool as string | number); // narrowed by the line above
  if (members.length === 0) return "has an empty pool";
  if (members.length > BOUNDS.poolMembers)
    return `has ${members.length} members and the limit is ${BOUNDS.poolMembers}`;
  const seen = new Set<string>();
  const twice = members.find((member) => seen.size === seen.add(member).size);
  if (twice !== undefined) return `has the member ${JSON.stringify(twice)} twice`;
  if (!isVariable(env)) return `has the variable ${JSON.stringify(env)}, which is not a name like PORT`;
  return { ...base, capacity: members.length, members, ...(env === undefined ? {} : { env }) };
}

function isVariable(env: unknown): env is string | undefined {
  return env === undefined || (typeof env === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(env));
}

function declareDirectories(
  { directories, env }: Readonly<Record<string, unknown>>,
  base: Pick<DeclaredResource, "name" | "kind" | "node" | "declaredBy" | "authority">,
): DeclaredResource | string {
  if (!isUnits(directories) || directories > BOUNDS.poolMembers)
    return `has ${JSON.stringify(directories)} directories, which is not a whole number from 1 to ${BOUNDS.poolMembers}`;
  if (!isVariable(env)) return `has the variable ${JSON.stringify(env)}, which is not a name like SCRATCH`;
  const members = Array.from({ length: directories }, (_, index) => String(index + 1));
  // Without a variable nobody would ever learn where it is.
  const named =
    env ??
    base.name
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]/g, "_")
      .replace(/^(?=\d|$)/, "_");
  return { ...base, capacity: directories, members, env: named, isDirectories: true };
}

function isUnits(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= BOUNDS.units;
}

const PERIOD_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
};

/** `60/min` → 1,000 ms between units; undefined when it is not a rate. */
export function parseRate(text: string): number | undefined {
  const match = /^\s*(\d{1,9}(?:\.\d{1,6})?)\s*\/\s*([a-z]{1,6})\s*$/.exec(text);
  const periodMs = PERIOD_MS[match?.[2] ?? ""];
  const count = Number(match?.[1]);
  return periodMs === undefined || !(count > 0) ? undefined : periodMs / count;
}

/** `2 units`, `10 members`, `1 every 1,000 ms`: what people read behind the name. */
export function describeDeclared(resource: DeclaredResource): string {
  switch (resource.kind) {
    case "capacity":
      return `${resource.capacity} unit${resource.capacity === 1 ? "" : "s"}`;
    case "pool":
      return `${resource.capacity} ${poolWord(resource)}`;
    case "rate":
      return `1 every ${Math.round(resource.intervalMs ?? 0).toLocaleString("en-US")} ms, ${resource.capacity} at once`;
  }
}

function poolWord({ isDirectories, capacity }: DeclaredResource): string {
  if (isDirectories === true) return capacity === 1 ? "directory" : "directories";
  return capacity === 1 ? "member" : "members";
}

/** The commands that make a store know declared resources. `by` is the owner they end with. */
export function declareCommands(
  declared: Iterable<DeclaredResource>,
  by: string,
): readonly Extract<Command, { type: "declare" }>[] {
  return Array.from(declared, ({ node, kind, capacity, intervalMs, members, declaredBy, authority }) => ({
    type: "declare" as const,
    node,
    kind,
    capacity,
    by: declaredBy === DEFAULT_DECLARER ? DEFAULT_DECLARER : by,
    source: declaredBy,
    authority,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(members === undefined ? {} : { members }),
  }));
}
