/** Starts small processes again and again and tells how long they took. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const RUNS = 15;
const FOLDER = fileURLToPath(new URL("../.cache/bench/", import.meta.url));

/**
 * Milliseconds from spawn to exit: the median of 15 runs after one that warms the file cache and the compile cache. `input`
 * is what they read.
 */
export function coldMs(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): number {
  const once = (): number => {
    const startMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: { ...process.env, ...environment },
      encoding: "utf8",
      ...(input === undefined ? {} : { input }),
    });
    const ms = performance.now() - startMs;
    if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
    return ms;
  };
  once();
  const all = Array.from({ length: RUNS }, once).sort((a, b) => a - b);
  return all[RUNS >> 1] ?? 0;
}

/** A node that loads an empty module: what every figure here is measured over. */
export function bareNodeMs(): number {
  return inFolder((folder) => {
    const file = join(folder, "empty.mjs");
    writeFileSync(file, "");
    return coldMs([file]);
  });
}

/** Bundles a script of bench/workers as the command line is bundled, with Node's compile cache, and hands over its path. */
export async function bundled<T>(script: string, use: (file: string) => T | Promise<T>): Promise<T> {
  const entry = fileURLToPath(new URL(`./workers/${script}`, import.meta.url));
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "bundle-"));
  try {
    await build({
      entryPoints: [entry],
      outdir: folder,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      minifyWhitespace: true,
      minifySyntax: true,
      outExtension: { ".js": ".mjs" },
    });
    const start = join(folder, "start.mjs");
    writeFileSync(
      start,
      `import module from "node:module"; module.enableCompileCache(); await import("./${script.replace(/\.ts$/, ".mjs")}");\n`,
    );
    return await use(start);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inFolder<T>(use: (folder: string) => T): T {
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "cold-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
