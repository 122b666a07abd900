// The habits of the house that neither the compiler nor the linter knows: which folder may import which, where time and
// chance may come from, sizes, words. Every violation is reported at once with its place and the fix.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What a part of src/ may import, besides itself and packages. `*`: everything. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  clock: ["core"],
  process: ["core"],
  engine: ["core", "clock"],
  footprint: ["core", "process", "resources"],
  agents: ["core", "process", "footprint"],
  stores: ["core"],
  planning: ["core"],
  resources: ["core"],
  monitors: ["core"],
  plan: ["core", "resources", "planning"],
  config: ["core", "resources", "planning", "plan"],
  integration: ["core", "engine"],
  testing: [
    "core",
    "clock",
    "engine",
    "integration",
    "stores",
    "agents",
    "planning",
    "resources",
    "monitors",
    "process",
  ],
  compose: ["*"],
  index: ["core", "clock", "engine", "integration", "stores", "agents", "planning", "resources", "monitors", "compose"],
  // Lists of names of the inside for the edges; the library loads none of them.
  edges: ["*"],
  prove: ["index", "compose", "edges", "clock"],
  cli: ["index", "compose", "edges", "plan", "config"],
  mcp: ["index", "compose", "edges", "plan", "config"],
  hooks: ["index", "compose", "edges", "plan", "config"],
  http: ["index", "compose", "edges", "plan", "config"],
};

/** What a part may load besides, by `await import()` only (and name the types of): a command starts without what other commands need. */
const MAY_LOAD: Record<string, readonly string[]> = {
  cli: ["mcp", "hooks", "http", "prove"],
};

/** Parts whose folders are adapters of one port and never import each other. */
const ADAPTERS = ["agents", "stores"];

/** Parts `compose` and `index` may import statically; the rest is an adapter somebody may not need: `await import()`. */
const ALWAYS_LOADED = ["core", "clock", "engine", "integration", "planning", "resources", "monitors", "compose"];

const MAX_LINES = 400;
/** Files above the limit: how many lines they may have and why. */
const LONG_FILES: Record<string, { lines: number; reason: string }> = {};

/** Places outside clock/ that may touch time or chance, and why. */
const TIME_EXCEPTIONS: Record<string, string> = {};

interface SourceFile {
  readonly name: string;
  /** Without comments; line numbers stay. */
  readonly lines: readonly string[];
}

interface Import {
  readonly file: string;
  readonly line: number;
  readonly target: string;
  readonly kind: "static" | "type" | "dynamic";
}

const tracked = listFiles();
const code = tracked.filter((name) => /\.(ts|mjs|js)$/.test(name)).map(readSource);
const sources = code.filter(({ name }) => name.startsWith("src/"));
const isTest = (name: string) => /\.test(-d)?\.ts$/.test(name);

test("imports keep their direction", () => {
  const product = sources.filter(({ name }) => !isTest(name)).flatMap(importsOf);
  report(product.flatMap((entry) => faultOf(entry)));
});

test("importing the library loads no driver and no package", () => {
  const imports = sources.flatMap(importsOf);
  const seen = new Set(["src/index.ts"]);
  const faults: string[] = [];
  for (const file of seen) {
    for (const { target, line } of imports.filter((entry) => entry.file === file && entry.kind === "static")) {
      if (target.startsWith("src/")) seen.add(target);
      else if (target === "node:sqlite" || !target.startsWith("node:")) {
        faults.push(
          `${file}:${line} loads ${target} when the library is imported. Load it with await import() when first used.`,
        );
      }
    }
  }
  report(faults);
});

