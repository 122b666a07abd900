/** Where a store may live: a directory of this machine's own, readable by its user alone. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { errorCode, LockyardError } from "../../core/errors.ts";
import { type FileSystems, realFileSystems, sharedFileSystemAt } from "./file-system.ts";

/** Name of the network or virtual file system a directory lies on, or null for one that is safe. Never waits for a server. */
export function sharedFileSystem(directory: string, systems: FileSystems = realFileSystems): string | null {
  // Names and numbers are Linux's; elsewhere they mean something else.
  if (process.platform !== "linux") return null;
  const asked = resolve(directory);
  // The table of mounts first: looking for a directory on a dead server would never come back.
  return sharedFileSystemAt(asked, { ...systems, typeOf: () => 0 }) ?? sharedFileSystemAt(realAbove(asked), systems);
}

/** The nearest directory that exists, without symbolic links. */
function realAbove(directory: string): string {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return realpathSync(existing);
}

export interface StorePlace {
  readonly file: string;
  /** One line for the user when it is not where one would expect it; null otherwise. */
  readonly note: string | null;
}

export interface StorePlaceOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  readonly systems?: FileSystems;
}

/**
 * Where the store of this user and machine is: `$XDG_STATE_HOME/lockyard/store.db`, or `~/.local/state/lockyard/store.db`;
 * `/var/tmp/lockyard-UID/store.db` when that lies on a network or virtual file system. Creates nothing.
 * Throws STORE_UNAVAILABLE when there is no safe place.
 */
export function storeFile(options: StorePlaceOptions = {}): StorePlace {
  const { environment = process.env, home = homedir(), systems = realFileSystems } = options;
  const configured = environment.XDG_STATE_HOME;
  const isHome = !configured?.startsWith("/");
  const state = isHome ? join(home, ".local", "state") : (configured ?? "");
  const wanted = join(state, "lockyard", "store.db");
  const shared = sharedFileSystem(dirname(wanted), systems);
  if (shared === null) return { file: wanted, note: null };
  const file = join("/var/tmp", `lockyard-${process.getuid?.() ?? 0}`, "store.db");
  if (sharedFileSystem(dirname(file), systems) !== null) throw onSharedFileSystem(wanted, shared);
  return {
    file,
    note: `${isHome ? "home" : state} is on ${shared}, where a shared lock table is not safe. Using ${dirname(file)} on this machine instead. Locks do not reach other machines.`,
  };
}

function onSharedFileSystem(file: string, name: string): LockyardError {
  return new LockyardError("STORE_UNAVAILABLE", `The store ${file} would be on ${name}, where locks do not hold.`, {
    hint: "Name a file on a disk of this machine, for example LOCKYARD_STORE=/var/tmp/lockyard/store.db.",
  });
}

/**
 * Makes the directory (0700) and an empty file (0600) when they are missing; SQLite gives its -wal and -shm the same mode.
 * Returns the file's real path, without symbolic links.
 * Throws STORE_UNAVAILABLE on a network or virtual file system, in a directory or a file of somebody else,
 * or when it cannot be made; STORE_READ_ONLY when it cannot be written.
 */
export function preparePlace(file: string, systems: FileSystems = realFileSystems): string {
  const directory = dirname(file);
  const shared = sharedFileSystem(directory, systems);
  if (shared !== null) throw onSharedFileSystem(file, shared);
  try {
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(directory, 0o700);
    refuseForeignDirectory(directory);
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    // A link may lead anywhere, also to a share; and SQLite puts the other two files beside what it leads to.
    const real = realpathSync(file);
    if (!statSync(real).isFile()) throw Object.assign(new Error("not a file"), { code: "EISDIR" });
    const behind = real === file ? null : sharedFileSystem(dirname(real), systems);
    if (behind !== null) throw onSharedFileSystem(real, behind);
    refuseForeignOwner(real);
    accessSync(real, constants.R_OK | constants.W_OK);
    return real;
  } catch (error) {
    throw placeError(error, file);
  }
}

/** What another user may change is not to be trusted; and written by us (by root, say) that user could use it no more. */
function refuseForeignOwner(file: string): void {
  const { uid, mode } = statSync(file);
  const own = process.getuid?.() ?? uid;
  if (uid !== own) {
    throw new LockyardError("STORE_UNAVAILABLE", `The store ${file} belongs to user ${uid} and this is user ${own}.`, {
      hint: "Run this as its owner, or name another store with LOCKYARD_STORE.",
    });
  }
  // Prompts and results are nobody else's business, whoever made the file.
  if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** In /var/tmp anybody may make a directory of our name before us. */
function refuseForeignDirectory(directory: string): void {
  if (!directory.startsWith("/var/tmp/lockyard-")) return;
  const facts = lstatSync(directory);
  const isOurs = facts.isDirectory() && facts.uid === process.getuid?.() && (facts.mode & 0o022) === 0;
  if (isOurs) return;
  throw new LockyardError(
    "STORE_UNAVAILABLE",
    `The directory ${directory} belongs to somebody else or others may write to it.`,
    {
      hint: "Name another store with LOCKYARD_STORE.",
    },
  );
}

function placeError(error: unknown, file: string): unknown {
  switch (errorCode(error)) {
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new LockyardError("STORE_READ_ONLY", `The store ${file} cannot be written (${errorCode(error)}).`, {
        hint: "Make the file and its directory writable, or name another store with LOCKYARD_STORE.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new LockyardError("STORE_FULL", `The store ${file} cannot be made: the disk is full.`, {
        hint: "Free some space, or name another store with LOCKYARD_STORE.",
        cause: error,
      });
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
    case "ELOOP":
    case "EEXIST":
    case "EMFILE":
    case "ENFILE":
      return new LockyardError("STORE_UNAVAILABLE", `The store ${file} cannot be made (${errorCode(error)}).`, {
        hint: "Name another store with LOCKYARD_STORE.",
        cause: error,
      });
    default:
      return error;
  }
}
