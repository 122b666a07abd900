// Builds `dist`: declarations as tsc emits them, and all JavaScript as one bundle whose parts share their chunks: the
// library's entries, the command line with a chunk per command, the files that run in threads. `--if-stale` does nothing when sources and dist match. The new dist replaces the old one in one rename,
// so that a process that starts meanwhile finds either of them whole.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { build, transform } from "esbuild";
import { CACHE, fingerprintOf, ROOT, readIfThere, withLock } from "./once.mjs";

const SOURCES = [
  "src",
  "bin",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
];
const DIST = path.join(ROOT, "dist");
const STAMP = "build-stamp";

const isFresh = () => readIfThere(path.join(DIST, STAMP)) === fingerprintOf(SOURCES);

async function main() {
  const onlyIfStale = process.argv.includes("--if-stale");
  if (onlyIfStale && isFresh()) return;
  await withLock("build", async () => {
    if (onlyIfStale && isFresh()) return;
    // Read before the build: an edit made meanwhile leaves dist stale, not falsely fresh.
    const stamp = fingerprintOf(SOURCES);
    const staging = path.join(CACHE, `dist.${process.pid}`);
    fs.rmSync(staging, { recursive: true, force: true });
    try {
      emitDeclarations(staging);
      dropDeclarations(staging);
      const inputs = await bundle(staging);
      fs.writeFileSync(path.join(staging, "THIRD-PARTY-LICENSES"), licensesOf(inputs));
      fs.writeFileSync(path.join(staging, STAMP), stamp);
      replaceDist(staging);
    } finally {
      fs.rmSync(staging, { recursive: true, force: true });
    }
  });
}

function emitDeclarations(outDir) {
  const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const run = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", outDir], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) throw new BuildError("tsc found the errors above.");
}

const ENTRIES = { index: "index", sqlite: "stores/sqlite/index", testing: "testing/index" };

/**
 * Declarations that nothing public leads to are nobody's: half of all, and a tenth of the package. What an entry does not name
 * itself is only there for the compiler, and needs no words.
 */
function dropDeclarations(outDir) {
  const entries = Object.values(ENTRIES).map((entry) => path.join(outDir, `${entry}.d.ts`));
  const named = new Set([...entries, ...entries.flatMap(declarationsNamedIn)]);
  const reached = new Set(entries);
  for (const file of reached) for (const target of declarationsNamedIn(file)) reached.add(target);
  for (const name of fs.readdirSync(outDir, { recursive: true })) {
    const file = path.join(outDir, name);
    if (!name.endsWith(".d.ts")) continue;
    if (!reached.has(file)) fs.rmSync(file);
    else if (!named.has(file)) {
      fs.writeFileSync(file, fs.readFileSync(file, "utf8").replaceAll(/^[ \t]*\/\*\*[\s\S]*?\*\/\n/gm, ""));
    }
  }
}

function declarationsNamedIn(file) {
  const names = fs.readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
  return [...names].map(([, target]) => path.join(path.dirname(file), target).replace(/\.[jt]s$/, ".d.ts"));
}

class BuildError extends Error {}

/** @returns {Promise<string[]>} the files that went into the bundle */
async function bundle(outDir) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      ...Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, `src/${file}.ts`])),
      main: "src/cli/main.ts",
      ...Object.fromEntries(workerFiles().map((file) => [path.basename(file, ".ts"), file])),
    },
    // Flat: `new URL("./x-worker.js", import.meta.url)` is true from every chunk as it is beside the source.
    outdir: path.join(outDir, "js"),
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Under the "node" condition yaml is CommonJS: not splittable, and `await import("yaml")` has no named exports.
    plugins: [fileSystem, packages],
    alias: {
      yaml: path.join(ROOT, "node_modules", "yaml", "browser", "dist", "index.js"),
      // Its other form asks for its own files in a way that no bundler follows.
      "jsonc-parser": path.join(ROOT, "node_modules", "jsonc-parser", "lib", "esm", "main.js"),
      "@modelcontextprotocol/server/_shims": path.join(ROOT, "src", "mcp", "sdk-shim.ts"),
    },
    // Variables are short, functions and classes keep the names that a stack trace tells.
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: true,
    keepNames: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  for (const entry of ["index", "sqlite"]) assertLean(result.metafile.outputs, entry);
  return Object.keys(result.metafile.inputs);
}