test("time and chance come from clock/ only", () => {
  const banned =
    /\bDate\.now\b|\bnew Date\(|(?<![\w.])set(?:Timeout|Interval|Immediate)\b|\bperformance\.now\b|\bMath\.random\b|\bprocess\.hrtime\b|\bcrypto\.random|\brandom(?:UUID|Bytes|Int)\b|["']node:timers/;
  const product = sources.filter(({ name }) => !isTest(name) && !name.startsWith("src/clock/"));
  const unlisted = product.filter(({ name }) => TIME_EXCEPTIONS[name] === undefined);
  report(
    find(
      unlisted,
      banned,
      "Take it from the Clock that is handed in, or list the file in TIME_EXCEPTIONS with its reason.",
    ),
  );
});

test("unit tests do not sleep", () => {
  const tests = sources.filter(({ name }) => isTest(name) && !name.startsWith("src/clock/"));
  const sleep = /["']node:timers\/promises["']|=>\s*\{?\s*(?:void )?setTimeout\(|\bawait (?:sleep|delay)\(/;
  report(find(tests, sleep, "Move the virtual clock, or wait for the fact itself."));
});

test("files stay small", () => {
  const long = sources.flatMap(({ name, lines }) => {
    const limit = LONG_FILES[name]?.lines ?? MAX_LINES;
    return lines.length > limit
      ? [`${name}:${limit} has ${lines.length} lines of ${limit}. Split it, or list it in LONG_FILES.`]
      : [];
  });
  const stale = Object.keys(LONG_FILES).filter((name) => {
    return (sources.find((file) => file.name === name)?.lines.length ?? 0) <= MAX_LINES;
  });
  report([...long, ...stale.map((name) => `${name} is listed in LONG_FILES without need. Remove the entry.`)]);
});

test("no shortcut that hides what a file gives or takes", () => {
  report([
    ...find(sources, /^\s*export \*/, "Export each name."),
    ...find(sources, /^\s*export default\b/, "Export a name."),
    ...find(
      sources,
      /^import \{.*\} from "zod"/,
      'Write `import * as z from "zod"`: the other form bundles every language.',
    ),
    ...find(sources, /(?::|\bas|<|\|) any\b(?!\w)/, "Say the type, or `unknown` and parse it."),
  ]);
});

test("no unfinished work, no disabled test, no file without a subject", () => {
  const here = "test/tidy.test.ts";
  const others = tracked
    .filter((name) => name !== here && isText(name))
    .map((name) => ({ name, lines: linesOf(name) }));
  report([
    ...find(others, /\b(?:TODO|FIXME|XXX|HACK)\b/, "Do it, or write it where the team plans."),
    ...find(code, /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|todo)\b/, "Run it, fix it or delete it."),
    ...tracked
      .filter((name) => /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.[^/]*$)/.test(name))
      .map((name) => `${name}:1 is named after nothing. Name it for the noun or verb it holds.`),
  ]);
});

test("no file knows the machine it was written on", () => {
  // A made-up path may stand anywhere; one that exists beside or in the repository, or at home, was copied from here.
  const places = [path.dirname(ROOT), os.homedir()].filter((place) => place !== "/" && place !== os.tmpdir());
  const isReal = (found: string) => places.some((place) => found.startsWith(`${place}/`)) && fs.existsSync(found);
  const texts = tracked.filter(isText).map((name) => ({ name, lines: linesOf(name) }));
  const paths = texts.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) => {
      const found = line.match(/(?<![\w.~}$-])\/[\w.-]+\/[\w.-]*\w/g)?.find(isReal);
      return found === undefined ? [] : [`${name}:${index + 1} has "${found}". Use a path relative to the repository.`];
    }),
  );
  const lock = texts.filter(({ name }) => name === "package-lock.json");
  const fix = "Install with `npm config set omit-lockfile-registry-resolved true`.";
  report([...paths, ...find(lock, /"resolved": "https?:/, fix)]);
});

// --- Reading ----------------------------------------------------------------------------------------------------------

function listFiles(): readonly string[] {
  const git = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const names = execFileSync("git", git, { cwd: ROOT, encoding: "utf8" }).split("\0");
  return names.filter((name) => name !== "" && fs.existsSync(path.join(ROOT, name)));
}

function isText(name: string): boolean {
  return /\.(ts|mjs|js|json|md|ya?ml|sql|sh|txt|toml)$/.test(name) || name === ".ci/run";
}

function linesOf(name: string): readonly string[] {
  return fs.readFileSync(path.join(ROOT, name), "utf8").replace(/\n$/, "").split("\n");
}

function readSource(name: string): SourceFile {
  const blank = (comment: string) => comment.replaceAll(/[^\n]/g, " ");
  const text = linesOf(name).join("\n");
  // A comment begins at a line's start or after a space: `https://` and regular expressions stay whole.
  return { name, lines: text.replaceAll(/(?<=^|\s)\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, blank).split("\n") };
}

function importsOf({ name, lines }: SourceFile): readonly Import[] {
  const text = lines.join("\n");
  const pattern =
    /^\s*(?:import|export)\s+(?<type>type\s)?(?:[\w*{][^;"']*?\sfrom\s+)?"(?<target>[^"]+)"|\bimport\(\s*"(?<loaded>[^"]+)"/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const { type, target, loaded } = match.groups ?? {};
    const specifier = target ?? loaded ?? "";
    const place = specifier.startsWith(".") ? path.posix.join(path.posix.dirname(name), specifier) : specifier;
    const kind = loaded !== undefined ? "dynamic" : type !== undefined ? "type" : "static";
    const line = text.slice(0, match.index + match[0].search(/\S/)).split("\n").length;
    return { file: name, line, target: place, kind };
  });
}

/** `src/core/turn.ts` → `core`, `src/index.ts` → `index`. */
function partOf(name: string): string {
  return name.split("/")[1]?.replace(/\.ts$/, "") ?? "";
}

function faultOf({ file, line, target, kind }: Import): readonly string[] {
  if (target.startsWith("node:")) return [];
  const at = `${file}:${line}`;
  if (!target.startsWith("src/")) {
    const isOutside = target.startsWith("..") || target.includes("/test/");
    return isOutside ? [`${at} imports ${target}, which is not shipped. Move what is shared into src/.`] : [];
  }
  const from = partOf(file);
  const to = partOf(target);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined)
    return [`${at} is in a part without a place in the direction. Add "${from}" to MAY_IMPORT.`];
  if (from === to) {
    const folder = (name: string) => name.split("/").slice(2, -1)[0];
    const areSiblings = ADAPTERS.includes(from) && folder(file) && folder(target) && folder(file) !== folder(target);
    return areSiblings
      ? [`${at} imports another adapter (${target}). Put what both need beside them, or into core/.`]
      : [];
  }
  if (kind !== "static" && MAY_LOAD[from]?.includes(to)) return [];
  if (!allowed.includes(to) && !allowed.includes("*")) {
    return [
      `${at} imports ${target}: ${from} may import ${allowed.join(", ") || "nothing"}. Turn the dependency round with a port in core/.`,
    ];
  }
  const isAdapter = !ALWAYS_LOADED.includes(to) && !target.startsWith("src/stores/memory");
  if (from === "compose" && isAdapter && kind === "static") {
    return [`${at} imports the adapter ${target} statically. Use await import(), or import type.`];
  }
  return [];
}

// --- Reporting --------------------------------------------------------------------------------------------------------

function find(files: readonly SourceFile[], pattern: RegExp, fix: string): readonly string[] {
  return files.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`${name}:${index + 1} has "${found[0].trim()}". ${fix}`];
    }),
  );
}

function report(faults: readonly string[]): void {
  expect.soft(faults.length, `\n${faults.join("\n")}\n`).toBe(0);
}
