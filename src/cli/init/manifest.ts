/** What a `package.json` says, as far as it can be read. */

export interface Manifest {
  readonly scripts: readonly string[];
  /** Names of the packages it needs. */
  readonly packages: readonly string[];
}

export function manifestOf(text: string | undefined): Manifest {
  const { scripts, devDependencies, dependencies } = text === undefined ? {} : objectIn(text);
  return { scripts: keysOf(scripts), packages: [...keysOf(devDependencies), ...keysOf(dependencies)] };
}

/** By the lock file beside it. */
export function packageManager(read: (name: string) => string | undefined): "npm" | "pnpm" | "yarn" | "bun" {
  if (read("pnpm-lock.yaml") !== undefined) return "pnpm";
  if (read("yarn.lock") !== undefined) return "yarn";
  return read("bun.lock") !== undefined || read("bun.lockb") !== undefined ? "bun" : "npm";
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null ? (data as Readonly<Record<string, unknown>>) : {}; // as just looked at
  } catch {
    // A manifest that is no JSON is npm's business to complain about.
    return {};
  }
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}
