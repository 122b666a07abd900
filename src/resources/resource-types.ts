/** The five built-in resource types, as data: who works on them, and which context keys name specifics. */
import type { Claim, TaskGroup } from "../core/task.ts";

export interface ResourceType {
  readonly type: string;
  readonly label: string;
  /** What belongs to it, for people. */
  readonly holds: string;
  /** Words of an agent type or of a task type that select it: `backend` selects for `backend_specialist`. */
  readonly words: readonly string[];
  /** Words that select it in a task type only. */
  readonly taskWords: readonly string[];
  /** Context keys that name specifics and select the type by themselves. */
  readonly ownKeys: readonly string[];
  /** Context keys that name specifics once the type is selected; several types share them. */
  readonly sharedKeys: readonly string[];
  /** What is claimed when nothing specific is named. Shared, so that a guess never serialises. */
  readonly whenUnnamed: "shared" | "exclusive" | "nothing";
  /** Group under which tasks of this type are shown. */
  readonly group: TaskGroup;
  /** Claims that come with the type, beside its name: `[{ use: "gpu" }]`. */
  readonly claims: readonly Claim[];
}

/** A rule adds a resource type, or adds words, keys and claims to the one of the same name. */
export type ResourceRule = Pick<ResourceType, "type"> & Partial<ResourceType>;

const NO_CLAIMS: readonly Claim[] = [];

export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    type: "backend_services",
    label: "Backend services",
    holds: "database connections, API endpoints",
    words: ["backend", "server", "api", "apis"],
    taskWords: ["endpoint", "endpoints", "rest", "graphql", "service", "services", "route", "routes"],
    ownKeys: ["endpoints", "endpoint", "services", "routes"],
    sharedKeys: ["apis", "api", "files"],
    whenUnnamed: "shared",
    group: "backend",
    claims: NO_CLAIMS,
  },
  {
    type: "frontend_assets",
    label: "Frontend assets",
    holds: "UI components, styling",
    words: ["frontend", "css", "style", "styles", "styling", "theme"],
    taskWords: ["asset", "assets", "layout", "stylesheet"],
    ownKeys: ["assets", "styles", "stylesheets"],
    sharedKeys: ["pages", "files"],
    whenUnnamed: "shared",
    group: "frontend",
    claims: NO_CLAIMS,
  },
  {
    type: "documentation_files",
    label: "Documentation files",
    holds: "Markdown, API specifications",
    words: ["documentation", "docs", "doc", "documenter", "readme"],
    taskWords: ["changelog", "markdown", "openapi"],
    ownKeys: ["documents", "docs"],
    sharedKeys: ["apis", "api", "files"],
    whenUnnamed: "shared",
    group: "documentation",
    claims: NO_CLAIMS,
  },
  {
    type: "database_config",
    label: "Database configuration",
    holds: "schema changes, migrations",
    words: ["database", "db", "dba", "sql"],
    taskWords: ["schema", "schemas", "migration", "migrations", "migrate"],
    ownKeys: ["tables", "table", "migrations", "schemas"],
    sharedKeys: ["files"],
    whenUnnamed: "exclusive",
    group: "backend",
    claims: NO_CLAIMS,
  },
  {
    type: "ui_components",
    label: "UI components",
    holds: "components, templates",
    words: ["ui", "ux", "component", "components"],
    taskWords: ["template", "templates", "widget", "widgets"],
    ownKeys: ["components", "component", "templates"],
    sharedKeys: ["files"],
    whenUnnamed: "shared",
    group: "frontend",
    claims: NO_CLAIMS,
  },
];

/** Words that say what is done rather than to what: `api_documentation` documents, it serves no API. */
const DOCUMENTING: ReadonlySet<string> = new Set(["documentation", "docs", "doc", "readme", "changelog"]);
export const VALIDATING: ReadonlySet<string> = new Set([
  "test",
  "tests",
  "testing",
  "tester",
  "qa",
  "validation",
  "validate",
  "validator",
  "verification",
  "verify",
]);

export function isDocumenting(words: readonly string[]): boolean {
  return words.some((word) => DOCUMENTING.has(word));
}

/** Words of a name that select; when some say that documents are written, the others are only the subject. */
export function selectingWords(text: string): readonly string[] {
  const words = wordsOf(text);
  return isDocumenting(words) ? words.filter((word) => DOCUMENTING.has(word)) : words;
}

/** The built-in types with rules merged in: words, keys and claims are added, everything else is replaced. */
export function mergeRules(rules: readonly ResourceRule[]): readonly ResourceType[] {
  const types = new Map(RESOURCE_TYPES.map((type) => [type.type, type]));
  for (const rule of rules) {
    const known = types.get(rule.type) ?? emptyType(rule.type);
    types.set(rule.type, {
      ...known,
      ...rule,
      words: [...known.words, ...(rule.words ?? [])],
      taskWords: [...known.taskWords, ...(rule.taskWords ?? [])],
      ownKeys: [...known.ownKeys, ...(rule.ownKeys ?? [])],
      sharedKeys: [...known.sharedKeys, ...(rule.sharedKeys ?? [])],
      claims: [...known.claims, ...(rule.claims ?? [])],
    });
  }
  return [...types.values()];
}

function emptyType(type: string): ResourceType {
  return {
    type,
    label: type,
    holds: "",
    words: [],
    taskWords: [],
    ownKeys: [],
    sharedKeys: [],
    whenUnnamed: "shared",
    group: "general",
    claims: NO_CLAIMS,
  };
}

/** `backend_specialist`, `apiImplementation` → lower-case words. */
export function wordsOf(text: string): readonly string[] {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}
