/**
 * Changing a file that is somebody else's: all of it or nothing, through links, with its rights kept; and what it was before
 * is remembered, so that it can be put back as it was.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, LockyardError } from "../../edges/basics.ts";

/** Null when there is no such file. Throws INVALID_OPTION when it cannot be read. */
export function readSettings(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw unusable("read", { path, error });
  }
}

/** Texts of one file; null: no file. */
export interface Change {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  /** What it is without us. */
  readonly own: string | null;
}

/** Throws INVALID_OPTION when it cannot be written, or is not what it was when it was read. */
function write({ path, before, after }: Change): void {
  if (readSettings(path) !== before) {
    throw new LockyardError("INVALID_OPTION", `${path} changed meanwhile. Nothing was changed.`, {
      hint: "Try again.",
    });
  }
  try {
    if (after === null) return rmSync(path, { force: true });
    mkdirSync(dirname(path), { recursive: true });
    const target = existsSync(path) ? realpathSync(path) : path;
    const mode = before === null ? null : statSync(target).mode & 0o7777;
    const fresh = `${target}.lockyard-${process.pid}`;
    try {
      writeFileSync(fresh, after, { flag: "wx", ...(mode === null ? {} : { mode }) });
      // What the mask of this process took away.
      if (mode !== null) chmodSync(fresh, mode);
      renameSync(fresh, target);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (error) {
    throw unusable("written", { path, error });
  }
}

function unusable(what: string, { path, error }: { readonly path: string; readonly error: unknown }): LockyardError {
  return new LockyardError(
    "INVALID_OPTION",
    `${path} cannot be ${what} (${errorCode(error) ?? "unknown"}). Nothing was changed.`,
    {
      hint: "Look at the rights of the file and its directory.",
      cause: error,
    },
  );
}

/** What is remembered of a file we changed. */
interface Kept {
  readonly path: string;
  readonly own: string | null;
  /** Of the text we left. */
  readonly hash: string;
  /** Directories we made for it, the innermost first. */
  readonly made: readonly string[];
}

/** Changes files, and remembers in a directory of ours what they were. */
export class SettingsFiles {
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, "settings");
  }

  /** What the file is without us; undefined when somebody changed it since we did, or we never did. */
  own(path: string, now: string | null): string | null | undefined {
    const kept = this.#kept(path);
    return kept !== null && now !== null && kept.hash === hashOf(now) ? kept.own : undefined;
  }

  /** Throws INVALID_OPTION when the file cannot be written, or is not what it was when it was read. */
  apply(change: Change): void {
    const { path, after, own } = change;
    const made = [...missingAbove(path), ...(this.#kept(path)?.made ?? [])];
    write(change);
    if (after === own || after === null) return this.#forget(path, made);
    const kept: Kept = { path, own, hash: hashOf(after), made };
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    // Settings may hold secrets.
    writeFileSync(this.#keptAt(path), JSON.stringify(kept), { mode: 0o600 });
  }

  /** Directories that nobody else uses go, too. */
  #forget(path: string, made: readonly string[]): void {
    rmSync(this.#keptAt(path), { force: true });
    for (const directory of existsSync(path) ? [] : made) {
      try {
        rmdirSync(directory);
      } catch {
        // Somebody put something into it.
        return;
      }
    }
  }

  #kept(path: string): Kept | null {
    try {
      return JSON.parse(readFileSync(this.#keptAt(path), "utf8")) as Kept; // written by `apply`
    } catch {
      // Without it, ours is taken out and the rest stays.
      return null;
    }
  }

  #keptAt(path: string): string {
    return join(this.#directory, `${hashOf(path)}.json`);
  }
}

/** Directories on the way to a file that are not there, the innermost first. */
function missingAbove(path: string): readonly string[] {
  const missing: string[] = [];
  for (let directory = dirname(path); !existsSync(directory); directory = dirname(directory)) missing.push(directory);
  return missing;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