/**
 * `import … from "node:fs"` asks for every name there is, and asking for ReadStream loads all of Node's streams: a tenth of
 * what a short command takes. Asked for by `getBuiltinModule`, names are read one by one.
 */
const fileSystem = {
  name: "file-system",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:fs$/ }, ({ path: name }) => ({ path: name, namespace: "file-system" }));
    onLoad({ filter: /.*/, namespace: "file-system" }, () => {
      const names = Object.entries(Object.getOwnPropertyDescriptors(fs))
        .filter(([name, { value }]) => typeof value === "function" && /^[a-z]/.test(name))
        .map(([name]) => name);
      const named = [...names, "constants"].map((name) => `export const ${name} = fs.${name};`);
      return { contents: `const fs = process.getBuiltinModule("node:fs");\n${named.join("\n")}\nexport default fs;` };
    });
  },
};
/** Inner names of packages tell a reader of our stack traces nothing, and are a sixth of their size. */
const packages = {
  name: "packages",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.m?js$/ }, async ({ path: file }) => {
      const text = fs.readFileSync(file, "utf8");
      // What is no module is left alone: its names may be everybody's.
      if (!/^(?:import|export)\b/m.test(text)) return undefined;
      return { contents: (await transform(text, { minify: true, format: "esm", target: "node20.19" })).code };
    });
  },
};

/** Importing the library loads no package and no driver: what it loads at once is followed through the chunks. */
function assertLean(outputs, entry) {
  const start = Object.keys(outputs).find((file) => file.endsWith(`js/${entry}.js`));
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const package_ = Object.keys(outputs[file].inputs).find((input) => input.includes("node_modules/"));
    if (package_ !== undefined) throw new BuildError(`${entry}.js would load ${package_} when it is imported.`);
    for (const { path: target, kind, external } of outputs[file].imports) {
      if (kind !== "import-statement") continue;
      if (!external) visit(target);
      else if (target === "node:sqlite" || !isBuiltin(target))
        throw new BuildError(`${entry}.js would load ${target} when it is imported.`);
    }
  };
  visit(start);
}

/** Files that run in a thread of their own: started by URL, so no import leads to them. */
function workerFiles() {
  return sourceFiles(/(^|[/.-])worker\.ts$/)
    .filter((file) => !file.startsWith("cli/"))
    .map((file) => path.join(ROOT, "src", file));
}

function sourceFiles(pattern) {
  const files = fs.readdirSync(path.join(ROOT, "src"), { recursive: true }).map((file) => file.replaceAll("\\", "/"));
  return files.filter((file) => pattern.test(file)).sort();
}

/** The licence text of every package that was bundled, by name. */
function licensesOf(inputs) {
  const names = new Set();
  for (const input of inputs) {
    const match = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match !== null) names.add(match[1]);
  }
  const parts = [...names].sort().map((name) => {
    const folder = path.join(ROOT, "node_modules", name);
    const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    const file = fs.readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
    if (file === undefined) throw new BuildError(`${name} has no licence file to ship; do not bundle it.`);
    return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`;
  });
  const head = "The lockyard command line contains code of these packages.\n";
  return [head, ...parts].join(`\n${"-".repeat(80)}\n\n`);
}

function replaceDist(staging) {
  const old = `${staging}.old`;
  fs.rmSync(old, { recursive: true, force: true });
  if (fs.existsSync(DIST)) fs.renameSync(DIST, old);
  fs.renameSync(staging, DIST);
  fs.rmSync(old, { recursive: true, force: true });
}

main().catch((error) => {
  // esbuild has printed its own errors already.
  process.stderr.write(
    `build: ${error instanceof BuildError || error.errors ? error.message.split("\n")[0] : error.stack}\n`,
  );
  process.exitCode = 1;
});
